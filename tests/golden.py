"""What each model that ships makes of the sample speech and the sample portrait: a few numbers each, to be compared later.

Reads: data/samples/speech.wav, the portrait in scikit-image, the models that ship.
Writes: tests/golden/NAME.json, a record a model: `python -m tests.golden`, after a change that is meant; commit what it wrote.
Each model is given inputs that need no other model, but for the points that dlib finds in the portrait, and the landmarks that
are judged. Of a picture the record holds mean and spread of the fields of a grid: enough to see a change, nobody's picture.
"""

import json
from functools import cache
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np

from core import paths
from core.clock import n_frames_of
from core.face import face68
from core.media.audio import read_speech, spectrum_of

FOLDER = Path(__file__).resolve().parent / "golden"
DIGITS = 5  # kept of the largest value of an array
TOLERANCE = 5e-4  # of the largest value of an array; test_golden.py says why
GRID = 8  # fields a side
SEED = 3


@cache
def sound():
    """The sample speech: float32 [sample]."""
    return read_speech(paths.SAMPLE_SPEECH)


@cache
def portrait():
    """The face of the sample portrait, uint8 [256, 256, rgb], and its points, float32 [68, 2] px."""
    from skimage.data import astronaut

    from core.face.face_detector import landmarks_of_picture
    picture = np.ascontiguousarray(astronaut()[:256, 96:352])
    return picture, landmarks_of_picture(picture)[0].astype(np.float32)


@cache
def power():
    """Mel power of the speech, float32 [frame, hop, mel]; no model is in it."""
    from landmarks.features import mel_filters
    return np.square(spectrum_of(sound()).astype(np.float32)) @ mel_filters()


@cache
def face():
    """Landmarks of the speech by the landmark-model, the face never made to rest: float32 [frame, 68, 2]."""
    from landmarks.lite import FFT_MODEL, load_model
    from landmarks.predict import predict_power
    return predict_power(load_model(FFT_MODEL), power(), gated=False)


@cache
def ear():
    """Stands for what the speech encoder makes of the speech, whose 8-bit numbers each CPU rounds otherwise."""
    from landmarks.ear.encoder import HALVES, N_VALUES
    from landmarks.features import CONTEXT
    n_frames = n_frames_of(len(sound())) + CONTEXT
    return np.random.default_rng(SEED).normal(0, 1, (n_frames, HALVES * N_VALUES)).astype(np.float32)


def fields(pictures):
    """Mean and spread of the fields of a grid: uint8 [n, row, column, channel] -> float [n, GRID, GRID, 2, channel]."""
    pictures = np.asarray(pictures, np.float64)
    rows, columns = (np.array_split(np.arange(n), GRID) for n in pictures.shape[1:3])
    parts = [[pictures[:, row[0]:row[-1] + 1, column[0]:column[-1] + 1] for column in columns] for row in rows]
    return np.array([[[part.mean((1, 2)), part.std((1, 2))] for part in line] for line in parts]).transpose(3, 0, 1, 2, 4)


def landmark(model=None):
    from landmarks.lite import EAR_MODEL, load_model
    from landmarks.predict import predict_power
    network = load_model(model or EAR_MODEL)
    return {"offset": (predict_power(network, power(), ear(), gated=False) - network.rest_face)[::10, 2::6]}


def landmark_fft(model=None):
    from landmarks.lite import FFT_MODEL
    return landmark(model or FFT_MODEL)


def head(model=None):
    from landmarks.head.motion import load_head_model, motion_of, seeded_noise
    from landmarks.head.prosody import pitch_of_spectrum
    from landmarks.head.sound import knot_features
    n = n_frames_of(len(sound()))
    heard = knot_features(power(), pitch_of_spectrum(spectrum_of(sound())))
    turned, brows = motion_of(load_head_model(model), heard, seeded_noise(n, SEED), np.ones(n))
    return {"head": turned[::5], "brows": brows[::5]}


