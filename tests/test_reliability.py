"""What an attack found, each as a class: bombs, programs that look like pictures, broken videos, orphans, shared folders."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT, command, portrait
from PIL import Image

import main
from core import artifacts, files
from core.errors import InputError
from core.media import audio, ffmpeg, mp4, provenance
from core.media.picture import FORMATS, LONGEST_SIDE_PX, read_alpha, read_photo
from core.media.video import write_video
from core.processes import child
from viewer.inspect import main as inspect_main

FACE = np.zeros((3, 68, 2), np.float32)
FRAMES = [np.full((64, 64, 3), 40 * i, np.uint8) for i in range(5)]


def refused(work, *arguments):
    with pytest.raises(InputError) as error:
        work(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def python(code, **how):
    """Start a Python that knows the project and has run `code`."""
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **how)


# ----- photos

@pytest.mark.parametrize("content", [
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n", b"%PDF-1.4\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"DDS |\0\0\0" + bytes(200), b"\xd7\xcd\xc6\x9a" + bytes(60), b"GRIB" + bytes(60), b"HDF5" + bytes(60), b"#!/bin/sh\n"])
@pytest.mark.parametrize("name", ["me.jpg", "me.png", "me.eps"])
def test_only_formats_of_pixels_are_opened(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    began = time.monotonic()
    assert "not a picture" in refused(read_photo, tmp_path / name)
    assert "not a picture" in refused(read_alpha, tmp_path / name)
    assert time.monotonic() - began < 20


def test_no_format_runs_a_program():
    assert not {"EPS", "PDF", "WMF", "FITS", "GRIB", "HDF5", "BUFR", "PSD", "DDS"} & set(FORMATS)


@pytest.mark.parametrize("size", [(LONGEST_SIDE_PX + 1, 1), (1, LONGEST_SIDE_PX + 1), (10_000, 6_401), (60_000_000, 1)])
def test_a_side_and_an_area_have_a_limit(tmp_path, size):
    Image.new("1", size).save(tmp_path / "bomb.png")
    assert "at most 64 million" in refused(read_photo, tmp_path / "bomb.png")
    done = command(inspect_main, tmp_path / "bomb.png", "--out", tmp_path / "drawn.png")
    assert done.exit_code == 1 and "at most 64 million" in done.stderr


@pytest.mark.parametrize("ending", ["qoi", "avif", "webp", "gif", "tif", "png", "jpg", "bmp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_one_line_or_read(tmp_path, ending, share):
    path = tmp_path / f"cut.{ending}"
    Image.fromarray(portrait()).save(path)
    path.write_bytes(path.read_bytes()[:int(share * path.stat().st_size)])
    try:
        assert read_photo(path).shape == portrait().shape
    except InputError as error:
        assert path.name in str(error)


def _takes_memory(path):
    return len(bytearray(10**9))


def _crashes(path):
    os.kill(os.getpid(), signal.SIGKILL)


def _sleeps(path):
    time.sleep(60)


@pytest.mark.parametrize("work, found", [(_takes_memory, "more than 0.3 GB of memory"), (_crashes, "SIGKILL"),
                                         (_sleeps, "more than 1 s")])
@pytest.mark.parametrize("n_threads", [0, 1])
def test_reading_happens_in_a_child(monkeypatch, work, found, n_threads):
    """In a copy of the process where it has one thread, in a fresh Python where it has several."""
    monkeypatch.setattr(child, "_STARTS_S", 0 if work is _sleeps else 20)
    monkeypatch.setattr(child.threading, "active_count", lambda: 1 + n_threads)
    with pytest.raises(InputError, match=found):
        child.run_in_child(work, Path("a.png"), most_bytes=3 * 10**8, most_s=1)


# ----- sound and archives

def _header_claims(path, n_bytes):
    sound = np.zeros(1600, np.int16).tobytes()
    path.write_bytes(b"RIFF" + (0xFFFFFFFF).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
                     + np.array([1, 1], "<u2").tobytes() + np.array([16000, 32000], "<u4").tobytes()
                     + np.array([2, 16], "<u2").tobytes() + b"data" + n_bytes.to_bytes(4, "little") + sound)


@pytest.mark.parametrize("n_bytes", [0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
def test_a_header_that_claims_gigabytes_costs_what_is_there(tmp_path, n_bytes):
    _header_claims(tmp_path / "a.wav", n_bytes)
    assert len(audio.read_speech(tmp_path / "a.wav")) == 1600


def test_sound_is_counted_as_it_comes(tmp_path, monkeypatch):
    """A second of silence of 192 kHz and 8 channels takes a few kB as FLAC and 6 MB read."""
    soundfile.write(tmp_path / "bomb.flac", np.zeros((192_000 * 20, 8), np.int16), 192_000)
    (tmp_path / "bomb.flac").rename(tmp_path / "bomb.wav")
    assert len(audio.read_speech(tmp_path / "bomb.wav")) == 20 * 16_000
    monkeypatch.setattr("core.media.wav.LONGEST_S", 10)
    assert "of sound" in refused(audio.read_speech, tmp_path / "bomb.wav")
    assert "of sound" in refused(lambda path: list(audio.decode_any(path)), tmp_path / "bomb.wav")


def test_an_archive_is_told_by_its_headers(tmp_path):
    """Two gigabytes of zeros in two megabytes, or in six thousand bytes, are not unpacked to be told."""
    import h5py
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(3 * 10**8, np.uint8))
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        for name in ("n_frames", "split", "speaker"):
            file.create_dataset(name, (4 * 10**8,), "f8", chunks=(10**6,), compression="gzip")
    for name, found in (("bomb.npz", "300000000"), ("bomb.h5", "more than 1000000 clips")):
        done = command(inspect_main, tmp_path / name, "--out", tmp_path / "drawn.png")
        assert found in done.stdout + done.stderr and "Traceback" not in done.stderr


# ----- what ffmpeg writes

def test_a_video_without_room_is_no_video(tmp_path):
    code = ("import resource, numpy as np; from core.media.video import write_video\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
            "rng = np.random.default_rng(0)\n"
            f"write_video({str(tmp_path / 'me.mp4')!r}, (rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(200)))")
    for _ in range(3):
        process = python(code)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1 and "me.mp4: no video was made" in said.splitlines()[-1]
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.99])
def test_a_video_that_is_cut_off_is_not_taken_for_whole(tmp_path, monkeypatch, keep):
    """Whatever ffmpeg's status says: frames and tables are counted in the file."""
    from core.media import formats
    whole = mp4.tracks_of

    def cut(path):
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[:int(keep * len(content))])
        return whole(path)

    monkeypatch.setattr(formats.mp4, "tracks_of", cut)
    assert "no video was made" in refused(write_video, tmp_path / "me.mp4", iter(FRAMES))
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_is_ended_is_told(tmp_path):
    with ffmpeg.running(["-f", "lavfi", "-i", "testsrc", "-t", "9999", "-f", "null", "-"]) as process:
        subprocess.run(["pkill", "-KILL", "-f", "testsrc.*9999"], check=True)
    assert "signal 9" in process.failure
    assert ffmpeg.run(["-i", ffmpeg.url(tmp_path / "none")]) != ""


