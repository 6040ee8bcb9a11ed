"""A head that lives: measured on its moves over minutes, and on the pictures that the options make."""

import cv2
import numpy as np
import pytest
from conftest import OPENING, command, opening_motion, portrait, talking_frames
from made_up import drawn_face
from PIL import Image

from core import artifacts
from core.artifacts import save
from core.clock import FPS
from core.errors import InputError
from core.face import draw, face68
from core.face.head import apply_head_pose
from core.media.video import probe, read_frames, write_video
from render import background, liveliness, motion, photo, photo_check, render, sketch
from render import portrait as portrait_module
from render.options import RenderOptions
from render.parts.painted import painted_parts

SPEED_LIMIT = 30  # degrees a second: a calm head
TEN_MINUTES = 600


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory):
    """Five seconds of a drawn face that speaks."""
    folder = tmp_path_factory.mktemp("drawn")
    save(folder / "rest_face.npy", drawn_face(), "rest-face", stage="test")
    return save(folder / "landmarks.npy", drawn_face() + opening_motion(5 * FPS), "landmarks-face", stage="test")


@pytest.fixture(scope="module")
def photo_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "portrait.png"
    Image.fromarray(portrait()).save(path)
    return path


@pytest.fixture(scope="module")
def found(photo_path):
    return photo_check.find_face(photo_path)


@pytest.fixture
def shown(tmp_path, monkeypatch, landmarks):
    """Run the command on the drawn face; return the (face, head) pairs it showed, as two arrays, and its result."""

    def run(*options, file=landmarks):
        taken = []
        monkeypatch.setattr(sketch, "frames", lambda moves, size_px: (taken.append(m) or np.zeros((64, 64, 3), np.uint8)
                                                                      for m in moves))
        done = command(render.main, file, "--renderer", "sketch", "--out", tmp_path / "v.mp4", *options)
        assert done.exit_code == 0, done.stderr
        return *(np.stack(values) for values in zip(*taken)), done

    return run


class TestHead:
    @pytest.mark.parametrize("seed", [0, 1, 2, 7, 45])
    def test_sways_a_few_degrees_smoothly(self, seed):
        opening = np.abs(np.sin(np.arange(TEN_MINUTES * FPS) * 0.7)) * OPENING
        degrees = np.degrees(liveliness.head_motion(TEN_MINUTES * FPS, seed, opening)[:, :3])
        assert (degrees.std(0) < (4, 2.5, 2)).all() and (degrees.std(0) > (1, 0.5, 0.4)).all()
        assert np.abs(np.diff(degrees, axis=0)).max() * FPS < SPEED_LIMIT
        assert np.abs(np.diff(degrees, 2, axis=0)).max() < 0.3, "no jerk"
        assert np.abs(degrees.mean(0)).max() < 0.6

    @pytest.mark.parametrize("n_frames", [1, 2, 30, 250])
    def test_starts_and_ends_near_rest(self, n_frames):
        head = liveliness.head_motion(n_frames, 3, np.linspace(0, 0.3, n_frames))
        assert head.shape == (n_frames, 5) and head.dtype == np.float32
        assert n_frames < 25 or np.abs(np.degrees(head[[0, -1], :3])).max() < 0.1
        assert np.abs(np.degrees(head[:, :3])).max() < 12

    def test_the_same_seed_is_the_same_head(self):
        one, again, other = (liveliness.head_motion(500, seed) for seed in (1, 1, 2))
        assert np.array_equal(one, again)
        assert np.abs(np.degrees(one - other)).max() > 1
        assert np.allclose(one[:400], liveliness.head_motion(900, 1)[:400]), "what follows does not change what was"

    def test_nods_when_the_mouth_opens(self):
        opening = OPENING * np.clip(np.sin(np.arange(1500) * 2 * np.pi / 40), 0, 1) ** 2
        nod = liveliness.head_motion(1500, 0, opening)[:, 1] - liveliness.head_motion(1500, 0)[:, 1]
        assert np.corrcoef(nod, opening)[0, 1] > 0.8
        assert 0.3 < np.degrees(nod.max()) < 2
        assert np.array_equal(liveliness.head_motion(99, 0, np.zeros(99)), liveliness.head_motion(99, 0))