def beat(model=None):
    from core.models import read_arrays
    from landmarks.head.beat import beat_model, beat_of
    from landmarks.head.prosody import pitch_of_spectrum
    weights = read_arrays(model, {})["weights"] if model else beat_model()
    height = pitch_of_spectrum(spectrum_of(sound()))
    return {"beat": beat_of(power(), height, np.ones(n_frames_of(len(sound()))), weights)[::5]}


def sync(model=None):
    from landmarks.sync.judge import judge_power, load_judge
    verdict = judge_power(load_judge(model), power(), face())
    return {"similarity": verdict.similarity, "confidence": [verdict.confidence]}


def emotion(model=None):
    from landmarks.ear.encoder import HALVES, N_VALUES
    from landmarks.ear.layers import N_LAYERS
    from landmarks.emotion.recognise import emotion_of
    from landmarks.features import LOOK_AHEAD
    n = n_frames_of(len(sound()))
    made_up = np.random.default_rng(SEED).normal(size=(n + 2 * LOOK_AHEAD, HALVES * N_VALUES))  # an encoder rounds by CPU
    found = emotion_of(sound(), model, free=np.ones(n), ear=dict.fromkeys(range(1, N_LAYERS + 1), made_up))
    return {"whole": found.whole, "over_time": found.over_time[::10], "embedding": found.embedding[::40, ::4]}


def emphasis(model=None):
    from core.models import read_arrays
    from landmarks.emphasis.effort import WholeEffort, emphasis_model
    from landmarks.emphasis.style import Style, enlarge
    arrays = read_arrays(model, {}) if model else emphasis_model()
    effort = WholeEffort(power(), arrays).effort
    moved = enlarge(face(), face68.rest_face(face()), Style("plain"), effort, arrays["slopes"])
    return {"effort": effort[::10], "moved": (moved - face())[::10, 2::6]}


def voice(model=None):
    from landmarks.voice import gate
    weights = gate.read_model(model, "voice-model", gate.read_arrays) if model else gate.voice_model()
    listener = gate.Voice(weights, gate.loudness_of(power()))
    return {"probability": [listener._step(values) for values in gate.Features(gate.loudness_of(power())).push(power())],
            "free": gate.WholeVoice(power()).free}


def offsets(model=None):
    from preprocess import offset
    coefficients = offset.read_arrays(model, None)["coefficients"] if model else offset._model()
    return {"mouth": (offset.sound_features(spectrum_of(sound())) @ coefficients)[::5],
            "correlations": offset.at_lags(spectrum_of(sound()), face())}


def dcgan(model=None):
    from gan.model import generate
    from render.dcgan import load
    generator, rest = load(model)
    moved = rest + 1.5 * (face()[[0, 40, 60]] - face68.rest_face(face()))
    return {"pictures": fields(list(generate(generator, moved)))}


def _painted(part, faces, model):
    """What a painter paints of the portrait for `faces` [n, 68, 2], by PyTorch: in 8-bit numbers each CPU rounds otherwise."""
    from render.parts import painted
    from render.photo import Photo
    with patch.object(painted, "is_installed", lambda: False), patch.object(painted, "_painter", painted._painter.__wrapped__):
        painter = painted.PaintedPart(Photo(Path("portrait"), *portrait()), part, model)
    return {"patches": fields(painter.paint(list(faces), [painter.view.warp.solve(one) for one in faces]))}


def _moved(name, opening):
    """The portrait's face with the lower half of a group of points moved down or up by `opening` eye distances."""
    points = face68.to_face_space(portrait()[1][None])[0][0].copy()
    if name == "mouth":
        points[list(face68.GROUPS["inner_lips"])[5:], 1] += opening
        points[list(face68.GROUPS["outer_lips"])[7:], 1] += opening
    else:
        for side in ("right_eye", "left_eye"):
            eye = list(face68.GROUPS[side])
            upper, lower = eye[1:3], [eye[5], eye[4]]
            points[upper] += opening * (points[lower] - points[upper])
    return points


