"""Motion files of other programs: ARKit's blendshapes and the mouth shapes of Rhubarb, written and read."""

import csv
import json
import re
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from conftest import command

from core import artifacts
from core.clock import FPS
from core.errors import InputError
from core.face import face68
from landmarks.lite import load_model
from render import motion
from render.exchange import blendshapes, convert, mouth_shapes
from render.exchange.blendshapes import NAMES, SHOWN
from render.exchange.mouth_shapes import Cue


@pytest.fixture(scope="module")
def rest():
    return np.asarray(load_model(None).rest_face)


def weights(n_frames=30, **named):
    found = np.zeros((n_frames, len(NAMES)), np.float32)
    for name, value in named.items():
        found[:, NAMES.index(name)] = value
    return found


class TestBlendshapes:
    def test_there_are_52_and_each_name_once(self):
        assert len(NAMES) == len(set(NAMES)) == 52 and len(SHOWN) == 26

    @pytest.mark.parametrize("name", [NAMES[i] for i in SHOWN])
    def test_each_comes_back_alone(self, name):
        found = blendshapes.weights_of(blendshapes.offsets_of(weights(1, **{name: 0.7})))[0]
        assert found[NAMES.index(name)] == pytest.approx(0.7, abs=0.12)
        assert np.delete(found, NAMES.index(name)).max() < 0.12

    def test_left_is_the_persons_left(self, rest):
        moved = blendshapes.offsets_of(weights(1, EyeBlinkLeft=1))[0]
        assert moved[list(face68.GROUPS["left_eye"])].any() and not moved[list(face68.GROUPS["right_eye"])].any()
        assert (rest[list(face68.GROUPS["left_eye"]), 0] > 0).all(), "right in the picture"

    @pytest.mark.parametrize(("name", "measure", "grows"), [
        ("JawOpen", face68.mouth_opening, True), ("MouthPucker", face68.mouth_width, False),
        ("MouthStretchLeft", face68.mouth_width, True), ("EyeBlinkRight", face68.eye_opening, False),
        ("EyeWideLeft", face68.eye_opening, True), ("BrowInnerUp", face68.brow_height, True),
        ("BrowDownLeft", face68.brow_height, False)])
    def test_they_do_what_their_names_say(self, rest, name, measure, grows):
        moved = measure(rest + blendshapes.offsets_of(weights(1, **{name: 0.8}))[0])
        assert (moved > measure(rest) + 0.01) == grows and (moved < measure(rest) - 0.01) == (not grows)

    def test_a_file_comes_back(self, tmp_path):
        rng = np.random.default_rng(0)
        given, head = rng.uniform(0, 1, (80, 52)).astype(np.float32), rng.normal(0, 0.2, (80, 5)).astype(np.float32)
        path = blendshapes.write_blendshapes(tmp_path / "a.csv", given, head)
        found, turned = blendshapes.read_blendshapes(path)
        assert np.allclose(found, given, atol=1e-5) and np.allclose(turned, head[:, :3], atol=1e-5)
        with open(path, encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        assert len(rows) == 81 and {len(row) for row in rows} == {63} and rows[30][:2] == ["00:00:01:04.000", "61"]

    def test_sixty_a_second_become_ours(self, tmp_path):
        rows = ["Timecode,jawOpen", *(f"10:00:0{t // 60}:{t % 60:02d}.500,{t / 119:.4f}" for t in range(120))]
        (tmp_path / "a.csv").write_text("\n".join(rows))
        found, head = blendshapes.read_blendshapes(tmp_path / "a.csv")
        assert len(found) == 51 and head is None and found[-1, NAMES.index("JawOpen")] == pytest.approx(1, abs=0.02)
        (tmp_path / "b.csv").write_text("\n".join(["JAWOPEN", *["0.5"] * 60]))
        assert len(blendshapes.read_blendshapes(tmp_path / "b.csv", fps=30)[0]) == 50

    @pytest.mark.parametrize("text", ["", "a,b\n1,2", "JawOpen\nx", "JawOpen\nnan", "JawOpen", "Timecode,JawOpen\n1:2,0",
                                      "JawOpen,EyeBlinkLeft\n1", "\0"])
    def test_other_files_are_one_line(self, tmp_path, text):
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(InputError, match="a.csv"):
            blendshapes.read_blendshapes(tmp_path / "a.csv")


CUES = [Cue(0, 0.4, "X"), Cue(0.4, 0.6, "D"), Cue(0.6, 0.8, "A"), Cue(0.8, 1.0, "F"), Cue(1.0, 1.4, "B"), Cue(1.4, 2.0, "X")]


class TestMouthShapes:
    @pytest.mark.parametrize("suffix", mouth_shapes.SUFFIXES)
    def test_a_file_comes_back(self, tmp_path, suffix):
        assert mouth_shapes.read_cues(mouth_shapes.write_cues(tmp_path / f"a{suffix}", CUES, "a.wav")) == CUES

    def test_files_are_as_rhubarb_writes_them(self, tmp_path):
        lines = mouth_shapes.write_cues(tmp_path / "a.tsv", CUES).read_text().splitlines()
        assert lines[:2] == ["0.00\tX", "0.40\tD"] and lines[-1] == "2.00\tX"
        about = json.loads(mouth_shapes.write_cues(tmp_path / "a.json", CUES, "a.wav").read_text())
        assert about["metadata"] == {"soundFile": "a.wav", "duration": 2.0}
        assert about["mouthCues"][1] == {"start": 0.4, "end": 0.6, "value": "D"}
        root = xml.parse(mouth_shapes.write_cues(tmp_path / "a.xml", CUES, "a.wav")).getroot()
        assert root.tag == "rhubarbResult" and root.find("metadata/duration").text == "2.00"
        assert [cue.text for cue in root.iterfind("mouthCues/mouthCue")] == list("XDAFBX")

    def test_shapes_come_back_from_landmarks(self, rest):
        found = mouth_shapes.cues_of(rest + mouth_shapes.offsets_of_cues(CUES), rest)
        shown = "".join(cue.shape for cue in found)
        assert shown[0] == shown[-1] == "X" and "D" in shown and "F" in shown and "A" in shown[1:-1]
        assert found[0].start_s == 0 and found[-1].end_s == pytest.approx(2)
        assert np.allclose([cue.end_s for cue in found[:-1]], [cue.start_s for cue in found[1:]])
        assert max(found, key=lambda cue: (cue.shape == "D", cue.end_s)).start_s == pytest.approx(0.4, abs=0.09)

    @pytest.mark.parametrize(("name", "text"), [
        ("a.tsv", "0.0\tX\n0.5\tZ\n1\tX"), ("a.tsv", "hello"), ("a.tsv", "0.5\tA\n0.1\tB\n1\tX"), ("a.tsv", ""),
        ("a.json", "{}"), ("a.json", "[" * 99999), ("a.json", '{"mouthCues": [{"start": 0, "end": NaN, "value": "A"}]}'),
        ("a.xml", "<a>"), ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), ("a.xml", "<a/>")])
    def test_other_files_are_one_line(self, tmp_path, name, text):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=name):
            mouth_shapes.read_cues(tmp_path / name)