def test_a_video_says_that_it_is_synthetic(tmp_path):
    path = write_video(tmp_path / "me.mp4", iter(FRAMES))
    assert provenance.source_type(path) == ""
    provenance.mark_synthetic(path)
    assert provenance.source_type(path) == "compositeWithTrainedAlgorithmicMedia"
    assert provenance.COMMENT.encode() in path.read_bytes()
    assert [track.n_samples for track in mp4.tracks_of(path)] == [len(FRAMES)], "players still read it"
    assert provenance.CONSENT[:-1].lower() in " ".join(main.main.help.lower().split())


# ----- runs that are killed, and runs beside each other

@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("begin", [
    "from core.processes.child import start_in_child; wait = start_in_child(work)",
    "from core.corpus import workers; held = workers(2, None); pool = held.__enter__(); "
    "futures = [pool.submit(os.getpid) for _ in range(4)]; "
    "[say(f.result()) for f in futures]"])
def test_children_end_with_their_parent(begin, number):
    # Each line is one write: two processes share the pipe, and Python may be told not to buffer
    code = ("import os, signal, time\n"
            "for number in signal.SIGTERM, signal.SIGHUP:\n    signal.signal(number, signal.SIG_DFL)  # nohup ignores them\n"
            "def say(what):\n    os.write(1, f'{what}\\n'.encode())\n"
            "def work():\n    say(os.getpid())\n    time.sleep(60)\n"
            f"if __name__ == '__main__':\n    {begin}\n    say('ready')\n    time.sleep(60)\n")
    process = python(code, start_new_session=True)
    lines = set()
    for line in process.stdout:
        lines.add(line.strip())
        if "ready" in lines and len(lines) > 1:
            break
    children = {int(line) for line in lines if line.isdigit()}
    process.send_signal(number)
    process.wait(10)
    process.stdout.close()
    process.stderr.close()
    ends = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < ends:
        threading.Event().wait(0.05)
    assert children and not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_command_that_is_told_to_end_leaves_no_temporary_file(tmp_path):
    code = ("import time; from core.files import whole_file; from core.stage import stage\n"
            "@stage(reads='', writes='')\ndef slow():\n    'Wait.'\n"
            f"    with whole_file({str(tmp_path / 'out.txt')!r}) as part:\n"
            "        part.write_text('half'); print('ready', flush=True); time.sleep(60)\nslow()")
    for number in (signal.SIGTERM, signal.SIGHUP):
        process = python(code)
        assert process.stdout.readline().strip() == "ready" and len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        process.communicate(timeout=10)
        assert process.returncode == 128 + number and not list(tmp_path.iterdir())


