"""Recordings to arrays: nothing dropped in silence, nothing done twice."""

import csv
import shutil

import h5py
import numpy as np
import pytest
from conftest import N_SHORT, SENTENCES, command, loudness, speak

from core import artifacts, blocks
from core.corpus import run_stage
from core.errors import InputError
from core.face import face68
from core.index import read_index, write_index
from core.stage import only_one
from preprocess import extract_fft, extract_landmarks, list_recordings, pack_hdf5, recordings
from preprocess.ravdess import parse_ravdess


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def rows_of(folder):
    return {row["clip"]: row for row in recordings.list_recordings(folder)}


# What a folder of recordings means

def test_a_ravdess_name_taken_apart():
    about = parse_ravdess("02-01-06-02-01-02-12")
    assert (about["modality"], about["channel"], about["emotion"], about["intensity"]) == ("02", "speech", "fearful", "strong")
    assert about["statement"] == "Kids are talking by the door" and about["repetition"] == 2 and about["actor"] == 12
    for other in ("02-01-06-02-01-02", "04-01-06-02-01-02-12", "02-01-09-02-01-02-12", "x02-01-06-02-01-02-12"):
        assert parse_ravdess(other) is None


def test_ravdess_twins(tmp_path):
    take = "01-05-01-02-01-03"
    rows = rows_of(touch(tmp_path, f"Actor_03/01-{take}.mp4", f"Actor_03/02-{take}.mp4", f"Actor_03/03-{take}.wav",
                         "Actor_03/02-01-01-01-01-01-03.mp4", "Actor_03/03-01-01-01-01-01-03.wav",
                         "Actor_03/03-01-02-01-01-01-03.wav"))
    assert set(rows) == {"Actor_03/01-" + take, "Actor_03/02-" + take, "Actor_03/02-01-01-01-01-01-03",
                         "Actor_03/03-01-02-01-01-01-03"}
    whole, double = rows["Actor_03/01-" + take], rows["Actor_03/02-" + take]
    assert whole["sound"] == whole["picture"] and "problem" not in whole and "same take" in double["problem"]
    mute = rows["Actor_03/02-01-01-01-01-01-03"]
    assert mute["sound"].endswith("03-01-01-01-01-01-03.wav") and mute["picture"].endswith(".mp4") and "problem" not in mute
    heard = rows["Actor_03/03-01-02-01-01-01-03"]
    assert not heard["picture"] and heard["emotion"] == "calm" and heard["speaker"] == "actor_03"


def test_ravdess_actors_are_held_out(tmp_path):
    rows = rows_of(touch(tmp_path, *(f"01-01-01-01-01-01-{actor:02d}.mp4" for actor in range(1, 25))))
    split_of = {row["speaker"]: row["split"] for row in rows.values()}
    assert [a for a, s in split_of.items() if s == "val"] == ["actor_21", "actor_22"]
    assert [a for a, s in split_of.items() if s == "test"] == ["actor_23", "actor_24"]
    assert sum(s == "train" for s in split_of.values()) == 20


def test_a_manifest_rules(tmp_path):
    touch(tmp_path, "a/1.mp4", "a/unlisted.mp4")
    (tmp_path / "manifest.csv").write_text("clip,split,speaker,licence\na/1.mp4,val,ann,CC0\na/gone.mp4,train,ann,CC0\n")
    rows = rows_of(tmp_path)
    assert sorted(rows) == ["a/1", "a/gone"] and rows["a/1"]["split"] == "val" and rows["a/1"]["licence"] == "CC0"
    assert "not in the folder" in rows["a/gone"]["problem"]
    (tmp_path / "manifest.csv").write_text("file,who\na/1.mp4,ann\n")
    with pytest.raises(InputError, match="manifest.csv: columns missing"):
        rows_of(tmp_path)


