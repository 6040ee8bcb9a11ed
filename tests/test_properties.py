"""What holds for every input, tried on many that Hypothesis makes up: clock, face space, files of stages, sound, lines."""

import math
import os
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made_up import drawn_face

from core import artifacts, blocks, clock, files, smooth
from core.artifacts import named_after
from core.errors import InputError
from core.face import face68
from core.face.choice import choose_face
from core.index import read_index, read_rows, write_index
from core.media import audio, words
from core.media.words import Word
from landmarks import expression

settings.register_profile("quick", derandomize=True, deadline=None, max_examples=60, database=None,
                          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
settings.load_profile("quick")

SMALL = st.floats(-3, 3, width=32)
POSES = st.tuples(st.floats(8, 3000), st.floats(-math.pi, math.pi), st.floats(-2000, 6000), st.floats(-2000, 6000))
WRITTEN = st.text(st.characters(exclude_categories=["Cs"]))  # half of a character can be written nowhere
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30)


def faces(n_frames):
    """Drawn faces [frame, 68, 2] in face space, each bent in its own way."""
    moved = arrays.arrays(np.float32, (n_frames, 8), elements=SMALL)
    spread = np.random.default_rng(0).normal(0, 0.02, (8, 68, 2)).astype(np.float32)
    return moved.map(lambda how: drawn_face() + np.tensordot(how, spread, 1))


# Clock

@given(st.integers(1, 10**9), st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]))
def test_frames_and_samples_end_together(n_samples, rate):
    n_frames = clock.n_frames_of(n_samples, rate)
    assert n_frames == 1 or abs(n_frames / clock.FPS - n_samples / rate) <= 0.5 / clock.FPS + 1e-9
    assert clock.n_frames_of(n_frames * clock.SAMPLES_PER_FRAME) == n_frames, "from frames to samples and back"
    assert clock.n_frames_of(n_samples + 1, rate) >= n_frames


# Face space

@given(faces(3), st.lists(POSES, min_size=3, max_size=3))
def test_to_face_space_and_back_is_where_it_was(face, poses):
    pixel = face68.to_pixel_space(face, np.array(poses))
    there, pose = face68.to_face_space(pixel)
    back = face68.to_pixel_space(there, pose)
    np.testing.assert_allclose(back, pixel, atol=0.02, rtol=1e-4)


@given(faces(1), POSES, POSES)
def test_the_pose_of_a_head_does_not_change_its_face(face, pose, other):
    one, two = (face68.to_face_space(face68.to_pixel_space(face, np.array([p])))[0] for p in (pose, other))
    px = min(pose[0], other[0])  # an eye distance: float32 places of 6000 px are good to 0.0005 px
    np.testing.assert_allclose(one, two, atol=0.005 / px + 1e-5)


@given(faces(1), POSES)
def test_a_face_is_upright_and_its_eyes_one_apart(face, pose):
    there, found = face68.to_face_space(face68.to_pixel_space(face, np.array([pose])))
    assert math.isclose(face68.eye_distance(there)[0], 1, abs_tol=0.001)
    scale = face68.eye_distance(face)[0]
    assert math.isclose(found[0, 0], pose[0] * scale, rel_tol=1e-3)


@given(faces(2))
def test_mirrored_twice_is_as_before(face):
    np.testing.assert_array_equal(face68.mirror(face68.mirror(face)), face)
    for measure in (face68.mouth_opening, face68.mouth_width, face68.eye_opening, face68.brow_height, face68.eye_distance):
        np.testing.assert_allclose(measure(face68.mirror(face)), measure(face), atol=1e-5)


@given(faces(3))
def test_lips_that_crossed_touch_and_stay(face):
    apart = face68.uncross_lips(face)
    gaps = apart[:, [67, 66, 65], 1] - apart[:, [61, 62, 63], 1]
    assert (gaps > -1e-6).all()
    np.testing.assert_allclose(face68.uncross_lips(apart), apart, atol=1e-6)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(2)), elements=SMALL), st.data())
