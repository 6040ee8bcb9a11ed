"""An Indian English voice for eSpeak NG: a table of phonemes, a voice file and some words, laid beside the engine's own data.

Reads: the data folder of the package espeakng-loader.
Writes: a temporary folder of links to it, with `phontab` and `lang/gmw/en-IN` of our own; it goes when the process ends.
Sounds: J. C. Wells, Accents of English 3 (1982), 9.6: retroflex t and d, dental stops for th, one sound for v and w, plain
p and k, long e and o for the vowels of day and go, syllables of like length. Table format: synthdata.c of eSpeak NG 1.52.
"""

import shutil
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import InputError

VOICE = "en-in"
_PARENT = "en"
# A consonant of `en` -> the table and the phoneme whose sound it takes
CONSONANTS = {"t": ("hi", "t."), "d": ("hi", "d."), "T": ("base1", "t["), "D": ("base1", "d["), "v": ("hi", "v"),
              "w": ("hi", "v"), "p": ("hi", "p"), "k": ("hi", "k")}
VOICE_FILE = f"""name English (India)
language {VOICE}
phonemes {VOICE}
pitch 155 240
formant 0 105 90 140
formant 1 112 85 150
formant 2 116 85 150
formant 3 116 80 150
formant 4 118 80 150
formant 5 118 80 150
stressLength 180 175 190 190 200 200 215 225
stressAmp 18 18 19 19 19 19 20 20
replace 00 t# t
replace 00 t2 t
replace 00 eI e:
replace 00 oU o:
replace 00 oU# o:
"""
# Words that English spelling rules read wrongly, in the engine's own letters for sounds
WORDS = {"aarav": "'a:rav", "aditya": "'a:dItja", "ananya": "an'anja", "anjali": "'andZali", "crore": "kr'o:r",
         "deepak": "d'i:pak", "didi": "d'i:di:", "gupta": "g'Upta", "ji": "dZ'i:", "kavita": "k'avIta:",
         "krishna": "kr'ISna", "lakh": "l'a:k", "lakhs": "l'a:ks", "lakshmi": "l'akSmi", "meera": "m'i:ra",
         "mehta": "m'e:ta", "namaste": "nam'aste:", "neerja": "n'i:rdZa", "paisa": "p'aIsa:", "paise": "p'aIse:",
         "patel": "pat'e:l", "pooja": "p'u:dZa", "priya": "pr'i:ja", "rahul": "r'a:hUl", "rao": "r'a:o:", "reddy": "r'Edi",
         "rohan": "r'o:han", "rupaye": "rUp'aje:", "rupee": "rUp'i:", "rupees": "rUp'i:z", "sanjay": "s'andZe:",
         "sharma": "S'arma", "shri": "Sr'i:", "shukriya": "S'Ukrija:", "singh": "s'INg", "sunita": "sUn'i:ta",
         "verma": "v'arma", "vijay": "v'IdZe:"}
_ENTRY, _NAME_BYTES = struct.Struct("<4sIHBBBBBB"), 32  # mnemonic, flags, program, code, type, start, voicing switch, length x2


def _tables(phontab: bytes) -> dict:
    """Phoneme tables by name: number (from 1), number of the one it builds on, entries by mnemonic."""
    tables, at = {}, 4
    for number in range(1, phontab[0] + 1):
        n_entries, parent = phontab[at], phontab[at + 1]
        name = phontab[at + 4:at + 4 + _NAME_BYTES].split(b"\0")[0].decode()
        at += 4 + _NAME_BYTES
        entries = [_ENTRY.unpack_from(phontab, at + i * _ENTRY.size) for i in range(n_entries)]
        tables[name] = number, parent, {entry[0].rstrip(b"\0").decode("latin-1"): entry for entry in entries}
        at += n_entries * _ENTRY.size
    return tables


def _find(tables, name, mnemonic):
    """The entry of a phoneme as the table `name` has it, or one that it builds on."""
    _, parent, entries = tables[name]
    if mnemonic in entries:
        return entries[mnemonic]
    return _find(tables, next(other for other, (number, *_) in tables.items() if number == parent), mnemonic)


def with_our_table(phontab: bytes) -> bytes:
    """The engine's tables and ours after them: `en`, its consonants exchanged.

    An exchanged phoneme keeps its code and the code of its voiced or voiceless twin, so that dictionaries and rules go on
    finding it.

    Raises
    ------
    InputError : the tables are not laid out as those of eSpeak NG 1.52.
    """
    try:
        tables = _tables(phontab)
        entries = []
        for mnemonic, (table, model) in CONSONANTS.items():
            code, twin = (_find(tables, _PARENT, mnemonic)[field] for field in (3, 6))
            mine = list(_find(tables, table, model))
            mine[3], mine[6] = code, twin
            entries.append(_ENTRY.pack(*mine))
    except (KeyError, IndexError, StopIteration, struct.error):
        raise InputError("phontab", "another layout of phoneme tables", "the data of eSpeak NG 1.52",
                         "pip install espeakng-loader==0.2.4") from None
    head = bytes([len(entries), tables[_PARENT][0], 0, 0]) + VOICE.encode().ljust(_NAME_BYTES, b"\0")
    return bytes([phontab[0] + 1]) + phontab[1:] + head + b"".join(entries)


def _link_all(source, folder, *but):
    folder.mkdir()
    for path in source.iterdir():
        if path.name not in but:
            link = folder / path.name
            try:
                link.symlink_to(path)
            except OSError:  # Windows lets not everybody link
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, link)


def data_folder(source: str | Path) -> TemporaryDirectory:
    """A data folder with the voice `en-in` in it; it lasts as long as the object returned."""
    source, held = Path(source), TemporaryDirectory(prefix="espeak-ng-")
    folder = Path(held.name) / "espeak-ng-data"
    _link_all(source, folder, "phontab", "lang")
    _link_all(source / "lang", folder / "lang", "gmw")
    _link_all(source / "lang" / "gmw", folder / "lang" / "gmw")
    (folder / "phontab").write_bytes(with_our_table((source / "phontab").read_bytes()))
    (folder / "lang" / "gmw" / "en-IN").write_text(VOICE_FILE, encoding="utf-8")
    return held
