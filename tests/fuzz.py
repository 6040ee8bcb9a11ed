"""Every reader is given damaged files, and answers with a result or with one line: no traceback, no hang, no crash, no 2 GB.

Reads: nothing; the good files that are damaged are made here. Writes: a temporary folder; prints a table.
`make fuzz N=10000`, or `python -m tests.fuzz --n 200 --seed 7 --reader words.json`. The same seed damages the same bytes.
"""

import itertools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MOST_S, MOST_BYTES = 60, 2 * 10**9
GOOD, REFUSED = "read", "refused"
_TOKENS = [b"NaN", b"-1", b"1e400", b"0", b"", b"9" * 400, b"null", b"true", b'"\\ud800"', b"[[[[", b"{}", b"\x00", b"\xff\xfe",
           "é中\u202e".encode(), b"../../etc/passwd", b"a" * 5000, b"[" * 5000, b'{"a":' * 3000, b",", b'"', b"\r\n"]
_NUMBERS = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]


def damaged(content: bytes, rng) -> bytes:
    """A few damages of random kinds at random places."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        n = len(data)
        if not n:
            return bytes(data)
        at, kind = int(rng.integers(n)), int(rng.integers(9))
        if rng.random() < 0.5:
            at = min(at, int(rng.integers(min(n, 400))))  # headers are at the start
        length = int(rng.integers(1, 1 + min(64, n - at)))
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[at:at + length] = rng.bytes(length)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at:at + length]
        elif kind == 4:
            data[at:at] = data[at:at + length] * int(rng.integers(1, 50))
        elif kind == 5:
            value = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
            data[at:at + 4] = value.to_bytes(4, ("little", "big")[int(rng.integers(2))])
        elif kind == 6:
            token = _TOKENS[int(rng.integers(len(_TOKENS)))]
            found = list(re.finditer(rb"-?\d+(?:\.\d+)?|\"[^\"\n]{0,40}\"", bytes(data[:20_000])))
            start, end = found[int(rng.integers(len(found)))].span() if found else (at, at + length)
            data[start:end] = token
        elif kind == 7:
            data[at:at + length] = bytes([int(rng.choice([0, 0xFF]))]) * length
        else:
            data[at:at] = rng.bytes(length)
    return bytes(data)


def _drawn(path):
    from viewer.inspect import _draw
    _draw(path, path.with_suffix(".drawn.png"))


def _spoken(path):
    from speech.script import read_script
    from speech.speakable import check_text, pieces
    pieces(check_text(read_script(path), "en", path))


def _captions(path):
    from core.media import words
    words.srt(words.load_words(path))
    words.transcript(words.load_words(path)).encode()


def _array(path):
    from render.motion import read_motion
    read_motion(path)


def _described_array(path):
    from core import artifacts
    artifacts.load(path.with_suffix(""), "landmarks-face")


def _sound(path):
    from core.media.audio import read_speech
    read_speech(path)


def _any_sound(path):
    from core.media.audio import decode_any
    for _ in decode_any(path):
        pass


def _video(path):
    from core.media.video import probe, read_frames
    probe(path)
    for _ in itertools.islice(read_frames(path), 50):
        pass


def _photo(path):
    from core.media.picture import read_photo
    read_photo(path)


def _points(path):
    from render.face_points import read_points
    read_points(path, 256, 256)


def _index(path):
    from preprocess.pack_hdf5 import late_hops
    from preprocess.usable import usable_clips
    usable_clips(path, path)
    late_hops(path)


def _run(path):
    from viewer.look import look_at_run
    folder = path.parent / "run"
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_bytes(path.read_bytes())
    look_at_run(folder)


def _pack(path):
    from landmarks.dataset import load_clips
    load_clips(path, "train")


def _landmark_model(path):
    from landmarks.lite import load_model
    load_model(path)


def _emotion_model(path):
    from landmarks.emotion.model import load_recogniser
    load_recogniser(path)


def _picture_model(path):
    import torch

    from core.models import read_model
    from learn.weights import _load
    from render.parts.network import NETWORK, VERSION, Painter
    torch.set_num_threads(1)  # so that a copy of this process can do it, as fast as ten thousand files need
    read_model(path, "picture-model", partial(_load, build=Painter, name=NETWORK, version=VERSION, cure=""))


def _noise(path):
    from landmarks.head.motion import noise_for
    noise_for(path, 50)


def make_all(folder):
    """Write a good file for each reader; yield its name, the file, the reader, how many times slower it is than a fast one."""
    import h5py
    from PIL import Image

    from landmarks.head.knots import n_knots_of
    from landmarks.lite import load_model
    rng = np.random.default_rng(0)
    face = load_model().rest_face
    moving = np.repeat(face[None], 50, 0) + rng.normal(0, 0.01, (50, 68, 2)).astype(np.float32)
    np.save(folder / "landmarks.npy", moving.astype(np.float32))
    yield "landmarks .npy", folder / "landmarks.npy", _array, 1
    np.save(folder / "noise.npy", rng.standard_normal((n_knots_of(50), 7)).astype(np.float32))
    yield "noise.npy", folder / "noise.npy", _noise, 1
    from core import artifacts
    artifacts.save(folder / "described.npy", moving.astype(np.float32), "landmarks-face", stage="a.test")
    yield "sidecar", folder / "described.npy.json", _described_array, 1
    said = enumerate(["Good", "morning,", "it", "is", "due."])
    words = [{"word": word, "start_s": i / 2, "end_s": i / 2 + 0.4} for i, word in said]
    (folder / "words.json").write_text(json.dumps({"text": "", "words": words}, indent=1))
    yield "words.json", folder / "words.json", _captions, 1
    (folder / "face.json").write_text(json.dumps({"picture": [256, 256], "box": [60, 60, 200, 200],
                                                  "points": (face * 60 + 128).round(1).tolist()}))
    yield "face.json", folder / "face.json", _points, 1
    columns = "clip,split,speaker,sound_frames,picture_frames,offset_ms,confidence,correlations\n"
    (folder / "index.csv").write_text(columns + "".join(
        f"a/{i},train,anna,{50 + i},50,{i * 10},0.5,0.1 0.4 0.2\n" for i in range(4)))
    yield "index.csv", folder / "index.csv", _index, 1
    run = {"stage": "a.test", "options": {"steps": 3}, "versions": {}, "started": "", "data": {}, "command": "a", "resume": "b"}
    (folder / "run.json").write_text(json.dumps(run))
    yield "run.json", folder / "run.json", _run, 1
    (folder / "script.txt").write_bytes((ROOT / "data/samples/reminder.txt").read_bytes())
    yield "script", folder / "script.txt", _spoken, 1
    import soundfile
    sound = rng.normal(0, 0.1, 8000)
    for ending, how in ((".wav", {}), (".flac", {}), (".ogg", {})):
        soundfile.write(folder / f"sound{ending}", sound, 16000, **how)
    yield ".wav", folder / "sound.wav", _sound, 1
    yield ".flac by ffmpeg", folder / "sound.flac", _any_sound, 4
    yield ".ogg by ffmpeg", folder / "sound.ogg", _any_sound, 4
    picture = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize((64, 48))
    for ending in ("jpg", "png", "webp", "gif", "tif", "bmp", "avif", "qoi", "tga", "ppm", "ico", "jp2"):
        picture.save(folder / f"photo.{ending}")
        yield f"photo .{ending}", folder / f"photo.{ending}", _photo, 2
    from core.media.video import write_video
    write_video(folder / "video.mp4", list(rng.integers(0, 255, (10, 32, 32, 3), dtype=np.uint8)))
    yield "video .mp4", folder / "video.mp4", _video, 8
    _write_pack(folder / "pack.h5", moving)
    yield "training pack .h5", folder / "pack.h5", _pack, 1
    for name, path, reader in (("landmark-model .tflite", "CNN_record/default/model.tflite", _landmark_model),
                               ("emotion-model .npz", "CNN_record/emotion/model.npz", _emotion_model),
                               ("picture-model .safetensors", "GAN_record/mouth/model.safetensors", _picture_model)):
        (folder / Path(path).name).write_bytes((ROOT / path).read_bytes())
        yield name, folder / Path(path).name, reader, 4
    with h5py.File(folder / "any.h5", "w") as file:
        file["a"], file["b"] = rng.normal(size=(3, 4)), np.arange(5)
    np.savez_compressed(folder / "any.npz", a=np.zeros((50, 50)), b=np.arange(9))
    (folder / "curves.csv").write_text("step,loss\n" + "".join(f"{i},{1 / (i + 1)}\n" for i in range(9)))
    for path in ("any.h5", "any.npz", "curves.csv", "landmarks.npy", "photo.gif", "photo.png", "words.json", "sound.wav"):
        yield f"inspect {path}", folder / path, _drawn, 8


def _write_pack(path, face):
    import h5py
    with h5py.File(path, "w") as file:
        n = len(face)
        file["spectrum"] = np.ones((n, 4, 257), np.float16)
        file["face"], file["rest"] = face.astype(np.float32), face[:1].astype(np.float32)
        file["start"], file["n_frames"] = np.array([0]), np.array([n])
        file["first_frame"], file["first_hop"] = np.array([0]), np.array([0])
        for name, value in (("name", "a/0"), ("split", "train"), ("speaker", "anna")):
            file.create_dataset(name, data=[value], dtype=h5py.string_dtype())


def _limited():
    with open("/proc/self/statm", encoding="ascii") as sizes:
        has = int(sizes.read().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (has + MOST_BYTES + 2 * 10**9, hard))  # libraries still to be read take addresses


def _try_file(reader, path):
    """How one damaged file ended, as a part of a line of JSON."""
    from core.errors import InputError
    signal.alarm(MOST_S)
    try:
        reader(path)
        return {"is": GOOD}
    except InputError as error:
        line = str(error)
        return {"is": REFUSED if "\n" not in line and line.encode(errors="replace").decode() == line else "two lines"}
    except Exception as error:
        return {"is": "traceback", "what": f"{type(error).__name__}: {error}"[:200]}
    finally:
        signal.alarm(0)


def work(make, folder, wanted, seed):
    """In a process of its own: try the files `first` to `n` of each reader {name: [first, n]}; print lines of JSON."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for name, path, reader, _ in make(Path(folder)):
        if name not in wanted:
            continue
        content, (first, n) = path.read_bytes(), wanted[name]
        print(json.dumps({"reads": name}), flush=True)
        reader(path)  # the good one is read, or the rest says nothing
        _limited()
        for i in range(first, n):
            bad = damaged(content, np.random.default_rng([seed, sum(name.encode()), i]))
            print(json.dumps({"begins": i}), flush=True)
            path.write_bytes(bad)
            print(json.dumps({"i": i, **_try_file(reader, path)}), flush=True)
        path.write_bytes(content)
        print(json.dumps({"done": name}), flush=True)