@pytest.mark.parametrize("content, said", [
    ("a/1.mp4,val,Jörg".encode("latin-1"), "not readable as CSV"), (b"a/1.mp4,val,ann,more", "more cells"),
    (b"a/1.mp4", "no split or no speaker"), (b",val,ann", "inside the folder"), (b"../1.mp4,val,ann", "inside the folder"),
    (b"/1.mp4,val,ann", "inside the folder"), (b"a/1.mp4,val,ann\na/1.mp4,train,ann", "both the clip")])
def test_a_bad_manifest_is_refused(tmp_path, content, said):
    touch(tmp_path, "a/1.mp4")
    (tmp_path / "manifest.csv").write_bytes(b"clip,split,speaker\n" + content + b"\n")
    result = command(list_recordings.main, tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "manifest.csv" in result.stderr and said in result.stderr
    assert len(result.stderr.splitlines()) == 1 and not (tmp_path / "out").exists()


def test_a_manifest_of_a_spreadsheet(tmp_path):
    touch(tmp_path, "1.mp4")
    (tmp_path / "manifest.csv").write_text("clip,split,speaker\n1.mp4,val,ann\n", encoding="utf-8-sig")
    assert list(rows_of(tmp_path)) == ["1"]


def test_files_of_one_stem_are_different_clips(tmp_path):
    rows = rows_of(touch(tmp_path, "ann/1.m4a", "ann/1.mp4", "ann/2.mp4"))
    assert {clip: row["sound"][-5:] for clip, row in rows.items()} == {"ann/1": "1.mp4", "ann/1.m4a": "1.m4a", "ann/2": "2.mp4"}


def test_folders_are_speakers(tmp_path):
    touch(tmp_path, *(f"speaker{i}/{j}.mp4" for i in range(10) for j in range(3)), "speaker0/notes.txt", "speaker0/.hidden.mp4")
    rows = rows_of(tmp_path).values()
    assert len(rows) == 30 and {row["speaker"] for row in rows} == {f"speaker{i}" for i in range(10)}
    held_out = {row["speaker"] for row in rows if row["split"] == "val"}
    assert len(held_out) == 1 and held_out.isdisjoint(row["speaker"] for row in rows if row["split"] == "train")


def test_few_speakers_are_split_by_clip(tmp_path):
    rows = rows_of(touch(tmp_path, *(f"ann/{j}.mp4" for j in range(20)))).values()
    assert sum(row["split"] == "val" for row in rows) == 2


def test_no_recordings(tmp_path):
    for folder in (tmp_path / "missing", tmp_path):
        result = command(list_recordings.main, folder, "--out", tmp_path / "out")
        assert result.exit_code == 1 and "fetch_ravdess" in result.stderr
    assert not (tmp_path / "out").exists()


# The stages on clips, good and bad

def indexed(folder):
    return {row["clip"]: row for row in read_index(folder / "index.csv")}


def test_every_clip_has_a_row(data, bad_corpus):
    n_files = len(list(bad_corpus.rglob("*.mp4")))
    for folder in ("recordings", "fft", "landmarks"):
        assert len(indexed(data / folder)) == n_files == 9


def test_sound_and_picture_have_the_same_frames(data, n_frames):
    for clip in ("anna/0", "anna/1", "ben/2", "ben/3"):
        assert abs(int(indexed(data / "fft")[clip]["sound_frames"]) - n_frames) <= 1
        row = indexed(data / "landmarks")[clip]
        assert (row["picture_frames"], row["missing_frames"], row["most_faces"]) == (str(n_frames), "0", "1")


def test_the_landmarks_follow_the_mouth(data):
    face = artifacts.load(data / "landmarks" / "anna" / "0.face.npy", "landmarks-face").array
    assert np.corrcoef(face68.mouth_opening(face), loudness(speak(SENTENCES[0])))[0, 1] > 0.8
    pixel = artifacts.load(data / "landmarks" / "anna" / "0.pixel.npy", "landmarks-pixel").array
    pose = artifacts.load(data / "landmarks" / "anna" / "0.pose.npy", "head-pose").array
    assert np.abs(face68.to_pixel_space(face, pose) - pixel).mean() < 1, "smoothing moves points by less than a pixel"
    rest = artifacts.load(data / "landmarks" / "anna" / "0.rest.npy", "rest-face").array
    assert face68.mouth_opening(rest) < face68.mouth_opening(face).mean()


def test_trouble_is_told_apart(data):
    fft, landmarks = indexed(data / "fft"), indexed(data / "landmarks")
    assert "no face in any of 30 frames" in landmarks["odd/no face"]["problem"] and not fft["odd/no face"]["problem"]
    assert "no sound" in fft["odd/no sound"]["problem"] and not landmarks["odd/no sound"]["problem"]
    assert "broken.mp4" in fft["odd/broken"]["problem"] and "broken.mp4" in landmarks["odd/broken"]["problem"]
    two, sometimes = landmarks["odd/two.faces"], landmarks["odd/sometimes"]
    assert two["most_faces"] == "2" and two["missing_frames"] == "0" and not two["problem"]
    assert sometimes["picture_frames"] == str(N_SHORT) and not sometimes["problem"]
    assert 12 <= int(sometimes["missing_frames"]) <= 14
    face = artifacts.load(data / "landmarks" / "odd" / "sometimes.face.npy", "landmarks-face").array
    assert np.isnan(face[-1]).all() and np.isfinite(face[:16]).all()


def test_one_face_is_followed_among_several(data):
    pixel = artifacts.load(data / "landmarks" / "odd" / "two.faces.pixel.npy", "landmarks-pixel").array
    assert np.ptp(pixel[..., 0].mean(1)) < 20, "the two faces are 256 px apart"


def test_blocks_are_as_good_as_the_whole(data, tmp_path, monkeypatch):
    rows = indexed(data / "landmarks")
    monkeypatch.setattr(blocks, "N_FRAMES", 7)
    for clip in ("odd/sometimes", "ben/2"):
        extract_landmarks.extract_clip(rows[clip], tmp_path, {})
        for suffix in extract_landmarks.KINDS:
            whole, pieces = (np.load(folder / f"{clip}{suffix}") for folder in (data / "landmarks", tmp_path))
            np.testing.assert_allclose(pieces, whole, atol=1e-4, err_msg=suffix)


def test_the_pack_holds_the_good_clips_side_by_side(data, n_frames):
    with h5py.File(data / "train.h5") as pack:
        names = [name.decode() for name in pack["name"]]
        assert sorted(names) == ["anna/0", "anna/1", "ben/2", "ben/3"], "in odd/, sound and picture do not fit each other"
        assert pack["spectrum"].shape[0] == pack["face"].shape[0] == pack["n_frames"][:].sum()
        assert [speaker.decode() for speaker in pack["speaker"]] == [name.split("/")[0] for name in names]
        i = names.index("ben/3")
        start, n = pack["start"][i], pack["n_frames"][i]
        assert abs(n - n_frames) <= 1
        for name, folder, suffix in (("spectrum", "fft", ".npy"), ("face", "landmarks", ".face.npy")):
            kept = artifacts.load(data / folder / f"ben/3{suffix}").array
            np.testing.assert_array_equal(pack[name][start:start + n], kept[:n])
        np.testing.assert_array_equal(pack["rest"][i], np.load(data / "landmarks" / "ben" / "3.rest.npy"))
    assert artifacts.check(data / "train.h5", "training-pack")["clips"] == len(names)


@pytest.mark.parametrize("late_ms, first_frame, first_hop", [(20, 0, 2), (-50, 2, 3), (0, 0, 0)])
def test_late_sound_is_synchronised(data, tmp_path, late_ms, first_frame, first_hop):
    rows = [{"clip": f"{speaker}/{i}", "speaker": speaker, "offset_ms": ms, "confidence": sure, "correlations": curve}
            for speaker, ms, sure, curve in (("ben", late_ms, 0.3, "nan nan nan"), ("anna", 400, 0.01, "0 0.1 0.5"))
            for i in range(4)]
    write_index(tmp_path / "offsets" / "index.csv", rows, stage="a.test")
    result = command(pack_hdf5.main, "--fft", data / "fft", "--landmarks", data / "landmarks",
                     "--offsets", tmp_path / "offsets", "--out", tmp_path / "train.h5")
    assert result.exit_code == 0, result.stderr
    with h5py.File(tmp_path / "train.h5") as pack:
        names = [name.decode() for name in pack["name"]]
        for clip, frame, hop in (("ben/3", first_frame, first_hop), ("anna/0", 0, 0)):
            i = names.index(clip)
            start, n = pack["start"][i], pack["n_frames"][i]
            sound, face = (np.load(data / folder / f"{clip}{suffix}") for folder, suffix in
                           (("fft", ".npy"), ("landmarks", ".face.npy")))
            np.testing.assert_array_equal(pack["face"][start:start + n], face[frame:frame + n])
            np.testing.assert_array_equal(pack["spectrum"][start:start + n].reshape(-1, sound.shape[-1]),
                                          sound.reshape(-1, sound.shape[-1])[hop:hop + 4 * n])
            assert n >= len(face) - 3, "an uncertain offset is not acted on"


def test_a_recording_has_an_offset_of_its_own_near_the_usual_one(tmp_path):
    """Eleven lags, -5 to 5 frames; the speaker's sound is usually 2 frames late."""
    lags = np.arange(-5, 6)
    curves = {"a/0": np.exp(-np.square(lags - 2)), "a/1": np.exp(-np.square(lags - 3)), "a/2": np.exp(-np.square(lags - 2)),
              "a/far": 0.3 * np.exp(-np.square(lags + 5.0)), "a/nothing": np.full(11, np.nan)}
    rows = [{"clip": clip, "speaker": "ann", "offset_ms": ms, "confidence": 0.3,
             "correlations": " ".join(f"{value:.3f}" for value in curve)}
            for (clip, curve), ms in zip(curves.items(), (80, 120, 80, 80, 80))]
    write_index(tmp_path / "index.csv", rows, stage="a.test")
    assert pack_hdf5.late_hops(tmp_path / "index.csv") == {"a/0": 8, "a/1": 12, "a/2": 8, "a/far": 8, "a/nothing": 8}


def test_offsets_of_an_older_program_are_one_line(data, tmp_path):
    rows = [{"clip": "ben/2", "speaker": "ben", "offset_ms": 20, "confidence": 0.3}]
    write_index(tmp_path / "index.csv", rows, stage="a.test")
    done = command(pack_hdf5.main, "--fft", data / "fft", "--landmarks", data / "landmarks", "--offsets", tmp_path,
                   "--out", tmp_path / "train.h5")
    assert done.exit_code == 1 and "python -m preprocess.estimate_offset" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "train.h5").exists()


