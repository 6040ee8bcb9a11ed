"""What the tests work on, made here and now: synthesised speech, a portrait that talks, a small corpus of it.

Nothing is fetched, and no recording is used. Costly things are made once a session.
"""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from PIL import Image

from core import artifacts
from core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, n_frames_of
from core.face import face68
from core.media.audio import read_speech, resample, write_wav
from core.media.video import write_gif, write_video

ROOT = Path(__file__).resolve().parent.parent
SIDE_PX = 256
N_SHORT = 30  # frames in the clips that are bad on purpose
SENTENCES = ("Mama bought a boat, and Papa made a map of it.", "Bob may come by at noon, pop up and wave.",
             "A warm afternoon, an open window, a piano.", "My puppy barks at a big balloon.")
VOICES = ("en-us", "en-us", "en-gb-x-rp+f3", "en-gb-x-rp+f3")
_LEFT, _TOP, _MOUTH_XY, _LIPS_PX = 96, 0, (127, 145), (17, 4)  # the face in the portrait, and its mouth in the cut

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # a make that a test runs answers as a user's does, `make test` or not
    os.environ.pop(name, None)


def command(main, *arguments):
    """Run a stage in this process; the result has exit_code, stdout and stderr."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def stopped_at(function, n):
    """`function`, as long as it is not called for the n-th time: then somebody stops the command with Ctrl-C."""
    calls = []

    def called(*arguments):
        calls.append(arguments)
        if len(calls) == n:
            raise KeyboardInterrupt
        return function(*arguments)

    return called


def describe(path, kind, **about):
    """Give a file that a test wrote the sidecar a stage would; return its path."""
    content = path.read_bytes()
    with artifacts.described(path, kind, **{"stage": "test", **about}) as (part, _):
        part.write_bytes(content)
    return path


def speak(text, voice="en-us", seconds=2.0):
    """Synthesised speech of exactly this length: float32 [sample] at 16 kHz."""
    from speech import engines as speech_engines
    spoken = speech_engines.speak(text, voice)
    sound = resample(spoken.sound, spoken.rate)
    n_samples = round(seconds * SAMPLE_RATE)
    return np.pad(sound[:n_samples], (0, max(0, n_samples - len(sound))))


def loudness(sound):
    """Loudness of each frame of `sound`, 0..1, smoothed like a jaw: float [frame]."""
    n_frames = n_frames_of(len(sound))
    frames = np.pad(sound, (0, max(0, n_frames * SAMPLES_PER_FRAME - len(sound))))[:n_frames * SAMPLES_PER_FRAME]
    rms = np.sqrt(np.square(frames.reshape(n_frames, -1)).mean(1))
    return np.convolve(rms / rms.max(), [0.25, 0.5, 0.25], mode="same")


def portrait():
    """A face, uint8 [256, 256, rgb]: the NASA portrait in scikit-image."""
    from skimage.data import astronaut
    return np.ascontiguousarray(astronaut()[_TOP:_TOP + SIDE_PX, _LEFT:_LEFT + SIDE_PX])


def portrait_photo(path, size_px):
    """The portrait as a `photo.Photo` of this size; written to `path`."""
    from render import photo
    from render.photo_check import find_face
    Image.fromarray(portrait()).save(path)
    return photo.frame_photo(find_face(path), size_px=size_px)


N_FRAMES = 50
OPENING = 0.25  # eye distances the mouth opens in these tests


def opening_motion(n_frames=N_FRAMES, size=OPENING):
    """A mouth that opens and closes: float32 [frame, 68, 2], eye distances; frame 0 is at rest."""
    moves = np.zeros((n_frames, face68.N_POINTS, 2), np.float32)
    amount = size * np.sin(np.linspace(0, 3 * np.pi, n_frames)) ** 2
    inner, outer = (list(face68.GROUPS[name]) for name in ("inner_lips", "outer_lips"))
    moves[:, [*inner[5:], *outer[7:]], 1] = amount[:, None]
    moves[:, list(face68.GROUPS["jaw"])[6:11], 1] = amount[:, None]
    return moves


def talking_frames(opening):
    """Yield the portrait swaying a little, with a mouth as open as `opening` [frame], 0..1, says."""
    face = portrait()
    x, y = _MOUTH_XY
    for t, openness in enumerate(opening):
        frame = face.copy()
        gap_px = round(11 * float(openness))
        lips, inside = (_LIPS_PX[0] + 3, _LIPS_PX[1] + 3 + gap_px), (_LIPS_PX[0] - 3, 1 + gap_px)
        for axes, colour in ((lips, (170, 80, 80)), (inside, (40, 8, 12))):
            cv2.ellipse(frame, (x, y + gap_px // 2), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
        sway = np.array([[1, 0, 3 * np.sin(t / 9)], [0, 1, 2 * np.cos(t / 7)]])
        yield cv2.warpAffine(frame, sway, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)


def write_talking_clip(path, sound):
    """Write a video whose mouth follows `sound`, with that sound."""
    speech = write_wav(path.with_suffix(".wav"), sound)
    write_video(path, talking_frames(loudness(sound)), speech=speech)
    speech.unlink()
    return path


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """Path of two seconds of speech: 16 kHz, mono, 16 bit."""
    return write_wav(tmp_path_factory.mktemp("speech") / "speech.wav", speak(SENTENCES[0]))


@pytest.fixture(scope="session")
def clip(tmp_path_factory, speech):
    """Path of a video of two seconds: a talking face with its sound."""
    return write_talking_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", read_speech(speech))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A folder with two speakers, two clips each, two seconds long: anna/0.mp4 ... ben/3.mp4."""
    folder = tmp_path_factory.mktemp("corpus")
    for i, (sentence, voice) in enumerate(zip(SENTENCES, VOICES, strict=True)):
        path = folder / ("anna", "ben")[i // 2] / f"{i}.mp4"
        path.parent.mkdir(exist_ok=True)
        write_talking_clip(path, speak(sentence, voice))
    return folder


@pytest.fixture(scope="session")
def n_frames():
    """Frames in each clip of `corpus` and in `clip`."""
    return 2 * FPS


@pytest.fixture(scope="session")
def bad_corpus(corpus, tmp_path_factory):
    """The clips of `corpus`, one of each kind of trouble under odd/, and a manifest; ben/3.mp4 is `val`."""
    folder = tmp_path_factory.mktemp("bad") / "a corpus"
    shutil.copytree(corpus, folder)
    odd = folder / "odd"
    odd.mkdir()
    opening = np.abs(np.sin(np.arange(N_SHORT) / 3))
    a_sound = folder / "anna" / "0.mp4"
    wall = np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)
    write_video(odd / "no face.mp4", [wall] * N_SHORT, speech=a_sound)
    write_video(odd / "no sound.mp4", talking_frames(opening))
    pair = (np.concatenate([frame, portrait()], 1) for frame in talking_frames(opening))
    write_video(odd / "two.faces.mp4", pair, speech=a_sound)
    shown = [frame if t < 16 else wall for t, frame in enumerate(talking_frames(opening))]
    write_video(odd / "sometimes.mp4", shown, speech=a_sound)
    (odd / "broken.mp4").write_bytes(b"not a video " * 99)
    clips = sorted(path.relative_to(folder) for path in folder.rglob("*.mp4"))
    lines = [f"{clip},{'val' if clip.stem == '3' else 'train'},{clip.parent}" for clip in clips]
    (folder / "manifest.csv").write_text("\n".join(["clip,split,speaker", *lines]) + "\n")
    return folder