def try_readers(wanted: dict, seed, made_by="tests.fuzz.make_all") -> dict:
    """Give each reader {name: n} so many damaged files, in one process: it starts for seconds.

    Returns {name: (counts of how they ended, the first bad ends)}. A process that dies is begun again after that file.
    """
    found, left = {name: (Counter(), []) for name in wanted}, {name: [0, n] for name, n in wanted.items()}
    with tempfile.TemporaryDirectory() as folder:
        while left:
            module, make = made_by.rsplit(".", 1)
            code = f"from tests.fuzz import work; from {module} import {make} as make; work(make, {folder!r}, {left!r}, {seed})"
            process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                                       stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
            name = at = None
            for line in process.stdout:
                if not line.startswith("{"):
                    continue
                event = json.loads(line)
                name, at = event.get("reads", name), event.get("begins")
                if "done" in event:
                    del left[name]
                if "is" in event:
                    counts, bad = found[name]
                    counts[event["is"]] += 1
                    if event["is"] not in (GOOD, REFUSED):
                        bad.append(f"{name} {event['i']}: {event['is']} {event.get('what', '')}")
                    left[name][0] = event["i"] + 1
            process.wait()
            if name in left and at is not None:
                end = "hang" if process.returncode == -signal.SIGALRM else f"crash {process.returncode}"
                found[name][0][end] += 1
                found[name][1].append(f"{name} {at}: {end}")
                left[name][0] = at + 1
            elif left:
                name = name if name in left else next(iter(left))
                found[name][0]["no start"] += 1
                found[name][1].append(f"{name}: the good file is not read")
                del left[name]
    return found


