"""Speech to landmarks (TensorFlow to train, LiteRT to use)."""
