"""LICENSES.md and the bill of materials name every part, with the licence that its metadata state, and its hash."""

import re

import pytest
from conftest import ROOT

from core import paths, pretrained
from core.pretrained import Pretrained, shipped_hashes
from docs import licences, sbom
from docs.parts import OTHERS_MODELS, PACKAGES, PROGRAMS, WEIGHTS, family, means

PAGE = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| ")]
PINNED = {model for model in (*vars(pretrained).values(), *pretrained.KOKORO_PARTS) if isinstance(model, Pretrained)}


def test_every_package_that_is_asked_for_has_a_row_and_no_other():
    assert set(PACKAGES) == set(licences.asked_by())
    named = [row[0].strip("`") for row in ROWS[-len(PACKAGES):]]
    assert sorted(named) == sorted(PACKAGES), "make docs"


@pytest.mark.parametrize("package", PACKAGES)
def test_licences_are_those_that_the_metadata_state(package):
    if not licences.is_installed(package):
        pytest.skip("not installed")
    stated = licences.metadata_licence(package)
    assert family(PACKAGES[package]) == family(stated), f"{package}: {stated}"


@pytest.mark.parametrize("text, kind", [
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL"), ("GPL-3.0-or-later", "GPL"),
    ("GNU General Public License", "GPL"), ("LGPL-2.1-or-later", "LGPL"),
    ("BSD-3-Clause AND 0BSD AND MIT", "BSD"), ("Apache Software License", "Apache"),
    ("", ""),
    ("Apache-2.0 AND BSD-2-Clause AND BSL-1.0 AND MIT", "Apache"), ("MIT-CMU", "MIT"), ("Boost Software License", "BSL")])
def test_kinds_of_licences(text, kind):
    assert family(text) == kind


def test_every_weight_has_a_row_with_its_data():
    listed = {row[1].strip("`"): row[2] for row in ROWS if "_record/" in row[1]}
    assert set(listed) == set(shipped_hashes()) and all(listed.values()) and set(WEIGHTS) == set(paths.MODELS)


def test_every_model_of_others_is_named():
    listed = {one for model in OTHERS_MODELS for one in model.files}
    assert listed == PINNED
    for name in [model.what for model in OTHERS_MODELS] + list(PROGRAMS):
        assert any(row[0] == name and all(row) for row in ROWS), name
    assert {package for package, _, _ in PROGRAMS.values()} <= set(PACKAGES)


def test_every_row_says_what_a_company_may_do():
    assert all(means(package) for package in PACKAGES)
    assert "GPL" in means("piper-tts") and "exchanged" in means("soxr") and means("click") == "use it, and keep its notice"


def test_the_readme_and_the_site_lead_to_it():
    from docs.site import PAGES
    assert "(LICENSES.md)" in (ROOT / "README.md").read_text(encoding="utf-8") and "LICENSES.md" in PAGES


BILL = {"metadata": {"component": {"bom-ref": "root"}}, "components": [{"bom-ref": "click"}],
        "dependencies": [{"ref": "root", "dependsOn": ["click"]}, {"ref": "click"}]}


def test_the_bill_has_every_model_with_hash_and_licence():
    made = sbom.with_models(BILL)
    models = [one for one in made["components"] if one.get("type") == "machine-learning-model"]
    hashes = {one["content"] for model in models for one in model.get("hashes", ())}
    assert hashes == set(shipped_hashes().values()) and all(model["licenses"] for model in models)
    checked = {one["content"] for model in models for part in model.get("components", ()) for one in part["hashes"]}
    assert checked == {value for model in PINNED if licences.is_installed(model.package) for _, value in model.sha256}


def test_the_toolkit_depends_on_all_of_it_and_references_are_one_each():
    made = sbom.with_models(BILL)
    references = [one["bom-ref"] for one in made["components"]]
    assert len(set(references)) == len(references) and made["components"][0] == {"bom-ref": "click"}
    [own] = [one for one in made["dependencies"] if one["ref"] == "root"]
    assert set(own["dependsOn"]) == set(references)
    assert {one["ref"] for one in made["dependencies"]} == {"root", *references}


def test_licences_in_the_bill_are_ids_or_names():
    for one in sbom.with_models(BILL)["components"][1:]:
        [kept] = one["licenses"]
        assert re.fullmatch(r"[A-Za-z0-9.+-]+", kept["license"].get("id", "x")) and len(kept["license"]) == 1
