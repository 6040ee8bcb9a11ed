"""Write the pages that follow from code and measures: the table of artifacts, the help of every command, the model card.

Reads: core.kinds.KINDS, every file of the toolkit that defines a command, docs/model_card.in, metrics.json beside the models.
Writes: docs/artifacts.md, docs/cli.md, MODEL_CARD.md, LICENSES.md
"""

import ast
import importlib
from pathlib import Path

import click

from core.files import whole_file
from core.kinds import KINDS, shape_text
from core.stage import stage
from docs.card import model_card
from docs.licences import licences_page

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "viewer", "learn", "preprocess", "speech", "landmarks", "gan", "avatar", "render", "scenes", "batches",
            "evaluation", "web")
HEADINGS = {"": "One command for everything", "preprocess": "Recordings to arrays", "speech": "Text and words",
            "landmarks": "Speech to landmarks", "gan": "The DCGAN", "avatar": "Photo to comic",
            "render": "Landmarks and photo to video", "web": "In a browser", "viewer": "Looking at files",
            "learn": "Trained models to use", "evaluation": "Everything measured"}
WIDTH = 100  # characters of a help page
NOTE = "<!-- Written by `make docs`; tests/test_docs.py fails when it is stale. -->\n"


def source_files() -> list:
    """The toolkit's own Python files: the packages and the scripts at the root."""
    return sorted([*ROOT.glob("*.py"), *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))])


def command_modules() -> list:
    """Names of the modules that hold a decorated function `main`, a command; the files are read, not imported."""
    names = []
    for path in source_files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == "main" and node.decorator_list:
                names.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return names


def how_to_run(module: str) -> str:
    """What a person types to run the command of a module."""
    return f"python -m {module.removesuffix('.__main__')}" if "." in module else f"python {module}.py"


def help_page(module: str) -> str:
    """The -h page of a module's command, at a fixed width."""
    command = importlib.import_module(module).main
    context = click.Context(command, info_name=how_to_run(module), terminal_width=WIDTH, max_content_width=WIDTH,
                            **{key: value for key, value in command.context_settings.items() if key != "max_content_width"})
    return command.get_help(context)


def cli_page() -> str:
    """The text of docs/cli.md."""
    parts, modules = [NOTE, "# Commands\n\nEvery command prints this page itself, with `-h`."], command_modules()
    for package, heading in HEADINGS.items():
        chosen = [module for module in modules if module.rpartition(".")[0].split(".")[0] == package]
        if chosen:
            parts.append(f"\n## {heading}")
        for module in chosen:
            parts.append(f"\n### `{how_to_run(module)}`\n\n```\n{help_page(module)}\n```")
    return "\n".join(parts) + "\n"


def artifacts_page() -> str:
    """The text of docs/artifacts.md."""
    lines = [NOTE, "# Files that stages exchange", "",
             "Each file of these kinds has its description beside it, `NAME.ext.json`: kind, version, stage, options, the",
             "hashes of its inputs, and its own. A file without one is a user's own: taken when its type and shape fit.",
             '`make inspect FILE="..."` says what a file is and draws it. A format changes in `core/kinds.py` only.',
             "", "| kind | file | version | axes | unit | what | made by |", "|---|---|---|---|---|---|---|"]
    for kind in KINDS.values():
        axes = f"`{shape_text(kind)}`" if kind.axes else ""
        cells = kind.name, f"`{kind.suffix}`", kind.version, axes, kind.unit, kind.what, kind.made_by
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def model_card_page() -> str:
    """The text of MODEL_CARD.md."""
    return NOTE + model_card()


PAGES = {"docs/artifacts.md": artifacts_page, "docs/cli.md": cli_page, "MODEL_CARD.md": model_card_page,
         "LICENSES.md": licences_page}


@stage(reads="the toolkit's own modules, docs/model_card.in, the measures that ship",
       writes="docs/artifacts.md, docs/cli.md, MODEL_CARD.md, LICENSES.md",
       examples=("python -m docs.generate", "make docs"))
def main() -> None:
    """Write the pages that follow from the code and from the measures of the models."""
    for name, page in PAGES.items():
        path = ROOT / name
        with whole_file(path) as part:
            part.write_text(page(), encoding="utf-8")
        click.echo(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
