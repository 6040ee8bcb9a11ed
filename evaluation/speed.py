"""Measures of speed and memory: figures beside figures, nothing asserted.

Reads: data/samples/speech.wav and reminder.txt, the portrait in scikit-image, the models that ship.
Writes: a temporary folder, but for landmarks.gif, which predict.py always writes.
"""

import csv
import os
import subprocess
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from core.clock import FPS, SAMPLE_RATE
from core.cost import Ended, Row, python, seconds_of
from core.face.sample import write_photo
from core.media.audio import read_speech, write_wav
from core.media.video import probe, read_frames, write_video
from core.paths import ROOT
from render import motion, photo

SPEECH, SCRIPT = (ROOT / "data" / "samples" / name for name in ("speech.wav", "reminder.txt"))
SPEECH_S, CLIP_S, FELT_S = 10, 30, 5
SHORT_MIN, LONG_MIN = 1, 10
SIDE_PX, SWAY_PX = 256, 6
N_CORES = os.cpu_count() or 1
SIZES, CLOSE_UPS, N_HELD = ((512, 512), (1920, 1080)), (512, 1080, 1920), 50  # px; frames held to be encoded over and over
N_ROWS, NAMES = 20, ("Anna", "Ben", "Chitra", "David", "Esha", "Farid", "Gita")
REMINDER = ("Dear {}, this is a reminder from the water office. Your bill of INR {} is due on {} May. "
            "Please pay it in time. Thank you very much.")
N_TIMES = 3  # a process is started this often, and the middle time counts


def speech_of(seconds: int, folder: Path) -> Path:
    """The sample speech, repeated, as a .wav that lasts `seconds`."""
    return write_wav(folder / f"speech_{seconds}s.wav", np.resize(read_speech(SPEECH), seconds * SAMPLE_RATE))


def portrait_clip(path: str | Path, seconds: float, speech: str | Path) -> Path:
    """Write a .mp4 of a portrait that sways a little."""
    from skimage.data import astronaut
    portrait = astronaut()[:SIDE_PX]
    left = (96 + SWAY_PX * np.sin(np.arange(seconds * FPS) / 9)).round().astype(int)
    return write_video(path, (portrait[:, x:x + SIDE_PX] for x in left), speech=speech)


def repeat_clip(clip: str | Path, n_times: int, path: Path) -> None:
    """The video `clip` `n_times` over, without encoding it again."""
    from imageio_ffmpeg import get_ffmpeg_exe
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([get_ffmpeg_exe(), "-v", "error", "-stream_loop", str(n_times - 1), "-i", str(clip), "-c", "copy",
                    str(path)], check=True, stdin=subprocess.DEVNULL)


def extract(corpus: Path, stage_name: str, jobs: int) -> Ended:
    """List the recordings of `corpus` and run one stage over them."""
    python("-m", "preprocess.list_recordings", corpus, "--out", corpus.parent / f"{corpus.name}_index")
    return python("-m", stage_name, "--index", corpus.parent / f"{corpus.name}_index" / "index.csv",
                  "--out", corpus.parent / f"{corpus.name}_{stage_name}", "--jobs", jobs)


def _decode(path):
    return sum(1 for _ in read_frames(path))


def landmarks(folder: Path) -> list[Row]:
    """The whole stage extract_landmarks, one clip a core, beside decoding alone."""
    clip = portrait_clip(folder / "clip.mp4", CLIP_S, speech_of(CLIP_S, folder))
    copies = [folder / "corpus" / f"clip{i}.mp4" for i in range(N_CORES)]
    for copy in copies:
        repeat_clip(clip, 1, copy)
    stage_s = extract(folder / "corpus", "preprocess.extract_landmarks", N_CORES).seconds
    with get_context("spawn").Pool(N_CORES) as pool:
        pool.map(abs, range(N_CORES))  # the processes have started
        decode_s = seconds_of(lambda: pool.map(_decode, copies))
    n_frames = CLIP_S * FPS * N_CORES
    return [Row(f"extract_landmarks, {SIDE_PX}x{SIDE_PX}, {N_CORES} processes", n_frames / stage_s, "frames/s",
                "decoding alone", n_frames / decode_s)]