def test_missing_frames_are_filled_between_what_is_known(values, data):
    missing = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    holed = np.where(np.array(missing)[:, None], np.nan, values).astype(np.float32)
    filled = face68.fill_missing(holed)
    known = ~np.array(missing)
    np.testing.assert_array_equal(filled[known], values[known])
    if known.any():
        assert np.isfinite(filled).all()
        assert filled.min() >= values[known].min() - 1e-6 and filled.max() <= values[known].max() + 1e-6


# Smoothing

@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=SMALL), st.floats(0.1, 12),
       st.integers(0, 10))
def test_smoothing_stays_between_the_extremes(values, sigma, half):
    for smoothed in (smooth.gaussian_filter(values, sigma), smooth.moving_average(values, 2 * half + 1)):
        assert smoothed.shape == values.shape
        assert smoothed.min() >= values.min() - 1e-4 and smoothed.max() <= values.max() + 1e-4


@given(st.integers(1, 500), st.floats(0.01, 20))
def test_a_taper_rises_and_falls_alike(n_frames, seconds):
    window = smooth.taper(n_frames, seconds)
    assert len(window) == n_frames and window.min() >= 0 and window.max() <= 1
    np.testing.assert_allclose(window, window[::-1], atol=1e-9)


# Sound

@given(st.integers(0, 5000), st.sampled_from([8000, 11025, 22050, 44100, 48000]), st.sampled_from([8000, 16000, 48000]))
def test_resampled_sound_lasts_as_long(n_samples, rate, new_rate):
    sound = np.random.default_rng(n_samples).normal(0, 0.1, n_samples).astype(np.float32)
    assert abs(len(audio.resample(sound, rate, new_rate)) - n_samples * new_rate / rate) <= 1


@settings(max_examples=25)
@given(st.integers(1, 9000), st.sampled_from([8000, 16000, 22050, 44100, 48000]), st.integers(1, 3))
def test_a_recording_of_any_rate_is_read_at_its_length(tmp_path, n_samples, rate, n_channels):
    import soundfile
    sound = np.random.default_rng(n_samples).normal(0, 0.1, (n_samples, n_channels))
    soundfile.write(path := tmp_path / "speech.wav", sound, rate, subtype="PCM_16")
    try:
        read = audio.read_speech(path)
    except InputError:
        assert n_samples * 16000 / rate < 1
    else:
        assert abs(len(read) - n_samples * 16000 / rate) <= 1 and read.dtype == np.float32


@given(arrays.arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32)))
def test_written_sound_is_read_as_it_was(tmp_path, sound):
    path = audio.write_wav(tmp_path / "speech.wav", sound)
    np.testing.assert_allclose(audio.read_speech(path), sound, atol=1 / 32000)


@given(st.integers(1, 6000), st.lists(st.integers(0, 1500), max_size=8))
def test_spectra_of_pieces_are_those_of_the_whole(n_samples, cuts):
    sound = np.random.default_rng(n_samples).normal(0, 0.1, n_samples).astype(np.float32)
    pieces = np.split(sound, sorted(min(cut, n_samples) for cut in cuts))
    whole, parts = audio.spectrum_of(sound), np.concatenate(list(audio.spectrum_blocks(pieces)))
    assert len(whole) == clock.n_frames_of(n_samples)
    np.testing.assert_array_equal(parts, whole)


# Files of stages

CLIPS = st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20)
                 .filter(lambda name: name not in (".", "..")), min_size=1, max_size=3).map("/".join)
CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(CLIPS, CELLS, CELLS), min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_an_index_is_read_as_it_was_written(tmp_path, rows):
    rows = [{"clip": clip, "speaker": speaker, "problem": problem} for clip, speaker, problem in rows]
    path = write_index(tmp_path / "index.csv", rows, stage="test")
    assert read_index(path) == rows


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_table_or_refused_in_a_line(tmp_path, content):
    (tmp_path / "table.csv").write_bytes(b"clip,speaker\n" + content)
    try:
        rows = read_rows(tmp_path / "table.csv", "clip", "speaker")
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(row["clip"] for row in rows)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WRITTEN,
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WRITTEN, inner, max_size=4), max_leaves=12)


@given(JSON)
def test_json_is_read_as_it_was_written(tmp_path, data):
    files.save_json(tmp_path / "data.json", data)
    assert files.read_json(tmp_path / "data.json") == data


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=300).filter(lambda name: name not in (".", "..")),
       st.sampled_from([".json", ".preview.png", "-2"]))
