"""Options kept under a name: `[preset.NAME]` of talking-face.toml, in the folder the person is in.

Reads: talking-face.toml. Writes: nothing.
"""

import tomllib
from pathlib import Path
from typing import Any

import click

from core.errors import InputError, readable

FILE = Path("talking-face.toml")


def read_preset(name: str, path: Path = FILE) -> dict[str, Any]:
    """The table `[preset.NAME]` of the file `path`. Raises InputError where it is missing."""
    with readable(path, "TOML", "a table [preset.NAME] with options"), open(path, "rb") as stream:
        presets = tomllib.load(stream).get("preset")
    if not isinstance(presets, dict) or not isinstance(presets.get(name), dict):
        there = ", ".join(presets) if isinstance(presets, dict) else "none"
        raise InputError(path, f"no [preset.{name}]; it has: {there or 'none'}", "one of its presets")
    return presets[name]


def _use(context: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    if name is None:
        return
    by_name = {option.lstrip("-").replace("_", "-"): part.name for part in context.command.params for option in part.opts}
    try:
        given = read_preset(name)
        for key in given:
            if key.replace("_", "-") not in by_name:
                raise InputError(FILE, f"{key!r} in [preset.{name}]", f"an option of {context.command.name}, see its -h")
    except InputError as error:
        raise click.ClickException(str(error)) from None
    context.default_map = {by_name[key.replace("_", "-")]: value for key, value in given.items()}


preset_option = click.option("--preset", is_eager=True, expose_value=False, callback=_use, metavar="NAME",
                             help=f"Options of [preset.NAME] in {FILE}, in this folder; those given here come first.")
