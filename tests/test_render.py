"""Rendering: a photo moves where its landmarks move and nowhere else, for as long as the speech lasts."""

import numpy as np
import pytest
import torch
from conftest import N_FRAMES, command, opening_motion, portrait
from PIL import Image

from core import artifacts
from core.artifacts import save
from core.clock import FPS, SAMPLE_RATE
from core.errors import InputError
from core.face import face68, face_detector
from core.media.audio import write_wav
from core.media.video import probe, read_frames
from render import dcgan, motion, photo, photo_check, render, sketch
from render.options import RenderOptions


def moved(offsets, face=0.0, scale=1.0):
    """`offsets` [frame, 68, 2] on a face, with heads that hold still: pairs (face, head)."""
    return motion.apply_to_face(((offset, np.zeros(5, np.float32)) for offset in offsets), face, scale)


def faces_of(moves):
    return np.stack([face for face, _ in moves])


@pytest.fixture(scope="module")
def photo_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "portrait.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture(scope="module")
def face(photo_path):
    return photo.frame_photo(photo_check.find_face(photo_path), size_px=512)


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory, face):
    """Landmarks of another person, twice as slim, with the rest face beside them."""
    folder = tmp_path_factory.mktemp("landmarks")
    rest = face.face * np.array([0.5, 1], np.float32)
    rest[:, 0] /= face68.eye_distance(rest)
    save(folder / "rest_face.npy", rest, "rest-face", stage="test")
    return save(folder / "landmarks.npy", rest + opening_motion(), "landmarks-face", stage="test")


def tone(path, seconds):
    return write_wav(path, 0.3 * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.1))


class TestMotionOnAFace:
    def test_expression_scale_doubles_displacement(self, face):
        moves = opening_motion()
        once, twice = (faces_of(moved(moves, face.face, scale)) for scale in (1, 2))
        assert np.allclose(twice - face.face, 2 * (once - face.face), atol=1e-5)
        still = faces_of(moved(moves, face.face, 0))
        assert np.array_equal(still, np.broadcast_to(face.face, still.shape))

    def test_lips_and_lids_never_cross(self, face):
        inner, eye = (list(face68.GROUPS[name]) for name in ("inner_lips", "left_eye"))
        moves = np.random.default_rng(0).normal(0, 0.3, (40, 68, 2)).astype(np.float32)
        for shown in faces_of(moved(moves, face.face)):
            for points in (inner, eye):
                half = len(points) // 2
                assert (shown[points[:half:-1], 1] - shown[points[1:half], 1] >= -1e-6).all()


