"""Former names: of stages, so that sidecars written under them stay valid; of modules, so that what imports them still can.

Reads, writes: nothing.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

RENAMED = {
    "gan.avatar_pairs": "avatar.pairs",
    "gan.evaluate_avatar": "avatar.evaluate",
    "gan.evaluate_identity": "avatar.identity.evaluate",
    "gan.identity": "avatar.identity.embed",
    "gan.other_faces": "avatar.other_faces",
    "gan.train_avatar": "avatar.train",
    "gan.train_identity": "avatar.identity.train",
    "gan.translate": "avatar.translate",
    "landmarks.emotion_evaluate": "landmarks.emotion.evaluate",
    "landmarks.emotion_train": "landmarks.emotion.train",
    "landmarks.head_evaluate": "landmarks.head.evaluate",
    "landmarks.head_train": "landmarks.head.train",
    "landmarks.sync_evaluate": "landmarks.sync.evaluate",
    "landmarks.sync_train": "landmarks.sync.train",
    "landmarks.train_voice": "landmarks.voice.train",
    "preprocess.evaluate_words": "speech.evaluate",
    "preprocess.synthesize_speech": "speech.synthesize",
    "preprocess.transcribe": "speech.transcribe",
    "render.evaluate_eyes": "render.parts.evaluate_eyes",
    "render.part_pairs": "render.parts.pairs",
    "render.train": "render.parts.train",
}  # the name in a sidecar or run.json -> the module that is this stage now

FORMER_MODULES = {
    **{f"core.{name}": f"core.face.{name}" for name in ("crop", "draw", "face68", "face_detector", "head")},
    **{f"core.{name}": f"core.media.{name}" for name in (
        "audio", "captions", "ffmpeg", "mp4", "picture", "provenance", "video", "words")},
}  # the name that other people's programs import -> the module it is now


def present_name(stage: str) -> str:
    """The module that is now what `stage` was."""
    return RENAMED.get(stage, stage)


class _FormerModules(MetaPathFinder, Loader):
    """Imports a module under its former name: the same one, not a second copy."""

    def find_spec(self, fullname, path=None, target=None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in FORMER_MODULES else None

    def create_module(self, spec) -> ModuleType:
        module = importlib.import_module(FORMER_MODULES[spec.name])
        self._own_spec = module.__spec__  # what imports it writes another one into it
        return module

    def exec_module(self, module) -> None:
        module.__spec__ = self._own_spec


def serve_former_modules() -> None:
    """From now on `import core.picture` is `import core.media.picture`, and so for all `FORMER_MODULES`."""
    if not any(isinstance(finder, _FormerModules) for finder in sys.meta_path):
        sys.meta_path.append(_FormerModules())
