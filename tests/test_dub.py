"""A new voice over a video: the mouth says what it is told, everything else stays, and odd videos are told of."""

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import soundfile
from conftest import OPENING, SIDE_PX, command, opening_motion, portrait, speak, talking_frames
from made_up import resting_face, turned_to

from core import artifacts, metrics
from core.errors import InputError
from core.face import covered, face68, face_detector
from core.media import ffmpeg, nv12
from core.media.audio import read_speech, write_wav
from core.media.footage import open_footage, read_planes
from core.media.video import encode, write_video
from core.paths import ROOT
from preprocess import ahead, video_faces
from preprocess.landmarks_of_video import smooth_boxes
from render.dub import clip as clips
from render.dub import dub
from render.dub.evaluate_covered import THINGS, with_thing
from render.dub.mouth import Mouth, move_skin
from render.dub.own import part_motion, put_in_place, strength_of, stretches
from render.dub.play import play
from render.dub.references import N_SHUT, choose, read_references

N = 50
TELLING = 0.5 + 0.5 * np.sin(np.arange(N) / 1.7)  # how open the mouth of the clips is, 0..1
SOUND_S = 1.2
TO_HDR = ("zscale=transferin=bt709:primariesin=bt709:matrixin=bt709:transfer=smpte2084:primaries=bt2020:matrix=bt2020nc:"
          "npl=100,format=yuv420p10le")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A video of a face that talks, two seconds."""
    return write_video(tmp_path_factory.mktemp("talk") / "talk.mp4", talking_frames(TELLING), quality="high")


@pytest.fixture(scope="module")
def opened(talk, tmp_path_factory):
    return clips.see(talk, tmp_path_factory.mktemp("seen") / dub.SEEN)


@pytest.fixture
def voice(tmp_path):
    return write_wav(tmp_path / "voice.wav", speak("Mama bought a boat.", seconds=SOUND_S))


def made(path, talk, *arguments):
    """ffmpeg's version of the video."""
    failure = ffmpeg.run(["-y", "-i", ffmpeg.url(talk), *arguments, ffmpeg.url(path)])
    assert not failure
    return path


def dubbed(clip, offsets):
    frames = list(read_planes(clip.footage))
    return frames, list(dub.painted(clip, offsets, ((k, frame.copy()) for k, frame in enumerate(frames))))


def openings(frames):
    """Measured in the pictures, eye distances: float [frame]."""
    found = []
    for frame in frames:
        picture = nv12.to_rgb(frame)
        found.append(face_detector.landmarks_of_picture(picture)[0])
    return face68.mouth_opening(np.stack(found)) / face68.eye_distance(np.stack(found))


def run_main(*arguments):
    import main
    return command(main.main, *arguments)


