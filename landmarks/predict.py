"""Speech to landmarks: the shipped LiteRT model, no TensorFlow needed.

Reads: a .wav and CNN_record/default/model.tflite (or any landmark-model).
Writes: predict_landmark/NAME/landmarks.npy (landmarks-face, round(seconds * 25) frames), rest_face.npy, landmarks.gif,
and frames/000000.png ... on request.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core import artifacts, draw, face68
from core.audio import HOPS_PER_FRAME, read_speech, spectrum_of
from core.errors import InputError
from core.keep import kept
from core.stage import only_one
from core.video import write_gif
from landmarks.features import normalise, pad_with_silence

STAGE = "landmarks.predict"
DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "CNN_record" / "default" / "model.tflite"
GIF_SIDE_PX = 256
_BLOCK = 1024  # frames turned into mel power at a time


@dataclass
class Model:
    """A loaded landmark-model: `mel`, `encode` and `step` as functions, and what its shapes say."""

    mel: object
    encode: object
    step: object
    context: int  # frames of sound the encoder takes beside its own, half of them ahead
    n_state: int
    rest_face: np.ndarray  # [68, 2]
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)  # an interpreter has one set of tensors

    @property
    def look_ahead(self) -> int:
        """Frames of sound needed after a frame before it can be predicted."""
        return self.context // 2


def load_model(path=None) -> Model:
    """Load a landmark-model (the shipped one by default).

    Raises
    ------
    InputError : missing, damaged, or of another version.
    """
    from ai_edge_litert.interpreter import Interpreter
    path = Path(path or DEFAULT_MODEL)
    artifacts.check(path, "landmark-model")
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=1)  # one frame is too small to share
        mel, encode, step = (interpreter.get_signature_runner(name) for name in ("mel", "encode", "step"))
    except (ValueError, RuntimeError):
        raise InputError(path, "not a landmark-model", "a LiteRT file with signatures mel, encode, step",
                         "make train-cnn, or leave --model away") from None
    probe = 16  # frames: what the encoder gives back for them tells its context
    n_mels = encode.get_input_details()["features"]["shape"][-1]
    n_codes = len(encode(features=np.zeros((probe, HOPS_PER_FRAME, n_mels), np.float32))["code"])
    inputs = step.get_input_details()
    n_code, n_state = (int(inputs[name]["shape"][-1]) for name in ("code", "state"))
    first = step(code=np.zeros((1, n_code), np.float32), state=np.zeros((1, n_state), np.float32))
    return Model(mel, encode, step, probe - n_codes, n_state, (first["face"] - first["offset"])[0])


_kept_model = kept(load_model)


def predict(model: Model, sound) -> np.ndarray:
    """Landmarks of a voice.

    Parameters
    ----------
    model : from `load_model`
    sound : float32 [sample], 16 kHz, -1..1

    Returns
    -------
    float32 [frame, 68, 2], face space, ``n_frames_of(len(sound))`` frames
    """
    spectrum = spectrum_of(sound).astype(np.float32)
    power = np.concatenate([model.mel(spectrum=spectrum[t:t + _BLOCK])["power"] for t in range(0, len(spectrum), _BLOCK)])
    features, silence = normalise(power)
    return predict_features(model, pad_with_silence(features, silence, model.look_ahead, model.look_ahead))


def predict_features(model: Model, features) -> np.ndarray:
    """Landmarks for padded features [frame + context, hop, mel] -> float32 [frame, 68, 2]."""
    codes = model.encode(features=features)["code"]
    state, faces = np.zeros((1, model.n_state), np.float32), np.empty((len(codes), face68.N_POINTS, 2), np.float32)
    for t in range(len(codes)):
        out = model.step(code=codes[t:t + 1], state=state)
        faces[t], state = out["face"][0], out["state"]
    return face68.uncross_lips(faces)


def sketches(face):
    """Yield face-space landmarks [frame, 68, 2] as drawings, palette indices [row, column]."""
    for points in face68.to_pixel_space(face, draw.face_view(GIF_SIDE_PX)):
        yield draw.sketch(points, GIF_SIDE_PX)


def predict_file(speech, out, model_path=None, gif=None, pictures: bool = False) -> Path:
    """Predict one .wav into the folder `out`; return the path of landmarks.npy.

    `gif` is a further place for the GIF; `pictures` asks for one PNG a frame. Raises InputError for bad input.
    """
    out, about = Path(out), {"stage": STAGE, "inputs": [speech, model_path or DEFAULT_MODEL]}
    sound = read_speech(speech)
    model = _kept_model(model_path or DEFAULT_MODEL)
    with model.one_at_a_time:
        face = predict(model, sound)
    with only_one(out):
        path = artifacts.save(out / "landmarks.npy", face, "landmarks-face", **about)
        artifacts.save(out / "rest_face.npy", model.rest_face, "rest-face", **about)
        for place in filter(None, (out / "landmarks.gif", gif)):
            write_gif(place, sketches(face), palette=draw.PALETTE)
        if pictures:
            import cv2
            for t, drawn in enumerate(sketches(face)):
                with artifacts.whole_file(out / "frames" / f"{t:06d}.png") as part:
                    part.write_bytes(cv2.imencode(".png", draw.PALETTE[drawn][..., ::-1])[1])  # imwrite hides a full disk
    return path
