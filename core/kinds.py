"""The kinds of file that stages exchange: name, version, axes, type and unit. docs/artifacts.md is made from this table."""

from dataclasses import dataclass

from core.face.face68 import N_POINTS


@dataclass(frozen=True)
class Kind:
    """What a file is. `axes` pairs a name with a fixed size, or None where the size is free; `columns` names the last axis'."""

    name: str
    suffix: str
    what: str
    made_by: str
    version: int = 1
    dtype: str = ""
    axes: tuple = ()
    unit: str = ""
    columns: tuple = ()

    @property
    def is_sequence(self) -> bool:
        """True when the first axis counts frames."""
        return bool(self.axes) and self.axes[0] == _FRAME


def _array(name, dtype, axes, unit, what, made_by, version=1, columns=()):
    return Kind(name, ".npy", what, made_by, version, dtype, axes, unit, columns)


_FRAME, _POINT, _XY = ("frame", None), ("point", N_POINTS), ("xy", 2)

KINDS = {
    kind.name: kind
    for kind in (
        _array("spectrum", "float16", (_FRAME, ("hop", 4), ("bin", 257)), "magnitude",
               "FFT magnitudes of the speech, 4 windows a frame", "preprocess.extract_fft"),
        _array("ear-features", "float16", (("half frame", None), ("value", 384)), "",
               "what a pretrained speech encoder (Whisper tiny.en) makes of the speech, 50 times a second", "landmarks.ear"),
        _array("landmarks-pixel", "float32", (_FRAME, _POINT, _XY), "px",
               "68 points as measured: x right, y down; a frame without a face is NaN", "preprocess.extract_landmarks"),
        _array("landmarks-face", "float32", (_FRAME, _POINT, _XY), "eye distances",
               "68 points in face space: origin between the eyes, eyes level, head pose removed",
               "preprocess.extract_landmarks, landmarks.predict"),
        _array("head-pose", "float32", (_FRAME, ("pose", 4)), "px per eye distance, rad, px, px",
               "what face space removed: scale, roll, x and y of the origin", "preprocess.extract_landmarks",
               columns=("scale", "roll", "x", "y")),
        _array("head-motion", "float32", (_FRAME, ("head", 5)), "rad, rad, rad, eye distances, eye distances",
               "how a head moves about its rest: yaw (> 0 right in the picture), pitch (> 0 down), roll (> 0 clockwise), shift "
               "right and down", "landmarks.predict, preprocess.extract_head",
               columns=("yaw", "pitch", "roll", "shift right", "shift down")),
        _array("brow-motion", "float32", (_FRAME, ("brow", 2)), "eye distances",
               "how far the brows, right and left, are raised above their rest", "preprocess.extract_head",
               columns=("right brow", "left brow")),
        _array("noise", "float32", (("knot", None), ("number", 7)), "standard deviations",
               "what a seed made of the motion of head and brows: another noise, another motion", "landmarks.predict"),
        _array("rest-face", "float32", (_POINT, _XY), "eye distances",
               "a person's face at rest, mouth closed, in face space", "preprocess.extract_landmarks, landmarks.predict"),
        _array("face-crops", "uint8", (_FRAME, ("row", None), ("column", None), ("rgb", 3)), "0..255",
               "upright face pictures, every Nth frame", "preprocess.crop_faces"),
        _array("image-embedding", "float32", (("identity", 128),), "", "who is on a photo: near for one person, far for two",
               "avatar.identity.embed"),
        Kind("avatar", ".png", "a comic of a photo, its points where the photo's are; its sidecar says how alike they are",
             "avatar.translate"),
        Kind("other-faces", ".png", "synthetic faces, side by side: each the median of several people's comics (k-same)",
             "avatar.other_faces"),
        Kind("training-pack", ".h5", "spectra, landmarks and rest faces of all clips in one file", "preprocess.pack_hdf5",
             version=2),
        Kind("ear-pack", ".h5", "what the speech encoder makes of all clips of a training-pack, and of distorted copies",
             "landmarks.ear.pack"),
        Kind("mouth-pairs", ".h5", "mouths of one recording: a photo's, moved by landmarks, beside the real one",
             "render.parts.pairs"),
        Kind("large_mouth-pairs", ".h5", "mouths of one recording, or of a picture, twice as fine",
             "render.parts.pairs, render.parts.stills"),
        Kind("eyes-pairs", ".h5", "eyes of one recording: a photo's, shut, beside real shut ones", "render.parts.pairs"),
        Kind("avatar-pair", ".npz", "a photo, the comic drawn of it brought to the photo's points, and these",
             "avatar.pairs"),
        Kind("index", ".csv", "one row a clip, the failed ones too, with the reason", "every corpus stage"),
        Kind("offset-model", ".npz", "coefficients from sound to mouth, to find their distance in time",
             "preprocess.fit_offset"),
        Kind("landmark-model", ".tflite", "speech to landmarks, ready to use (LiteRT)", "landmarks.join"),
        Kind("sync-model", ".tflite", "by how much sound and lips are apart (LiteRT); its sidecar holds how often it is right",
             "landmarks.sync.train"),
        Kind("head-model", ".tflite", "speech and noise to the motion of head and brows (LiteRT)", "landmarks.head.train"),
        Kind("beat-model", ".npz", "bands and pitch of a voice to what of head and brows follows them",
             "landmarks.head.train_beat"),
        Kind("head-judge-model", ".tflite", "does a head move with the sound (LiteRT)", "landmarks.head_judge.train"),
        Kind("picture-model", ".safetensors", "weights of a picture network; its settings are in the header",
             "gan.train, avatar.train, avatar.identity.train, render.parts.train"),
        Kind("face-points", ".json", "the 68 points of a photo's face, its box, all faces found, yaw, sharpness; px; to be "
             "corrected by hand and given back with --landmarks", "render.face_check"),
        Kind("landmarks-gif", ".gif", "the landmarks, drawn and moving", "landmarks.predict"),
        Kind("talking-video", ".mp4", "the face, moving, with its sound", "render.render, avatar.translate"),
        Kind("talking-frames", ".json", "how many pictures are in a folder of one .png a frame, and how many a second",
             "render.render"),
        Kind("contact-sheet", ".png", "frames spread over a video, the time under each, the widest open mouth marked; its "
             "sidecar lists them", "viewer.tile_frames"),
        Kind("words", ".json", "what is said in a recording: each word, when it sounds, s, and, where it was recognised, its "
             "probability",
             "speech.transcribe, speech.synthesize"),
        Kind("subtitles", ".srt", "the same words as captions (SubRip)", "speech.transcribe"),
        Kind("web-subtitles", ".vtt", "the same captions for a page's <track> (WebVTT)", "speech.transcribe"),
        Kind("speech", ".wav", "one voice", "preprocess.convert_audio, speech.synthesize"),
        Kind("voice-model", ".npz", "is somebody speaking: weights of a small network, and the mean sound of a voice",
             "landmarks.voice.train", version=2),
        _array("speech-embedding", "float32", (_FRAME, ("value", None)), "",
               "what the emotion recogniser makes of the sound around each frame", "landmarks.emotion"),
        Kind("emotion", ".json", "probabilities of eight and of six emotions in a voice, of the whole and over time",
             "landmarks.emotion"),
        Kind("emotion-model", ".npz", "weights of the emotion recogniser, several networks", "landmarks.emotion.train"),
        Kind("emphasis-model", ".npz", "the effort of a voice, and how much further a face moves with it: a linear form each",
             "landmarks.emphasis.train"),
        Kind("metrics", ".json", "measures of a model beside its baselines",
             "landmarks.evaluate, landmarks.robustness, landmarks.steadiness, landmarks.sync.evaluate, "
             "landmarks.head.evaluate, landmarks.emotion.evaluate, landmarks.ear.evaluate, landmarks.voice.evaluate, "
             "landmarks.emphasis.evaluate, "
             "gan.evaluate, avatar.evaluate, avatar.identity.evaluate, render.evaluate, render.evaluate_avatar, "
             "render.parts.evaluate_eyes, render.parts.evaluate_stills, render.life.evaluate, render.dub.evaluate"),
    )
}


def shape_text(kind: Kind) -> str:
    """An array kind in words: type and axes."""
    return f"{kind.dtype} [" + ", ".join(f"{name} {n}" if n else name for name, n in kind.axes) + "]"