class TestPainted:
    def test_the_mouth_opens_as_it_is_told_not_as_it_did(self, opened):
        told = opening_motion(N, OPENING)
        before, after = dubbed(opened, told)
        wanted, own = face68.mouth_opening(resting_face() + told), openings(before)
        assert metrics.correlation(openings(after), wanted) > 0.8
        assert abs(metrics.correlation(openings(after), own)) < 0.5 < metrics.correlation(own, TELLING)

    def test_nothing_beyond_the_face_changes_to_the_bit(self, opened):
        before, after = dubbed(opened, opening_motion(N, OPENING))
        changed = np.any([a != b for a, b in zip(before, after)], 0)[:SIDE_PX]
        points = face68.to_pixel_space(opened.own.face, opened.own.pose)
        unit = float(opened.own.pose[:, 0].max())
        low, high = points.min((0, 1)) - unit, points.max((0, 1)) + unit
        eyes = points[:, list(face68.GROUPS["right_eye"])][..., 1].max()
        rows, columns = np.nonzero(changed)
        assert changed.any() and columns.min() > low[0] and columns.max() < high[0] and rows.max() < high[1]
        assert rows.min() > eyes, "eyes and brows stay"

    def test_the_skin_begins_to_move_softly(self, opened):
        frame, face = next(read_planes(opened.footage)), opened.own.face[0]
        moved, target = frame.copy(), face.copy()
        target[face68.LOWER_FACE, 1] += 0.15
        move_skin(moved, face, target, opened.own.pose[0])
        change = np.abs(moved[:SIDE_PX].astype(int) - frame[:SIDE_PX]).max(1)
        first = np.flatnonzero(change)[0]
        assert change[first:first + 2].max() <= 2 and change.max() > 30

    def test_with_its_own_motion_a_clip_stays_nearly_itself(self, opened):
        before, after = dubbed(opened, opened.own.face - opened.own.rest)
        shut = dubbed(opened, np.zeros((N, 68, 2), np.float32))[1]
        error = [np.mean([metrics.mse(a, b) for a, b in zip(frames, before)]) for frames in (after, shut)]
        assert error[0] < 0.7 * error[1] and 10 * np.log10(255**2 / error[0]) > 32

    def test_a_mouth_wider_than_its_view_ends_within_it(self, opened):
        [[reference, *_], *_] = read_references(opened.footage, opened.own, opened.cuts).values()
        mouth, face = Mouth(reference), opened.own.face[0].copy()
        lips = list(face68.MOUTH)
        face[lips, 0] = face[lips, 0].mean() + 1.9 * (face[lips, 0] - face[lips, 0].mean())
        [painted] = mouth.paint([face])
        for edge in (painted[0], painted[-1], painted[:, 0], painted[:, -1]):
            assert not edge[:, 3:].any()
        assert painted[..., 3].max() == 255

    def test_lost_faces_and_profiles_are_left_alone_and_counted(self, opened):
        points = face68.to_pixel_space(opened.own.face, opened.own.pose).astype(np.float32)
        points[20:30] = np.nan
        points[38:] = turned_to(points[38], 60)
        own = part_motion(points, 25, [0])
        assert own.lost == 10 and 8 <= own.profile <= 14
        assert not own.strength[20:30].any() and not own.strength[42:].any()
        clip = clips.Clip(opened.footage, own, [0], [], opened.seen)
        before, after = dubbed(clip, opening_motion(N, OPENING))
        assert all((before[k] == after[k]).all() for k in [*range(20, 30), *range(42, N)])
        assert not (before[10] == after[10]).all()


class TestOwn:
    def test_a_small_face_is_warned_of_and_more_of_its_frames_are_looked_at(self, opened, capsys):
        large = replace(opened, own=replace(opened.own, pose=opened.own.pose * np.array([3, 1, 1, 1], np.float32)))
        looked_at = [len(numbers) for clip in (large, opened) for _, numbers in choose(clip.own, clip.cuts)[0]]
        assert looked_at[0] <= N_SHUT < looked_at[-1]
        for clip, told in ((large, False), (opened, True)):
            dub._say_what_is_left(clip)
            assert ("px apart; from 60 on" in capsys.readouterr().err) == told

    def test_runs_end_at_cuts(self):
        seen = np.array([1, 1, 1, 0, 1, 1, 1, 1], bool)
        assert [(run.start, run.stop) for run in stretches(seen, [0, 6])] == [(0, 3), (4, 6), (6, 8)]

    def test_a_mouth_fades_where_the_face_is_lost_and_not_at_a_cut(self):
        strength = strength_of(np.array([1] * 10 + [0] * 3 + [1] * 10, bool), [0, 18], 4)
        assert strength[0] == strength[17] == strength[18] == strength[-1] == 1
        assert (np.diff(strength[6:11]) < 0).all() and (np.diff(strength[12:16]) > 0).all()

    def test_the_resting_mouth_follows_the_head_and_not_the_speech(self):
        """A face that nods, its whole lower half moving with it, and speaks in another rhythm."""
        t, face = np.arange(300), np.repeat(resting_face()[None], 300, 0)
        nod = 0.1 * np.sin(t / 20)
        moved = [*face68.LOWER_FACE, *face68.GROUPS["nose_base"], list(face68.GROUPS["nose_bridge"])[-1],
                 list(face68.GROUPS["jaw"])[0], list(face68.GROUPS["jaw"])[-1]]
        face[:, moved, 1] += nod[:, None]
        speech = opening_motion(300, 0.2) * np.abs(np.sin(t / 4))[:, None, None]
        own = part_motion(face68.to_pixel_space(face + speech, np.array([80.0, 0, 200, 200])), 25, [0])
        chin = own.rest[:, list(face68.GROUPS["jaw"])[8], 1]
        assert metrics.correlation(chin, nod) > 0.97
        assert abs(metrics.correlation(chin - np.polyval(np.polyfit(nod, chin, 1), nod), speech[:, 66, 1])) < 0.5
        assert (face68.mouth_opening(own.rest) < 0.03).all()
        _, target = put_in_place(own, 150, opening_motion(3, 0.3)[1])
        assert abs(face68.mouth_opening(target) - face68.mouth_opening(own.rest[150] + opening_motion(3, 0.3)[1])) < 1e-5


