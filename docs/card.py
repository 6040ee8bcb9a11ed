"""The model card, its numbers taken from the measures beside the models.

Reads: docs/model_card.in, and metrics.json beside each model. Writes: nothing; `docs.generate` writes MODEL_CARD.md.
In the template {{MODEL:a/b/0/c:.3f}} is the number at ["a"]["b"][0]["c"] in the metrics.json of a model of `core.paths.MODELS`,
in that format of Python; {{MODEL-what:...}} is of its metrics-what.json.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from core import paths
from core.files import read_json

TEMPLATE = Path(__file__).resolve().parent / "model_card.in"
_NUMBER = re.compile(r"\{\{([\w-]+):([^{}]+):([^:{}]*)\}\}")


@cache
def measures_of(name: str) -> Any:
    """The measures of a model, MODEL or MODEL-what. Raises KeyError for a name that is none."""
    models = {model: path for model, path in paths.MODELS.items() if path.stem == "model"}
    model = max((known for known in models if name == known or name.startswith(f"{known}-")), key=len, default=name)
    return read_json(models[model].with_name(f"metrics{name.removeprefix(model)}.json"), "measures of a model")


def _filled(match) -> str:
    name, place, form = match.groups()
    value = measures_of(name)
    for step in place.split("/"):
        value = value[int(step) if isinstance(value, list) else step]
    return format(value, form).replace("%", " %")


def model_card() -> str:
    """The text of MODEL_CARD.md. Raises KeyError for a number that no file holds."""
    return _NUMBER.sub(_filled, TEMPLATE.read_text(encoding="utf-8"))
