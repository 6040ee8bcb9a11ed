"""Former names of stages, so that sidecars written under them stay valid.

Reads, writes: nothing.
"""

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


def present_name(stage: str) -> str:
    """The module that is now what `stage` was."""
    return RENAMED.get(stage, stage)
