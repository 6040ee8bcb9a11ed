"""`core.files.new_hdf5`: no room for an HDF5 file is an OSError, wherever it is met, as for all other files."""

import errno
import subprocess
import sys

import pytest
from conftest import ROOT

_WRITE = """
import resource, sys
import numpy as np
from core.files import new_hdf5
path, most, given = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "given"
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    with new_hdf5(path, 400_000) as file:
        some = file.create_dataset("some", (100000,), "float32")
        file["names"] = [b"name"] * 5000
        if given:
            some[:] = np.random.default_rng(0).random(100000)
except OSError as error:
    print(error.errno, error.filename == path)
"""


@pytest.mark.parametrize("most", [0, 100, 1000, 4096, 30000, 200000])
@pytest.mark.parametrize("given", ["given", "empty"])
def test_no_room_for_hdf5_is_an_error_like_others(tmp_path, most, given):
    pytest.importorskip("resource")
    command = [sys.executable, "-c", _WRITE, str(tmp_path / "a.h5"), str(most), given]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and result.stdout.split() == [str(errno.EFBIG), "True"], result.stderr
    assert not result.stderr