# Stopping and going on

def _stamps(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*.npy")}


def _again(data, main, folder):
    return command(main, "--index", data / "recordings" / "index.csv", "--out", folder, "--jobs", 1)


def test_a_second_run_does_no_work(data, tmp_path):
    folder = tmp_path / "landmarks"
    shutil.copytree(data / "landmarks" / "ben", folder / "ben")
    rows = [row for row in read_index(data / "recordings" / "index.csv") if row["speaker"] == "ben"]
    write_index(tmp_path / "recordings" / "index.csv", rows, stage="a.test")
    before, data = _stamps(folder), tmp_path
    assert _again(data, extract_landmarks.main, folder).exit_code == 0
    assert _stamps(folder) == before and len(before) == 8
    index = (folder / "index.csv").read_text()
    lost = folder / "ben" / "2.pose.npy"
    kept = np.load(lost)
    lost.unlink()
    assert _again(data, extract_landmarks.main, folder).exit_code == 0
    redone = {path for path, stamp in _stamps(folder).items() if before[path] != stamp}
    assert redone == {folder / "ben" / f"2.{kind}.npy" for kind in ("pixel", "face", "pose", "rest")}
    np.testing.assert_array_equal(np.load(lost), kept)
    assert (folder / "index.csv").read_text() == index


def test_a_changed_recording_is_done_again(data, tmp_path):
    source, folder = tmp_path / "a.mp4", tmp_path / "fft"
    rows = [{**row, "sound": str(source)} for row in read_index(data / "recordings" / "index.csv") if row["clip"] == "anna/0"]
    shutil.copy(rows[0]["picture"], source)
    index = write_index(tmp_path / "index.csv", rows, stage="a.test")
    run_stage(extract_fft.extract_clip, index, folder, stage=extract_fft.STAGE, options={}, jobs=1)
    before = np.load(folder / "anna" / "0.npy")
    shutil.copy(rows[0]["picture"].replace("anna/0", "ben/3"), source)
    run_stage(extract_fft.extract_clip, index, folder, stage=extract_fft.STAGE, options={}, jobs=1)
    after = np.load(folder / "anna" / "0.npy")
    assert before.shape != after.shape or np.abs(after.astype(float) - before).mean() > 0.01


def test_two_runs_at_once_are_refused(data):
    before = _stamps(data / "fft")
    with only_one(data / "fft"):
        result = _again(data, extract_fft.main, data / "fft")
    assert result.exit_code == 1 and "another run is writing here" in result.stderr
    assert _stamps(data / "fft") == before
    assert _again(data, extract_fft.main, data / "fft").exit_code == 0, "the lock goes with its holder"


def stop_at_second(row, out, options):
    """Work that a person interrupts: the first clip is done, the second never."""
    if row["clip"] == "b":
        raise KeyboardInterrupt
    return {"done": 1}


def test_a_stopped_stage_is_not_done(tmp_path):
    index = write_index(tmp_path / "index.csv", [{"clip": "a"}, {"clip": "b"}], stage="a.test")
    with pytest.raises(KeyboardInterrupt):
        run_stage(stop_at_second, index, tmp_path / "out", stage="a.test", options={}, jobs=1)
    assert not (tmp_path / "out" / "index.csv").exists()


@pytest.mark.parametrize("content, said", [(b"", "no rows"), (b"clip\n", "no rows"), (b"file\nx\n", "columns missing"),
                                           (b"clip\nx\n", "columns missing: sound"), (b"clip,sound\na,b,c\n", "more cells"),
                                           (b"clip,sound\na,b\na,c\n", "both the clip"),
                                           (b"clip,sound\n../a,b\n", "inside the folder"), (b"clip,sound\n/a,b\n", "inside"),
                                           (b"clip,sound\n,b\n", "inside the folder"),
                                           (b"\xff\xfe\x00", "CSV")])
def test_a_bad_index_is_refused(tmp_path, content, said):
    path = tmp_path / "index.csv"
    path.write_bytes(content)
    result = command(extract_fft.main, "--index", path, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "index.csv" in result.stderr and said in result.stderr


def test_an_index_keeps_every_column(tmp_path):
    rows = [{"clip": "a, b", "n": 1}, {"clip": 'c"d', "problem": "x: y; z"}]
    path = write_index(tmp_path / "index.csv", rows, stage="a.test")
    assert read_index(path) == [{"clip": "a, b", "n": "1", "problem": ""}, {"clip": 'c"d', "n": "", "problem": "x: y; z"}]
    assert artifacts.read_sidecar(path)["clips"] == 2 and artifacts.read_sidecar(path)["failed"] == 1
    with open(path, newline="") as stream:
        assert len(list(csv.reader(stream))) == 3


@pytest.mark.parametrize("width", [3, 5, 11])
def test_the_savitzky_golay_filter_is_scipys_in_each_stretch(width):
    from scipy.signal import savgol_filter

    from core.smooth import savitzky_golay
    values = np.random.default_rng(0).normal(size=(40, 3, 2))
    values[25] = np.nan
    smooth = savitzky_golay(values, width)
    for stretch in (slice(25), slice(26, 40)):
        assert smooth[stretch] == pytest.approx(savgol_filter(values[stretch], width, 2, axis=0), abs=1e-9)
    assert np.isnan(smooth[25]).all()
