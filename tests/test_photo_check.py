"""The photo check: it finds the face that is meant, measures it, warns, and draws it."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, command, portrait
from made_up import save, turned_to, write
from PIL import Image, ImageFilter

import animator
from core.errors import InputError
from render import face_check, photo, photo_check, render
from render.parts.rest import SHUT_FIRST

SIDE_PX = portrait().shape[0]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A portrait, twice the size: the face is 186 px wide."""
    path = tmp_path_factory.mktemp("one") / "one face.png"
    Image.fromarray(portrait()).resize((2 * SIDE_PX, 2 * SIDE_PX), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two portraits side by side."""
    return save(tmp_path_factory.mktemp("two") / "two.png", np.hstack([portrait(), portrait()]))


@pytest.fixture(scope="module")
def found(one):
    return photo_check.check_photo(one)


class TestChoosing:
    @pytest.mark.parametrize("which, is_right", [("1", False), ("2", True), (f"{SIDE_PX + 130},120", True), ("130,120", False),
                                                 ("0,0", False), (f"{2 * SIDE_PX - 1},{SIDE_PX - 1}", True)])
    def test_the_face_that_is_meant(self, two, which, is_right, capsys):
        check = photo_check.check_photo(two, which)
        assert len(check.boxes) == 2
        assert check.chosen == int(is_right)
        middle = check.photo.points[:, 0].mean()
        assert (middle > SIDE_PX) == is_right
        left, _, right, _ = check.boxes[check.chosen]
        assert left < middle < right
        assert "--face" not in capsys.readouterr().err

    def test_none_chosen_is_said(self, two, capsys):
        photo_check.check_photo(two)
        assert "2 faces; the largest speaks" in capsys.readouterr().err
        photo_check.check_photo(two, "largest")
        assert "the largest speaks" not in capsys.readouterr().err

    def test_largest_and_small_ones_are_found(self, tmp_path):
        picture = np.full((640, 1000, 3), 128, np.uint8)
        picture[:256, :256] = portrait()
        picture[100:612, 400:912] = portrait().repeat(2, 0).repeat(2, 1)
        check = photo_check.check_photo(save(tmp_path / "x.png", picture))
        assert (len(check.boxes), check.chosen) == (2, 1)
        assert photo_check.check_photo(tmp_path / "x.png", "1").width_px < 0.6 * check.width_px

    @pytest.mark.parametrize("size_px, face_px", [(300, 120), (3000, 400)])
    def test_a_lonely_small_face_is_found(self, tmp_path, size_px, face_px):
        """Too small for the detector at the size pictures are brought to at first."""
        picture = np.full((size_px // 2, size_px, 3), 128, np.uint8)
        picture[10:10 + face_px, 20:20 + face_px] = np.asarray(Image.fromarray(portrait()).resize((face_px, face_px)))
        check = photo_check.check_photo(save(tmp_path / "x.png", picture))
        assert len(check.boxes) == 1
        assert abs(check.photo.points[:, 0].mean() - 20 - face_px / 2) < face_px / 8

    def test_an_emblem_is_no_second_face(self, tmp_path):
        """The whole astronaut, large: the detector takes a patch of the suit for a face, barely."""
        from skimage.data import astronaut
        Image.fromarray(astronaut()).resize((1280, 1280), Image.Resampling.BICUBIC).save(tmp_path / "x.png")
        assert len(photo_check.check_photo(tmp_path / "x.png").boxes) == 1

    def test_of_two_that_hold_a_pixel_the_smaller_and_else_the_nearest(self):
        boxes = np.array([[0, 0, 100, 100], [60, 60, 90, 90], [200, 0, 300, 100]], float)
        chosen = [photo_check.choose_face(boxes, which, "x.png", 400, 400) for which in ("70,70", "10,10", "160,50", "140,50")]
        assert chosen == [1, 0, 2, 0]

    @pytest.mark.parametrize("which", ["0", "3", "-1", "left", "1,2,3", "nan,5", "9999,5", "5,-1", "", "1,", "1.5", "inf,0"])
    def test_wrong_values_are_one_line(self, two, tmp_path, which):
        done = command(face_check.main, two, f"--face={which}", "--out", tmp_path / "out")
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: --face: ")]
        assert done.exit_code == 1
        assert done.stderr.splitlines() == errors and len(errors) == 1
        assert not (tmp_path / "out").exists()


class TestMeasures:
    def test_a_good_photo_is_not_warned_about(self, one, capsys):
        check = photo_check.check_photo(one)
        assert capsys.readouterr().err == ""
        assert abs(check.yaw_deg) < 8
        assert abs(check.width_px - np.ptp(check.photo.points[:, 0])) < 0.05 * check.width_px

    @pytest.mark.parametrize("degrees", [-35, -10, 0, 10, 35])
    def test_yaw_is_the_angle_the_head_was_turned_by(self, one, found, tmp_path, degrees, capsys):
        points = turned_to(found.photo.points, degrees)
        check = photo_check.check_photo(one, None, write(tmp_path / "face.json", points=points.tolist()))
        assert abs(check.yaw_deg - degrees) < 4
        assert ("turned to the side" in capsys.readouterr().err) == (abs(degrees) > photo_check.TURNED_DEG)

    def test_roll(self, tmp_path, one, found):
        Image.open(one).rotate(-15).save(tmp_path / "x.png")
        assert abs(photo_check.check_photo(tmp_path / "x.png").roll_deg - found.roll_deg - 15) < 3

    def test_a_small_face_is_said(self, tmp_path, capsys):
        Image.fromarray(portrait()).resize((192, 192)).save(tmp_path / "x.png")
        assert photo_check.check_photo(tmp_path / "x.png").width_px < photo_check.SMALL_FACE_PX
        assert f"{photo_check.SMALL_FACE_PX} or more" in capsys.readouterr().err

    def test_a_blurred_face_is_said(self, tmp_path, one, found, capsys):
        Image.open(one).filter(ImageFilter.GaussianBlur(found.width_px / 40)).save(tmp_path / "x.png")
        assert photo_check.check_photo(tmp_path / "x.png").sharpness < photo_check.BLURRED < found.sharpness
        assert "blurred" in capsys.readouterr().err

    def test_sharpness_means_the_same_at_another_size_and_light(self, tmp_path, one, found):
        Image.open(one).resize((1600, 1600), Image.Resampling.BICUBIC).save(tmp_path / "x.png")
        save(tmp_path / "dark.png", np.asarray(Image.open(one)) // 2)
        for name in ("x.png", "dark.png"):
            sharp = photo_check.check_photo(tmp_path / name).sharpness
            assert abs(sharp / found.sharpness - 1) < 0.3

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_a_photo_on_its_side_is_told_so(self, tmp_path, one, degrees):
        Image.open(one).rotate(degrees, expand=True).save(tmp_path / "x.png")  # Pillow turns to the left
        with pytest.raises(InputError, match=f"no face found.* turned by {degrees} degrees clockwise"):
            photo_check.check_photo(tmp_path / "x.png")


@pytest.mark.parametrize("size", [(90, 90), (160, 640), (1600, 1200)])
def test_the_drawing_is_readable_at_any_size(tmp_path, size):
    """Between 480 and 1280 px wide and changed where the box is; the photo above the text."""
    picture = np.full((size[1], size[0], 3), 128, np.uint8)
    side = min(size)
    picture[:side, :side] = np.asarray(Image.fromarray(portrait()).resize((side, side)))
    done = command(face_check.main, save(tmp_path / "x.png", picture), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    drawn = np.asarray(Image.open(tmp_path / "out" / "photo_check.png")).astype(int)
    assert 480 <= drawn.shape[1] <= 1280 + 360
    assert max(drawn.shape[:2]) >= 640
    assert (np.abs(drawn - (60, 220, 90)).sum(-1) < 6).sum() > 500, "the box of the chosen face"
    assert (drawn[-60:].min(-1) > 200).sum() > 300, "text under the picture"


def test_render_takes_the_face_that_was_chosen(two, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(render, "render_video", lambda *_, face, **__: seen.append(face))
    for which in ("1", "2"):
        assert command(render.main, "x.npy", "--photo", two, "--out", tmp_path / "v.mp4", "--face", which).exit_code == 0
    left, right = (face.points[:, 0].mean() for face in seen)
    assert left < SIDE_PX < right
    assert isinstance(seen[0], photo.Photo)


def test_the_check_loads_no_library_that_takes_seconds(one, tmp_path):
    script = ("import sys\nfrom render.face_check import *\nwrite_check(check_photo(sys.argv[1]), sys.argv[2])\n"
              "print([m for m in ('tensorflow', 'torch', 'matplotlib') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", script, str(one), str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"
    assert (tmp_path / "photo_check.png").is_file()


def checked(path, folder):
    done = command(face_check.main, path, "--out", folder)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_the_last_line_says_whether_something_spoils_it(one, tmp_path):
    lines, warned = checked(one, tmp_path / "good")
    assert not warned and lines[-1] == "nothing found that spoils it"
    assert next(line for line in lines if line.startswith("width")).endswith(f"px ({photo_check.SMALL_FACE_PX} or more)")
    Image.open(one).resize((160, 160)).filter(ImageFilter.GaussianBlur(3)).save(tmp_path / "bad.png")
    lines, warned = checked(tmp_path / "bad.png", tmp_path / "bad")
    assert len(warned) >= 2 and lines[-1] == f"{len(warned)} things found that may spoil it, see the warnings"
    Image.open(one).resize((192, 192)).save(tmp_path / "small.png")
    lines, warned = checked(tmp_path / "small.png", tmp_path / "small")
    assert len(warned) == 1 and lines[-1] == "1 thing found that may spoil it, see the warning"


def test_an_open_mouth_is_said_as_make_says_it(one, found, tmp_path, monkeypatch):
    shut = found.photo.points.copy()
    shut[[61, 62, 63]] = shut[[67, 66, 65]] = (shut[[61, 62, 63]] + shut[[67, 66, 65]]) / 2
    corrected = write(tmp_path / "face.json", points=shut.tolist())
    lines = command(face_check.main, one, "--landmarks", corrected, "--out", tmp_path / "out").stdout.splitlines()
    assert not any(line.startswith("mouth") for line in lines)
    assert f"mouth      {SHUT_FIRST}" in checked(one, tmp_path / "open")[0]
    told = []
    monkeypatch.setattr(animator, "say", told.append)
    monkeypatch.setattr(animator.Animator, "_heard", lambda *_, **__: (_ for _ in ()).throw(InputError("speech", "none")))
    for points_file in (corrected, None):
        with pytest.raises(InputError, match="speech"):
            animator.Animator().animate(one, "no.wav", tmp_path / "v.mp4", points_file=points_file)
    assert told == ["face found", "face found", SHUT_FIRST], "in the step that looks at the photo"