class TestPlayed:
    def numbers(self, talk, wanted, loop):
        footage = open_footage(talk)
        known = [frame.copy() for frame in read_planes(footage)]
        shown = list(play(footage, len(known), wanted, loop))
        assert all((frame == known[number]).all() for number, frame in shown), "each frame is the one it says"
        return [number for number, _ in shown]

    def test_back_and_forth(self, talk, monkeypatch):
        monkeypatch.setattr("render.dub.play.CHUNK_BYTES", 7 * SIDE_PX * SIDE_PX * 3 // 2)
        there, back = list(range(N)), list(range(N - 2, -1, -1))
        assert self.numbers(talk, 120, "pingpong") == [*there, *back, *range(1, 22)]

    def test_held_and_cut(self, talk):
        assert self.numbers(talk, 60, "hold") == [*range(N), *[N - 1] * 10]
        assert self.numbers(talk, 60, "cut") == list(range(N))
        assert self.numbers(talk, 20, "pingpong") == list(range(20))


class TestCommand:
    def test_a_video_speaks_anew_at_its_own_rate_and_size(self, talk, voice, tmp_path, predicted):
        video = made(tmp_path / "a talk.mov", talk, "-vf", "scale=320:320,fps=30000/1001", "-c:v", "libx264")
        done = run_main("--video", video, "--audio", voice, "--output", tmp_path / "out.mp4", "--result-dir", tmp_path / "r")
        assert done.exit_code == 0, done.stderr
        out = open_footage(tmp_path / "out.mp4")
        assert out.size == (320, 320) and out.fps == pytest.approx(30000 / 1001)
        assert out.seconds == pytest.approx(SOUND_S, abs=0.05)
        assert artifacts.read_sidecar(tmp_path / "out.mp4")["kind"] == "talking-video"
        left = {path.name for path in next((tmp_path / "r").iterdir()).iterdir()}
        assert {"video.pixel.npy", "video.pixel.npy.json", "references.png", "landmarks.npy"} <= left

    def test_the_sound_keeps_its_quality(self, talk, tmp_path, predicted):
        soundfile.write(tmp_path / "hum.wav", np.random.default_rng(0).normal(0, 0.1, (44100, 2)), 44100)
        done = run_main("--video", talk, "--audio", tmp_path / "hum.wav", "--output", tmp_path / "out.mp4")
        assert done.exit_code == 0, done.stderr
        with ffmpeg.running(["-v", "info", "-i", ffmpeg.url(tmp_path / "out.mp4")]) as process:
            pass
        assert "44100 Hz, stereo" in process.said

    def test_longer_and_shorter_sounds(self, talk, voice, tmp_path, predicted):
        long = write_wav(tmp_path / "long.wav", speak("Mama bought a boat, and Papa made a map of it.", seconds=3))
        for sound, given, seconds, heard in (
                (long, ("--loop", "pingpong"), 3, 3), (long, ("--loop", "hold"), 3, 3), (long, ("--loop", "cut"), 2, 2),
                (voice, ("--tail", "cut"), SOUND_S, SOUND_S), (voice, ("--tail", "keep"), 2, SOUND_S)):
            done = run_main("--video", talk, "--audio", sound, *given, "--output", tmp_path / "out.mp4")
            assert done.exit_code == 0, done.stderr
            assert open_footage(tmp_path / "out.mp4").seconds == pytest.approx(max(seconds, heard), abs=0.1), given
            assert len(read_speech(tmp_path / "out.mp4")) / 16000 == pytest.approx(heard, abs=0.1), given

    def test_from_a_cold_start_another_process_listens_and_nothing_else_differs(self, talk, voice, tmp_path):
        given = ["--video", talk, "--audio", voice]
        warm = run_main(*given, "--output", tmp_path / "warm.mp4", "--result-dir", tmp_path / "warm")
        cold = subprocess.run([sys.executable, "main.py", *map(str, given), "--output", tmp_path / "cold.mp4", "--result-dir",
                               tmp_path / "cold"], cwd=ROOT, capture_output=True, text=True)
        assert warm.exit_code == cold.returncode == 0, cold.stderr
        found = [next((tmp_path / name).rglob("landmarks.npy")).read_bytes() for name in ("warm", "cold")]
        assert found[0] == found[1] and "landmarks: " in cold.stderr
        frames = (read_planes(open_footage(tmp_path / f"{name}.mp4")) for name in ("warm", "cold"))
        assert all((a == b).all() for a, b in zip(*frames, strict=True))

    def test_stage_by_stage(self, talk, voice, tmp_path, predicted):
        from core.media.speech import open_speech
        from landmarks import predict
        from preprocess import extract_landmarks
        from render import render
        seen = command(extract_landmarks.main, "--video", talk, "--out", tmp_path / "seen")
        assert seen.exit_code == 0 and seen.stdout.strip() == str(tmp_path / "seen" / "talk.pixel.npy"), seen.stderr
        written = {path.name for path in (tmp_path / "seen").glob("*.npy")}
        assert written == {"talk.pixel.npy", "talk.face.npy", "talk.pose.npy", "talk.rest.npy"}
        landmarks = predict.predict_file(open_speech(voice), tmp_path / "new")
        frames = []
        for more in (("--seen", seen.stdout.strip()), ()):
            out = tmp_path / f"out{len(more)}.mp4"
            done = command(render.main, landmarks, "--video", talk, "--speech", voice, "--out", out, *more)
            assert done.exit_code == 0 and done.stdout.strip() == str(out), done.stderr
            frames.append(list(read_planes(open_footage(out))))
        assert all((a == b).all() for a, b in zip(*frames)) and (tmp_path / "out0.pixel.npy").is_file()

    def test_a_row_of_a_table_may_dub(self, talk, tmp_path):
        from batch import OPTIONS
        from batches.jobs import read_table
        (tmp_path / "t.csv").write_text(f"video,text\n{talk.name},Good morning.\nnone.mp4,Hello.\n")
        (tmp_path / talk.name).write_bytes(talk.read_bytes())
        first, second = read_table(tmp_path / "t.csv", (), OPTIONS)
        assert set(first.arguments) == {f"--video={tmp_path / talk.name}", "--text=Good morning."}
        assert not first.problem and "--video=none.mp4" in second.arguments

    def test_the_front_command_knows_a_video(self):
        import talking_face
        named = talking_face._named(["a.MOV", "b.mp4", "-o", "c.mp4"])
        assert named == ["--video", "a.MOV", "--audio", "b.mp4", "-o", "c.mp4"]
        assert talking_face._named(["a.jpg", "b.wav"]) == ["--image", "a.jpg", "--audio", "b.wav"]

    @pytest.mark.parametrize("given", [("--size", 256), ("--fps", 50), ("--still",), ("--avatar", "comic"),
                                       ("--background", "blur"), ("--landmarks", "face.json"), ("--preview",)])
    def test_what_says_nothing_of_a_video_is_refused(self, talk, voice, tmp_path, given):
        done = run_main("--video", talk, "--audio", voice, "--output", tmp_path / "out.mp4", *given)
        assert done.exit_code == 1 and f"{given[0]}: given with --video" in done.stderr and not (tmp_path / "out.mp4").exists()

    def test_without_a_speech_it_is_told_at_once(self, talk, monkeypatch):
        monkeypatch.setattr("render.dub.clip.write_seen", None)  # nothing is measured
        done = run_main("--video", talk)
        assert done.exit_code == 1 and "neither a recording nor a text" in done.stderr

    def test_a_photo_or_a_video(self, talk, voice, photo_path):
        for given in ((), ("--image", photo_path, "--video", talk)):
            done = run_main(*given, "--audio", voice)
            assert done.exit_code == 1 and done.stderr.strip().endswith("expected --image PHOTO, or --video VIDEO")


class TestOddVideos:
    @pytest.mark.parametrize("how, note", [
        (("-pix_fmt", "yuv420p10le", "-c:v", "libx264"), "more than 8 bits"),
        (("-vf", "fps=50,interlace=scan=tff", "-flags", "+ildct+ilme", "-c:v", "libx264"), "interlaced"),
        (("-vf", "select='lt(n,20)+not(mod(n,3))'", "-fps_mode", "vfr", "-c:v", "libx264"), "its frame rate changes"),
        (("-vf", "setsar=5/4", "-c:v", "libx264"), "made square"),
        (("-vf", TO_HDR, "-c:v", "libx264"), "HDR"),
        (("-vf", "scale=255:253", "-pix_fmt", "yuv444p", "-c:v", "libx264"), "odd row or column")])
    def test_are_made_usable_with_a_note(self, talk, tmp_path, how, note):
        footage = open_footage(made(tmp_path / "odd.mp4", talk, *how))
        assert any(note in told for told in footage.notes), footage.notes
        frames = list(read_planes(footage))
        assert len(frames) == pytest.approx(2 * footage.fps, abs=1)
        assert frames[0].shape == (footage.size[1] * 3 // 2, footage.size[0]) and not any(side % 2 for side in footage.size)
        assert face_detector.landmarks_of_picture(nv12.to_rgb(frames[9]))[0] is not None, "it can still be seen"

    def test_hdr_is_as_light_as_it_was(self, talk, tmp_path):
        hdr = made(tmp_path / "hdr.mp4", talk, "-vf", TO_HDR, "-c:v", "libx264")
        was, now = (next(read_planes(open_footage(path)))[:SIDE_PX].astype(float) for path in (talk, hdr))
        assert abs(was.mean() - now.mean()) < 6 and metrics.correlation(was.ravel(), now.ravel()) > 0.98

    def test_a_turned_one_is_upright(self, talk, tmp_path):
        wide = made(tmp_path / "wide.mp4", talk, "-vf", "transpose=cclock,pad=320:256", "-c:v", "libx264")
        failure = ffmpeg.run(["-y", "-display_rotation", "270", "-i", ffmpeg.url(wide), "-c", "copy",
                              ffmpeg.url(tmp_path / "t.mp4")])
        footage = open_footage(tmp_path / "t.mp4")
        assert not failure and footage.size == (256, 320)
        assert face_detector.landmarks_of_picture(nv12.to_rgb(next(read_planes(footage))))[0] is not None

    def test_what_is_as_the_encoder_wants_it_is_not_touched(self, talk):
        with ffmpeg.running(["-i", ffmpeg.url(talk), "-pix_fmt", "nv12", "-f", "rawvideo", "-"], stdout=subprocess.PIPE) as raw:
            stored = np.frombuffer(raw.stdout.read(), np.uint8).reshape(N, -1)
        assert all((frame.ravel() == own).all() for frame, own in zip(read_planes(open_footage(talk)), stored))

    def test_colours_come_back(self):
        picture = portrait()
        assert np.abs(nv12.to_rgb(nv12.join(*nv12.split(picture))).astype(int) - picture).mean() < 3

    @pytest.mark.parametrize("frames, told", [
        ([np.full((96, 128, 3), 90, np.uint8)] * 20, "no face in any of 20 frames"), ([portrait()], "a single picture")])
    def test_without_a_face_or_motion_one_line(self, tmp_path, voice, frames, told):
        write_video(tmp_path / "a.mp4", frames)
        done = run_main("--video", tmp_path / "a.mp4", "--audio", voice, "--output", tmp_path / "out.mp4")
        assert done.exit_code == 1 and told in done.stderr and not (tmp_path / "out.mp4").exists()
        assert done.stderr.strip().splitlines()[-1].startswith("error: ")

    def test_sound_alone_a_text_and_nothing(self, voice, tmp_path):
        (tmp_path / "text.mp4").write_text("not a video " * 99)
        for path in (voice, tmp_path / "text.mp4", tmp_path / "none.mp4"):
            done = run_main("--video", path, "--audio", voice, "--output", tmp_path / "out.mp4")
            assert done.exit_code == 1 and str(path) in done.stderr.splitlines()[-1], done.stderr

    def test_landmarks_of_another_video(self, talk, voice, opened, tmp_path, predicted):
        from core.media.speech import open_speech
        from landmarks import predict
        short = made(tmp_path / "short.mp4", talk, "-frames:v", "20", "-c:v", "libx264")
        landmarks = predict.predict_file(open_speech(voice), tmp_path / "new")
        with pytest.raises(InputError, match="frames of landmarks, and 20 frames"):
            dub.dub_video(clips.open_clip(short, opened.seen), landmarks, tmp_path / "out.mp4", speech=voice)
        assert not list(tmp_path.glob("out*"))


@pytest.fixture(scope="module")
def two_shots(talk, tmp_path_factory):
    """The face, then a wall, then the face mirrored."""
    path, rng = tmp_path_factory.mktemp("shots") / "shots.mp4", np.random.default_rng(0)
    wall = np.repeat(np.repeat(rng.integers(0, 255, (8, 8, 3), np.uint8), SIDE_PX // 8, 0), SIDE_PX // 8, 1)
    first, last = list(talking_frames(TELLING[:20])), [frame[:, ::-1] for frame in talking_frames(TELLING[:20])]
    encode(path, [np.ascontiguousarray(frame) for frame in (*first, *[wall] * 12, *last)])
    return path


class TestShots:
    def test_are_told_apart_and_the_person_is_known_again(self, two_shots):
        seen = video_faces.follow(read_planes(open_footage(two_shots)))
        assert seen.cuts == [0, 20, 32] and not seen.others
        assert np.isfinite(seen.boxes[[0, 19, 32, 51]]).all() and np.isnan(seen.boxes[20:32]).all()

    def test_somebody_else_is_left_alone(self, two_shots, monkeypatch):
        monkeypatch.setattr(video_faces, "SAME_PERSON", 0.0)
        seen = video_faces.follow(read_planes(open_footage(two_shots)))
        assert seen.others == [32] and np.isnan(seen.boxes[20:]).all() and np.isfinite(seen.boxes[:20]).all()

    def test_what_is_measured_ahead_is_what_is_measured_after(self, two_shots, monkeypatch):
        footage, none, early = open_footage(two_shots), ahead.Ahead(), ahead.Ahead()
        seen = video_faces.follow(read_planes(footage), ahead=early)
        after = [np.stack(values) for values in zip(*ahead.measure(footage, seen.boxes, none))]
        monkeypatch.setattr(ahead, "read_planes", None)  # the video is not read again
        before = [np.stack(values) for values in zip(*ahead.measure(footage, seen.boxes, early))]
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after)) and np.isfinite(before[0][0]).all()

    @pytest.mark.parametrize("gaps", [(), (7,), (10, 11, 12, 13), (0, 1, 29)])
    def test_a_box_ahead_is_the_last_word_or_none(self, gaps, monkeypatch):
        monkeypatch.setattr(ahead, "_measured", lambda frame, box: (frame, box))
        rng, early, seen, n = np.random.default_rng(0), ahead.Ahead(), {}, 120
        boxes = np.full((n, 4), np.nan)
        for t in range(n):
            early.add(t, np.zeros(1))
            if t % 4 == 0 and t // 4 not in gaps:
                seen[t] = boxes[t] = rng.normal(size=4)
            if t in seen:
                early.go_on(seen, 0)
        early.go_on(seen, 0, n)
        found = [early.take(t, box) for t, box in enumerate(smooth_boxes(boxes))]
        if not gaps:
            assert None not in found
        assert sum(one is not None for one in found) > n // 3

    def test_a_moving_hand_is_no_cut(self, tmp_path):
        frames = []
        for t, frame in enumerate(talking_frames(TELLING[:30])):
            frame = frame.copy()
            if t >= 10:
                frame[100:, min(20 * (t - 10), 150):][:, :90] = 220
            frames.append(frame)
        write_video(tmp_path / "hand.mp4", frames)
        assert video_faces.follow(read_planes(open_footage(tmp_path / "hand.mp4"))).cuts == [0]

    def test_of_several_faces_the_chosen_one(self, tmp_path, talk):
        pair = [np.concatenate([frame, portrait()], 1) for frame in talking_frames(TELLING[:20])]
        write_video(tmp_path / "pair.mp4", pair)
        footage = open_footage(tmp_path / "pair.mp4")
        middles = []
        for which in ("1", "2", "380,80"):
            path = video_faces.write_seen(footage, tmp_path / f"{which}.pixel.npy", stage="test", which=which)
            middles.append(np.load(path)[..., 0].mean())
        assert middles[0] < SIDE_PX < middles[1] and middles[1] == pytest.approx(middles[2], abs=1)
        with pytest.raises(InputError, match="2 faces"):
            video_faces.write_seen(footage, tmp_path / "x.npy", stage="test", which="3")


def test_chosen_frames_are_those_of_the_whole(talk):
    footage, chosen = open_footage(talk), [1, 5, 6, 30]
    frames = list(read_planes(footage))
    assert all((one == frames[number]).all() for number, one in zip(chosen, read_planes(footage, chosen), strict=True))
    assert len(list(read_planes(footage, range(1, 300)))) == len(frames) - 1  # more than ffmpeg adds up in a row


def hand_over(frames, first, last, colour=(190, 140, 115)):
    """`frames`, over whose lips something comes from the side, stays from frame `first` to before `last`, and goes."""
    for t, frame in enumerate(frames):
        away = max(first - t, t - last + 1, 0)
        frame = frame.copy()
        if away < 12:
            cv2.ellipse(frame, (127 + 18 * away, 150 + 6 * away), (34, 20), 10, 0, 360, colour, -1, cv2.LINE_AA)
        yield frame


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    opening = 0.5 + 0.5 * np.sin(np.arange(100) / 1.7)
    video = write_video(folder / "hand.mp4", hand_over(talking_frames(opening), 40, 65), quality="high")
    return clips.see(video, folder / dub.SEEN)


class TestCovered:
    def test_frames_behind_a_hand_stay_as_they_are_to_the_bit(self, behind):
        strength = behind.own.strength
        assert 25 <= behind.own.covered <= 37 and not strength[39:66].any()
        assert (strength[:28] == 1).all() and (strength[78:] == 1).all(), "and all others are painted"
        assert (np.diff(strength[28:40]) <= 0).all() and 0 < strength[strength > 0].min() < 0.3, "fades"
        before, after = dubbed(behind, opening_motion(100, OPENING))
        assert all((before[k] == after[k]).all() for k in range(39, 66))
        assert not any((before[k] == after[k]).all() for k in (10, 90))

    def test_no_mouth_is_learnt_from_them(self, behind):
        from render.dub.references import read_references
        references = [one for shot in read_references(behind.footage, behind.own, behind.cuts).values() for one in shot]
        assert references and not any(34 < one.number < 71 for one in references)

    def test_it_is_told_in_one_line(self, behind, voice, tmp_path, predicted):
        done = run_main("--video", behind.footage.path, "--audio", voice, "--output", tmp_path / "out.mp4")
        assert done.exit_code == 0
        assert done.stderr.count(f"lips covered in {behind.own.covered} of 100 frames: left as they are") == 1

    @pytest.mark.parametrize("grey", [False, True], ids=["in colour", "grey"])
    def test_a_mouth_that_speaks_is_not_taken_for_covered(self, grey, tmp_path):
        frames = list(talking_frames(np.abs(np.sin(np.arange(60) / 3))))
        if grey:
            frames = [np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) for frame in frames]
        write_video(tmp_path / "plain.mp4", frames)
        assert not clips.see(tmp_path / "plain.mp4", tmp_path / dub.SEEN).own.covered

    def test_a_grey_microphone(self, tmp_path):
        frames = hand_over(talking_frames(0.5 + 0.5 * np.sin(np.arange(60) / 1.7)), 20, 40, (60, 60, 64))
        write_video(tmp_path / "microphone.mp4", frames)
        own = clips.see(tmp_path / "microphone.mp4", tmp_path / dub.SEEN).own
        assert own.covered >= 20 and not own.strength[20:40].any() and own.strength[:10].all()

    def test_at_another_frame_rate_they_are_the_same_moments(self, behind, tmp_path):
        twice = made(tmp_path / "fifty.mp4", behind.footage.path, "-vf", "fps=50", "-c:v", "libx264")
        own = clips.open_clip(twice, behind.seen).own
        assert own.covered == pytest.approx(2 * behind.own.covered, abs=2) and not own.strength[80:130].any()


def in_a_room(places):
    """A room, and in it the talking face where `places` say: of each frame, px from the left or None, and who it is."""
    room = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (SIDE_PX, 2 * SIDE_PX, 3), np.uint8), (0, 0), 20)
    tints = {"anna": np.ones(3), "ben": np.array([0.5, 0.8, 1.0])}
    for (at, who), face in zip(places, talking_frames(0.5 + 0.5 * np.sin(np.arange(len(places)) / 1.7))):
        frame = room.copy()
        if at is not None:
            left, right = max(at, 0), min(at + SIDE_PX, 2 * SIDE_PX)
            frame[:, left:right] = face[:, left - at:right - at] * tints[who]
        yield frame