def memory(folder: Path) -> list[Row]:
    """Peak memory of a process, for a long clip beside a short one."""
    clip, rows = portrait_clip(folder / "minute.mp4", 60, speech_of(60, folder)), []
    for minutes in (SHORT_MIN, LONG_MIN):
        repeat_clip(clip, minutes, folder / f"{minutes}min" / "clip.mp4")
    for name in ("preprocess.extract_fft", "preprocess.extract_landmarks"):
        short, long = (extract(folder / f"{minutes}min", name, 1).peak_mb for minutes in (SHORT_MIN, LONG_MIN))
        rows.append(Row(f"{name.split('.')[1]}, peak memory, {LONG_MIN} min", long, "MB", f"{SHORT_MIN} min", short))
    return rows


def predict(folder: Path) -> list[Row]:
    """predict.py from a cold start, prediction once the model is loaded, and a stream."""
    from landmarks.predict import load_model
    from landmarks.predict import predict as predict_landmarks
    from landmarks.streaming import PIECE_MS, Stream, feed
    speech = speech_of(SPEECH_S, folder)
    cold_s = median(python("predict.py", speech, "--out", folder / "out").seconds for _ in range(N_TIMES))
    imports = python("-X", "importtime", "predict.py", speech, "--out", folder / "out").talk
    with_tensorflow = any(line.split("|")[-1].strip() == "tensorflow" for line in imports.splitlines())
    model, sound = load_model(), read_speech(speech)
    warm_s = median(seconds_of(lambda: predict_landmarks(model, sound)) for _ in range(N_TIMES))
    took_s, _ = feed(Stream(model), sound)
    note = "imports TensorFlow" if with_tensorflow else "no TensorFlow imported"
    return [Row(f"predict.py, {SPEECH_S} s of speech, cold start ({note})", cold_s, "s", "the speech", SPEECH_S),
            Row("predict once loaded", SPEECH_S / warm_s, "x real time", "real time", 1.0),
            Row(f"stream, computing a piece of {PIECE_MS} ms, 99th percentile", 1000 * float(np.percentile(took_s, 99)), "ms",
                "the piece", PIECE_MS)]


def pad_to(face: photo.Photo, width: int, height: int) -> photo.Photo:
    """`face` in the middle of a grey picture of this size."""
    picture = np.full((height, width, 3), 128, np.uint8)
    left, top = (width - face.picture.shape[1]) // 2, (height - face.picture.shape[0]) // 2
    picture[top:top + face.picture.shape[0], left:left + face.picture.shape[1]] = face.picture
    return photo.Photo(face.path, picture, face.points + np.array([left, top], np.float32))


def render_row(what: str, face: photo.Photo, moves: motion.Motion, folder: Path) -> Row:
    """The photo renderer, encoding included, beside ffmpeg encoding such frames: of each the best of N_TIMES."""
    from render import portrait
    from render.background import person_of
    from render.parts.painted import painted_parts
    from render.parts.rest import shut_lips
    face, video = shut_lips(face), folder / "video.mp4"
    shown = list(motion.apply_to_face(motion.resample(moves, FPS, range(len(moves))), face.face))

    def best_of(make):
        return len(shown) / min(seconds_of(lambda: write_video(video, make())) for _ in range(N_TIMES))

    def frames(n=None):
        return portrait.frames(face, shown[:n], painted_parts(face), person_of(face), encoded=True)

    held = list(frames(N_HELD))  # libraries are loaded by now
    rows, columns = held[0].shape[0] * 2 // 3, held[0].shape[1]
    return Row(f"photo renderer, {what}, {columns}x{rows}, encoding included", best_of(frames), "frames/s", "encoding alone",
               best_of(lambda: (held[i % N_HELD] for i in range(len(shown)))))


def render(folder: Path) -> list[Row]:
    """The photo renderer, at each size: a person in the middle, and a face that fills the picture."""
    from landmarks.predict import predict_file
    from render import photo_check
    from render.life.talker import add_head_motion
    moves, rest = motion.read_motion(predict_file(speech_of(SPEECH_S, folder), folder / "out"))
    moves, found = add_head_motion(moves, rest), photo_check.find_face(write_photo(folder / "portrait.png"))
    shown = [("a person", pad_to(photo.frame_photo(found, "full", height, at_once=True), width, height))
             for width, height in SIZES]
    shown += [("close-up", photo.frame_photo(found, "crop", side)) for side in CLOSE_UPS]
    shown += [("close-up of a photo as large", photo.frame_photo(found, "crop", side, at_once=True)) for side in CLOSE_UPS[1:]]
    return [render_row(*each, moves, folder) for each in shown]


