"""Videos in other formats than .mp4, and without what is behind the person."""

import subprocess

import numpy as np
import pytest
from conftest import command, portrait
from PIL import Image

from core import artifacts
from core.errors import InputError
from core.media import ffmpeg, nv12
from core.media.formats import FORMATS, format_of, not_whole
from core.media.video import probe, read_frames, write_video
from main import main
from render.background import see_through
from render.render import check_output
from render.render import main as render
from scene import main as scene

N = 12


def moving(n_channels=3):
    """A square that moves over grey; with four channels nothing is around it."""
    for t in range(N):
        frame = np.full((48, 64, 4), 90, np.uint8)
        frame[..., 3] = 0
        frame[10:30, 5 + 3 * t:25 + 3 * t] = 220, 40, 40, 255
        frame = frame if n_channels == 4 else np.ascontiguousarray(frame[..., :3])
        yield frame if n_channels > 1 else nv12.join(*nv12.split(frame))


def decoded(path):
    """Frames of any of the formats, uint8 [frame, row, column, rgba]."""
    if path.suffix == ".webp":  # ffmpeg does not read those that move
        with Image.open(path) as image:
            frames = []
            for t in range(image.n_frames):
                image.seek(t)
                frames.append(np.array(image.convert("RGBA")))
        return np.stack(frames)
    with ffmpeg.running([*(["-c:v", "libvpx-vp9"] if path.suffix == ".webm" else []), "-i", ffmpeg.url(path), "-f", "rawvideo",
                         "-pix_fmt", "rgba", "-"], stdout=subprocess.PIPE) as reader:
        return np.frombuffer(reader.stdout.read(), np.uint8).reshape(-1, 48, 64, 4)


class TestFormats:
    @pytest.mark.parametrize("suffix", FORMATS)
    def test_frames_come_back(self, tmp_path, suffix, speech):
        path = write_video(tmp_path / f"a{suffix}", moving(), speech=speech, quality="high")
        frames = decoded(path)
        assert len(frames) == N
        assert np.abs(frames[-1][..., :3].astype(int) - list(moving())[-1]).mean() < 6
        if suffix in (".mp4", ".webm"):
            assert probe(path).has_sound

    @pytest.mark.parametrize("suffix", [".mp4", ".webm"])
    def test_planes_are_the_same_picture(self, tmp_path, suffix):
        one, other = (list(read_frames(write_video(tmp_path / f"{n}{suffix}", moving(n), quality="high"))) for n in (3, 1))
        assert np.abs(one[5].astype(int) - other[5]).mean() < 3

    @pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if FORMATS[suffix].see_through])
    def test_what_is_seen_through_is_so(self, tmp_path, suffix):
        frames = decoded(write_video(tmp_path / f"a{suffix}", moving(4), quality="high"))
        assert frames[3][20, 24, 3] > 250 and frames[3][2, 2, 3] < 5
        assert np.abs(frames[3][20, 24, :3] - [220., 40, 40]).max() < 12

    @pytest.mark.parametrize("quality", ["low", "high"])
    @pytest.mark.parametrize("suffix", [".mp4", ".webm", ".webp"])
    def test_quality_is_size(self, tmp_path, suffix, quality):
        rng = np.random.default_rng(0)
        noise = [rng.integers(0, 256, (48, 64, 3)).astype(np.uint8) for _ in range(N)]
        sizes = [write_video(tmp_path / f"{q}{suffix}", noise, quality=q).stat().st_size for q in ("medium", quality)]
        assert (sizes[1] < sizes[0]) == (quality == "low")

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_half_a_file_is_not_whole(self, tmp_path, suffix):
        path = write_video(tmp_path / f"a{suffix}", moving())
        assert not not_whole(path, suffix, N, 25, False)
        path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
        assert not_whole(path, suffix, N, 25, False)

    def test_capitals_do_not_count(self):
        assert format_of("A.WEBM") == FORMATS[".webm"] and format_of("a.part") == FORMATS[".mp4"]


