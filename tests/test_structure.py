"""The tree keeps its promises: which folder imports which, how long a file is, what never appears, what `make` remakes."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache

import pytest

from core import paths, renamed
from core.kinds import KINDS
from docs.generate import PACKAGES, ROOT, command_modules, source_files
from learn import publish

# Imports go one way: a package may import those before it
ORDER = ("core", "learn", "viewer", "preprocess", "speech", "landmarks", "gan", "avatar", "render", "scenes", "batches",
         "evaluation", "web")
MAY_IMPORT = {package: set(ORDER[:number]) | {package} for number, package in enumerate(ORDER)}
MAY_IMPORT |= {package: {*MAY_IMPORT[package], "animator"} for package in ("evaluation", "web")}
MOST_FILES = 20  # of a folder of the toolkit, beside sub-folders; tests lie flat, a file for each part
# R2: modules of these names are for learning; others may be used by them, never the other way round. A network in PyTorch
# draws in use too; one in Keras does not: LiteRT runs what was exported.
LEARNING = re.compile(r"train(_\w+)?|trainer|data|pairs|baselines|evaluate(_\w+)?|network|other_faces")
LONGEST_FILE = 250  # lines
TYPED = ("core", "learn")  # public functions there have all their types
FORBIDDEN_IMPORTS = {"pickle", "dill", "joblib", "shelve"}
FORBIDDEN_CALLS = {"torch.load", "torch.save", "shutil.rmtree", "eval", "exec", "os.system"}
GROUP_EDGES = {17, 22, 27, 31, 36, 42, 48, 60, 68}  # where one group of the 68 points ends and the next begins
FILES = source_files()


def _name(path):
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree):
    """Top-level names of all imports, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield node.module.split(".")[0]


def _module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _modules_used(path, modules):
    """Those of `modules` that a file imports, inside functions too."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            yield from inside or {node.module}


def test_the_tree_was_found():
    assert len(FILES) > 10
    assert {path.parent.name for path in FILES} >= set(PACKAGES)


@pytest.mark.parametrize("path", FILES, ids=_name)
class TestFile:
    def test_imports_point_one_way(self, path):
        allowed = MAY_IMPORT.get(path.relative_to(ROOT).parts[0], set(PACKAGES) | {"docs", "main", "predict", "animator"})
        ours = set(_imports(_tree(path))) & (set(PACKAGES) | {"docs", "tests", "main", "predict", "animator", "app", "bench"})
        assert ours <= allowed, f"imports {sorted(ours - allowed)}"

    def test_is_short(self, path):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE

    def test_says_what_it_is(self, path):
        doc = ast.get_docstring(_tree(path)) or ""
        assert doc.splitlines() and doc.splitlines()[0].endswith((".", ":")), "a module docstring whose first line says what"

    def test_runs_no_code_from_data_and_deletes_no_folder(self, path):
        tree = _tree(path)
        assert not set(_imports(tree)) & FORBIDDEN_IMPORTS
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in FORBIDDEN_CALLS, f"line {node.lineno}"
                assert not any(k.arg == "allow_pickle" and ast.unparse(k.value) == "True" for k in node.keywords)
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"line {node.lineno}: bare except"

    def test_holds_no_landmark_index(self, path):
        """`points[48:68]` and `range(36, 42)` belong in core/face/face68.py."""
        if _name(path) == "core/face/face68.py":
            return
        for node in ast.walk(_tree(path)):
            ends = [node.lower, node.upper] if isinstance(node, ast.Slice) else \
                node.args if isinstance(node, ast.Call) and ast.unparse(node.func) == "range" else []
            values = {end.value for end in ends if isinstance(end, ast.Constant)}
            assert len(values & GROUP_EDGES) < 2, f"line {node.lineno}: use core.face.face68"


STAND_IN = """#!/bin/sh
# Stands in for Python: notes what was run, writes the file the stage would, fails where FAIL says.
echo "$*" >> ran.txt
case "$*" in *"${FAIL:-nothing}"*) exit 1;; esac
while read -r stage file; do
    case "$*" in *"$stage"*) mkdir -p "$(dirname "$file")"; touch "$file";; esac
done <<END
list_recordings data/recordings/index.csv
extract_fft data/fft/index.csv
extract_landmarks data/landmarks/index.csv
estimate_offset data/offsets/index.csv
pack_hdf5 data/train.h5
crop_faces data/crops/index.csv
extract_head data/heads/index.csv
parts.pairs data/pairs/index.csv
--of-speaker data/eye_pairs/index.csv
data/faces data/faces/index.csv
data/ravdess data/ravdess/index.csv
avatar.pairs data/avatar_pairs/index.csv
ear.pack data/ear.h5
END
case "$*" in predict.py*) echo "out/a b/landmarks.npy"; echo x.gif;; esac
case "$*" in *--trained*) echo progress;; esac
while [ $# -gt 0 ]; do
    case "$1" in --trained) echo "RECORD/00001/a model" > "$2";; --record) mkdir -p "$2";; esac
    shift
