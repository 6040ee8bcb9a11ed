"""Life in a face: eyes that look about, and how lively all of it is, measured."""
