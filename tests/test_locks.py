"""The lock files name what the ranges allow, with hashes, and no place to fetch it from."""

import re

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from docs import locks

TEXTS = {name: (locks.FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in locks.LOCKS}
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def packages(*names):
    """Name -> the versions that lock files name, each with the environment it is for."""
    found = {}
    for block in (block for name in names for block in locks.blocks(TEXTS[name])):
        requirement = Requirement(block.splitlines()[0].rstrip(" \\"))
        [version] = requirement.specifier
        assert version.operator == "=="
        found.setdefault(canonicalize_name(requirement.name), []).append((Version(version.version), requirement.marker))
    return found


def asked(extras):
    """The requirements of the project and of its extras; one that holds on no Python of the lock is left out."""
    texts = [*locks.PROJECT["dependencies"], *(one for name in extras for one in locks.PROJECT["optional-dependencies"][name])]
    return [Requirement(text) for text in (*texts, *locks.BUILT_WITH)]


def pins(name):
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


@pytest.mark.parametrize("files, extras", [(("setup",), locks.FOR_SETUP), (("all",), locks.EVERY)])
def test_every_package_of_the_ranges_is_in_it_at_a_version_they_allow(files, extras):
    there = packages(*files)
    for requirement in asked(extras):
        versions = there.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement.name} is missing: make lock"
        allowed = [requirement.specifier.contains(version) for version, _ in versions]
        assert all(allowed) if requirement.marker is None else any(allowed), f"{requirement}: {versions}"


def test_no_extra_is_forgotten():
    assert {*locks.EVERY, *locks.LEFT_OUT} == set(locks.PROJECT["optional-dependencies"])
    assert {one.name for one in asked(["second-opinion"])} - {one.name for one in asked([])} <= packages("models").keys()


@pytest.mark.parametrize("files, of", [(("all",), ("requirements.txt", "requirements-dev.txt")),
                                       (("models",), ("requirements-models.txt",))])
def test_versions_are_those_that_are_tested(files, of):
    there = packages(*files)
    for requirement in (one for name in of for one in pins(name)):
        versions = [str(version) for version, _ in there.get(canonicalize_name(requirement.name), [])]
        if versions or requirement.name not in ("dask", "ipykernel", "mkdocs"):  # of no extra, maybe of another's
            assert any(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}: make lock"


def test_one_installation_has_one_version_of_each():
    for versions in packages("setup").values():
        environments = [{"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.4", "sys_platform": system,
                         "platform_machine": "x86_64"} for minor in (11, 12, 13) for system in ("linux", "darwin", "win32")]
        for environment in environments:
            assert sum(marker is None or marker.evaluate(environment) for _, marker in versions) <= 1, versions


@pytest.mark.parametrize("name", locks.LOCKS)
def test_every_line_has_hashes_and_none_a_host(name):
    for block in locks.blocks(TEXTS[name]):
        first, *lines = block.splitlines()
        hashes = [line for line in lines if not line.lstrip().startswith("#")]
        assert first.endswith(" \\") and hashes and all(HASH.fullmatch(line) for line in hashes), first
        assert not hashes[-1].endswith("\\")
    outside = [line for line in TEXTS[name].splitlines() if not re.match(r"[A-Za-z0-9]| +--hash| *#", line)]
    assert not outside
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted|@ |/tmp|\.(org|com|net|io|dev)\b", TEXTS[name])


def test_videos_bring_neither_pytorch_nor_cuda():
    assert not [name for name in packages("setup") if name == "torch" or name.startswith("nvidia")]


def test_blocks_are_told_apart():
    text = "# head\n-r x.txt\na==1 \\\n    --hash=sha256:0\n    # via b\nb==2 ; x == '1' \\\n    --hash=sha256:1\n"
    assert [block.split("==")[0] for block in locks.blocks(text)] == ["a", "b"]