done
"""


@pytest.fixture
def make(tmp_path):
    """Run make in an empty copy, Python replaced; return the commands it ran."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)

    def run(*goals, fails=""):
        ran = tmp_path / "ran.txt"
        ran.write_text("")
        done = subprocess.run(["make", "PYTHON=./python", *goals], cwd=tmp_path,
                              env={"PATH": "/usr/bin:/bin", "FAIL": fails or "nothing"}, capture_output=True, text=True)
        assert (done.returncode != 0) == bool(fails), done.stderr
        return [line.removeprefix("-m ") for line in ran.read_text().splitlines()]

    (tmp_path / "my 'odd, (x) folder").mkdir()
    return run


CORPUS = "CORPUS=my 'odd, (x) folder"


def test_make_does_nothing_the_second_time_and_remembers_the_corpus(make, tmp_path):
    stages = [line.split()[0] for line in make("preprocess", CORPUS)]
    assert stages == [f"preprocess.{name}" for name in
                      ("list_recordings", "extract_fft", "extract_landmarks", "estimate_offset", "pack_hdf5")]
    assert make("preprocess", CORPUS) == make("preprocess") == []
    (tmp_path / "my 'odd, (x) folder" / "new.mp4").touch()
    assert make("preprocess")[0] == "preprocess.list_recordings my 'odd, (x) folder"
    assert make("preprocess") == []
    (tmp_path / "other").mkdir()
    assert len(make("preprocess", "CORPUS=other")) == 5


def test_stopped_stage_is_not_done(make):
    assert make("preprocess", CORPUS, fails="extract_landmarks")[-1].startswith("preprocess.extract_landmarks")
    stages = [line.split()[0].split(".")[1] for line in make("preprocess", CORPUS)]
    assert stages == ["extract_landmarks", "estimate_offset", "pack_hdf5"]


def test_training_hands_its_model_to_evaluation(make):
    make("train-cnn", CORPUS, fails="landmarks.train")
    *members, joined = make("train-cnn", CORPUS)
    assert [line.split("--seed ")[1].split(" --record")[0] for line in members] == ["1", "2", "3 --no-rnn"]
    assert joined == "landmarks.join --record CNN_record --trained CNN_record/trained-landmark" + 3 * " RECORD/00001/a model"
    assert make("train-cnn", CORPUS) == []
    assert make("eval-cnn", CORPUS) == ["landmarks.evaluate --model RECORD/00001/a model --pack data/train.h5 "
                                        "--ear data/ear.h5"]
    simple = make("train-cnn-fft", CORPUS)[:3]
    assert [line.split("--seed ")[1].split(" --record")[0] for line in simple] == ["1", "2", "3 --no-rnn"]


def test_a_training_that_failed_leaves_no_model(make, tmp_path):
    make("train-sync", CORPUS, fails="landmarks.sync.train")
    assert not (tmp_path / "CNN_record" / "trained-sync").exists()


@pytest.mark.parametrize("name", paths.MODELS)
def test_every_model_that_ships_can_be_trained_and_published(make, tmp_path, name):
    target = publish.TRAINED[name][1].split()[0]
    ran = make(target, CORPUS, "COMICS=comics")
    trained = publish.trained_file(name).relative_to(ROOT)
    by = [line for line in ran if line.endswith(f"--trained {trained}") or f"--trained {trained} " in line]
    assert len(by) == 1 and by[0].split()[0] in KINDS[publish.TRAINED[name][0]].made_by
    assert (tmp_path / trained).read_text() == "RECORD/00001/a model\n"
    assert f"--record {trained.parent} " in by[0]
    assert make("publish", f"MODEL={name}") == [f"learn.publish {name}"]


def test_publish_alone_is_of_all_models(make):
    assert make("publish") == ["learn.publish"]


def test_other_crops_train_another_gan(make):
    make("train-gan", CORPUS)
    assert make("train-gan", CORPUS) == []
    ran = make("train-gan", CORPUS, "SPEAKER=actor_03", "EVERY=5")
    assert ran[0] == "preprocess.crop_faces --speaker actor_03 --every 5"
    assert ran[1].startswith("gan.train")


def test_render_goes_through_the_landmarks_file(make):
    assert make("render", "SPEECH=a b's.wav", "PHOTO=my me.png") == [
        "predict.py a b's.wav",
        "render.render out/a b/landmarks.npy --speech a b's.wav --photo my me.png --out results/a b.mp4"]


def test_render_alone_uses_the_samples(make):
    assert make("render")[0] == "predict.py data/samples/speech.wav"


def test_missing_variable_is_said_before_anything_runs(make):
    assert make("predict", fails="SPEECH") == []