@pytest.fixture
def known_by_colour(monkeypatch):
    """Who is blue is somebody else: there is one face to make tests of."""
    def embedding(picture, box):
        left, top, right, bottom = np.maximum(box, 0).astype(int)
        red, _, blue = picture[top:bottom, left:right].reshape(-1, 3).mean(0)
        return np.array([float(blue > red)])

    monkeypatch.setattr(face_detector, "embedding_in", embedding)


def walking(start, stop, n):
    return [(round(at), "anna") for at in np.linspace(start, stop, n)]


class TestWhoComesAndGoes:
    """The face is followed where it is; all else is left alone, to the bit, and told of in one line."""

    def left_alone(self, tmp_path, voice, places):
        video = write_video(tmp_path / "room.mp4", in_a_room(places), quality="high")
        done = run_main("--video", video, "--audio", voice, "--tail", "keep", "--result-dir", tmp_path / "r",
                        "--output", tmp_path / "out.mp4")
        assert done.exit_code == 0, done.stderr
        seen, = (tmp_path / "r").glob("*/video.pixel.npy")
        there = np.isfinite(np.load(seen)).all((1, 2))
        told = [line for line in done.stderr.splitlines() if "without the face" in line]
        assert len(told) == 1 and f"{int((~there).sum())} of {len(places)} frames are left alone" in told[0]
        clip = clips.open_clip(video, seen)
        before, after = dubbed(clip, opening_motion(len(places), OPENING))
        assert all((before[k] == after[k]).all() for k in np.flatnonzero(~there))
        return there

    def test_a_title_and_an_empty_room_at_the_start(self, tmp_path, voice, predicted):
        there = self.left_alone(tmp_path, voice, [*[(None, "")] * 30, *[(100, "anna")] * 40])
        assert not there[:30].any() and there[30:].all()

    def test_who_walks_in_and_out_and_in_again(self, tmp_path, voice, predicted):
        there = self.left_alone(tmp_path, voice, [*[(None, "")] * 16, *walking(512, 100, 12), *[(100, "anna")] * 30,
                                                  *walking(100, 512, 12), *[(None, "")] * 24, *walking(-256, 60, 12),
                                                  *[(60, "anna")] * 30])
        assert not there[:16].any() and there[28:58].all() and not there[74:92].any() and there[110:].all()

    def test_somebody_who_is_there_first_is_not_the_person(self, tmp_path, voice, predicted, known_by_colour):
        there = self.left_alone(tmp_path, voice, [*[(100, "ben")] * 20, *[(None, "")] * 20, *[(100, "anna")] * 50])
        assert not there[:40].any() and there[44:].all()

    def test_somebody_who_takes_the_place_is_left_alone(self, tmp_path, voice, predicted, known_by_colour):
        there = self.left_alone(tmp_path, voice, [*[(100, "anna")] * 50, *[(None, "")] * 20, *[(120, "ben")] * 20])
        assert there[:46].all() and not there[60:].any()


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_laid_over_the_lips_to_measure_comes_and_goes(thing, opened):
    frames = [nv12.to_rgb(frame) for frame in read_planes(opened.footage)]
    laid, hidden = with_thing(frames, face68.to_pixel_space(opened.own.face, opened.own.pose), thing)
    assert hidden[0] == hidden[-1] == 0 and (hidden[20:30] > 0.6).all()
    assert (laid[0] == frames[0]).all() and np.abs(laid[25].astype(int) - frames[25]).max() > 20


@pytest.mark.parametrize("n_frames", [40, 700])
def test_modes_are_those_of_the_singular_value_decomposition(n_frames):
    values = np.random.default_rng(n_frames).normal(size=(n_frames, 200)) @ np.diag(1 + np.arange(200) / 10)
    sizes, modes = covered._modes(values)
    _, wanted, directions = np.linalg.svd(values, full_matrices=False)
    n = len(sizes)
    assert n == covered.N_MODES and sizes == pytest.approx(wanted[:n], rel=1e-6)
    assert np.abs(np.sum(modes * directions[:n], 1)) == pytest.approx(1, abs=1e-5)
    assert len(covered._modes(values[:3])[0]) == 3, "fewer frames than modes"