def readers() -> list:
    """(name, how many times slower) of each."""
    with tempfile.TemporaryDirectory() as folder:
        return [(name, cost) for name, _, _, cost in make_all(Path(folder))]


@click.command()
@click.option("--n", default=200, help="Files a reader; slow readers get a share.")
@click.option("--seed", default=0, help="Another seed, other damages.")
@click.option("--reader", "only", help="One reader alone.")
@click.option("--share/--whole", default=True, help="Whether slow readers get fewer.")
def main(n, seed, only, share):
    """Give every reader damaged files and count how they end."""
    all_bad, wanted = [], {name: max(1, n // cost) if share else n for name, cost in readers() if only in (None, name)}
    print("| reader | files | read all the same | refused in one line | else |\n|---|---:|---:|---:|---:|")
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process of its own
        for found in pool.map(lambda item: try_readers(dict([item]), seed), wanted.items()):
            for name, (counts, bad) in found.items():
                n_else = counts.total() - counts[GOOD] - counts[REFUSED]
                print(f"| {name} | {counts.total()} | {counts[GOOD]} | {counts[REFUSED]} | {n_else} |", flush=True)
                all_bad += bad
    for line in all_bad[:100]:
        print(line, file=sys.stderr)
    sys.exit(bool(all_bad))


if __name__ == "__main__":
    main()
