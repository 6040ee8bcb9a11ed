"""What each model that ships makes of the sample speech and portrait is what it made before.

Another CPU rounds otherwise: without AVX the records differ by up to 1e-4 of their largest value, from run to run not at all.
Weights changed by up to 10 % move every record by 1e-3 or more, most by 1e-2. The tolerance of 5e-4 lies between.
A change that is meant: `python -m tests.golden` writes the records anew.
"""

import changed
import golden
import pytest

from core import paths


def name(record):
    return record.__name__


def test_every_model_that_ships_has_a_record():
    assert set(golden.MODELS.values()) == set(paths.SHIPPED)
    assert {golden.path_of(record) for record in golden.MODELS} == set(golden.FOLDER.iterdir())


@pytest.mark.parametrize("record", golden.MODELS, ids=name)
def test_the_model_gives_what_it_gave(record):
    assert golden.farthest(record(), golden.read(record)) < golden.TOLERANCE, "meant? python -m tests.golden"


@pytest.mark.parametrize("record", [golden.landmark, golden.landmark_fft, golden.voice, golden.identity], ids=name)
def test_other_weights_are_noticed(record, tmp_path):
    model = changed.changed_copy(golden.MODELS[record], tmp_path, share=0.1)
    assert golden.farthest(record(model), golden.read(record)) > golden.TOLERANCE
