"""The mark that is seen: in every frame of every video, on whatever is behind it, and only where it was asked for."""

import ast
from importlib import import_module

import cv2
import numpy as np
import pytest
from conftest import ROOT, command, opening_motion, portrait_photo

import batch
from batches.preset import FILE
from core import artifacts
from core.errors import InputError
from core.media import nv12
from core.media.marks.watermark import DEFAULT, MOST_CHARS, Mark, check_mark, marked
from core.media.provenance import COMMENT, source_type
from core.media.video import read_frames
from render.dub.options import check_options
from render.options import RenderOptions
from render.render import main as render

SIZES = [(96, 128), (256, 256), (720, 1280), (1920, 1080)]  # rows, columns


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("behind", [0, 90, 128, 204, 255])
def test_it_stands_out_from_what_is_behind(size, behind):
    picture = np.full((*size, 3), behind, np.uint8)
    [frame] = marked([picture], DEFAULT)
    assert frame.max() > 200 and frame.min() < 60 and int(frame.max()) - frame.min() > 180
    rows, columns = (np.flatnonzero((frame != picture).any((1 - axis, 2))) for axis in (0, 1))
    short = min(size)
    assert rows.min() < 0.1 * short and rows.max() < 0.2 * short + 8, "above"
    assert columns.max() > size[1] - 0.1 * short and columns.min() > size[1] * 0.35, "at the right"
    assert (columns.max() - columns.min()) > 0.12 * size[1], "large enough to be read"
    assert (picture == behind).all(), "frames given are not written to"


@pytest.mark.parametrize("size", SIZES)
def test_the_planes_of_the_encoder_show_the_same(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    picture = np.repeat(np.repeat(picture[::8, ::8], 8, 0), 8, 1)[:size[0], :size[1]]
    before = nv12.join(*nv12.split(picture))
    [after], [shown] = marked([before], DEFAULT), marked([nv12.to_rgb(before)], DEFAULT)
    changed = nv12.to_rgb(after) != nv12.to_rgb(before)
    assert changed.any() and np.abs(nv12.to_rgb(after).astype(int) - shown).mean() < 1
    light, _ = nv12.views(after != before)
    assert light[size[0] // 2:].sum() == 0 and light[:, :size[1] // 3].sum() == 0, "all else is as it was, to the bit"


def test_it_is_seen_where_nothing_else_is():
    clear = np.zeros((256, 256, 4), np.uint8)
    [frame] = marked([clear], DEFAULT)
    assert frame[..., 3].max() == 204 and frame[128:, :, 3].max() == 0
    full = np.full((256, 256, 4), 255, np.uint8)
    [frame] = marked([full], DEFAULT)
    assert (frame[..., 3] == 255).all() and (frame[..., :3] == next(marked([full[..., :3]], DEFAULT))).mean() > 0.999


def test_without_a_text_frames_are_as_they_were():
    picture = np.zeros((64, 64, 3), np.uint8)
    assert list(marked([picture], ""))[0] is picture and RenderOptions().watermark == ""


@pytest.mark.parametrize("text, found", [("x" * (MOST_CHARS + 1), "61 letters"), ("two\nlines", "two"), (" ", "' '"),
                                         ("नमूना", "Devanagari letters")])
def test_what_cannot_be_drawn_is_refused(text, found):
    with pytest.raises(InputError, match=f"--watermark: .*{found}"):
        check_mark(text)
    with pytest.raises(InputError, match="--watermark"):
        RenderOptions(watermark=text)


def test_a_text_that_has_no_room_is_refused():
    with pytest.raises(InputError, match="--watermark: 60 letters, in a video of 64x64 px"):
        Mark("x" * MOST_CHARS, 64, 64)


def at_the_right(frames):
    """The part of the frames that the mark lies in, and what is left of it."""
    whole = np.stack(list(frames)).astype(int)
    return whole[:, :whole.shape[1] // 6, whole.shape[2] // 2:], whole[:, whole.shape[1] // 4:]


@pytest.mark.parametrize("asked, text", [(["--watermark"], DEFAULT), (["--watermark", "ACME"], "ACME"), ([], "")])
def test_a_command_draws_it_and_the_metadata_stay(tmp_path, asked, text):
    out, motion = tmp_path / "v.mp4", opening_motion(10)
    rest = portrait_photo(tmp_path / "p.png", 256).face
    landmarks = artifacts.save(tmp_path / "landmarks.npy", rest + motion, "landmarks-face", stage="test")
    done = command(render, landmarks, "--renderer", "sketch", "--size", 128, "--out", out, *asked, "--preview")
    assert done.exit_code == 0, done.stderr
    assert artifacts.read_sidecar(out)["options"]["watermark"] == text
    assert source_type(out) and COMMENT.encode() in out.read_bytes()
    marks, others = at_the_right(read_frames(out))
    assert bool(text) == all(frame.max() - frame.min() > 100 for frame in marks) and len(others) == 10


def test_a_preset_says_it_by_true_or_by_a_text(tmp_path, monkeypatch):
    import main
    monkeypatch.chdir(tmp_path)
    for value, text in (("true", DEFAULT), ("false", ""), ('"ACME"', "ACME")):
        FILE.write_text(f"[preset.ours]\nwatermark = {value}\n")
        context = main.main.make_context("main", ["--preset", "ours"])
        assert context.params["watermark"] == text
    assert "watermark" in batch.OPTIONS, "a column of a table"


def test_every_video_can_have_it():
    """What writes a talking video hands the mark on, and who signs it; a dubbed one takes them."""
    calls = []
    for path in ("render/render.py", "render/dub/dub.py", "scenes/video.py"):
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        calls += [{word.arg for word in node.keywords} for node in ast.walk(tree) if isinstance(node, ast.Call)
                  and getattr(node.func, "id", "") == "write_talking"]
    assert len(calls) == 3 and all({"watermark", "signed_by"} <= words for words in calls)
    check_options(RenderOptions(watermark="ACME", sign=("cert.pem", "key.pem")))


def test_the_live_face_has_it(tmp_path):
    pytest.importorskip("websockets", reason="no live page: pip install -e '.[web]'")
    from web.live.face import LiveFace
    photo = portrait_photo(tmp_path / "me.png", 128)
    plain, ours = (cv2.imdecode(np.frombuffer(LiveFace(photo, "full", 128, watermark=text).still(), np.uint8), 1).astype(int)
                   for text in ("", "ACME"))
    changed = np.abs(plain - ours).max(2) > 60
    assert changed[:32, 64:].sum() > 40 and not changed[40:].any()


@pytest.mark.parametrize("arguments", [("avatar.translate", "me.png", "comic.png"), ("web.live", "--photo", "me.png")])
def test_what_cannot_be_drawn_is_refused_before_anything_is_done(arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    module = import_module(arguments[0] if arguments[0] != "web.live" else "web.live.__main__")
    done = command(module.main, *arguments[1:], "--watermark", "x" * (MOST_CHARS + 1))
    assert done.exit_code == 1 and "--watermark: 61 letters" in done.stderr


def test_the_page_offers_it():
    pytest.importorskip("gradio", reason="no page: pip install -e '.[web]'")
    from web import controls
    assert controls.to_options({"watermark": "ACME"})["options"].watermark == "ACME"
    with pytest.raises(InputError, match="watermark"):
        controls.to_options({"watermark": "x" * (MOST_CHARS + 1)})