def as_documented(path):
    """Check a file against the description of Rhubarb's output formats; return its cues as (start, end, shape).

    Source: the documentation of Rhubarb Lip Sync, "Output formats". Times have two digits; the first is 0.00; in .tsv the last
    line is the end of the recording, lips shut; in .xml and .json each cue ends where the next begins, the last at `duration`.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".tsv":
        lines = text.splitlines()
        assert text.endswith("\n") and all(re.fullmatch(r"\d+\.\d\d\t[A-HX]", line) for line in lines)
        starts, shapes = zip(*(line.split("\t") for line in lines))
        assert shapes[-1] in "XA"
        cues, duration = list(zip(starts, starts[1:], shapes)), starts[-1]
    elif path.suffix == ".xml":
        assert text.startswith('<?xml version="1.0" encoding="utf-8"?>')
        root = xml.fromstring(text)
        assert root.tag == "rhubarbResult" and [part.tag for part in root] == ["metadata", "mouthCues"]
        assert [part.tag for part in root[0]] == ["soundFile", "duration"] and root[0][0].text
        assert all((cue.tag, list(cue.attrib), list(cue)) == ("mouthCue", ["start", "end"], []) for cue in root[1])
        cues, duration = [(cue.attrib["start"], cue.attrib["end"], cue.text) for cue in root[1]], root[0][1].text
    else:
        about = json.loads(text)
        assert list(about) == ["metadata", "mouthCues"] and list(about["metadata"]) == ["soundFile", "duration"]
        assert isinstance(about["metadata"]["soundFile"], str) and about["metadata"]["soundFile"]
        assert all(list(cue) == ["start", "end", "value"] for cue in about["mouthCues"])
        numbers = [number for cue in about["mouthCues"] for number in (cue["start"], cue["end"])]
        assert all(isinstance(number, (int, float)) and round(number, 2) == number for number in numbers)
        cues = [(f"{cue['start']:.2f}", f"{cue['end']:.2f}", cue["value"]) for cue in about["mouthCues"]]
        duration = f"{about['metadata']['duration']:.2f}"
    assert all(re.fullmatch(r"\d+\.\d\d", number) for number in (duration, *(n for cue in cues for n in cue[:2])))
    assert cues[0][0] == "0.00" and cues[-1][1] == duration and all(re.fullmatch("[A-HX]", shape) for _, _, shape in cues)
    assert all(one[1] == other[0] for one, other in zip(cues, cues[1:])) and all(float(a) < float(b) for a, b, _ in cues)
    return cues


class TestDocumentedFormat:
    @pytest.mark.parametrize("suffix", mouth_shapes.SUFFIXES)
    @pytest.mark.parametrize("n_frames", [1, 7, 1234])
    def test_what_the_command_writes_is_what_rhubarb_describes(self, tmp_path, rest, suffix, n_frames):
        rng = np.random.default_rng(n_frames)
        shapes = rng.choice(list("ABCDEFX"), n_frames // 5 + 1)
        cues = [Cue(0.2 * i, 0.2 * (i + 1), shape) for i, shape in enumerate(shapes)]
        face = (rest + mouth_shapes.offsets_of_cues(cues))[:n_frames]
        artifacts.save(tmp_path / "landmarks.npy", face.astype(np.float32), "landmarks-face", stage="test")
        artifacts.save(tmp_path / "rest_face.npy", rest, "rest-face", stage="test")
        done = command(convert.main, tmp_path / "landmarks.npy", tmp_path / f"a{suffix}")
        assert done.exit_code == 0, done.stderr
        told = as_documented(tmp_path / f"a{suffix}")
        assert told[-1][1] == f"{n_frames / FPS:.2f}" and (n_frames < 99 or len({shape for _, _, shape in told}) > 4)

    def test_the_recording_is_named(self, tmp_path, rest):
        (tmp_path / "talk.mp3").touch()
        artifacts.save(tmp_path / "a.npy", rest[None], "landmarks-face", stage="test", inputs=[tmp_path / "talk.mp3"])
        artifacts.save(tmp_path / "b.npy", rest[None], "landmarks-face", stage="test")
        assert [convert.sound_of(tmp_path / name) for name in ("a.npy", "b.npy")] == ["talk.mp3", f"{tmp_path.name}.wav"]

    def test_their_own_example_is_accepted_and_read(self, tmp_path):
        """Times and shapes of somebody who says "Hi", as their documentation has them."""
        path = tmp_path / "hi.tsv"
        path.write_text("0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n")
        assert len(as_documented(path)) == 5
        assert [(cue.start_s, cue.shape) for cue in mouth_shapes.read_cues(path)] == [(0, "X"), (.05, "D"), (.27, "C"),
                                                                                     (.31, "B"), (.43, "X")]


class TestCommand:
    def test_there_and_back(self, tmp_path, rest):
        t = np.arange(2 * FPS)
        face = rest + blendshapes.offsets_of(weights(len(t), JawOpen=1) * (0.3 + 0.3 * np.sin(t / 4))[:, None])
        artifacts.save(tmp_path / "landmarks.npy", face, "landmarks-face", stage="test")
        artifacts.save(tmp_path / "rest_face.npy", rest, "rest-face", stage="test")
        assert command(convert.main, tmp_path / "landmarks.npy", tmp_path / "a.csv").exit_code == 0
        done = command(convert.main, tmp_path / "a.csv", tmp_path / "back")
        assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "back" / "landmarks.npy")
        moves, back = motion.read_motion(tmp_path / "back" / "landmarks.npy")
        assert np.abs(back + moves.face - face).max() < 0.03 and moves.has_head and not moves.head.any()
        for suffix in mouth_shapes.SUFFIXES:
            assert command(convert.main, tmp_path / "landmarks.npy", tmp_path / f"a{suffix}").exit_code == 0
            done = command(convert.main, tmp_path / f"a{suffix}", tmp_path / suffix[1:])
            assert done.exit_code == 0, done.stderr
            opening = face68.mouth_opening(np.load(tmp_path / suffix[1:] / "landmarks.npy"))[:len(face)]
            assert np.corrcoef(opening, face68.mouth_opening(face)[:len(opening)])[0, 1] > 0.7

    @pytest.mark.parametrize(("source", "out", "found"), [
        ("gone.npy", "a.csv", "gone.npy"), ("here.npy", "a.txt", "a .txt file"), ("here.npy", "a", "a nameless file")])
    def test_bad_input_is_one_line(self, tmp_path, source, out, found):
        np.save(tmp_path / "here.npy", np.zeros((3, 2), np.float32))
        done = command(convert.main, tmp_path / source, tmp_path / out)
        assert done.exit_code == 1 and found in done.stderr and not (tmp_path / out).exists()
