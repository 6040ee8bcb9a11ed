"""The trials of `tests.faults` find what they look for, and a command that writes as it should passes them."""

import numpy as np
import pytest

from tests.faults import FAULTS, Work, contents, living, run_whole, trial

CAREFUL = """
import os, sys, time
try:
    with open("out.part", "w") as file:
        for k in range(20):
            file.write(str(k))
            file.flush()
            time.sleep(0.02)
    os.replace("out.part", "out.txt")
except BaseException as error:
    if os.path.exists("out.part"):
        os.remove("out.part")
    sys.exit("error: stopped")
"""
CARELESS = CAREFUL.replace("out.part", "out.txt").replace('os.replace("out.txt", "out.txt")', "pass")
FORGETFUL = CAREFUL.replace("import os", "import subprocess; subprocess.Popen(['sleep', '60'])\nimport os", 1)
LOCKED = "if os.path.exists('began'):\n    sys.exit('error: in use')\nopen('began', 'w').close()\ntry:"
LOST = CAREFUL.replace("try:", LOCKED, 1)


def work_of(code, folder):
    path = folder / "command.py"
    path.write_text(code)
    return run_whole("made up", (str(path),), folder)


def test_a_run_without_a_fault_is_what_is_compared_with(tmp_path):
    work = work_of(CAREFUL, tmp_path)
    assert list(work.files) == ["out.txt"] and work.seconds > 0.3
    (tmp_path / "other").mkdir()
    unsteady = work_of("import time; open('t', 'w').write(str(time.time())); open('u', 'w').write('u')", tmp_path / "other")
    assert list(unsteady.files) == ["u"], "what differs from run to run is not compared"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_careful_command_passes(tmp_path, fault):
    work = work_of(CAREFUL, tmp_path)
    assert trial(work, fault, tmp_path / "trial", np.random.default_rng(1)) == []
    assert not living(tmp_path / "trial")


@pytest.mark.parametrize("code, fault, said", [
    (CARELESS, "SIGKILL", "half-written: out.txt"), (LOST, "SIGKILL", "again: status 1"), (FORGETFUL, "SIGTERM", "live on")])
def test_what_is_wrong_is_found(tmp_path, code, fault, said, monkeypatch):
    monkeypatch.setattr("tests.faults.ENDS_S", 1)
    work = Work("made up", (str(tmp_path / "command.py"),), {"out.txt": "another"} if code is CARELESS else {}, 2.5)
    (tmp_path / "command.py").write_text(code.replace("range(20)", "range(200)"))  # longer than the fault can wait
    found = trial(work, fault, tmp_path / "trial", np.random.default_rng(5))
    assert any(said in each for each in found), found
    assert not living(tmp_path / "trial") and "command.py" not in contents(tmp_path / "trial")