def test_a_name_after_a_name_fits_and_ends_as_asked(name, ending):
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        assume(False)
    named = named_after(Path("folder") / name, ending)
    assert named.parent == Path("folder") and named.name.endswith(ending) and len(os.fsencode(named.name)) <= files.LONGEST_NAME


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.data())
def test_an_array_written_in_pieces_is_that_written_whole(tmp_path, lengths, data):
    rng = np.random.default_rng(sum(lengths))
    pieces = [rng.normal(0, 1, (n, 68, 2)).astype(np.float32) for n in lengths]
    if data.draw(st.booleans()):
        pieces[0][0] = np.nan
    one = artifacts.save(tmp_path / "one.npy", np.concatenate(pieces), "landmarks-face", stage="test")
    blocks.save(tmp_path / "two.npy", pieces, "landmarks-face", stage="test")
    assert one.read_bytes() == (tmp_path / "two.npy").read_bytes()
    assert artifacts.read_sidecar(one) == artifacts.read_sidecar(tmp_path / "two.npy")


# Words with times

A_WORD = LINE.map(lambda line: "".join(line.split())).filter(bool)


@st.composite
def timed(draw, texts=A_WORD):
    """Words in the order of their times."""
    at, said = draw(st.floats(0, 5000)), []
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.floats(0, 2))
        end = at + draw(st.floats(0, 2))
        said.append(Word(draw(texts), at, end, draw(st.none() | st.floats(0, 1))))
    return said


def _seconds(stamp):
    hours, minutes, seconds = stamp.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@given(timed())
def test_words_are_read_as_they_were_written(tmp_path, said):
    read = words.load_words(words.save_words(tmp_path / "words.json", said, stage="test"))
    assert [word.word for word in read] == [word.word for word in said]
    for ours, theirs in zip(said, read):
        np.testing.assert_allclose((theirs.start_s, theirs.end_s), (ours.start_s, ours.end_s), atol=0.0006)
        assert (theirs.probability is None) == (ours.probability is None)


@given(timed(), st.none() | st.floats(0, 40))
def test_captions_hold_every_word_once_and_follow_each_other(said, beyond):
    last_s = math.inf if beyond is None else said[-1].start_s + beyond
    cues = words.cues(said, last_s)
    assert " ".join(" ".join(cue.text.split("\n")) for cue in cues) == words.transcript(said)
    assert all(cue.start_s <= cue.end_s <= last_s for cue in cues)
    assert all(cue.text.count("\n") < words.MOST_LINES for cue in cues)
    assert all(one.start_s <= two.start_s for one, two in zip(cues, cues[1:]))


@given(timed())
def test_subtitles_hold_the_words_and_their_times(said):
    for text, point in ((words.srt(said), ","), (words.vtt(said), ".")):
        stamps = [line.split(" --> ") for line in text.split("\n") if " --> " in line and line[2:3] == ":"]
        assert len(stamps) >= len(words.cues(said))
        for (start, end), cue in zip(stamps, words.cues(said)):
            assert point in start
            np.testing.assert_allclose((_seconds(start), _seconds(end)), (cue.start_s, cue.end_s), atol=0.0006)


# Options

@given(st.sampled_from([*expression.EMOTIONS, "auto"]), st.floats(0, expression.MOST))
def test_an_emotion_and_its_strength_are_read(name, strength):
    assert expression.parse_emotion(f" {name.upper()}:{strength!r}") == (name, strength)


@given(st.text(max_size=30))
@example("happy:nan")
@example("happy:1e400")
def test_what_is_no_emotion_is_refused_in_a_line(text):
    try:
        name, strength = expression.parse_emotion(text)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 0 <= strength <= expression.MOST


BOXES = st.lists(st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(1, 40)] * 2), min_size=1, max_size=4)


@given(BOXES, st.text(max_size=6) | st.tuples(st.floats(), st.floats()).map(lambda xy: f"{xy[0]},{xy[1]}")
       | st.integers(-3, 9).map(str))
def test_a_face_is_one_of_those_there_or_none_is_chosen(made, which):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in made], float)
    try:
        number = choose_face(boxes, which, "photo.png", 100, 100)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert 0 <= number < len(boxes)
