"""The bill of materials of an installation, as CycloneDX: its packages, and the models in it, each with hash and licence.

Reads: the environment that runs this; the models that ship and those of installed packages. Writes: results/sbom.json.
cyclonedx-bom lists the packages; it lies in an environment of its own, see the Makefile.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from core import paths
from core.errors import InputError
from core.files import as_json, whole_file
from core.pretrained import find, shipped_hashes
from core.stage import stage
from docs.licences import is_installed
from docs.parts import OTHERS_MODELS, PROGRAMS, RESEARCH, WEIGHTS

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".cache" / "sbom" / ("Scripts" if os.name == "nt" else "bin")
TOOL, OUT, SPECIFICATION = BIN / "cyclonedx-py", ROOT / "results" / "sbom.json", "1.6"
_VALIDATE = f"""
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V{SPECIFICATION.replace(".", "_")}).validate_str(sys.stdin.read())
sys.exit(str(wrong) if wrong else 0)"""


def _component(reference, what, licence, *, kind, description, hashes=()):
    named = {"name": licence} if licence.startswith("LicenseRef-") or " " in licence else {"id": licence}
    return {"type": kind, "bom-ref": reference, "name": what, "description": description, "licenses": [{"license": named}],
            **({"hashes": [{"alg": "SHA-256", "content": value} for value in hashes]} if hashes else {})}


def models() -> list[dict]:
    """The models as components: those that ship, and those of installed packages, with the files that are checked."""
    hashes, found = shipped_hashes(), []
    for name, (what, data) in WEIGHTS.items():
        place = paths.MODELS[name].relative_to(paths.ROOT).as_posix()
        found.append(_component(f"model:{name}", what, RESEARCH, kind="machine-learning-model", hashes=[hashes[place]],
                                description=f"{place}; learnt from: {data}"))
    for model in OTHERS_MODELS:
        if not is_installed(model.package):
            continue
        one = _component(f"model:{model.package}:{model.what}", model.what, model.licence, kind="machine-learning-model",
                         description=f"in the package {model.package}")
        files = [(f"{part.module}/{part.folder}/{name}".replace("//", "/"), value)
                 for part in model.files if find(part) for name, value in part.sha256]
        parts = [_component(f"{one['bom-ref']}:{name}", name, model.licence, kind="file", hashes=[value],
                            description=f"checked when it is loaded, in the package {model.package}") for name, value in files]
        found.append(one | ({"components": parts} if parts else {}))
    return found


def programs() -> list[dict]:
    """Programs, libraries and other parts inside installed packages, as components."""
    return [_component(f"part:{package}:{what}", what.partition(",")[0], licence, kind="data" if "NASA" in told else "library",
                       description=f"{what}, in the package {package}")
            for what, (package, licence, told) in PROGRAMS.items() if is_installed(package)]


def with_models(packages: dict[str, Any]) -> dict[str, Any]:
    """The bill of the packages, as cyclonedx-bom makes it, with `models` and `programs`: the toolkit depends on them."""
    beside, root = [*models(), *programs()], packages["metadata"]["component"]["bom-ref"]
    needs = {one["ref"]: one for one in packages.get("dependencies", [])}
    own = needs.setdefault(root, {"ref": root})
    own["dependsOn"] = sorted({*own.get("dependsOn", ()), *(one["bom-ref"] for one in beside)})
    return packages | {"components": [*packages["components"], *beside],
                       "dependencies": [*needs.values(), *({"ref": one["bom-ref"]} for one in beside)]}


def _run(*command, text=None):
    done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise InputError(command[0], " ".join(done.stderr.split())[:300] or "it ended", "CycloneDX")
    return done.stdout


@stage(reads="the environment that runs this, the models that ship", writes="results/sbom.json, CycloneDX",
       examples=("make sbom",))
def main() -> None:
    """Write the bill of materials of this installation: packages and models, with hashes and licences, as CycloneDX."""
    if not TOOL.is_file():
        raise InputError(TOOL, "no such file", "cyclonedx-bom, in an environment of its own", "make sbom")
    text = _run(TOOL, "environment", sys.executable, "--pyproject", "pyproject.toml", "--sv", SPECIFICATION,
                "--output-reproducible", "--of", "JSON")
    bill = as_json(with_models(json.loads(text)))
    _run(BIN / "python", "-c", _VALIDATE, text=bill)
    OUT.parent.mkdir(exist_ok=True)
    with whole_file(OUT) as part:
        part.write_text(bill, encoding="utf-8")
    click.echo(OUT.relative_to(ROOT))


if __name__ == "__main__":
    main()