class TestBlinks:
    @pytest.mark.parametrize("seed", range(5))
    def test_rate_and_gaps(self, seed):
        times = liveliness.blink_times(TEN_MINUTES, seed=seed)
        assert 12 <= len(times) / 10 <= 20
        gaps = np.log(np.diff(times) - liveliness.BLINK_S - liveliness.PAUSE_S)
        z = (gaps - gaps.mean()) / gaps.std()
        assert 0.4 < gaps.std() < 0.8
        assert abs((z**3).mean()) < 0.7, "the logarithm is even"
        assert times[-1] + liveliness.BLINK_S <= TEN_MINUTES

    @pytest.mark.parametrize("rate", [6, 30, 60])
    def test_other_rates(self, rate):
        assert np.isclose(len(liveliness.blink_times(10 * TEN_MINUTES, rate)) / 100, rate, rtol=0.1)
        assert not len(liveliness.blink_times(TEN_MINUTES, 0))
        assert not liveliness.blinks(500, FPS, 0).any()

    @pytest.mark.parametrize("fps", [25, 30, 60])
    def test_closes_fast_opens_slower_and_rests_between(self, fps):
        share = liveliness.blinks(60 * fps, fps)
        assert share.min() == 0 and share.max() > 0.99
        assert share[0] == share[-1] == 0
        start, end = (share[:10 * fps] > 0).nonzero()[0][0], int((liveliness.blink_times(60)[0] + liveliness.BLINK_S) * fps)
        peak = start + int(share[start:end + 1].argmax())
        assert abs((peak - start) / fps - 0.1) <= 1.5 / fps
        assert abs((end - peak) / fps - 0.22) <= 1.5 / fps
        assert (share > 0).mean() < 0.2

    def test_lids_meet_and_the_rest_holds_still(self):
        face = drawn_face()
        half, shut = (liveliness.close_lids(face, share) for share in (0.5, 1))
        opening = face68.eye_opening(np.stack([face, half, shut])) / face68.eye_opening(face)
        assert np.isclose(opening[1], 0.5, atol=0.05) and opening[2] < 0.06
        moved = np.linalg.norm(shut - face, axis=1)
        for upper, lower in face68.EYE_LIDS:
            assert np.allclose(moved[upper], 3 * moved[lower], rtol=1e-3)
            assert (shut[upper, 1] > face[upper, 1]).all() and (shut[lower, 1] > shut[upper, 1]).all()
        others = np.setdiff1d(np.arange(68), np.ravel(face68.EYE_LIDS))
        assert not moved[others].any()
        assert np.array_equal(face, drawn_face()), "the face that was given is left alone"


class TestPhotoBlinks:
    def test_a_blink_is_seen_in_the_eyes_alone(self, found):
        """The white of the eyes goes away; the mouth does not notice."""
        shown, still = photo.frame_photo(found, size_px=512), np.zeros(5, np.float32)
        moves = [(liveliness.close_lids(shown.face, share), still) for share in (0, 1)]
        opened, shut = (frame.astype(int) for frame in portrait_module.frames(shown, moves, painted_parts(shown)))
        for group in ("right_eye", "left_eye"):
            points = shown.points[list(face68.GROUPS[group])]
            left, top, right, bottom = [*points.min(0).astype(int), *points.max(0).astype(int) + 1]
            box = slice(top - 2, bottom + 6), slice(left + 2, right - 2)
            assert np.abs(shut[box] - opened[box]).mean() > 12
            white = [((eye[..., 2] > 0.85 * eye[..., 0]) & (eye[..., 0] > 120)).sum() for eye in (opened[box], shut[box])]
            assert white[1] < 0.35 * white[0], "skin is not as blue as white"
        mouth = shown.points[face68.MOUTH]
        below = slice(int(mouth[:, 1].min()), None)
        assert np.abs(shut[below] - opened[below]).mean() < 0.5