@pytest.fixture(scope="session")
def data(bad_corpus, tmp_path_factory):
    """A data folder with recordings/, fft/, landmarks/ and train.h5 made from `bad_corpus` by the commands."""
    from preprocess import extract_fft, extract_landmarks, list_recordings, pack_hdf5
    data = tmp_path_factory.mktemp("data")
    index, fft, landmarks = data / "recordings" / "index.csv", data / "fft", data / "landmarks"
    for main, *arguments in ((list_recordings.main, bad_corpus, "--out", index.parent),
                             (extract_fft.main, "--index", index, "--out", fft, "--jobs", 2),
                             (extract_landmarks.main, "--index", index, "--out", landmarks, "--jobs", 2),
                             (pack_hdf5.main, "--fft", fft, "--landmarks", landmarks, "--out", data / "train.h5")):
        result = command(main, *arguments)
        assert result.exit_code == 0, result.stderr
        assert Path(result.stdout.strip()).is_file(), "standard output is the path written, alone"
    return data


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "my phöto.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture
def short_speech(tmp_path):
    """A second of a hum that swells and falls, in stereo, at 44.1 kHz."""
    t = np.arange(44100) / 44100
    path = tmp_path / "a hum.wav"
    soundfile.write(path, np.stack([np.sin(700 * t) * np.sin(9 * t) ** 2 * 0.5] * 2, 1), 44100)
    return path


@pytest.fixture
def predicted(monkeypatch):
    """A predictor that needs no model: the mouth opens and closes. Returns the list of files it was given."""
    heard = []

    def predict_file(speech, out, model_path=None, **_):
        heard.append(speech.path)
        rest = np.zeros((face68.N_POINTS, 2), np.float32)
        rest[list(face68.GROUPS["left_eye"]), 0], rest[list(face68.GROUPS["right_eye"]), 0] = 0.5, -0.5
        artifacts.save(out / "rest_face.npy", rest, "rest-face", stage="test")
        write_gif(out / "landmarks.gif", [np.zeros((8, 8), np.uint8)] * 2)
        moves = opening_motion(n_frames_of(len(speech.sound)))
        return artifacts.save(out / "landmarks.npy", rest + moves, "landmarks-face", stage="test")

    monkeypatch.setattr("landmarks.predict.predict_file", predict_file)
    return heard