def test_temporary_files_of_killed_runs_are_swept_after_an_hour(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_swept", set())
    names = ".0123456789ab.12-34.part.mp4", ".0123456789ab.12-35.part.mp4", ".my.part1.mp4"
    old, new, own = (tmp_path / name for name in names)
    for path in (old, new, own):
        path.write_text("half")
    for path in (old, own):
        os.utime(path, (0, 0))
    files.save_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([new.name, own.name, "a.json"])


@pytest.mark.parametrize("had", ["nothing", "an older one"])
def test_killed_between_payload_and_sidecar_the_file_is_still_ours(tmp_path, monkeypatch, had):
    path = tmp_path / "a.npy"
    if had != "nothing":
        artifacts.save(path, FACE + 1, "landmarks-face", stage="a.test")
    replace = Path.replace

    def killed(self, target):
        if str(target).endswith(".json"):
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        artifacts.save(path, FACE, "landmarks-face", stage="a.test", options={"seed": 3})
    assert artifacts.load(path, "landmarks-face").sidecar["options"] == {"seed": 3}
    np.save(path, FACE + 2)  # now it is the user's own: the pending description is of another
    if had == "nothing":
        assert artifacts.read_sidecar(path) == {}
    artifacts.save(path, FACE, "landmarks-face", stage="a.test")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npy", "a.npy.json"]


def test_runs_of_one_moment_have_folders_of_their_own(tmp_path):
    made, began = [], threading.Barrier(8)

    def run():
        began.wait()
        with files.own_folder(tmp_path / "results", "me_speech_1") as folder:
            made.append(folder)
            (folder / "a.txt").write_text(str(folder))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8 and all((folder / "a.txt").read_text() == str(folder) for folder in made)


def test_a_run_that_made_nothing_leaves_no_folder(tmp_path):
    done = command(main.main, "--image", tmp_path / "none.png", "--text", "Hi.", "--result-dir", tmp_path / "a" / "b")
    assert done.exit_code == 1 and not list(tmp_path.iterdir())


def test_two_runs_with_one_output_do_not_mix_their_files(tmp_path):
    def save(k):
        for _ in range(20):
            artifacts.save(tmp_path / "a.npy", FACE + k, "landmarks-face", stage="a.test", options={"k": k})

    threads = [threading.Thread(target=save, args=[k]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = artifacts.load(tmp_path / "a.npy", "landmarks-face")
    assert found.array.max() == found.sidecar["options"]["k"]


def test_the_limits_leave_this_process_as_it_was():
    before = resource.getrlimit(resource.RLIMIT_AS)
    child.run_in_child(_small, Path("a"))
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def _small(path):
    return 1
