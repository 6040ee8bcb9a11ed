"""TensorFlow and Keras, without the lines they write to standard error when they are read and look for a GPU.

Reads, writes: nothing. Imported from here by all that trains with them.
"""

from core.models import without_noise
from learn import workers

with without_noise():
    import keras
    import tensorflow as tf
    from keras import layers, ops
    from keras.export import ExportArchive

    strategy = tf.distribute.MultiWorkerMirroredStrategy() if workers.together else None  # before anything is computed
    tf.config.list_logical_devices()  # else the first computation looks for a GPU, and says so

__all__ = ["ExportArchive", "keras", "layers", "ops", "strategy", "tf"]
