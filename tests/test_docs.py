"""The generated pages are fresh, and every command explains itself."""

import re
import subprocess
import sys

import pytest

from core import paths
from docs import card, generate

MODULES = generate.command_modules()


@pytest.mark.parametrize("name", generate.PAGES)
def test_page_is_fresh(name):
    written = (generate.ROOT / name).read_text(encoding="utf-8")
    assert written == generate.PAGES[name](), f"{name} is stale: make docs"


def test_numbers_of_the_model_card_are_those_of_the_measures(tmp_path, monkeypatch):
    (tmp_path / "card.in").write_text("{{voice:a/1/b:.1%}} {{voice-what:a:d}} {{left: as it is}}")
    (tmp_path / "metrics.json").write_text('{"a": [0, {"b": 0.125}]}')
    (tmp_path / "metrics-what.json").write_text('{"a": 7}')
    monkeypatch.setitem(paths.MODELS, "voice", tmp_path / "model.npz")
    monkeypatch.setattr(card, "TEMPLATE", tmp_path / "card.in")
    card.measures_of.cache_clear()
    assert card.model_card() == "12.5 % 7 {{left: as it is}}"
    (tmp_path / "metrics-what.json").write_text('{"b": 7}')
    card.measures_of.cache_clear()
    with pytest.raises(KeyError):
        card.model_card()
    card.measures_of.cache_clear()


def test_the_site_is_built_and_its_links_lead_somewhere(tmp_path):
    """--strict: a link to a page, a heading or a picture that is not there, or a name that cannot be documented, fails."""
    pytest.importorskip("material", reason="no MkDocs: pip install -r requirements-dev.txt")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
                          cwd=generate.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    home, reference = ((tmp_path / "site" / name).read_text(encoding="utf-8") for name in ("index.html", "reference.html"))
    assert 'src="gallery/speaking.webp"' in home and 'href="model-card.html"' in home
    assert "InputError" in reference and "RenderOptions" in reference


@pytest.mark.parametrize("page", ["README.md", "MODEL_CARD.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_repository_lead_to_files(page):
    for path in re.findall(r"\]\((?!https?:|#)([^)#]+)", (generate.ROOT / page).read_text(encoding="utf-8")):
        assert (generate.ROOT / path).is_file(), f"{page} links to {path}"


@pytest.mark.parametrize("module", MODULES)
def test_help_page_says_what_it_reads_and_writes(module):
    page = generate.help_page(module)
    usage, sentence = page.split("\n\n")[:2]
    assert usage.startswith("Usage: " + generate.how_to_run(module))
    assert sentence.strip().endswith("."), f"{module}: the docstring's first paragraph is a sentence"
    assert "Examples:" in page
    if module != "talking_face":  # which reads and writes nothing itself
        assert "Reads: " in page and "Writes: " in page
    assert str(generate.ROOT) not in page, f"{module}: a default depends on where the project lies; use show_default"


def test_every_command_answers_h():
    """All in one process: `-h` must end with status 0 and print the page."""
    script = ("import sys, importlib\nfrom click.testing import CliRunner\nfor name in sys.argv[1:]:\n"
              "    result = CliRunner().invoke(importlib.import_module(name).main, ['-h'])\n"
              "    assert result.exit_code == 0 and 'Usage:' in result.output, (name, result.output, result.exception)\n")
    done = subprocess.run([sys.executable, "-c", script, *MODULES], cwd=generate.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["predict", "main", "viewer.inspect", "preprocess.list_recordings"])
def test_help_does_not_load_a_network_library(module):
    script = f"import {module}, sys\nprint([m for m in ('tensorflow', 'torch', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=generate.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