class TestReadPhoto:
    def test_exif_turns_it_upright(self, tmp_path, photo_path):
        image = Image.open(photo_path).rotate(90, expand=True)
        exif = image.getexif()
        exif[0x0112] = 6  # orientation: turn by 270 degrees to see it upright
        image.save(tmp_path / "turned.png", exif=exif)
        assert np.array_equal(photo.read_photo(tmp_path / "turned.png"), portrait())

    @pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK", "1", "I;16", "LA"])
    def test_any_mode(self, tmp_path, photo_path, mode):
        image = Image.open(photo_path)
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
        image = Image.fromarray(grey) if mode == "I;16" else image.convert(mode)
        path = tmp_path / f"x.{'tif' if mode == 'CMYK' else 'png'}"
        image.save(path)
        picture = photo.read_photo(path)
        assert picture.dtype == np.uint8
        assert picture.shape == (256, 256, 3)
        assert 40 < picture.mean() < 220

    def test_transparency_lies_over_white(self, tmp_path):
        Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "x.png")
        assert (photo.read_photo(tmp_path / "x.png") == 255).all()

    def test_bad_files(self, tmp_path, photo_path):
        whole = photo_path.read_bytes()
        bad = {"missing.png": None, "empty.png": b"", "text.jpg": b"hello", "cut.png": whole[:len(whole) // 2]}
        for name, content in bad.items():
            if content is not None:
                (tmp_path / name).write_bytes(content)
            with pytest.raises(InputError, match=name):
                photo.read_photo(tmp_path / name)

    def test_a_bomb_is_refused_unread(self, tmp_path):
        for side in (9000, 20000):
            Image.new("1", (side, side)).save(tmp_path / "bomb.png")
            with pytest.raises(InputError, match="million"):
                photo.read_photo(tmp_path / "bomb.png")

    def test_no_face(self, tmp_path):
        Image.new("RGB", (300, 300), "grey").save(tmp_path / "wall.png")
        with pytest.raises(InputError, match="no face found"):
            photo_check.find_face(tmp_path / "wall.png")


    def test_a_mouth_outside_the_picture(self, monkeypatch, photo_path):
        points, _ = face_detector.landmarks_of_picture(photo.read_photo(photo_path))
        monkeypatch.setattr(face_detector, "landmarks_in", lambda picture, box: points + np.float32([0, 110]))
        with pytest.raises(InputError, match="mouth lies outside"):
            photo_check.find_face(photo_path)


class TestFraming:
    def test_sizes(self, photo_path):
        found = photo_check.find_face(photo_path)
        assert photo.frame_photo(found).picture.shape == (256, 256, 3)
        assert photo.frame_photo(found, "resize").picture.shape == (512, 512, 3)
        assert photo.frame_photo(found, "crop", 200).shown.shape == (200, 200, 3)

    def test_odd_sides_become_even(self, face):
        assert photo._cut(face, (0, 0, 501, 511)).picture.shape == (510, 500, 3)

    def test_points_follow_the_picture(self, tmp_path, photo_path):
        found = photo_check.find_face(photo_path)
        for preprocess in photo.FRAMINGS:
            shown = photo.frame_photo(found, preprocess, 400)
            Image.fromarray(shown.picture).save(tmp_path / "shown.png")
            again = photo_check.find_face(tmp_path / "shown.png")
            assert np.linalg.norm(again.points - shown.points, axis=1).mean() < 0.04 * shown.pose[0]


class TestMotion:
    def test_rest_face_is_found_beside(self, tmp_path, landmarks):
        moves, rest = motion.read_motion(landmarks)
        assert np.allclose(moves.face, opening_motion(), atol=1e-6)
        assert not moves.head.any() and not moves.measured
        measured = save(tmp_path / "clip.face.npy", rest + opening_motion(), "landmarks-face", stage="test")
        assert motion.rest_path(measured) is None
        assert np.abs(motion.read_motion(measured)[0].face).max() > 0.2  # its own closed frames are the rest
        save(tmp_path / "clip.rest.npy", rest, "rest-face", stage="test")
        assert np.allclose(motion.read_motion(measured)[0].face, opening_motion(), atol=1e-6)

    def test_missing_frames_are_filled(self, tmp_path, landmarks):
        holes = motion.read_motion(landmarks)[1] + opening_motion()
        holes[5:8] = np.nan
        moves, _ = motion.read_motion(save(tmp_path / "x.npy", holes, "landmarks-face", stage="test"))
        assert np.isfinite(moves.face).all()
        holes[:] = np.nan
        with pytest.raises(InputError, match="no face in any"):
            motion.read_motion(save(tmp_path / "x.npy", holes, "landmarks-face", stage="test"))

    @pytest.mark.parametrize("fps", [12.5, 24, 25, 29.97, 30, 60])
    def test_resampling_keeps_time(self, fps):
        """A landmark and a head that say what time it is still say so at another frame rate."""
        clock = ((np.arange(100) + 0.5) / FPS).astype(np.float32)
        told = motion.Motion(np.broadcast_to(clock[:, None, None], (100, 68, 2)), np.broadcast_to(clock[:, None], (100, 5)))
        n = motion.n_output_frames(4.0, fps)
        face, head = (np.stack(values) for values in zip(*motion.resample(told, fps, range(n))))
        inside = slice(3, -3)
        assert n == round(4 * fps)
        for values in (face[:, 0, 0], face[:, -1, 1], head[:, 0], head[:, 4]):
            assert np.allclose(values[inside], ((np.arange(n) + 0.5) / fps)[inside], atol=1e-4)

    def test_the_head_of_a_video_is_replayed(self, tmp_path, landmarks):
        """Roll and shift that were put into pixel landmarks come out of pose and points, about their median."""
        face = motion.read_motion(landmarks)[1] + opening_motion()
        turn = np.sin(np.linspace(0, 2 * np.pi, N_FRAMES))
        pose = np.stack([np.full(N_FRAMES, 80), 0.3 + 0.1 * turn, 200 + 12 * turn, 150 - 8 * turn], 1).astype(np.float32)
        pose[20:22] = np.nan
        pixel = face68.to_pixel_space(face, pose)
        save(tmp_path / "clip.face.npy", np.where(np.isnan(pixel), pixel, face), "landmarks-face", stage="test")
        save(tmp_path / "clip.pose.npy", pose, "head-pose", stage="test")
        save(tmp_path / "clip.pixel.npy", pixel, "landmarks-pixel", stage="test")
        for name in ("clip.face.npy", "clip.pixel.npy"):
            moves, _ = motion.read_motion(tmp_path / name)
            assert moves.measured
            assert not moves.head[:, :2].any(), "yaw and pitch are in the points already"
            assert np.allclose(moves.head[:, 2:], turn[:, None] * (0.1, 12 / 80, -8 / 80), atol=0.012)  # smoothed at the ends
        save(tmp_path / "clip.pose.npy", pose[:-1], "head-pose", stage="test")
        with pytest.raises(InputError, match="clip.pose.npy: 49 frames"):
            motion.read_motion(tmp_path / "clip.face.npy")

    def test_a_head_far_away_stays_on_its_neck(self):
        pose = np.tile(np.float32([80, 0, 200, 150]), (N_FRAMES, 1))
        pose[25:, 1:] += (3, 900, -900)
        assert np.abs(motion.head_of_pose(pose)).max() <= 1

    def test_head_scale_doubles_the_head(self, face):
        head = np.float32([0.1, -0.1, 0.05, 0.02, 0.03])
        still, once, twice = (next(motion.apply_to_face([(opening_motion()[8], head)], face.face, 1, scale))
                              for scale in (0, 1, 2))
        assert not still[1].any()
        assert np.array_equal(once[1], head) and np.array_equal(twice[1], 2 * head)
        assert np.array_equal(once[0], twice[0])

    def test_other_kinds_are_refused(self, tmp_path, landmarks):
        pose = save(tmp_path / "x.pose.npy", np.ones((5, 4), np.float32), "head-pose", stage="test")
        with pytest.raises(InputError, match="head-pose"):
            motion.read_motion(pose)
        np.save(tmp_path / "mine.npy", np.zeros((5, 3)))
        with pytest.raises(InputError, match="landmarks-face"):
            motion.read_motion(tmp_path / "mine.npy")
        np.save(tmp_path / "px.npy", (opening_motion() + motion.read_motion(landmarks)[1]) * 80)
        with pytest.raises(InputError, match="face space"):
            motion.read_motion(tmp_path / "px.npy")


class TestVideo:
    @pytest.mark.parametrize("fps", [25, 30])
    @pytest.mark.parametrize("seconds", [2.0, 1.97])
    def test_lasts_as_long_as_the_speech(self, tmp_path, landmarks, fps, seconds):
        speech = tone(tmp_path / "ton - é.wav", seconds)
        out = render.render_video(landmarks, tmp_path / "a b ü.mp4", RenderOptions(fps=fps, size_px=128), renderer="sketch",
                                  speech=speech)
        about = probe(out)
        assert about.has_sound
        assert about.fps == fps
        n = sum(1 for _ in read_frames(out, fps))
        assert abs(n - seconds * fps) <= 1
        assert abs(about.seconds - seconds) <= 1 / fps
        sidecar = artifacts.check(out, "talking-video")
        assert sidecar["frames"] == n
        assert set(sidecar["inputs"]) == {"landmarks.npy", "ton - é.wav"}

    def test_photo_video_moves(self, tmp_path, landmarks, photo_path):
        out = tmp_path / "v.mp4"
        done = command(render.main, landmarks, "--photo", photo_path, "--out", out, "--quality", "low")
        assert done.exit_code == 0, done.stderr
        assert done.stdout.strip() == str(out)
        assert "device: cpu" in done.stderr
        assert probe(out).size == (256, 256)
        frames = list(read_frames(out))
        assert len(frames) == N_FRAMES
        assert np.abs(frames[8].astype(int) - frames[0]).max() > 40

    def test_lengths_that_do_not_fit(self, tmp_path, landmarks, capsys):
        with pytest.raises(InputError, match=r"50 frames of landmarks, 100 frames of speech"):
            render.render_video(landmarks, tmp_path / "v.mp4", renderer="sketch", speech=tone(tmp_path / "s.wav", 4))
        render.render_video(landmarks, tmp_path / "v.mp4", RenderOptions(size_px=64), renderer="sketch",
                            speech=tone(tmp_path / "s.wav", 1.9))
        assert "50 frames of landmarks, 48 frames" in capsys.readouterr().err

    def test_somebody_elses_file_is_kept(self, tmp_path, landmarks):
        out = tmp_path / "v.mp4"
        out.write_bytes(b"holiday")
        arguments = (landmarks, "--renderer", "sketch", "--size", 64, "--out", out)
        refused = command(render.main, *arguments)
        assert refused.exit_code == 1
        assert "--force" in refused.stderr
        assert out.read_bytes() == b"holiday"
        assert command(render.main, *arguments, "--force").exit_code == 0
        assert command(render.main, *arguments).exit_code == 0  # ours by now

    @pytest.mark.parametrize("arguments", [("--out", "v.avi"), ("--renderer", "photo"), ("--photo", "none.jpg"),
                                           ("--renderer", "sketch", "--speech", "x.mp3"),
                                           ("--renderer", "sketch", "--rest", "none.npy"),
                                           ("--renderer", "dcgan", "--model", "none.safetensors")])
    def test_mistakes_are_one_line(self, tmp_path, monkeypatch, landmarks, arguments):
        monkeypatch.chdir(tmp_path)
        result = command(render.main, landmarks, *arguments)
        assert result.exit_code == 1
        told = [line for line in result.stderr.splitlines() if not line.startswith("device: ")]
        assert len(told) == 1
        assert told[0].startswith("error: ")
        assert not list(tmp_path.rglob("*"))
        assert result.stdout == ""

    def test_dcgan_draws_the_face_it_knows(self, tmp_path, landmarks):
        """Motion is put on the generator's own rest face, a batch at a time."""
        from gan.model import Generator, load_generator, save_generator, widths_for
        generator = Generator(16, widths_for(16, 0.1), n_look=2, n_condition=8)
        moves, rest = motion.read_motion(landmarks)
        generator.rest_face.copy_(torch.from_numpy(rest * 0.9))
        model = save_generator(tmp_path / "model.safetensors", generator, stage="test")
        assert not np.allclose(load_generator(model).rest_face, rest, atol=0.01)
        taken = []
        generator, rest = dcgan.load(model)
        assert np.allclose(rest, generator.rest_face)
        offsets = (taken.append(t) or offset for t, offset in enumerate(moves.face))
        pictures = dcgan.frames(moved(offsets, rest), generator, size_px=64)
        assert next(pictures).shape == (64, 64, 3)
        assert len(taken) == dcgan.BATCH
        assert sum(1 for _ in pictures) == N_FRAMES - 1
        out = tmp_path / "v.mp4"
        done = command(render.main, landmarks, "--renderer", "dcgan", "--model", model, "--device", "cpu", "--out", out)
        assert done.exit_code == 0, done.stderr
        assert probe(out).size == (16, 16)
        assert "holds still" not in done.stderr
        done = command(render.main, landmarks, "--renderer", "dcgan", "--model", model, "--out", out, "--pose-style", 3)
        assert done.stderr.count("holds still") == 1

    def test_sketch_draws_the_mouth_open(self, landmarks):
        moves, rest = motion.read_motion(landmarks)
        closed, opened = (next(sketch.frames(moved(moves.face[t:t + 1], rest), 128)) for t in (0, 8))
        assert closed.shape == (128, 128, 3)
        assert not np.array_equal(closed, opened)


def test_a_line_has_no_face(tmp_path):
    Image.new("RGB", (5000, 1)).save(tmp_path / "line.png")
    with pytest.raises(InputError, match="no face found"):
        photo_check.find_face(tmp_path / "line.png")


@pytest.mark.parametrize("option, value", [("--fps", "nan"), ("--expression-scale", "nan"), ("--out", "a file/v.mp4")])
def test_numbers_that_are_none_and_folders_that_are_files(tmp_path, monkeypatch, landmarks, option, value):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    done = command(render.main, landmarks, "--renderer", "sketch", option, value)
    assert done.exit_code == 1 and value.split("/")[0] in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_drawing_of_odd_size_is_made_even(tmp_path, landmarks):
    out = render.render_video(landmarks, tmp_path / "v.mp4", RenderOptions(size_px=65), renderer="sketch")
    assert probe(out).size == (64, 64)


def test_infinite_landmarks_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.full((5, 68, 2), np.inf, np.float32))
    with pytest.raises(InputError, match="a.npy: values that are infinite"):
        motion.read_motion(tmp_path / "a.npy")
