"""Data-parallel training by tf.distribute: two processes come to the losses and the weights of one, on made-up clips."""

import csv
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from test_landmarks import SMALL, pack  # noqa: F401  (a fixture)

from core.errors import InputError
from learn import workers

OPTIONS = {**SMALL, "steps": 12, "every": 4, "dropout": 0.0}
N, MOST_APART = 2, 0.002  # processes; of the weights: 0.0004 when gradients are shared, 0.012 when they are not


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(pack, record, *cluster):  # noqa: F811
    """Train from a command line, in a process for each place in `cluster` or in one; what they print, and the curves."""
    told = {name: value for name, value in OPTIONS.items() if name not in ("ear", "rnn")}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in told.items()]
    command = [sys.executable, "-m", "landmarks.train", "--pack", pack, "--record", record, *options]
    about = [{"cluster": {"worker": cluster}, "task": {"type": "worker", "index": i}} for i in range(len(cluster))] or [{}]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={
        **os.environ, "OMP_NUM_THREADS": "1", "TF_CONFIG": json.dumps(one)}) for one in about]
    said = [process.communicate(timeout=200) for process in processes]
    assert not any(process.returncode for process in processes), "\n".join(talk[-3000:] for _, talk in said)
    with open(record / "00001" / "curves.csv", encoding="utf-8", newline="") as stream:
        return said, list(csv.DictReader(stream))


def weights_of(record):
    with np.load(record / "00001" / "state.npz") as state:
        return np.concatenate([state[name].ravel() for name in state.files if state[name].dtype == np.float32])


def test_two_processes_learn_what_one_learns(pack, tmp_path):  # noqa: F811
    _, curve = start(pack, tmp_path / "one")
    said, other = start(pack, tmp_path / "two", *(f"127.0.0.1:{port}" for port in free_ports(N)))
    assert [one.split() for one, _ in said] == [[str(tmp_path / "two" / "00001" / "model.tflite")], []], "one writes it"
    assert not said[1][1].strip(), "one process talks"
    assert [row["step"] for row in curve] == [row["step"] for row in other] == ["4", "8", "12"]
    for name in ("loss", "place", "speed", "opening", "width"):
        a, b = (np.array([float(row[name]) for row in rows]) for rows in (curve, other))
        np.testing.assert_allclose(b, a, rtol=0.02, err_msg=name)
    one, two = weights_of(tmp_path / "one"), weights_of(tmp_path / "two")
    assert np.linalg.norm(one - two) < MOST_APART * np.linalg.norm(one), np.linalg.norm(one - two) / np.linalg.norm(one)
    assert not (tmp_path / "two" / "00002").exists(), "one run"


@pytest.mark.parametrize("told", ["no JSON", "[]",
                                  '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
                                  '{"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "ps", "index": 0}}'])
def test_what_names_no_workers_is_refused_in_a_line(told, monkeypatch):
    monkeypatch.setenv(workers.VARIABLE, told)
    with pytest.raises(InputError, match="TF_CONFIG: .*expected workers"), workers.connected():
        pass


def test_one_process_needs_no_other(monkeypatch):
    for told in ("", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'):
        monkeypatch.setenv(workers.VARIABLE, told)
        with workers.connected():
            assert workers.rank() == 0 and workers.mean_of([3]) == [3] and workers.share({"a": 1}) == {"a": 1}
