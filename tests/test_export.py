"""A converted network is checked against the one it was made of; one that answers otherwise is never written."""

from itertools import count

import numpy as np
import pytest

from core import artifacts
from core.errors import InputError

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def network():
    import keras
    keras.utils.set_random_seed(1)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    network.settings = {"width": 2}
    return network


def export(network, path, function):
    from learn.export import write_litert
    return write_litert(network, path, "sync-model", {"see": (function, [tf.TensorSpec((None, 3), name="x")])}, stage="test")


def test_the_file_answers_as_the_network_does(network, tmp_path):
    from landmarks.lite import signatures
    path = export(network, tmp_path / "model.tflite", lambda x: {"y": network(x)})
    x = np.random.default_rng(5).normal(size=(7, 3)).astype(np.float32)
    np.testing.assert_allclose(signatures(path, "see")[0](x=x)["y"], network(x), atol=1e-5)
    assert artifacts.check(path, "sync-model")["settings"] == {"width": 2}


def test_nan_is_refused(network, tmp_path):
    with pytest.raises(InputError, match=r"answers NaN \(y of see\)"):
        export(network, tmp_path / "model.tflite", lambda x: {"y": tf.math.log(-1 - tf.square(network(x)))})
    assert not list(tmp_path.iterdir())


def test_another_answer_is_refused(network, tmp_path):
    calls = count()
    with pytest.raises(InputError, match="off by"):
        export(network, tmp_path / "model.tflite", lambda x: {"y": network(x) + float(next(calls))})
    assert not list(tmp_path.iterdir())
