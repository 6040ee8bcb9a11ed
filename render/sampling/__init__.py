"""A moved picture: which of its blocks move, and where each pixel comes from."""