class TestOptions:
    def test_the_head_moves_and_the_eyes_blink(self, tmp_path, shown):
        face, head, _ = shown()
        assert np.degrees(np.abs(head[:, 0]).max()) > 0.5
        opening = face68.eye_opening(face)
        assert opening.min() < 0.1 * opening.max()
        assert artifacts.read_sidecar(tmp_path / "v.mp4")["options"]["blink_rate"] == liveliness.BLINK_RATE

    @pytest.mark.parametrize("option", [("--still",), ("--head_scale", 0), ("--head-scale", 0)])
    def test_still_and_head_scale_0(self, shown, option):
        face, head, _ = shown(*option)
        assert not head.any()
        assert face68.eye_opening(face).min() < 0.1 * face68.eye_opening(face).max()

    def test_scales(self, shown):
        (face, head, _), (bold, far, _) = shown(), shown("--head_scale", 2, "--expression_scale", 1.5)
        assert np.allclose(far, 2 * head, atol=1e-6)
        assert np.isclose(face68.mouth_opening(bold).max(), 1.5 * face68.mouth_opening(face).max(), rtol=0.02)

    def test_blink_rate(self, shown):
        n_blinks = {}
        for rate in (0, 15, 60):
            closed = face68.eye_opening(shown("--blink_rate", rate)[0]) < 0.1
            n_blinks[rate] = int((np.diff(closed.astype(int)) == 1).sum())
        assert n_blinks[0] == 0 < n_blinks[15] < n_blinks[60]

    def test_pose_style(self, shown):
        one, again, two = (shown("--pose_style", style)[1] for style in (1, 1, 2))
        assert np.array_equal(one, again)
        assert np.abs(np.degrees(one - two)[:, :3]).max() > 0.5

    def test_fps_resamples(self, shown):
        (face, head, _), (fine, often, _) = shown("--blink_rate", 0), shown("--blink_rate", 0, "--fps", 50)
        assert len(fine) == len(often) == 2 * len(face)
        assert np.allclose((fine[::2] + fine[1::2])[2:-2] / 2, face[2:-2], atol=0.02)
        assert np.allclose((often[::2] + often[1::2])[2:-2] / 2, head[2:-2], atol=0.002)

    def test_quality_and_size(self, tmp_path, landmarks):
        n_bytes = {}
        for quality in ("low", "medium", "high"):
            options = RenderOptions(quality=quality, size_px=200)
            out = render.render_video(landmarks, tmp_path / f"{quality}.mp4", options, renderer="sketch")
            n_bytes[quality] = out.stat().st_size
            assert probe(out).size == (200, 200)
        assert n_bytes["low"] < n_bytes["medium"] < n_bytes["high"]

    def test_all_stand_in_the_sidecar(self, tmp_path, landmarks):
        out = tmp_path / "v.mp4"
        options = {"renderer": "sketch", "head_scale": 1.5, "blink_rate": 20.0, "seed": 4, "expression_scale": 1.2,
                   "fps": 30.0, "quality": "low", "preprocess": "crop"}
        spelt = [part for name, value in options.items() for part in (f"--{name}", value)]
        done = command(render.main, "--motion", landmarks, "--out", out, "--size", 64, "--still", *spelt)
        assert done.exit_code == 0, done.stderr
        about = artifacts.read_sidecar(out)["options"]
        assert options.items() <= about.items()
        assert (about["still"], about["preview"], about["background"], about["size_px"]) == (True, False, "keep", 64)
        assert probe(out).fps == 30

    def test_the_sketch_shows_the_head(self):
        face = drawn_face()
        heads = np.diag(np.float32([0.2, 0.2, 0.2, 0.1, 0.1]))
        nose = list(face68.GROUPS["nose_bridge"])[-1]
        yaw, pitch, roll, right, down = (apply_head_pose(face, head) - face for head in heads)
        assert yaw[nose, 0] > 0.05 and abs(yaw[nose, 1]) < 1e-6
        assert pitch[nose, 1] > 0.05
        assert roll[face68.GROUPS["left_brow"][-1], 1] > 0.05 > roll[face68.GROUPS["right_brow"][0], 1]
        assert np.allclose(right, (0.1, 0), atol=1e-6) and np.allclose(down, (0, 0.1), atol=1e-6)
        assert np.allclose(apply_head_pose(face, np.zeros(5)), face, atol=1e-6)
        still, *moved = sketch.frames([(face, np.zeros(5)), *((face, head) for head in heads)], 128)
        assert all((picture != still).any() for picture in moved)

    def test_one_file_of_landmarks(self, landmarks):
        for arguments in ((), (landmarks, "--motion", landmarks)):
            done = command(render.main, *arguments, "--renderer", "sketch")
            assert done.exit_code == 1 and "LANDMARKS" in done.stderr


