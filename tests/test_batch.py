"""Many videos in one call: each row is a video or a reason, nothing is made twice, a kill loses nothing."""

import csv
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, SENTENCES, command, portrait, speak
from PIL import Image

import animator
import batch
import main
from batches import preset
from batches.jobs import SETTLED_S, filled, read_table
from batches.results import read_results, safe
from core.cache import Recent
from core.cost import Ended
from core.errors import InputError
from core.events import Warned
from core.media.audio import write_wav
from core.stage import overheard, tell
from evaluation import speed
from landmarks.predict import predict_file


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(portrait()).resize((128, 128)).save(tmp_path / "me.png")
    return tmp_path


def table(folder, *rows, columns="image,text,name,output,still,size"):
    path = folder / "table.csv"
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


def results(out):
    with open(out / "results.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_row_is_a_video_or_a_reason(folder):
    path = table(folder, "me.png,Hello {name}.,Ann,ann,yes,64", "nobody.png,Hello.,Ben,,,64", "me.png,Hello {nam}.,Cy,,,64",
                 "me.png,Hello.,Di,ann,,64", "me.png,Hello.,Ed,../ed,,64", "me.png,Hello.,Flo,,perhaps,64",
                 "me.png,Hello.,Gus,,,9")
    done = command(batch.main, path, "--out", folder / "out", "--jobs", 1)
    assert done.exit_code == 1 and "6 of 7 rows failed" in done.stderr and "results.csv" in done.stderr
    assert [row["state"] for row in results(folder / "out")] == ["done"] + 6 * ["failed"]
    said = "no such file", "{nam}", "row 1 already writes ann.mp4", "inside the folder", "'perhaps'", "'--size'"
    assert all(part in row["reason"] for part, row in zip(said, results(folder / "out")[1:]))
    assert (folder / "out" / "ann.mp4").is_file() and not list(folder.glob("ed*"))
    page = (folder / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="ann.mp4"' in page and "6 failed" in page and (folder / "out" / "thumbnails" / "ann.jpg").is_file()


def test_a_second_call_makes_what_is_new_or_changed(folder):
    rows = ["me.png,Hello Ann.,Ann,ann,,64", "me.png,Hello Ben.,Ben,ben,,64"]
    out = folder / "out"
    assert command(batch.main, table(folder, *rows), "--out", out, "--jobs", 1).exit_code == 0
    made = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    done = command(batch.main, table(folder, rows[0], rows[1].replace("Hello", "Good day")), "--out", out, "--jobs", 1)
    assert done.exit_code == 0 and "1 of 2 videos to make" in done.stderr
    now = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    assert now["ann.mp4"] == made["ann.mp4"] and now["ben.mp4"] > made["ben.mp4"]


def test_killed_in_the_middle_it_goes_on(folder):
    path, out = table(folder, *(f"me.png,Hello {n}.,{n},v{n},,64" for n in range(3))), folder / "out"
    arguments = [sys.executable, ROOT / "batch.py", path, "--out", out, "--jobs", "1"]
    process = subprocess.Popen(arguments, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while len(read_results(out / "results.csv")) < 1 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {name: (out / name).stat().st_mtime_ns for name in read_results(out / "results.csv")}
    assert 1 <= len(before) < 3, "killed too early, or too late"
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and f"{3 - len(before)} of 3 videos to make" in done.stderr
    assert all((out / name).stat().st_mtime_ns == changed for name, changed in before.items())
    assert {path.name for path in out.glob("*.mp4")} == {f"v{n}.mp4" for n in range(3)}


def test_a_folder_of_recordings(folder):
    for name in ("one", "two"):
        write_wav(folder / "in" / f"{name}.wav", speak(SENTENCES[0], seconds=0.5))
    done = command(batch.main, folder / "in", "--out", folder / "out", "--", "--image", folder / "me.png", "--size=64")
    assert done.exit_code == 1 and "no recordings in it" in done.stderr, "they are still being written"
    time.sleep(SETTLED_S)
    done = command(batch.main, folder / "in", "--out", folder / "out", "--jobs", 1, "--", "--image", folder / "me.png",
                   "--size=64")
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in (folder / "out").glob("*.mp4")} == {"one.mp4", "two.mp4"}


def test_a_watched_folder_is_worked_on_when_it_changes(folder, monkeypatch):
    write_wav(folder / "in" / "one.wav", speak(SENTENCES[0], seconds=0.5))
    looks, made = iter(range(4)), []

    def wait(_seconds):
        if (n := next(looks)) == 2:
            write_wav(folder / "in" / "two.wav", speak(SENTENCES[1], seconds=0.5))
        if n == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("batches.jobs.SETTLED_S", -1)
    monkeypatch.setattr(batch.time, "sleep", wait)
    monkeypatch.setattr(batch, "make_all", lambda jobs, out, n: made.append([job.video for job in jobs]) or [])
    done = command(batch.main, folder / "in", "--watch", "--out", folder / "out", "--", "--image", "me.png")
    assert done.exit_code == 0 and "error" not in done.stderr and "goes on from here" in done.stderr, "how a watch ends"
    assert made == [["one.mp4"], ["one.mp4", "two.mp4"]]


@pytest.mark.parametrize("text", ["image,sound\nme.png,x.wav\n", "image,text\n", "", "text\nHello.\n", "\0\0\n\0\n"])
def test_a_table_that_is_none_is_said_at_once(folder, text):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    done = command(batch.main, folder / "t.csv", "--out", folder / "out")
    assert done.exit_code == 1 and "t.csv" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_table_that_is_not_there_is_said(folder):
    done = command(batch.main, folder / "no.csv", "--out", folder / "out")
    assert done.exit_code == 1 and "no.csv: no such file; expected a table, or a folder of recordings" in done.stderr


def test_ten_thousand_rows_are_read_in_seconds(folder):
    path = table(folder, *(f"me.png,Hello {{name}}.,Ann {n},,,64" for n in range(10_000)))
    began = time.monotonic()
    jobs = read_table(path, [], batch.OPTIONS)
    assert time.monotonic() - began < 10 and len(jobs) == 10_000
    assert "--text=Hello Ann 9999." in jobs[-1].arguments and jobs[-1].video == "10000_me.mp4"


def test_texts_take_columns_and_nothing_else():
    assert filled("Dear {name}, {  amount }", {"name": "Ann {x}", "amount": "5"}) == "Dear Ann {x}, 5"
    for text in ("{name.__class__}", "{0}", "{}", "{name!r}"):
        with pytest.raises(InputError, match="a column of the table"):
            filled(text, {"name": "Ann"})


@pytest.mark.parametrize("common", [["--text", "Dear {First Name}, {AMOUNT}."], ["--text=Dear {first name}, {amount}."]])
def test_the_text_of_all_rows_takes_columns_too(folder, common):
    path = table(folder, "me.png,Ann,5", "me.png,Ben {x},6", columns="image,First Name,amount")
    first, second = (" ".join(job.arguments) for job in read_table(path, ["--voice", "{amount}", *common], batch.OPTIONS))
    assert first.startswith(f"--voice {{amount}} --text{common[0][6:7] or ' '}Dear Ann, 5. --image="), "a text alone"
    assert "Dear Ben {x}, 6." in second
    missing, = read_table(table(folder, "me.png", columns="image"), ["--text", "Dear {nam}."], batch.OPTIONS)
    assert "{nam}" in missing.problem
    own, = read_table(table(folder, "me.png,Own.,A,5", columns="image,text,first name,amount"), common, batch.OPTIONS)
    assert own.arguments[-1] == "--text=Own."


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_spreadsheet_takes_a_reason_for_a_formula(cell):
    assert safe(cell)[0] in "'\\" and safe("plain") == "plain"


def test_a_preset_stands_for_options(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "talking-face.toml").write_text('[preset.small]\nsize = 64\nstill = true\nblink_rate = 0\n\n'
                                                '[preset.odd]\nsizes = 64\n')
    context = main.main.make_context("make", ["--image", "me.png", "--text", "Hello.", "--preset", "small", "--size", "96"])
    assert context.params["size_px"] == 96 and context.params["still"] is True and context.params["blink_rate"] == 0
    for name, said in (("odd", "'sizes'"), ("none", "no [preset.none]; it has: small, odd")):
        done = command(main.main, "--image", "me.png", "--text", "Hello.", "--preset", name)
        assert done.exit_code == 1 and said in done.stderr
    with pytest.raises(InputError):
        preset.read_preset("small", folder / "missing.toml")


class TestWhatRowsShare:
    def test_a_photo_is_looked_at_once_and_its_faults_are_told_each_time(self, tmp_path, monkeypatch):
        looked = []

        def look(path, which=None, points_file=None):
            looked.append(which)
            tell(Warned("the face is blurred", path))
            return len(looked)

        monkeypatch.setattr("render.photo_check.check_photo", look)
        monkeypatch.setattr(animator.Animator, "_photos", Recent(2))
        (tmp_path / "me.png").write_bytes(b"one")

        def checked(which=None):
            return overheard(lambda: animator.Animator()._checked(tmp_path / "me.png", which, None, False))

        first, again = checked(), checked()
        assert looked == [None] and first == again and str(first[1][0]).endswith("the face is blurred")
        assert checked("2")[0] == 2, "another face of it"
        (tmp_path / "me.png").write_bytes(b"another")
        assert checked()[0] == 3, "another photo of this name"

    def test_the_latest_are_kept_as_far_as_there_is_room(self):
        kept, made = Recent(5), []

        def of(key, size=2):
            return kept.get(key, lambda: made.append(key) or key, lambda _: size)

        assert [of(key) for key in "abab"] == list("abab") and made == ["a", "b"]
        of("c"), of("b"), of("a"), of("huge", 9), of("huge", 9)
        assert made == ["a", "b", "c", "a", "huge"], "the one longest not asked for goes first; one is always kept"

    def test_drawings_nobody_will_see_are_not_made(self, tmp_path, speech):
        drawn, plain = tmp_path / "drawn", tmp_path / "plain"
        for out, drawings in ((drawn, True), (plain, False)):
            predict_file(speech, out, emotion="auto", drawings=drawings)
        missing = {path.name for path in drawn.iterdir()} - {path.name for path in plain.iterdir()}
        assert missing == {"landmarks.gif", "emotion.png"}
        assert (np.load(drawn / "landmarks.npy") == np.load(plain / "landmarks.npy")).all()

    def test_the_measure_compares_a_table_with_a_call_for_each_row(self, tmp_path, monkeypatch):
        asked = []

        def python(*arguments):
            asked.append(arguments)
            return Ended(2.0, 1, 6.0, "") if "batch.py" in arguments else Ended(3.0, 1, 5.0, "")

        monkeypatch.setattr(speed, "python", python)
        cpu, clock = speed.batch(tmp_path, 3)
        assert (cpu.value, cpu.other, cpu.ratio) == (6.0, 15.0, 0.4) and (clock.value, clock.other) == (2.0, 9.0)
        assert [each[0] for each in asked] == ["batch.py", *["talking_face.py"] * 3]
        jobs = read_table(asked[0][1], (), batch.OPTIONS)
        assert [f"--text={each[4]}" for each in asked[1:]] == [job.arguments[-1] for job in jobs] and not jobs[0].problem


def test_photo_and_speech_are_other_names_of_columns(tmp_path):
    def first(columns, row):
        return read_table(table(tmp_path, row, columns=columns), (), batch.OPTIONS)[0]

    (tmp_path / "a.wav").touch()
    assert first("Photo,speech", "me.png,a.wav").arguments == ["--image=me.png", f"--audio={tmp_path / 'a.wav'}"]
    assert first("photo,text", "me.png,Of {photo}.").arguments[-1] == "--text=Of me.png."
    both = first("photo,image,text", "a face,me.png,Of {photo}.")
    assert both.arguments == ["--image=me.png", "--text=Of a face."], "a column of that very name comes first"


@pytest.mark.parametrize("rows, counted", [(["a"], "1 row, "), (["a", "b"], "2 rows, ")])
def test_a_table_without_names_is_told_which(tmp_path, rows, counted):
    with pytest.raises(InputError) as told:
        read_table(table(tmp_path, *rows, columns="me.png"), (), batch.OPTIONS)
    assert told.value.found.startswith(counted) and told.value.cure.endswith("image,text")
