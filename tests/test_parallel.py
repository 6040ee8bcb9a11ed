"""Data-parallel training: two processes come to the losses and the weights of one, on drawn faces."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.torch import load_file
from test_gan import OPTIONS, corpus  # noqa: F401  (a fixture)

from learn import parallel

N = 2


def start(corpus, record, *launcher):  # noqa: F811
    """Train the DCGAN of the drawn corpus from a command line; return the path of its model, and its curves."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    done = subprocess.run([sys.executable, "-m", *launcher, "gan.train", "--crops", corpus / "crops", "--landmarks",
                           corpus / "landmarks", "--record", record, "--save-every", "4", "--threads", "1", *options],
                          cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(record / "00001" / "model.safetensors")], "one process speaks"
    with open(record / "00001" / "curves.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return load_file(record / "00001" / "model.safetensors"), rows


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this PyTorch has no gloo")
def test_two_processes_learn_what_one_learns(corpus, tmp_path):  # noqa: F811
    one, curve = start(corpus, tmp_path / "one")
    two, other = start(corpus, tmp_path / "two", "torch.distributed.run", "--standalone", f"--nproc-per-node={N}", "-m")
    assert [row["step"] for row in curve] == [row["step"] for row in other] and len(curve) >= 3
    for name in ("pixel", "discriminator", "val_psnr_db"):  # gradients that are not shared are off by 0.001, 0.006, 0.0014
        a, b = (np.array([float(row[name] or "nan") for row in rows]) for rows in (curve, other))
        np.testing.assert_allclose(a, b, rtol=4e-4, err_msg=name)
    assert not (tmp_path / "two" / "00002").exists(), "one run"
    weights, others = (torch.cat([model[name].float().flatten() for name in one]) for model in (one, two))
    assert (weights - others).norm() < 3e-4 * weights.norm(), "0.00017; 0.00056 when gradients are not shared"


def test_a_share_is_every_nth_item_of_all_or_all_of_them(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    batch = {"a": torch.arange(6), "b": np.arange(12).reshape(6, 2)}, 3, None
    mine = parallel.share(batch)
    assert mine[0]["a"].tolist() == [1, 3, 5] and mine[0]["b"][:, 0].tolist() == [2, 6, 10] and mine[1:] == (3, None)
    video = torch.zeros(1, 4, 3), np.arange(4)
    assert parallel.share(video)[1].tolist() == [0, 1, 2, 3], "the frames of one video stay together"
    assert len(parallel.share((torch.arange(5),))[0]) == 5
    monkeypatch.delenv("WORLD_SIZE")
    assert parallel.share(batch) is batch and parallel.rank() == 0