def mouth(model=None):
    from render.parts.part import MOUTH
    return _painted(MOUTH, [_moved("mouth", 0.12), _moved("mouth", 0.25)], model)


def large_mouth(model=None):
    from render.parts.part import LARGE_MOUTH
    return _painted(LARGE_MOUTH, [_moved("mouth", 0.12), _moved("mouth", 0.25)], model)


def eyes(model=None):
    from render.parts.part import EYES
    return _painted(EYES, [_moved("eyes", 0.7), _moved("eyes", 1.0)], model)


def _drawn(privacy, model=None):
    from avatar.comics import Avatars
    return Avatars(model, privacy=privacy)(*portrait())


def avatar(model=None):
    return {"comic": fields([_drawn(0, model)[0]])}


def other_faces(model=None):
    from avatar.disguise import load_faces
    drawn, past = _drawn(1)
    faces = load_faces(model or paths.OTHER_FACES)
    return {"comic": fields([drawn]), "number": [past["other_face"]["number"]], "embeddings": faces.embeddings[::5, ::8],
            "faces": fields(faces.pictures[:, ::4, ::4]).mean((3, 4))}


def identity(model=None):
    from avatar.identity.embedding import identity_of
    return {"embedding": identity_of(*portrait(), model)}


MODELS = {landmark: paths.LANDMARK_MODEL, landmark_fft: paths.FFT_LANDMARK_MODEL, head: paths.HEAD_MODEL,
          beat: paths.BEAT_MODEL,
          sync: paths.SYNC_MODEL, emotion: paths.EMOTION_MODEL, emphasis: paths.EMPHASIS_MODEL, voice: paths.VOICE_MODEL,
          offsets: paths.OFFSET_MODEL,
          dcgan: paths.DCGAN_MODEL, mouth: paths.MOUTH_MODEL, large_mouth: paths.LARGE_MOUTH_MODEL, eyes: paths.EYES_MODEL,
          avatar: paths.AVATAR_MODEL, other_faces: paths.OTHER_FACES, identity: paths.IDENTITY_MODEL}


def path_of(record) -> Path:
    return FOLDER / f"{record.__name__}.json"


def rounded(values) -> dict:
    """An array as JSON: shape and values, `DIGITS` digits of the largest kept."""
    values = np.asarray(values, np.float64)
    decimals = DIGITS - 1 - int(np.floor(np.log10(max(np.nanmax(np.abs(values)), 1e-9))))
    return {"shape": list(values.shape), "values": [None if np.isnan(v) else round(float(v), decimals) for v in values.ravel()]}


def read(record) -> dict:
    """The arrays of a record that was written: name -> float [...]."""
    data = json.loads(path_of(record).read_text(encoding="utf-8"))
    return {name: np.array(array["values"], np.float64).reshape(array["shape"]) for name, array in data["arrays"].items()}


def farthest(found, golden) -> float:
    """How far two records are apart at most, as a share of the largest value of each array; infinite for other shapes."""
    apart = [0.0]
    for name in found.keys() | golden.keys():
        new, old = (np.asarray(record.get(name, ()), np.float64) for record in (found, golden))
        if new.shape != old.shape or (np.isnan(new) != np.isnan(old)).any():
            return np.inf
        apart.append(float(np.nanmax(np.abs(new - old)) / max(np.nanmax(np.abs(old)), 1e-9)))
    return max(apart)


@click.command()
def main():
    """Write all records anew; says how far each is from the one before."""
    FOLDER.mkdir(exist_ok=True)
    for record, model in MODELS.items():
        found = record()
        apart = f"{farthest(found, read(record)):.1e} from the one before" if path_of(record).exists() else "new"
        lines = [f'  "{name}": {json.dumps(rounded(values))}' for name, values in found.items()]
        path_of(record).write_text("\n".join([
            "{", f' "model": "{model.relative_to(paths.ROOT).as_posix()}",', ' "arrays": {', ",\n".join(lines), " }", "}", ""]))
        click.echo(f"{path_of(record)}: {apart}")


if __name__ == "__main__":
    main()
