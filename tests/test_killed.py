"""Killed after any rename, the same command run again gives the same bytes: `predict.py` and `main.py`.

Each run is a copy of one process that has read its models; it ends by `os._exit` right after its k-th rename, for every k.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, portrait, speak
from PIL import Image

SEED = 3


def predicted(folder, speech, _photo):
    from landmarks.predict import predict_file
    predict_file(speech, folder / "predicted", gif=folder / "landmarks.gif", emotion="auto", seed=SEED)


def animated(folder, speech, photo):
    from animator import Animator
    from render.options import RenderOptions
    from render.render import check_output
    options = RenderOptions(captions="mux", seed=SEED, size_px=128, preview=True)
    out = check_output(folder / "me.mp4", options=options)
    text = (folder.parent / "said.txt").read_text(encoding="utf-8")
    Animator(device="cpu").animate(photo, speech, out, folder=folder / "between", text=text, options=options)


WORKS = {"predict": predicted, "main": animated}


def _contents(folder):
    """{file: its hash}, of all files that are not hidden."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")}


def _in_a_copy(work, arguments, last=None) -> int:
    """Run `work` in a copy of this process that ends after rename number `last`; return its exit status."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status, done, replace = 1, 0, os.replace

    def counted(*names):
        nonlocal done
        replace(*names)
        done += 1
        if done == last:
            os._exit(9)

    os.replace = counted
    try:
        work(*arguments)
        status = 0
    finally:
        os._exit(status)


def all_kills(name, speech, photo) -> dict:
    """Kill a run after each of its renames, and run it again: {number of the rename: files that differ}."""
    from core.stage import listen
    listen(lambda event: None)
    found, work = {}, WORKS[name]
    with tempfile.TemporaryDirectory() as top:
        top = Path(top)
        (top / "said.txt").write_text("Mama.", encoding="utf-8")
        work(top / "whole", speech, photo)  # here, so that the copies find every model read
        whole, k = _contents(top / "whole"), 0
        while True:
            k += 1
            folder = top / "whole"  # the same place: paths stand in messages and pages
            shutil.rmtree(folder)
            if _in_a_copy(work, (folder, speech, photo), last=k) == 0:
                return {"renames": k - 1, "files": len(whole), "differ": found}
            assert _in_a_copy(work, (folder, speech, photo)) == 0, k
            again = _contents(folder)
            if again != whole:
                found[k] = sorted(file for file in {*whole, *again} if whole.get(file) != again.get(file))


@pytest.mark.parametrize("name, least", [("predict", 15), ("main", 25)])
def test_killed_after_any_rename_and_run_again_the_bytes_are_the_same(tmp_path, name, least):
    from core.media.audio import write_wav
    Image.fromarray(portrait()).save(tmp_path / "photo.png")
    write_wav(tmp_path / "speech.wav", speak("Mama.", seconds=0.4))
    done = subprocess.run([sys.executable, __file__, name, tmp_path / "speech.wav", tmp_path / "photo.png"],
                          capture_output=True, text=True, timeout=600,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["renames"] >= least and found["differ"] == {}


if __name__ == "__main__":
    import torch
    torch.set_num_threads(1)  # a copy of a process has none of its threads
    print(json.dumps(all_kills(*sys.argv[1:])))
