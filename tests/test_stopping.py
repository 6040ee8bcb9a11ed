"""Ctrl-C while a command reads its libraries is one line (`core.errors`); programs of others keep their traceback."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.fixture
def interrupted(tmp_path):
    """An environment in which reading NumPy is interrupted."""
    (tmp_path / "lib" / "numpy").mkdir(parents=True)
    (tmp_path / "lib" / "numpy" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "lib"), str(ROOT)])}


@pytest.mark.parametrize("command", [["predict.py", "a.wav"], ["main.py"], ["bench.py"], ["-m", "predict"]])
def test_a_command_that_is_stopped_while_it_starts_says_so_in_a_line(command, interrupted):
    result = subprocess.run([sys.executable, *command], cwd=ROOT, env=interrupted, capture_output=True, text=True, timeout=60)
    assert result.returncode in (130, -2)
    assert result.stderr == "error: stopped; the same command goes on from here\n" and not result.stdout


def test_a_program_of_others_keeps_its_traceback(interrupted, tmp_path):
    (tmp_path / "mine.py").write_text("import core.paths\nimport numpy\n")
    mine = [sys.executable, tmp_path / "mine.py"]
    result = subprocess.run(mine, cwd=tmp_path, env=interrupted, capture_output=True, text=True, timeout=60)
    assert "Traceback" in result.stderr and "mine.py" in result.stderr


def test_other_errors_keep_theirs(tmp_path):
    code = "import sys; sys.argv = [sys.orig_argv[0] + '/talking-face']; import core; raise ValueError('why')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "ValueError: why" in result.stderr
