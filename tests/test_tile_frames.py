"""The contact sheet of a video: which frames are on it, what its sidecar says, and what is refused in one line."""

import json

import made_up
import numpy as np
import pytest
from conftest import N_FRAMES, command, opening_motion
from PIL import Image

from core import artifacts
from core.clock import FPS
from core.face import draw, face68
from core.kinds import KINDS
from core.media.provenance import COMMENT, mark_synthetic
from core.media.video import write_video
from viewer import tile_frames
from viewer.draw import N_TILES, TILE_PX, with_time
from viewer.inspect import main as inspect

WIDEST = 11  # the frame of a video whose mouth is open there alone


def film(path, n_frames=N_FRAMES, fps=FPS):
    """A video whose frame tells its number by how light it is."""
    return write_video(path, (np.full((48, 64, 3), 20 + 3 * t, np.uint8) for t in range(n_frames)), fps=fps)


def faces(n_frames=N_FRAMES, widest=WIDEST):
    opened = np.argmax(face68.mouth_opening(made_up.drawn_face() + opening_motion()))
    moves = np.zeros((n_frames, face68.N_POINTS, 2), np.float32)
    moves[widest] = opening_motion()[opened]
    return made_up.drawn_face() + moves


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "a film.mp4")
    artifacts.save("landmarks.npy", faces(), "landmarks-face", stage="test")
    return tmp_path