def whole(folder: Path) -> list[Row]:
    """One command from photo and speech to the video."""
    picture, out = write_photo(folder / "portrait.png"), folder / "video.mp4"
    ended = python("main.py", "--image", picture, "--audio", speech_of(SPEECH_S, folder), "--output", out)
    return [Row(f"main.py, {SPEECH_S} s of speech, 512x512, cold start", ended.seconds, "s", "the speech", SPEECH_S),
            Row("main.py, peak memory", ended.peak_mb, "MB", "the pictures alone, all held", SPEECH_S * FPS * 512**2 * 3 / 1e6)]


def script(folder: Path) -> list[Row]:
    """A text of a hundred words to the video, captions drawn; then the same with everything loaded."""
    from animator import Animator
    picture, out = write_photo(folder / "portrait.png"), folder / "video.mp4"
    ended = python("main.py", "--image", picture, "--script", SCRIPT, "--captions", "burn", "--output", out)
    video_s, text, animator = probe(out).seconds, SCRIPT.read_text(encoding="utf-8"), Animator()
    animator.animate(picture, text="Good morning.", out=folder / "first.mp4")
    again_s = seconds_of(lambda: animator.animate(picture, text=text, out=folder / "second.mp4", captions="burn"))
    what = f"main.py --script, {len(text.split())} words, 512x512"
    return [Row(f"{what}, cold start", ended.seconds, "s", "the video", video_s),
            Row(f"{what}, second of a process", again_s, "s", "the video", video_s)]


def batch(folder: Path, n_rows: int = N_ROWS) -> list[Row]:
    """Reminders to many people, as a table of one batch, and as a call each: CPU seconds of all processes, and the clock."""
    picture, table = write_photo(folder / "portrait.png"), folder / "reminders.csv"
    texts = [REMINDER.format(NAMES[k % len(NAMES)], 417 + 209 * k, 1 + k % 28) for k in range(n_rows)]
    with open(table, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("image", "text"), *((picture, text) for text in texts)])
    together, call = python("batch.py", table, "--out", folder / "out"), ("talking_face.py", "make", picture, "--text")
    alone = [python(*call, text, "--output", folder / "one.mp4") for text in texts]
    what, calls = f"batch of {n_rows} reminders, 512x512", f"{n_rows} calls"
    return [Row(f"{what}, CPU", together.cpu_s, "s", f"{calls}, CPU", sum(one.cpu_s for one in alone)),
            Row(what, together.seconds, "s", calls, sum(one.seconds for one in alone))]


def comic(folder):
    """The comic of one photo: the command from a cold start, and once everything is loaded."""
    from avatar.comics import Avatars
    from avatar.inputs import read_face
    photo = write_photo(folder / "portrait.png")
    cold_s = median(python("-m", "avatar.translate", photo, folder / "comic.png").seconds for _ in range(N_TIMES))
    avatars, face = Avatars(), read_face(photo)
    avatars(*face)
    return [Row("avatar.translate, one photo of 512x512, cold start", cold_s, "s", "once loaded",
                median(seconds_of(lambda: avatars(*face)) for _ in range(N_TIMES)))]


def emotion(folder):
    """The emotion of some seconds of speech, once loaded."""
    from landmarks.emotion.recognise import emotion_of
    sound = read_speech(speech_of(FELT_S, folder))
    emotion_of(sound)
    warm_s = median(seconds_of(lambda: emotion_of(sound)) for _ in range(N_TIMES))
    return [Row(f"emotion of {FELT_S} s of speech, once loaded", warm_s, "s", "the speech", FELT_S)]


def scene(folder):
    """Two people in one photo of 1920x1080."""
    from landmarks.predict import predict_file
    from scenes.measure import two_people
    return two_people(predict_file(speech_of(SPEECH_S, folder), folder / "out"), write_photo(folder / "pair.png", pair=True))