class TestPreview:
    def test_two_different_pictures_before_the_long_run(self, tmp_path, landmarks):
        done = command(render.main, landmarks, "--renderer", "sketch", "--out", tmp_path / "v.mp4", "--size", 128, "--preview")
        assert done.exit_code == 0, done.stderr
        picture = np.asarray(Image.open(tmp_path / "v.preview.png"))
        first, opened = picture[:, :128], picture[:, -128:]
        inside = np.array(draw.PALETTE[90 // 2])  # what lies between open lips
        assert (first == inside).all(-1).sum() + 20 < (opened == inside).all(-1).sum()
        assert done.stderr.index(f"preview: {tmp_path / 'v.preview.png'}") < done.stderr.index("frames, ")
        assert done.stdout.splitlines() == [str(tmp_path / "v.mp4")]

    def test_somebody_elses_picture_is_kept(self, tmp_path, landmarks, photo_path):
        theirs = tmp_path / "v.preview.png"
        arguments = (landmarks, "--renderer", "sketch", "--out", tmp_path / "v.mp4", "--size", 64, "--preview")
        for content in (photo_path.read_bytes(), b"holiday"):
            theirs.write_bytes(content)
            done = command(render.main, *arguments)
            assert done.exit_code == 1 and "--force" in done.stderr
            assert theirs.read_bytes() == content and not (tmp_path / "v.mp4").exists()
        assert command(render.main, *arguments, "--force").exit_code == 0
        (tmp_path / "v.mp4").unlink()
        assert command(render.main, *arguments, "--still").exit_code == 0, "a preview of ours is made anew"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Landmarks of a video, by the stage that extracts them."""
    from preprocess import extract_landmarks, list_recordings
    folder = tmp_path_factory.mktemp("template")
    (folder / "anna").mkdir()
    frames = talking_frames(np.abs(np.sin(np.arange(40) / 4)))
    write_video(folder / "anna" / "0.mp4", (cv2.resize(frame, (320, 320)) for frame in frames))
    for main, *arguments in ((list_recordings.main, folder, "--out", folder / "r"),
                             (extract_landmarks.main, "--index", folder / "r" / "index.csv", "--out", folder / "l",
                              "--jobs", 1)):
        done = command(main, *arguments)
        assert done.exit_code == 0, done.stderr
    [path] = (folder / "l").rglob("*.face.npy")
    return path


class TestTemplate:
    def test_drives_another_face_with_its_own_head_and_eyes(self, template, shown, tmp_path):
        face, head, _ = shown(file=template)
        assert artifacts.read_sidecar(tmp_path / "v.mp4")["options"]["blink_rate"] == 0
        assert np.ptp(face68.mouth_opening(face)) > 0.05
        assert not head[:, :2].any()
        size_px = float(np.median(artifacts.load(template.with_name(template.name.replace(".face.", ".pose."))).array[:, 0]))
        assert 3 < np.ptp(head[:, 3]) * size_px < 12  # it swayed by 7.5 px from side to side
        assert not shown("--still", file=template)[1].any()
        opened = face68.eye_opening(shown("--blink_rate", 60, file=template)[0])
        assert opened.min() < 0.3 * face68.eye_opening(face).min()

    def test_moves_a_photo(self, template, tmp_path, photo_path):
        done = command(render.main, "--motion", template, "--photo", photo_path, "--out", tmp_path / "v.mp4")
        assert done.exit_code == 0, done.stderr
        frames = list(read_frames(tmp_path / "v.mp4"))
        assert len(frames) == 40
        assert max(np.abs(frame.astype(int) - frames[0]).max() for frame in frames) > 40


class TestBackground:
    def test_a_colour_is_in_the_corner_and_not_in_the_face(self, tmp_path, landmarks, photo_path, found):
        out = tmp_path / "v.mp4"
        done = command(render.main, landmarks, "--photo", photo_path, "--out", out, "--background", "#20c040", "--preview")
        assert done.exit_code == 0, done.stderr
        frame = next(read_frames(out)).astype(int)
        assert np.abs(frame[:12, :12] - (0x20, 0xc0, 0x40)).mean() < 8
        assert np.abs(frame[:12, -12:] - (0x20, 0xc0, 0x40)).mean() < 8
        left, top, right, bottom = [*found.points.min(0).astype(int), *found.points.max(0).astype(int)]
        inside = slice(top, (top + bottom) // 2), slice(left + 10, right - 10)  # the smile below is shut
        assert np.abs(frame[inside] - found.picture[inside]).mean() < 8

    def test_the_picture_stands_in_the_sidecar_without_its_folder(self, tmp_path, landmarks, photo_path, found):
        Image.new("RGB", (30, 90), (10, 20, 200)).save(tmp_path / "sea.png")
        options = RenderOptions(background=str(tmp_path / "sea.png"))
        out = render.render_video(landmarks, tmp_path / "v.mp4", options, face=found)
        about = artifacts.read_sidecar(out)
        assert about["options"]["background"] == "sea.png"
        assert {"sea.png", photo_path.name} < set(about["inputs"])
        assert np.abs(next(read_frames(out))[:12, :12].astype(int) - (10, 20, 200)).mean() < 8

    def test_blur_and_a_picture(self, tmp_path, found):
        corner = slice(0, 40), slice(0, 40)
        blurred = background.replace_background(found, "blur").picture
        assert blurred[corner].std(axis=(0, 1)).mean() < 0.7 * found.picture[corner].std(axis=(0, 1)).mean()
        Image.new("RGB", (300, 90), (10, 20, 200)).save(tmp_path / "sea.png")
        behind = background.replace_background(found, str(tmp_path / "sea.png")).picture
        assert np.abs(behind[corner].astype(int) - (10, 20, 200)).mean() < 2
        nose = found.points[face68.GROUPS["nose_bridge"][-1]].astype(int)
        for picture in (blurred, behind):
            assert picture.shape == found.picture.shape
            assert np.abs(picture[nose[1], nose[0]].astype(int) - found.picture[nose[1], nose[0]]).max() <= 1
        assert background.replace_background(found, "keep") is found

    def test_an_alpha_channel_says_where_the_person_is(self, tmp_path, found):
        alpha = np.zeros(found.picture.shape[:2], np.uint8)
        alpha[:, 60:200] = 255
        Image.fromarray(np.dstack([found.picture, alpha])).save(tmp_path / "cut.png")
        picture = background.replace_background(photo_check.find_face(tmp_path / "cut.png"), "#ff0000").picture
        assert (picture[:, :60] == (255, 0, 0)).all() and (picture[:, 200:] == (255, 0, 0)).all()
        assert np.array_equal(picture[:, 60:200], found.picture[:, 60:200])

    @pytest.mark.parametrize("value", ["#12345", "sea.png", "green"])
    def test_what_cannot_be_behind(self, tmp_path, monkeypatch, landmarks, photo_path, value):
        monkeypatch.chdir(tmp_path)
        done = command(render.main, landmarks, "--photo", photo_path, "--background", value)
        assert done.exit_code == 1 and "#rrggbb" in done.stderr and len(done.stderr.splitlines()) == 1

    def test_a_drawing_has_none(self, landmarks, tmp_path):
        with pytest.raises(InputError, match="--background"):
            render.render_video(landmarks, tmp_path / "v.mp4", RenderOptions(background="blur"), renderer="sketch")


def test_an_hour_fits():
    """The moves of an hour come one by one; what is held is a few numbers a frame."""
    n_frames = 3600 * FPS
    head, shares = liveliness.head_motion(n_frames), liveliness.blinks(n_frames)
    moves = motion.Motion(np.broadcast_to(np.zeros((1, 68, 2), np.float32), (n_frames, 68, 2)), head)
    stream = motion.apply_to_face(motion.resample(moves, FPS, range(n_frames)), drawn_face())
    face, _ = next(liveliness.add_blinks(stream, shares))
    assert face.dtype == np.float32
    assert 12 <= (np.diff((shares > 0.9).astype(int)) == 1).sum() / 60 <= 20


@pytest.mark.parametrize("shape", [(1,), (40,), (300, 3)])
def test_smoothing_is_that_of_scipy(shape):
    from scipy.ndimage import gaussian_filter1d

    from core.smooth import gaussian_filter
    values = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(gaussian_filter(values, 6.0), gaussian_filter1d(values, 6.0, axis=0, mode="nearest"), atol=1e-12)
