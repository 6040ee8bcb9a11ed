"""An hour of speech becomes a video: does memory stay flat, and is the sound still in step at the end?

Reads: data/samples/speech.wav, said again and again; the sample portrait. Writes: a temporary folder, a GB; prints a table.
`python -m tests.hour`, or `python -m tests.hour --minutes 3` to try it. Linux: memory is read from /proc.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import click
import numpy as np
import soundfile
from imageio_ffmpeg import get_ffmpeg_exe

from core.face.sample import write_photo
from core.media.audio import decode_any
from core.media.mp4 import tracks_of

ROOT = Path(__file__).resolve().parent.parent
EVERY_S = 10
END_S = 30  # of the sound and of the picture that are compared


def write_speech(path: Path, minutes: float) -> int:
    """The sample again and again, each time followed by a tone of its own number, so that no second is like another."""
    speech, rate = soundfile.read(ROOT / "data/samples/speech.wav", dtype="float32")
    n_left = n = round(minutes * 60 * rate)
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for number in range(n):
            tone = 0.1 * np.sin(2 * np.pi * (200 + 7 * number % 2000) * np.arange(rate // 4) / rate)
            file.write(np.concatenate([speech, tone])[:n_left])
            n_left -= len(speech) + len(tone)
            if n_left <= 0:
                break
    return n


def tree(root: int) -> dict[int, float]:
    """Process -> resident MB, of `root` and all it started."""
    parents, resident = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
        except OSError:  # it has just ended
            continue
        parents[int(entry.name)] = int(fields["PPid"])
        resident[int(entry.name)] = int(fields.get("VmRSS", "0 kB").split()[0]) / 1024
    ours = {root}
    while more := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {number: resident[number] for number in ours if number in resident}


def watch(command: list) -> tuple[list[tuple[float, float, int]], str]:
    """Run `command`; (seconds since its start, MB of all its processes, how many) every EVERY_S, and what it said."""
    rows, began = [], time.monotonic()
    with tempfile.TemporaryFile("w+") as talk, subprocess.Popen(command, cwd=ROOT, stdout=talk, stderr=talk) as process:
        while process.poll() is None:
            mine = tree(process.pid)
            rows.append((time.monotonic() - began, sum(mine.values()), len(mine)))
            click.echo("{:.0f} s\t{:.0f} MB\t{} processes".format(*rows[-1]), err=True)
            with suppress(subprocess.TimeoutExpired):
                process.wait(EVERY_S)
        talk.seek(0)
        said = talk.read()
    if process.returncode:
        raise SystemExit(said[-2000:])
    return rows, said


def late_ms(video: Path, speech: Path) -> float:
    """By how many milliseconds the last END_S of the video's sound are later than those of `speech`."""
    ours, rate = soundfile.read(speech, dtype="float32")
    theirs = np.concatenate(list(decode_any(video)))
    first, span = len(ours) - (END_S + 1) * rate, END_S * rate
    piece = ours[first:first + span]
    around = np.pad(theirs, (0, 2 * rate))[first - rate:first + span + rate]  # a second to either side
    n = 1 << (len(around) + span).bit_length()
    products = np.fft.irfft(np.fft.rfft(around, n) * np.conj(np.fft.rfft(piece, n)), n)[:2 * rate]
    return 1000 * (int(np.argmax(products)) - rate) / rate


@click.command()
@click.option("--minutes", type=click.FloatRange(2), default=60, help="Of speech.")
@click.option("--size", type=click.IntRange(64), default=512, help="Side of the video, px.")
def main(minutes, size) -> None:
    """Make a photo speak for an hour, and look at its memory and at the end of the video."""
    with tempfile.TemporaryDirectory(prefix="hour ") as name:
        photo, speech, video, end = (Path(name) / part for part in ("photo.png", "hour.wav", "hour.mp4", "end.mp4"))
        n_samples = write_speech(speech, minutes)
        began = time.monotonic()
        rows, _ = watch([sys.executable, "main.py", "--image", str(write_photo(photo)), "--audio", str(speech),
                         "--output", str(video), "--size", str(size)])
        took, seconds = time.monotonic() - began, n_samples / soundfile.info(speech).samplerate
        for share in range(0, 100, 10):
            if part := [mb for at, mb, _ in rows if share <= 100 * at / took < share + 10]:
                click.echo(f"{share} to {share + 10} % of the time: {min(part):.0f} to {max(part):.0f} MB")
        tracks = tracks_of(video)
        click.echo(f"{took:.0f} s for {seconds:.0f} s, {video.stat().st_size / 1e6:.0f} MB; {tracks}")
        click.echo(f"sound of the last {END_S} s late by {late_ms(video, speech):.2f} ms")
        subprocess.run([get_ffmpeg_exe(), "-v", "error", "-ss", str(seconds - END_S), "-i", str(video), "-crf", "10", str(end)],
                       check=True)
        click.echo(subprocess.run([sys.executable, "-m", "landmarks.sync", str(end)], cwd=ROOT, capture_output=True,
                                  text=True).stdout.strip())


if __name__ == "__main__":
    main()