def test_a_failed_installation_is_seen_and_is_not_taken_for_one(tmp_path):
    for name in ("Makefile", "requirements.txt", "requirements-models.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (python := tmp_path / ".venv" / "bin" / "python").parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho \"$*\" >> asked\necho 'ERROR: no such package' >&2\nexit 1\n")
    python.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    done = subprocess.run(["make", "setup"], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.returncode and "ERROR: no such package" in done.stderr and not (tmp_path / ".venv" / "ready").exists()
    [asked] = (tmp_path / "asked").read_text().splitlines()
    assert asked.startswith("-m pip install --quiet "), "384 lines of what goes well are not"


def test_no_folder_is_too_full():
    """Twenty files a folder of the toolkit, beside its sub-folders."""
    for folder in {path.parent for path in FILES} - {ROOT}:
        name, n_files = folder.relative_to(ROOT).as_posix(), len(list(folder.glob("*.py"))) - 1
        assert n_files <= MOST_FILES, f"{name}: {n_files} files"


def _public_functions(path):
    """Functions of a module, not of its classes, whose names have no leading underscore; not its command, `main`."""
    functions = [node for node in _tree(path).body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [node for node in functions if not node.name.startswith("_") and node.name != "main"]


@pytest.mark.parametrize("path", [path for path in FILES if path.relative_to(ROOT).parts[0] in TYPED], ids=_name)
def test_public_functions_say_their_types(path):
    for function in _public_functions(path):
        a = function.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        assert not [each.arg for each in arguments if each.annotation is None], f"line {function.lineno}: {function.name}"
        assert function.returns is not None, f"line {function.lineno}: {function.name} -> ?"


def _parameters_in(doc):
    """Names under `Parameters`; a line may hold several, `a, b : what they are`."""
    section = re.search(r"^Parameters\n-+\n((?:.+\n?)+)", doc or "", re.M)
    lines = [line for line in (section[1].splitlines() if section else ()) if line[0] != " " and " : " in line]
    return {name.strip().lstrip("*") for line in lines for name in line.partition(" : ")[0].split(",")}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_parameters_in_docstrings_are_there(path):
    """Some may go without saying; none may be of an argument that is gone."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            there = {each.arg for each in ast.walk(getattr(node, "args", node)) if isinstance(each, ast.arg)}
            there |= {ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)}  # of a dataclass
            assert _parameters_in(ast.get_docstring(node)) <= there, f"line {node.lineno}: {node.name}"


def test_mypy_reads_every_package():
    with open(ROOT / "pyproject.toml", "rb") as stream:
        options = tomllib.load(stream)["tool"]["mypy"]
    assert set(options["packages"]) == {*PACKAGES, "docs"}
    assert set(options["modules"]) == {path.stem for path in ROOT.glob("*.py")}
    assert options["check_untyped_defs"] and "exclude" not in options


def test_paths_of_models_stand_in_one_place():
    """R4: no module but core/paths builds the path of a model that ships."""
    for path in set(FILES) - {ROOT / "core" / "paths.py"}:
        places = [line for line in path.read_text(encoding="utf-8").splitlines() if "__file__" in line]
        assert path.parent == ROOT or not any("_record" in line or "model" in line for line in places), _name(path)
    assert all(model.is_file() for model in paths.SHIPPED)
    assert {model.parent.parent.name for model in paths.SHIPPED} == {"CNN_record", "GAN_record"}


def test_stages_that_were_renamed_are_modules_now():
    import importlib.util
    for old, new in renamed.RENAMED.items():
        assert importlib.util.find_spec(new) is not None
        assert not (ROOT / f"{old.replace('.', '/')}.py").exists()


def test_tensorflow_is_read_in_one_place():
    """Where its lines are kept from standard error."""
    others = [path for path in FILES if {"tensorflow", "keras"} & set(_imports(_tree(path)))]
    assert list(map(_name, others)) == ["learn/tensorflow.py"]


def test_whoever_computes_with_litert_keeps_its_lines_back():
    using = {_name(path): path.read_text(encoding="utf-8") for path in FILES}
    using = {name: text for name, text in using.items() if "Interpreter(" in text and name != "viewer/read.py"}  # it only looks
    assert len(using) == 1 and all("with without_noise()" in text for text in using.values())


@pytest.mark.parametrize("old", renamed.FORMER_MODULES)
def test_modules_are_found_under_their_former_names(old):
    import importlib
    new = renamed.FORMER_MODULES[old]
    assert importlib.import_module(old) is importlib.import_module(new)
    assert importlib.import_module(new).__spec__.name == new
    assert not (ROOT / f"{old.replace('.', '/')}.py").exists()


def test_use_never_imports_learning():
    """R2."""
    modules = {_module(path): path for path in FILES}
    learning = {module for module in modules if LEARNING.fullmatch(module.rpartition(".")[2])}
    networks = {module for module in learning if module.endswith("network")}
    in_torch = {module for module in networks if "torch" in set(_imports(_tree(modules[module])))}
    assert len(learning) > 20 and len(in_torch) == 3
    for module in modules.keys() - learning:
        used = set(_modules_used(modules[module], set(modules))) & learning - in_torch
        assert not used, f"{module} imports {sorted(used)}"


def test_nothing_imports_a_command():
    """R3: but for the scripts at the root, and `web`."""
    modules, commands = {_module(path): path for path in FILES}, set(command_modules())
    assert len(commands) > 40
    for module, path in modules.items():
        if "." in module and not module.startswith("web."):
            used = set(_modules_used(path, set(modules))) & commands
            assert not used, f"{module} imports {sorted(used)}"
