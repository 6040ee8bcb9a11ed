"""Work beside one's own: in a thread, in a child that may fail, in copies of this process that share it out."""
