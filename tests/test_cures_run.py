"""Cures that are cheap to run: the error is made, the command it prints runs as it stands, and what failed then succeeds."""

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import made_up
import numpy as np
import pytest
import soundfile
from conftest import ROOT, command, portrait
from cures import tries

from core import artifacts
from core.errors import InputError
from core.face import face68
from core.index import write_index
from core.media.audio import read_speech

SHELL = {"make", "git", "ls", "chmod", "iconv", "ffmpeg"}


def cure_of(work, *arguments, **more):
    """The cure of the InputError that `work(...)` raises."""
    with pytest.raises(InputError) as told:
        work(*arguments, **more)
    return told.value.cure


def run(line, folder=None):
    """Run a printed line where the test stands: Python's commands in this process, others in a shell; return what it said."""
    words = shlex.split(line)
    if words[0] in SHELL:
        tools = Path.cwd() / "tools"
        tools.mkdir(exist_ok=True)
        for name, target in (("python", sys.executable), ("ffmpeg", _ffmpeg())):
            if not (tools / name).exists():
                (tools / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
                (tools / name).chmod(0o755)
        done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={
            **os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "MAKEFLAGS": "PYTHON=python"})
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert words[0] == "python"
    module, words = (words[2], words[3:]) if words[1] == "-m" else (words[1].removesuffix(".py"), words[2:])
    done = command(importlib.import_module(module).main, *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def _ffmpeg():
    from imageio_ffmpeg import get_ffmpeg_exe
    return get_ffmpeg_exe()


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory):
    """A folder with data/ as `make preprocess` leaves it, of a clip of two speakers each."""
    folder = tmp_path_factory.mktemp("with data")
    recordings = folder / "recordings"
    for clip in ("anna/0.mp4", "ben/2.mp4"):
        (recordings / clip).parent.mkdir(parents=True)
        shutil.copy(corpus / clip, recordings / clip)
    (recordings / "manifest.csv").write_text("clip,split,speaker\nanna/0.mp4,train,anna\nben/2.mp4,train,ben\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("python -m preprocess.list_recordings recordings")
        for stage in ("extract_fft", "extract_landmarks", "pack_hdf5"):
            run(f"python -m preprocess.{stage}")
    return folder


@pytest.fixture
def stand(prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    (prepared / "predict.py").touch()  # as in the folder of the scripts
    return prepared / "data"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "predict.py").touch()  # as in the folder of the scripts
    return tmp_path


@pytest.mark.parametrize("name", ["speech.wav", "my $peech.wav", "it's \"here\".wav"])
def test_away_from_the_scripts_cures_are_commands_of_the_package(tmp_path, monkeypatch, speech, name):
    import talking_face
    from render.motion import check_length

    def printed(work, *arguments):
        with pytest.raises(InputError) as told:
            work(*arguments)
        line = str(told.value).partition("try: ")[2]
        assert line.startswith("talking-face ")
        done = command(talking_face.main, *shlex.split(line)[1:])
        assert done.exit_code == 0, done.stderr
        return done

    monkeypatch.chdir(tmp_path)
    shutil.copy(speech, name)
    printed(check_length, "landmarks.npy", 9999, 50, name)
    assert Path("predict_landmark", Path(name).stem, "landmarks.npy").is_file()
    artifacts.save(f"{name}.npy", np.zeros((68, 2), np.float32), "rest-face", stage="test")
    assert "rest-face" in printed(artifacts.check, Path(f"{name}.npy"), "speech").stdout


@tries("python -m preprocess.extract_landmarks")
def test_landmarks_are_measured_again(stand):
    from gan.model import generate
    from render.motion import read_motion
    path = Path("data/landmarks/anna/0.face.npy")
    pose = path.with_name(path.name.replace(".face.", ".pose."))
    artifacts.save(pose, artifacts.load(pose).array[:-5], "head-pose", stage="test")
    line = cure_of(read_motion, path)
    assert line == cure_of(lambda: list(generate(None, np.full((2, face68.N_POINTS, 2), np.nan))))
    run(line)
    read_motion(path)


@tries("python -m preprocess.extract_head --out {heads}")
def test_heads_are_measured(stand):
    from landmarks.head.data import load_heads
    line = cure_of(load_heads, "data/train.h5", "data/my heads", "train")
    run(line)
    assert load_heads("data/train.h5", "data/my heads", "train")


@tries("python -m preprocess.estimate_offset")
def test_offsets_are_estimated_again(stand):
    from preprocess.pack_hdf5 import late_hops
    row = {"clip": "a/b", "speaker": "a", "offset_ms": 0, "confidence": 1}
    index = write_index("data/offsets/index.csv", [row], stage="test")
    run(cure_of(late_hops, index))
    late_hops(index)


@tries("python -m preprocess.crop_faces --out {crops}", "python -m preprocess.crop_faces --size 256")
def test_faces_are_cropped(stand):
    from avatar.identity.data import load_faces
    from gan.dataset import load_crops
    from gan.model import widths_for
    write_index("data/my crops/index.csv", [{"clip": "a/b", "split": "train", "speaker": "a", "problem": "x"}], stage="test")
    write_index("data/avatar_pairs/index.csv", [{"clip": "b", "split": "none", "speaker": "a", "problem": ""}], stage="test")
    line = cure_of(load_crops, "data/my crops", "data/landmarks", "train")
    assert line == cure_of(load_faces, "data/my crops", "data/avatar_pairs", "train")
    run(line)
    assert len(load_crops("data/my crops", "data/landmarks", "train"))
    assert load_faces("data/my crops", "data/avatar_pairs", "train").n_people > 1
    run(cure_of(widths_for, 48))
    assert widths_for(load_crops("data/crops", "data/landmarks", "train").pictures[0].shape[1])


@tries("python -m render.parts.pairs --part {part.name} --out {folder}")
def test_pairs_are_made(stand):
    from render.parts.data import load_pairs
    write_index("data/my pairs/index.csv", [{"clip": "a", "split": "", "pairs": 1, "speaker": "a"}], stage="test")
    run(cure_of(load_pairs, "data/my pairs", "train"))
    assert len(load_pairs("data/my pairs", "train"))


@tries("make inspect FILE={index}", "make inspect FILE={landmark_index}", "make inspect FILE={landmarks / 'index.csv'}",
       "make inspect FILE={pack}", "make inspect FILE={path / (inside[0] if inside else 'NAME')}", "make inspect FILE={path}")
def test_what_is_looked_at_can_be(stand, monkeypatch):
    from core.corpus import run_stage
    from gan.dataset import rows_of
    from landmarks.dataset import load_clips
    from preprocess.pack_hdf5 import usable_clips
    from render import evaluate
    odd = stand.parent / "it's an \"odd\" $HOME #1 folder"
    shutil.copytree(stand / "landmarks", odd / "landmarks", dirs_exist_ok=True)
    shutil.copy(stand / "train.h5", odd / "train.h5")
    index = odd / "landmarks" / "index.csv"
    none = write_index(odd / "fft.csv", [{"clip": "a", "sound_frames": 1}], stage="test")
    from viewer.inspect import look_at
    monkeypatch.setattr(evaluate, "FEWEST_FRAMES", 9999)
    monkeypatch.setattr(evaluate, "render_clip", lambda *_: ({}, [], None, 1, 0))
    lines = [cure_of(run_stage, None, index, odd, stage="test", options={}, only=lambda row: False),
             cure_of(rows_of, index, "no such split"), cure_of(usable_clips, none, index),
             cure_of(load_clips, odd / "train.h5", "no such split"), cure_of(artifacts.check, index, "speech"),
             cure_of(look_at, odd), command(evaluate.main, "--landmarks", odd / "landmarks", "--split", "train").stderr
             .strip().partition("try: ")[2]]
    shutil.copy(ROOT / "Makefile", stand.parent)
    first, *others = dict.fromkeys(lines)
    assert run(first).startswith(f"file       {odd}") and len(others) == 2
    for line in others:  # as make would run it
        assert run(run(f"{line} -n")).startswith(f"file       {odd}")


@tries("python -m preprocess.list_recordings path/to/ravdess --out data/ravdess")
def test_acted_speech_is_listed(here, speech):
    from landmarks.emotion.data import takes
    sound = Path("path/to/ravdess/Actor_01/03-01-05-01-01-01-01.wav")
    sound.parent.mkdir(parents=True)
    shutil.copy(speech, sound)
    row = {"clip": "a", "speaker": "a", "sound": str(sound), "emotion": "", "intensity": "", "problem": ""}
    run(cure_of(takes, write_index("data/ravdess/index.csv", [row], stage="test")))
    assert len(takes("data/ravdess/index.csv")) == 1


@tries("python -m preprocess.convert_audio {path} {out}",
       "copy it again, or python -m preprocess.convert_audio {path} {out}")
def test_any_sound_becomes_a_wav(here, speech):
    odd, cut = Path("it's odd.wav"), Path("a cut.wav")
    soundfile.write(odd, np.append(read_speech(speech), np.nan), 16000, "FLOAT")
    cut.write_bytes(speech.read_bytes()[:20000])
    run(cure_of(read_speech, odd))
    run(cure_of(read_speech, cut).removeprefix("copy it again, or "))
    assert len(read_speech("it's odd-converted.wav")) > 9999 and len(read_speech("a cut-converted.wav")) > 9000


@tries("python -m render.face_check {path}")
def test_faces_of_a_photo_are_numbered(here):
    from avatar.inputs import read_face
    from render.face_check import check_photo
    photo = made_up.save(here / "my photo.png", portrait())
    assert "face 1" in run(cure_of(check_photo, photo, "7"))
    check_photo(photo, "1")
    lying = made_up.save(here / "lying.png", np.rot90(portrait()).copy())
    line = shlex.split(cure_of(read_face, lying))
    assert line[:3] == ["python", "-m", "render.face_check"]
    said = command(importlib.import_module(line[2]).main, *line[3:]).stderr
    assert "turned by 90 degrees" in said  # which that command alone looks for
    read_face(made_up.save(here / "upright.png", np.rot90(portrait(), 4).copy()))


@tries("another folder, or --landmarks {path}")
def test_points_changed_by_hand_stay(here):
    from render.face_check import main
    photo = made_up.save(here / "photo.png", portrait())
    folder = here / "a check"
    assert command(main, photo, "--out", folder).exit_code == 0
    points = folder / "face.json"
    points.write_text(points.read_text() + " ")
    failed = command(main, photo, "--out", folder)
    _, option = failed.stderr.strip().split("try: another folder, or ")
    assert command(main, photo, "--out", folder, *shlex.split(option)).exit_code == 0
    assert command(main, photo, "--out", here / "another").exit_code == 0


@tries("python -m preprocess.extract_landmarks --video {footage.path}")
def test_a_video_is_dubbed_with_its_own_landmarks(here, clip, speech, predicted):
    from core.media.speech import open_speech
    from landmarks import predict
    from render.dub.clip import open_clip
    from render.dub.dub import dub_video
    shutil.copy(clip, "a clip.mp4")
    landmarks = predict.predict_file(open_speech(speech), here / "new")
    seen = run("python -m preprocess.extract_landmarks --video 'a clip.mp4'").strip()
    points = artifacts.load(seen, "landmarks-pixel").array
    longer = artifacts.save(here / "other.pixel.npy", np.concatenate([points, points]), "landmarks-pixel", stage="test")
    line = cure_of(dub_video, open_clip("a clip.mp4", longer), landmarks, here / "out.mp4", speech=speech, tail="keep")
    dub_video(open_clip("a clip.mp4", run(line).strip()), landmarks, here / "out.mp4", speech=speech)


@tries("python predict.py speech.wav", "python predict.py {speech}", "--speech speech.wav")
def test_speech_is_predicted_again(here, speech):
    from landmarks.sync.judge import sound_of
    from render.motion import check_length, read_motion
    from render.render import main
    shutil.copy(speech, "speech.wav")
    landmarks = Path("predict_landmark/speech/landmarks.npy")
    line = cure_of(check_length, landmarks, 9999, 50, "speech.wav")
    assert line == command(main).stderr.strip().partition("try: ")[2]
    run(line)
    head = landmarks.with_name("head.npy")
    artifacts.save(head, artifacts.load(head).array[:-5], "head-motion", stage="test")
    run(cure_of(read_motion, landmarks))
    moves, _ = read_motion(landmarks)
    check_length(landmarks, len(moves), 50, "speech.wav")
    option, path = shlex.split(cure_of(sound_of, landmarks))
    assert option == "--speech" and len(sound_of(landmarks, path))


@tries("ffmpeg -i speech.mp3 -f s16le -ar 16000 -ac 1 - | python predict.py -")
def test_a_song_is_piped(here, speech):
    from landmarks.predict import raw_pieces
    subprocess.run([_ffmpeg(), "-v", "error", "-i", speech, "speech.mp3"], check=True)
    with open("speech.mp3", "rb") as stream:
        line = cure_of(lambda: list(raw_pieces(stream, 640)))
    Path("predict.py").unlink()
    Path("predict.py").symlink_to(ROOT / "predict.py")
    assert len(run(line).splitlines()) > 40


@tries("git -C {MODEL.parent} checkout -- {MODEL.name} {MODEL.name}.json", "git -C {root} checkout -- {name} {name}.json")
def test_a_damaged_model_is_checked_out(here, monkeypatch):
    import doctor
    from preprocess import offset
    name = "CNN_record/offsets/model.npz"
    model = here / "my clone" / name
    model.parent.mkdir(parents=True)
    for ending in ("", ".json"):
        shutil.copy(f"{ROOT / name}{ending}", f"{model}{ending}")
    git = ["git", "-C", here / "my clone", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "models"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(doctor, "SHIPPED", (name,))
    monkeypatch.setattr(offset, "MODEL", model)
    for broken, line_of in (
            (lambda: model.write_bytes(b"no"), lambda: next(doctor.models(here / "my clone")).cure),
            (lambda: (model.write_bytes(b"no"), artifacts.sidecar_path(model).unlink()),
             lambda: cure_of(offset._model.__wrapped__))):
        broken()
        run(line_of())
        assert next(doctor.models(here / "my clone")).state == doctor.GOOD
        assert len(offset._model.__wrapped__())


@tries("git -C {paths.ROOT} checkout -- {paths.HASHES.name} {folder}", "git -C {paths.ROOT} checkout -- {paths.HASHES.name}")
def test_a_model_that_ships_is_checked_out(here, monkeypatch):
    from core import paths
    from core.pretrained import check_shipped
    clone, model = here / "my clone", here / "my clone" / "CNN_record" / "voice" / "model.npz"
    model.parent.mkdir(parents=True)
    shutil.copy(paths.VOICE_MODEL, model)
    shutil.copy(paths.HASHES, clone)
    git = ["git", "-C", clone, "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "models"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(paths, "ROOT", clone)
    monkeypatch.setattr(paths, "HASHES", clone / paths.HASHES.name)
    monkeypatch.setattr(paths, "MODELS", {"voice": model})
    for broken in (model, paths.HASHES):
        broken.unlink()
        run(cure_of(check_shipped, model))
        assert check_shipped(model)


@tries("chmod u+w {_nearest(root / name)}", "ls CNN_record GAN_record", "ls data CNN_record GAN_record")
def test_folders_are_listed_and_opened(here, monkeypatch):
    import doctor
    from core import runs
    from viewer.inspect import look_at
    monkeypatch.setattr(doctor, "_can_write", lambda folder: False)
    for finding in list(doctor.surroundings(here))[1:-1]:
        run(finding.cure)
    assert "default" in run(cure_of(runs.read_run, here), ROOT) and "CNN_record" in run(cure_of(look_at, here / "none"), ROOT)


@tries("iconv -f {encoding} -t UTF-8 {path} > {out}")
def test_a_script_becomes_utf_8(here):
    from speech.script import read_script
    script = here / "my script.txt"
    script.write_text("Доброе утро", encoding="cp1251")
    run(cure_of(read_script, script, "en-in"))
    assert read_script(here / "my script-utf8.txt") == "Доброе утро"


@tries("python -m speech.synthesize --list-voices", "--voice {readers[0]}", '--text "Good morning."')
def test_a_voice_is_found(here):
    from speech.espeak import set_voice
    from speech.speakable import check_text
    from speech.synthesize import main, said_text
    voices = run(cure_of(set_voice, "xx-nobody"))
    assert voices == run(cure_of(set_voice, "en-us+nobody")) == run(cure_of(check_text, "ᚠᚢᚦ", "en-us", "text"))
    option, voice = cure_of(check_text, "नमस्ते", "en-us", "text").split()
    assert option == "--voice" and check_text("नमस्ते", voice, "text") and voice in voices
    words = shlex.split(cure_of(said_text, None, None, "en-us"))
    assert cure_of(check_text, "!", "en-us", "text") == shlex.join(words).replace("'", '"')
    assert command(main, *words, "said.wav").exit_code == 0 and len(read_speech("said.wav"))


@tries("python -m speech.transcribe speech.wav", "python -m speech.transcribe {spoken or 'speech.wav'}")
def test_words_are_written_down(here):
    from core.media.words import load_words
    from render.options import RenderOptions
    from render.render import render_video
    from speech.align import align
    from speech.speakable import pieces
    shutil.copy(ROOT / "data" / "samples" / "speech.wav", "speech.wav")
    Path("words.json").write_text('{"words": [{"word": 1}]}')
    line = cure_of(load_words, "words.json")
    assert line == cure_of(align, np.zeros(1600, np.float32), pieces("a lot of words in a tenth of a second"))
    assert line == cure_of(render_video, "landmarks.npy", here / "v.mp4", RenderOptions(captions="burn"), speech="speech.wav")
    written = run(line).split()
    assert load_words(next(path for path in written if path.endswith("words.json")))


@tries("--captions mux")
def test_other_letters_are_a_track():
    from core.media.captions import check_drawable
    from core.media.words import Word
    from render.options import WAYS
    assert cure_of(check_drawable, [Word("漢字", 0, 1)]).split()[1] in WAYS  # which asks nothing of the font


@tries("--force to overwrite it", "{path.with_suffix('.mp4')}",
       "{path.with_suffix('.webm')}")
def test_a_file_of_somebody_else_is_kept_unless_forced(here, speech):
    from core.media.out.place import check_place
    from preprocess.convert_audio import main
    from render.options import RenderOptions
    from render.preview import check_preview, preview_path
    from render.render import check_output
    for path in (here / "a.mp4", here / "a.png", preview_path(here / "a.mp4"), here / "a.wav"):
        path.write_bytes(b"mine")
    for work, *arguments in ((check_output, here / "a.mp4"), (check_preview, here / "a.mp4"),
                             (check_place, here / "a.png", [".png"], "avatar")):
        assert cure_of(work, *arguments, force=False) == "--force to overwrite it"
        work(*arguments, force=True)
    assert "--force" in command(main, speech, "a.wav").stderr
    assert command(main, speech, "another.wav").exit_code == 0 and command(main, speech, "a.wav", "--force").exit_code == 0
    check_output(Path(shlex.split(cure_of(check_output, here / "my video.avi"))[0]))
    nothing = RenderOptions(background="none")
    check_output(Path(shlex.split(cure_of(check_output, here / "my video.gif", options=nothing))[0]), options=nothing)


@tries("--port {port + 1}")
def test_another_port_is_free():
    from web.serve import bind
    with bind("127.0.0.1", 0) as ours:
        port = ours.getsockname()[1]
        _, other = cure_of(bind, "127.0.0.1", port).split()
        assert int(other) == port + 1
        try:
            bind("127.0.0.1", int(other)).close()
        except InputError as error:  # taken by somebody: the next one is named
            assert error.cure == f"--port {port + 2}"


@tries("{path.with_suffix('.npz').name} as its name", "delete it to use {Path(path).name} as it is, or make the file again",
       "make it again, or delete {sidecar_path(path).name} to use the file as it is")
def test_files_are_renamed_and_descriptions_deleted(here):
    from viewer.inspect import look_at
    path = here / "several.npy"
    with open(path, "wb") as stream:
        np.savez(stream, a=np.zeros(3), b=np.ones(2))
    name = cure_of(look_at, path).removesuffix(" as its name")
    assert look_at(path.rename(path.with_name(name)))
    rest = artifacts.save(here / "rest.npy", made_up.resting_face(), "rest-face", stage="test")
    sidecar = artifacts.sidecar_path(rest)
    for text in ('{"kind": 3}', sidecar.read_text().replace('"sha256": "', '"sha256": "0')):
        sidecar.write_text(text)
        assert "delete" in cure_of(artifacts.load, rest, "rest-face")
        sidecar.unlink()
        artifacts.load(rest, "rest-face")