class TestSeeThrough:
    def test_colours_and_shares_come_back(self):
        rng = np.random.default_rng(0)
        colour, share = rng.uniform(0, 255, (8, 9, 3)), rng.uniform(0.3, 1, (8, 9, 1))
        dark, light = ((colour * share + before * (1 - share)).round().astype(np.uint8) for before in (0, 255))
        found, = see_through([dark], [light])
        assert np.abs(found[..., 3:] - 255 * share).max() < 1.5 and np.abs(found[..., :3] - colour).max() < 5

    def test_nothing_and_all(self):
        dark, light = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
        assert not next(see_through([dark], [light])).any()
        assert (next(see_through([light], [light])) == 255).all()

    def test_a_person_alone(self, tmp_path, short_speech):
        Image.fromarray(portrait()).save(tmp_path / "me.png")
        done = command(main, "--image", tmp_path / "me.png", "--audio", short_speech, "--background", "none", "--output",
                       tmp_path / "me.webp", "--fps", 5, "--emotion", "neutral")
        assert done.exit_code == 0, done.stderr
        frames = decoded(tmp_path / "me.webp")
        assert frames[0].shape == (256, 256, 4)
        assert (frames[:, 130, 125, 3] > 250).all() and (frames[:, :20, :20, 3].mean() < 5), "her nose, and the wall behind her"
        assert artifacts.check(tmp_path / "me.webp", "talking-video")["options"]["background"] == "none"


@pytest.mark.parametrize(("name", "options", "found"), [
    ("a.avi", {}, "a .avi file"), ("a", {}, "a nameless file"), ("a.webm", {"captions": "mux"}, "mux, into a .webm"),
    ("a.mp4", {"background": "none"}, "none, in a .mp4"), ("a.gif", {"background": "none"}, "none, in a .gif"),
    ("a.webm", {"background": "none", "captions": "burn"}, "burn, before")])
def test_what_a_format_cannot_be(tmp_path, name, options, found):
    from render.options import RenderOptions
    with pytest.raises(InputError, match=found) as error:
        check_output(tmp_path / name, options=RenderOptions(**options))
    assert error.value.cure


class TestInputsStay:
    """A video never takes the place of what it is made of, not even with --force."""

    @pytest.mark.parametrize("option", ["--audio", "--video", "--script"])
    @pytest.mark.parametrize("way", ["same", "link", "folder"])
    def test_of_main(self, tmp_path, short_speech, option, way):
        source = write_video(tmp_path / "talk.mp4", moving(), speech=short_speech)
        before = source.read_bytes()
        out = {"same": source, "link": tmp_path / "link.mp4", "folder": tmp_path / "x" / ".." / "talk.mp4"}[way]
        (tmp_path / "x").mkdir()
        if way == "link":
            out.symlink_to(source)
        Image.fromarray(portrait()).save(tmp_path / "me.png")
        first = ["--video", source, "--audio", short_speech] if option == "--video" else \
            ["--image", tmp_path / "me.png", option, source]
        done = command(main, *first, "--output", out, "--force")
        assert done.exit_code == 1 and "one of the inputs" in done.stderr and source.read_bytes() == before

    def test_of_the_renderer(self, tmp_path, short_speech):
        source = write_video(tmp_path / "talk.mp4", moving(), speech=short_speech)
        for option in ("--speech", "--photo"):
            done = command(render, tmp_path / "landmarks.npy", option, source, "--out", source, "--force")
            assert done.exit_code == 1 and "one of the inputs" in done.stderr

    def test_of_a_scene(self, tmp_path, short_speech):
        source = write_video(tmp_path / "talk.mp4", moving(), speech=short_speech)
        done = command(scene, tmp_path / "us.png", "--audio", short_speech, "--audio", source, "--output", source, "--force")
        assert done.exit_code == 1 and "one of the inputs" in done.stderr