def make(*words):
    done = command(tile_frames.main, *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def refused(*words):
    done = command(tile_frames.main, *words)
    assert done.exit_code == 1 and not done.stdout and done.stderr.count("error:") == 1
    return done.stderr.splitlines()[-1]


def test_frames_are_spread_from_the_first_to_the_last(here):
    assert make("a film.mp4", "--frames", 5) == "results/a film_frames.png"
    about = artifacts.check("results/a film_frames.png", "contact-sheet")
    assert about["frames"] == [0, 12, 24, 37, 49] and about["of_frames"] == N_FRAMES
    assert list(about["inputs"]) == ["a film.mp4"]


def test_a_tile_shows_the_frame_it_says(here):
    shown = tile_frames.sheet(here / "a film.mp4", [3, 30])
    for column, t in ((0, 3), (TILE_PX + 2, 30)):
        assert abs(int(shown[20, column + 20, 0]) - (20 + 3 * t)) <= 3


def test_without_a_number_there_are_twelve(here):
    make("a film.mp4")
    assert len(artifacts.read_sidecar("results/a film_frames.png")["frames"]) == N_TILES


def test_a_video_of_few_frames_shows_each_once(here):
    film(here / "short.mp4", 3)
    make("short.mp4", "--frames", 9)
    assert artifacts.read_sidecar("results/short_frames.png")["frames"] == [0, 1, 2]


def test_a_video_of_another_rate_is_counted_by_the_clock(here):
    film(here / "fast.mp4", 60, fps=50)
    make("fast.mp4")
    assert artifacts.read_sidecar("results/fast_frames.png")["of_frames"] == 30


@pytest.mark.parametrize("kind", tile_frames.READS)
def test_the_widest_mouth_is_shown_and_marked(here, kind):
    face = faces()
    points = face if kind == "landmarks-face" else face68.to_pixel_space(face, draw.face_view(64)).astype(np.float32)
    artifacts.save("own.npy", points, kind, stage="test")
    make("a film.mp4", "--landmarks", "own.npy", "--frames", 3)
    about = artifacts.read_sidecar("results/a film_frames.png")
    assert about["frames"] == [0, WIDEST, 24, 49] and about["widest_frame"] == WIDEST
    assert about["widest_opening"] == pytest.approx(face68.mouth_opening(face[WIDEST]), abs=0.01)
    with Image.open("results/a film_frames.png") as sheet:
        row = np.asarray(sheet.convert("RGB")).astype(int)[1]
    red = (row[:, 0] - row[:, 1] > 80).nonzero()[0]
    assert red.min() > TILE_PX and red.max() < 2 * TILE_PX + 4, "the second tile is framed, and no other"


def test_frames_without_a_face_are_never_the_widest(here):
    points = faces()
    points[[0, 5]] = np.nan
    artifacts.save("own.npy", points, "landmarks-face", stage="test")
    assert tile_frames.widest_frame(here / "own.npy", here / "a film.mp4", N_FRAMES)[0] == WIDEST


def test_a_face_that_comes_nearer_opens_its_mouth_no_wider(here):
    points = face68.to_pixel_space(faces(), draw.face_view(64)).astype(np.float32)
    points[40:] *= 20
    artifacts.save("own.npy", points, "landmarks-pixel", stage="test")
    assert tile_frames.widest_frame(here / "own.npy", here / "a film.mp4", N_FRAMES)[0] == WIDEST


def test_the_same_call_again_does_nothing_and_another_video_makes_it_anew(here, monkeypatch):
    out = make("a film.mp4", "--landmarks", "landmarks.npy")
    with monkeypatch.context() as patch:
        patch.setattr(tile_frames, "count_frames", lambda _: pytest.fail("the video is read again"))
        assert make("a film.mp4", "--landmarks", "landmarks.npy") == out
    film(here / "a film.mp4", 20)
    make("a film.mp4")
    assert artifacts.read_sidecar(out)["of_frames"] == 20


def test_what_is_synthetic_says_so_and_what_was_filmed_does_not(here):
    make("a film.mp4", "--out", "filmed.png")
    mark_synthetic("a film.mp4")
    make("a film.mp4", "--out", "synthetic.png")
    with Image.open("filmed.png") as filmed, Image.open("synthetic.png") as synthetic:
        assert "Comment" not in filmed.info and synthetic.info["Comment"] == COMMENT


def test_inspect_knows_it(here):
    done = command(inspect, make("a film.mp4"))
    assert done.exit_code == 0, done.stderr
    assert f"contact-sheet, version {KINDS['contact-sheet'].version}" in done.stdout and "sidecar    matches" in done.stdout


@pytest.mark.parametrize("size", [(200, 40), (40, 200)])
def test_a_time_fits_under_its_frame(size):
    shown = with_time(np.full((*size, 3), 90, np.uint8), 3599.96, "widest")
    band = shown[size[0]:-4, 4:-4]
    assert (band < 200).any() and (band[:, :2] > 200).all() and (band[:, -2:] > 200).all()


def test_what_is_no_video_is_said_in_one_line(here):
    assert refused("none.mp4") == "error: none.mp4: no such file; expected a video"
    (here / "text.mp4").write_text("no video")
    assert "text.mp4: not readable as a video" in refused("text.mp4")
    assert not (here / "results").exists()


def test_landmarks_that_cannot_be_its_own_are_refused(here):
    artifacts.save("long.npy", faces(90), "landmarks-face", stage="test")
    assert refused("a film.mp4", "--landmarks", "long.npy") == (
        "error: long.npy: 90 frames; expected about the 50 of a film.mp4, 25 a second; try: leave --landmarks away")
    artifacts.save("empty.npy", np.full((N_FRAMES, 68, 2), np.nan, np.float32), "landmarks-face", stage="test")
    assert "empty.npy: no face in any of 50 frames" in refused("a film.mp4", "--landmarks", "empty.npy")
    artifacts.save("rest.npy", made_up.drawn_face(), "rest-face", stage="test")
    assert "expected landmarks-face or landmarks-pixel" in refused("a film.mp4", "--landmarks", "rest.npy")
    assert "no.npy: no such file" in refused("a film.mp4", "--landmarks", "no.npy")


def test_nothing_of_somebody_else_is_overwritten(here):
    Image.new("RGB", (8, 8)).save("mine.png")
    assert "exists, and was not written by this tool" in refused("a film.mp4", "--out", "mine.png")
    assert make("a film.mp4", "--out", "mine.png", "--force") == "mine.png"
    assert "a name that ends in .png" in refused("a film.mp4", "--out", "sheet.jpg")
    (here / "link.png").symlink_to("a film.mp4")
    assert "one of the inputs" in refused("a film.mp4", "--out", "link.png", "--force")


def test_a_stopped_run_leaves_nothing(here, monkeypatch):
    monkeypatch.setattr(tile_frames, "sheet", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert command(tile_frames.main, "a film.mp4").exit_code == 130
    assert not list((here / "results").glob("*"))


def test_what_a_description_holds_is_json(here):
    make("a film.mp4", "--landmarks", "landmarks.npy")
    assert json.loads((here / "results" / "a film_frames.png.json").read_text())["options"] == {"frames": N_TILES}
