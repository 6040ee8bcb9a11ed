"""Speech to landmarks: the shipped LiteRT model, no TensorFlow needed.

Reads: a .wav, or raw sound on standard input; CNN_record/default/model.tflite (or any landmark-model) and the speech encoder.
Writes: predict_landmark/NAME/landmarks.npy (landmarks-face, round(seconds * 25) frames), rest_face.npy,
head.npy (head-motion), noise.npy (noise, what the seed made), landmarks.gif (the first minute) and frames/000000.png ...
on request. A noise.npy of your own, one without a description beside it, is read and moves head and brows. emotion.json,
emotion.png and speech_embedding.npy when the emotion is to be found in the voice.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import artifacts
from core.cache import cached
from core.clock import FPS, SAMPLES_PER_FRAME, n_frames_of
from core.errors import InputError
from core.face import draw, face68
from core.files import whole_file
from core.media.audio import spectrum_of
from core.media.speech import open_speech
from core.media.video import write_gif
from core.stage import only_one
from landmarks.ear.running import WholeEar
from landmarks.emotion.recognise import emotion_of, write_emotion
from landmarks.emphasis.accents import accents_of
from landmarks.emphasis.effort import WholeEffort
from landmarks.emphasis.gestures import PITCH, Gestures, gestures_of, with_lids, with_parted_lips
from landmarks.emphasis.laughter import laugh, laughter_of
from landmarks.emphasis.style import Style, move_more, style_of
from landmarks.expression import AUTO, N_ANGLES, emotion_vector, head_pose, offsets, parse_emotion
from landmarks.head.beat import beat_of
from landmarks.head.knots import N_HEAD
from landmarks.head.motion import DEFAULT_MODEL as HEAD_MODEL
from landmarks.head.motion import load_head_model, motion_of, noise_for, with_brows
from landmarks.head.prosody import pitch_of_spectrum
from landmarks.head.sound import knot_features
from landmarks.hearing import Whole
from landmarks.lite import Model, kept_model, load_model, model_files
from landmarks.streaming import Faces, Stream
from landmarks.voice.gate import Free, WholeVoice, say_if_silent

STAGE = "landmarks.predict"
GIF_SIDE_PX, GIF_S = 256, 60  # a longer GIF is larger than the video, and no viewer opens it
STDIN = "standard input"
STDIN_FORMAT = "raw sound: 16-bit little-endian samples (s16le), 16 kHz, mono"
STDIN_CURE = "ffmpeg -i speech.mp3 -f s16le -ar 16000 -ac 1 - | python predict.py -"


_kept_head_model = cached(load_head_model)


def predict(model: Model, sound: NDArray, gated: bool = True, style: Style | None = None) -> NDArray:
    """Landmarks of a recording; the face rests while nobody speaks, if `gated`.

    Parameters
    ----------
    model : from `load_model`
    sound : float32 [sample], 16 kHz, -1..1
    style : how far it moves; None: as the network has it

    Returns
    -------
    float32 [frame, 68, 2], face space, ``n_frames_of(len(sound))`` frames
    """
    power = model.power(spectrum_of(sound))
    return predict_power(model, power, model.ear(sound, power), gated, style=style)


def predict_power(model: Model, power: NDArray, ear: NDArray | None = None, gated: bool = True, voice: Any = None,
                  style: Style | None = None) -> NDArray:
    """Landmarks of a recording's mel power [frame, hop, mel] and `Model.ear` -> float32 [frame, 68, 2].

    Not `gated`: the face never has to rest; `voice`: what knows when it does; `style` as for `predict`.
    """
    voice = voice or (WholeVoice(power) if gated else Free())
    effort = WholeEffort(power) if style else None
    faces = Faces(model, Whole(power), voice, None if ear is None else WholeEar(ear), style, effort)
    return np.concatenate([faces.push(power), faces.finish()])


def predict_as_stream(model: Model, sound: NDArray, gated: bool = True, style: Style | None = None) -> NDArray:
    """`predict` of a sound of which nothing is known before it is spoken; not `gated`: the face never has to rest."""
    stream = Stream(model, voice=None if gated else Free(), style=style)
    pieces = [stream.push(sound[t:t + SAMPLES_PER_FRAME]) for t in range(0, len(sound), SAMPLES_PER_FRAME)]
    return np.concatenate([*pieces, stream.finish()])


def sketches(face: NDArray) -> Iterator[NDArray]:
    """Yield face-space landmarks [frame, 68, 2] as drawings, palette indices [row, column]."""
    for points in face68.to_pixel_space(face, draw.face_view(GIF_SIDE_PX)):
        yield draw.sketch(points, GIF_SIDE_PX)


def predict_file(speech: str | Path, out: str | Path, model_path: str | Path | None = None, gif: str | Path | None = None,
                 pictures: bool = False, *, emotion: str = "neutral", seed: int = 0, ear: str | Path | None = None,
                 style: str | None = None, drawings: bool = True) -> Path:
    """Predict one .wav, a path or a `Speech`, into the folder `out`; return the path of landmarks.npy.

    `gif` is a further place for the GIF; `pictures` asks for one PNG a frame; without `drawings` nothing is drawn; `emotion` is
    NAME, NAME:strength, or auto, what the voice says, which is written too; another `seed` is another motion of head and brows;
    `ear` is the folder of another speech encoder; `style` one of `landmarks.emphasis.style.STYLES`, how far the face moves.
    Raises InputError for bad input.
    """
    name, strength = parse_emotion(emotion)
    manner = style_of(style)
    speech, out, model = open_speech(speech), Path(out), kept_model(model_path, ear)
    noise, from_file = noise_for(out / "noise.npy", n_frames_of(len(speech.sound)), seed)
    with model.one_at_a_time:
        power = model.power(speech.spectrum)
        voice = WholeVoice(power)
        free = voice.free
        say_if_silent(free)
        heard = model.ear(speech.sound, power)
        face = laugh(predict_power(model, power, heard, voice=voice, style=manner), model.rest_face, laughter_of(power), power)
    height = pitch_of_spectrum(speech.spectrum)
    # the recogniser of emotions has learnt from the packaged encoder
    known = None if ear or heard is None or not model.n_layers else {model.n_layers: heard}
    found = emotion_of(speech.sound, free=free, spectrum=speech.spectrum, ear=known) if name == AUTO else None
    mood = strength * found.over_time if found else emotion_vector(name, strength)
    head, brows, beside_speech = head_and_brows(power, height, noise, manner, seed, free=free)
    face = with_lids(with_parted_lips(face, beside_speech.parted), beside_speech.lids)
    face, head[:, :N_ANGLES] = face + manner.emotion * offsets(mood), head[:, :N_ANGLES] + head_pose(mood)
    beside = {"head.npy": (head, "head-motion")} | ({} if from_file else {"noise.npy": (noise, "noise")})
    inputs = [speech.path, *filter(None, model_files(model_path)), HEAD_MODEL]
    options = {"seed": seed, "emotion": emotion, "style": manner.name}
    path = _write(with_brows(face, brows), model, out, inputs, gif, pictures, beside, options, drawings)
    if found:
        write_emotion(found, out, stage=STAGE, inputs=[speech.path], drawing=drawings)
    return path


def head_and_brows(power: NDArray, height: NDArray, noise: NDArray, style: Style, seed: int = 0, model: Any = None,
                   free: NDArray | None = None) -> tuple[NDArray, NDArray, Gestures]:
    """Head [frame, 5] and brows [frame, 2] as a face shows them, and what else goes with the accents.

    power, height : mel power [frame, hop, mel] and pitch [frame, hop]; noise : of `noise_for`; model : a `HeadModel`, None: the
    one that ships; free : float [frame], 0 where nobody speaks, None: to be found
    """
    model, free = model or _kept_head_model(HEAD_MODEL), WholeVoice(power).free if free is None else free
    with model.one_at_a_time:
        head, brows = motion_of(model, knot_features(power, height), noise, free)
    beat, beside_speech = beat_of(power, height, free), gestures_of(accents_of(power, height, free), free, style, seed)
    head = move_more(head + beat[:, :N_HEAD], style)
    head[:, PITCH] += beside_speech.nod
    return head, style.brows * (brows + beat[:, N_HEAD:]) + beside_speech.brows, beside_speech


def raw_pieces(stream: Any, n_bytes: int) -> Iterator[NDArray]:
    """Sound of a binary stream of `STDIN_FORMAT`, as soon as it is there, in pieces of at most `n_bytes`.

    Yields
    ------
    float32 [sample], -1..1

    Raises
    ------
    InputError : nothing there, half a sample at the end, or a file with a header.
    """
    rest, n_read = b"", 0
    while piece := stream.read1(n_bytes):
        if not n_read and piece.startswith((b"RIFF", b"OggS", b"fLaC", b"ID3")):
            raise InputError(STDIN, "a sound file with a header", STDIN_FORMAT, STDIN_CURE)
        n_read += len(piece)
        piece = rest + piece
        whole, rest = piece[:len(piece) // 2 * 2], piece[len(piece) // 2 * 2:]
        yield np.frombuffer(whole, "<i2").astype(np.float32) / 32768
    if not n_read or rest:
        raise InputError(STDIN, f"{n_read} bytes" + (", half a sample at the end" if rest else ""), STDIN_FORMAT, STDIN_CURE)


def predict_stream(source: Any, write_line: Callable[[str], None], out: str | Path, model_path: str | Path | None = None,
                   gif: str | Path | None = None, pictures: bool = False, *, emotion: str = "neutral",
                   ear: str | Path | None = None, style: str | None = None) -> Path:
    """Predict raw sound while it comes; when it ends, write the folder `out` as `predict_file` does.

    Parameters
    ----------
    source : binary stream of `STDIN_FORMAT`
    write_line : called with one line a frame as it is ready: seconds, then x y of the 68 points
    emotion, ear, style : as for `predict_file`; auto is neutral here, as it needs a whole recording
    """
    name, strength = parse_emotion(emotion)
    manner = style_of(style)
    if source.isatty():
        raise InputError(STDIN, "a terminal", STDIN_FORMAT, STDIN_CURE)
    pieces = raw_pieces(source, 2 * SAMPLES_PER_FRAME)
    first = next(pieces)  # bad input is told before anything is loaded
    model = load_model(model_path, ear)
    stream, faces = Stream(model, emotion=None if name == AUTO else emotion_vector(name, strength), style=manner), []

    def take(frames):
        for face in frames:
            write_line(f"{len(faces) / FPS:.2f} " + " ".join(f"{value:.4f}" for value in face.ravel()))
            faces.append(face)

    for piece in chain([first], pieces):
        take(stream.push(piece))
    take(stream.finish())
    return _write(np.array(faces), model, Path(out), list(filter(None, model_files(model_path))), gif, pictures,
                  options={"emotion": "neutral" if name == AUTO else emotion, "style": manner.name})


def _write(face, model, out, inputs, gif, pictures, beside=None, options=None, drawings=True) -> Path:
    """Write the landmarks, what lies `beside` them (name -> array, kind) and their drawings into the folder `out`.

    Returns the path of landmarks.npy.
    """
    about = {"stage": STAGE, "inputs": inputs, "options": options}
    with only_one(out):
        for name, (array, kind) in (beside or {}).items():
            artifacts.save(out / name, array, kind, **about)
        path = artifacts.save(out / "landmarks.npy", face, "landmarks-face", **about)
        artifacts.save(out / "rest_face.npy", model.rest_face, "rest-face", **about)
        if not drawings:
            return path
        drawn = write_gif(out / "landmarks.gif", sketches(face[:GIF_S * FPS]), palette=draw.PALETTE)
        if gif:
            with whole_file(gif) as part:
                copyfile(drawn, part)
        if pictures:
            import cv2
            for t, sketch in enumerate(sketches(face)):
                with whole_file(out / "frames" / f"{t:06d}.png") as part:
                    part.write_bytes(cv2.imencode(".png", draw.PALETTE[sketch][..., ::-1])[1])  # imwrite hides a full disk
    return path
