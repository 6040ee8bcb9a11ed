"""Comics of photos: pairs, the networks, what is drawn, and how they speak."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT, command, describe, portrait, portrait_photo
from made_up import turned_to
from PIL import Image

import main
import predict
from animator import Animator
from avatar import data as avatar_data
from avatar import other_faces, translate
from avatar import pairs as avatar_pairs
from avatar import train as train_avatar
from avatar.comics import Avatars, enlarge
from avatar.disguise import FACES, disguise, face_mask, least_like, load_faces
from avatar.drawer import Drawer
from avatar.identity import data as identity_data
from avatar.identity import embed as identity
from avatar.identity import train as train_identity
from avatar.identity.measure import area_under
from avatar.identity.network import IdentityEncoder, save_encoder
from avatar.ink import draw_ink, remove_texture
from avatar.inputs import N_INPUTS, as_inputs
from avatar.network import Translator, load_translator, save_translator
from avatar.translation import SAME_PERSON
from core import artifacts, metrics
from core.errors import InputError
from core.face import draw, face68, face_detector
from core.media.audio import write_wav
from core.media.video import probe, read_frames
from learn.device import pick_device
from render.liveliness import close_lids
from render.parts.drawn import DrawnLids, DrawnMouth


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


def comic_of(picture, points):
    """What an artist makes of a picture: ink and flat paint, as seen through green glass."""
    return (draw_ink(remove_texture(picture), points) // 2 + np.array([0, 100, 30])).astype(np.uint8)


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    """A folder of pairs as Face2Comics has them: six people in two sheets, comics with a longer chin, one without a face."""
    folder = tmp_path_factory.mktemp("sheets")
    picture = cv2.resize(portrait(), (512, 512), interpolation=cv2.INTER_CUBIC)
    points, _ = face_detector.landmarks_of_picture(picture)
    longer = points.copy()
    longer[face68.LOWER_FACE, 1] += 8
    where = avatar_pairs.warp_of(points, longer, 512)
    for kind in ("face", "comic"):
        (folder / kind).mkdir()
    for number in range(6):
        for sheet in ("v1", "v2"):
            light = (picture * (0.8 + 0.06 * number)).clip(0, 255).astype(np.uint8)
            comic = cv2.remap(comic_of(light, points), where, None, cv2.INTER_LINEAR)
            for kind, shown in (("face", light), ("comic", comic)):
                Image.fromarray(shown).resize((256, 256)).save(folder / kind / f"{sheet}_256_{number:03d}.jpg", quality=95)
    for kind in ("face", "comic"):
        Image.new("RGB", (256, 256), "grey").save(folder / kind / "v1_256_006.jpg")
    return folder


@pytest.fixture(scope="module")
def pairs(sheets, tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "avatar_pairs"
    done = command(avatar_pairs.main, sheets, "--out", out, "--jobs", 2)
    assert done.exit_code == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def ink_model(tmp_path_factory):
    """A translator that adds nothing to ink and paint."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return save_translator(path, Translator(widths=(8, 8, 8, 8)), stage="test")


class TestPairs:
    def test_both_sheets_of_a_person_are_on_one_side(self, pairs):
        train, val = (identity_data.good_rows(pairs, split) for split in ("train", "val"))
        assert train and val
        assert not {row["speaker"] for row in train} & {row["speaker"] for row in val}
        assert all(row["style"] == row["clip"][:2] for row in train)

    def test_a_pair_without_a_face_is_told(self, pairs):
        text = (pairs / "index.csv").read_text()
        assert text.count("no face found") == 1
        assert len(identity_data.good_rows(pairs, "train")) + len(identity_data.good_rows(pairs, "val")) == 12

    def test_comics_come_to_the_points_of_the_photo(self, pairs, sheets):
        pair = identity_data.read_pair(pairs, {"clip": "v1_256_003"})
        before = cv2.imread(str(sheets / "comic" / "v1_256_003.jpg"))[..., ::-1].copy()
        drifts = []
        for comic in (before, pair["comic"]):
            seen, _ = face_detector.landmarks_of_picture(cv2.resize(comic, (512, 512), interpolation=cv2.INTER_CUBIC))
            drifts.append(np.linalg.norm(seen - pair["points"] * 2, axis=1)[face68.LOWER_FACE].mean())
        assert drifts[1] < 0.6 * drifts[0]


class TestInk:
    def test_texture_goes_and_the_face_stays(self, face):
        rng = np.random.default_rng(0)
        rough = (face.picture + rng.normal(0, 6, face.picture.shape)).clip(0, 255).astype(np.uint8)
        drawn = draw_ink(remove_texture(rough), face.points)
        cheek = tuple(slice(int(c) - 6, int(c) + 7) for c in face.points[[1, 31]].mean(0)[::-1])
        grain = [float(np.abs(cv2.Laplacian(p[cheek], cv2.CV_32F)).mean()) for p in (drawn, rough)]
        assert grain[0] < 0.5 * grain[1]
        seen, _ = face_detector.landmarks_of_picture(drawn)
        assert metrics.landmark_drift(seen[None], face.points[None]) / face68.eye_distance(face.points) < 0.08

    def test_a_dark_face_gets_the_lines_of_a_light_one(self, face):
        light = remove_texture(face.picture)
        is_ink = [draw_ink(picture, face.points).max(-1) < 40 for picture in (light, (light * 0.5).astype(np.uint8))]
        box = tuple(slice(int(a), int(b)) for a, b in zip(face.points.min(0)[::-1], face.points.max(0)[::-1]))
        assert 0.02 < is_ink[0][box].mean() < 0.5
        assert (is_ink[0][box] == is_ink[1][box]).mean() > 0.85


class TestTranslator:
    def test_frames_know_those_before_them(self):
        torch.manual_seed(0)
        network = Translator(widths=(8, 8, 8, 8)).eval()
        torch.nn.init.normal_(network.to_picture.weight, 0, 0.1)
        with torch.inference_mode():
            for layer in network.in_time:
                layer.taps.fill_(0.4)
            frames = torch.rand(1, 5, N_INPUTS, 32, 48)
            whole, _ = network(frames)
            first, past = network(frames[:, :3])
            rest, _ = network(frames[:, 3:], past)
            assert torch.allclose(whole, torch.cat([first, rest], 1), atol=1e-5)
            other = frames.clone()
            other[:, 2] += 0.5
            assert (network(other)[0][:, 3] - whole[:, 3]).abs().max() > 1e-4
            assert torch.allclose(network(other)[0][:, :2], whole[:, :2], atol=1e-6)

    def test_it_begins_with_ink(self, face, ink_model):
        small = cv2.resize(face.picture, (256, 256), interpolation=cv2.INTER_AREA)
        inputs = as_inputs(small, face.points / 2, "v1")
        network = Translator()
        with torch.inference_mode():
            drawn = network(torch.from_numpy(inputs)[None, None])[0][0, 0]
        assert np.allclose(drawn.numpy(), inputs[:3], atol=1e-6)

    def test_training_comes_nearer_to_the_comics(self, pairs):
        torch.manual_seed(0)
        train = avatar_data.load_pairs(pairs, "train")
        trainer = train_avatar.AvatarTrainer(Translator(widths=(16, 16, 16, 16)), IdentityEncoder(), 30, learning_rate=4e-3,
                                             adversarial_weight=0.05, adversarial_from=0.8)
        losses = [trainer.step(*batch)["pixel"] for batch in avatar_data.batches(train, {"batch": 2, "seed": 0}, 0, 30)]
        assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])

    def test_shifts_of_a_short_video_are_what_was_shifted(self, pairs):
        train = avatar_data.load_pairs(pairs, "train")
        _, truth, shifts = avatar_data.short_video(train, 0, np.random.default_rng(1))
        assert np.ptp(shifts, 0).max() > 0
        (x, y), (x1, y1) = shifts[0], shifts[np.abs(shifts - shifts[0]).sum(1).argmax()]
        other = truth[0, np.abs(shifts - shifts[0]).sum(1).argmax()]
        n = avatar_data.SIDE_PX - avatar_data.FARTHEST_PX
        low = np.maximum([x, y], [x1, y1])
        a = truth[0, 0][:, low[1] - y:low[1] - y + n, low[0] - x:low[0] - x + n]
        b = other[:, low[1] - y1:low[1] - y1 + n, low[0] - x1:low[0] - x1 + n]
        assert torch.equal(a, b)

    def test_enlarged_lines_have_no_halo(self):
        picture = np.full((40, 40, 3), 128, np.uint8)
        picture[:, 18:21] = 20
        large = enlarge(picture, (160, 160))
        assert large.min() >= 8 and large.max() <= 140, "what cubics overshoot, no more"
        plain = cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC)
        assert np.abs(np.diff(large[80, :, 0].astype(int))).max() > np.abs(np.diff(plain[80, :, 0].astype(int))).max()


class TestIdentity:
    def test_training_tells_people_apart(self, tmp_path):
        rng, side = np.random.default_rng(0), 96
        people = [cv2.resize(rng.integers(0, 255, (5, 5, 3), dtype=np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
                  for _ in range(6)]
        views = np.stack([np.clip(p * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8) for p in people for _ in range(6)])
        numbers = np.repeat(np.arange(6), 6)
        train = identity_data.Faces(views, numbers, np.array(["recordings"] * 36), [])
        torch.manual_seed(0)
        trainer = train_identity.IdentityTrainer(IdentityEncoder(), 6, 30)
        for batch in train_identity.batches(train, {"seed": 0, "batch": 12}, 0, 30):
            trainer.step(*batch)
        found = train_identity.check(trainer.average, train, tmp_path / "preview.png")
        assert found["val_auc"] > 0.9

    def test_area_under_the_curve(self):
        same = np.array([True, True, False, False])
        assert area_under(np.array([0.1, 0.2, 0.8, 0.9]), same) == 1
        assert area_under(np.array([0.9, 0.8, 0.2, 0.1]), same) == 0

    def test_command_writes_numbers_of_length_one(self, face, tmp_path):
        model = save_encoder(tmp_path / "model.safetensors", IdentityEncoder(), stage="test")
        out = tmp_path / "me.npy"
        done = command(identity.main, face.path, out, "--model", model)
        assert done.exit_code == 0, done.stderr
        assert np.isclose(np.linalg.norm(artifacts.load(out, "image-embedding").array), 1)


class TestDisguise:
    def test_another_face_is_worn_where_the_points_are(self, face):
        faces = load_faces(FACES)
        own = face_detector.embedding(face.picture)
        number = least_like(faces, face.picture, face.points)
        worn, paint = disguise(face.picture, face.points, faces, number)
        seen, _ = face_detector.landmarks_of_picture(worn)
        assert metrics.landmark_drift(seen[None], face.points[None]) / face68.eye_distance(face.points) < 0.05
        assert np.linalg.norm(face_detector.embedding(worn) - own) > SAME_PERSON
        away = face_mask(face.points, face.picture.shape[:2])[..., 0] == 0
        assert away.mean() > 0.3 and np.array_equal(worn[away], face.picture[away])
        again, kept = disguise(face.picture, face.points, faces, number, paint=paint)
        assert kept is paint and np.array_equal(again, worn)

    def test_none_of_it_changes_nothing(self, face):
        assert np.array_equal(disguise(face.picture, face.points, load_faces(FACES), 0, share=0.0)[0], face.picture)

    def test_it_takes_the_light_of_the_comic(self, face):
        dark = (face.picture * 0.5).astype(np.uint8)
        inside = face_mask(face.points, dark.shape[:2])[..., 0] > 0.9
        worn = disguise(dark, face.points, load_faces(FACES), 0)[0]
        assert np.median(worn[inside].mean(-1)) == pytest.approx(np.median(dark[inside].mean(-1)), abs=12)

    def test_faces_are_of_several_people_each(self, pairs, tmp_path, monkeypatch):
        monkeypatch.setattr(other_faces, "FEWEST", 1)
        done = command(other_faces.main, "--pairs", pairs, "--record", tmp_path)
        assert done.exit_code == 0, done.stderr
        made = tmp_path / "00001" / "faces.png"
        people, faces = artifacts.check(made, "other-faces")["people"], load_faces(made)
        assert sum(people) == 3 and len(faces.pictures) == len(people) >= 2
        assert np.abs(faces.pictures.astype(int) - faces.pictures[:, :, ::-1]).max() <= 1, "as alike left as right"
        assert faces.farthest_from(faces.embeddings[0])[-1] == 0

    def test_too_few_people_and_damaged_files_are_one_line(self, pairs, tmp_path, monkeypatch):
        monkeypatch.setattr(other_faces, "FEWEST", 50)
        done = command(other_faces.main, "--pairs", pairs, "--record", tmp_path / "record")
        assert done.exit_code == 1 and "100 or more" in done.stderr and not (tmp_path / "record").exists()
        Image.new("RGB", (256, 256)).save(tmp_path / "faces.png")
        describe(tmp_path / "faces.png", "other-faces")
        with pytest.raises(InputError, match="avatar.other_faces"):
            load_faces(tmp_path / "faces.png")


class TestTranslate:
    def test_photo_becomes_a_comic_of_its_size(self, face, tmp_path, ink_model):
        out = tmp_path / "avatar.png"
        done = command(translate.main, face.path, out, "--model", ink_model)
        assert done.exit_code == 0, done.stderr
        assert done.stdout.strip() == str(out)
        about = artifacts.check(out, "avatar")
        assert about["landmark_drift"] < 0.1
        assert about["identity_distance"] > 0
        assert "identity distance" in done.stderr
        drawn, photo = np.array(Image.open(out)), np.array(Image.open(face.path))
        assert drawn.shape == photo.shape
        assert np.abs(drawn.astype(int) - photo).mean() > 5

    def test_no_seam_around_a_small_face(self, face, ink_model):
        """A face too small for one piece is drawn apart: where its part ends, the picture is no steeper than elsewhere."""
        large = np.full((1200, 1600, 3), 170, np.uint8)
        large[300:556, 700:956] = cv2.resize(face.picture, (256, 256), interpolation=cv2.INTER_AREA)
        points = face.points * 0.5 + (700, 300)
        drawn, past = Avatars(ink_model)(large, points)
        assert {"whole", "face"} <= set(past)
        around = drawn[100:290].astype(int)
        assert np.abs(np.diff(around, axis=0)).max() < 12 and np.abs(np.diff(around, axis=1)).max() < 12

    def test_a_face_that_comes_nearer_keeps_its_past(self, face, ink_model):
        avatars, past, sizes = Avatars(ink_model), None, set()
        for zoom in (1.0, 1.15, 1.3):
            middle = face.points.mean(0)
            matrix = np.array([[zoom, 0, middle[0] * (1 - zoom)], [0, zoom, middle[1] * (1 - zoom)]])
            _, past = avatars(cv2.warpAffine(face.picture, matrix, (512, 512)), middle + (face.points - middle) * zoom, past)
            sizes.add(past["whole"][0].shape)
        assert len(sizes) == 1

    def test_no_face_is_one_line(self, tmp_path, ink_model):
        Image.new("RGB", (200, 200), "white").save(tmp_path / "wall.png")
        done = command(translate.main, tmp_path / "wall.png", tmp_path / "out.png", "--model", ink_model)
        assert done.exit_code == 1
        assert done.stderr.startswith("error:") and "no face found" in done.stderr and done.stderr.count("\n") == 1
        assert not (tmp_path / "out.png").exists()

    def test_foreign_files_stay(self, face, tmp_path, ink_model):
        (tmp_path / "mine.png").write_bytes(b"mine")
        done = command(translate.main, face.path, tmp_path / "mine.png", "--model", ink_model)
        assert done.exit_code == 1 and "--force" in done.stderr
        assert (tmp_path / "mine.png").read_bytes() == b"mine"

    def test_video_keeps_its_frames_and_its_sound(self, clip, tmp_path, ink_model, n_frames):
        out = tmp_path / "avatar.mp4"
        done = command(translate.main, clip, out, "--model", ink_model)
        assert done.exit_code == 0, done.stderr
        plain = list(read_frames(out))
        assert len(plain) == n_frames
        assert probe(out).has_sound
        assert command(translate.main, clip, out, "--model", ink_model, "--watermark", "ACME").exit_code == 0
        marked = np.abs(np.stack(list(read_frames(out))).astype(int) - plain).max(3) > 60
        assert marked[:, :marked.shape[1] // 5].any((1, 2)).all() and not marked[:, marked.shape[1] // 3:].any()


def opened(face, gap):
    """The photo's face with its mouth opened by `gap` eye distances."""
    moved = face68.closed_mouth(face.face)
    inner, outer = (list(face68.GROUPS[name]) for name in ("inner_lips", "outer_lips"))
    moved[[*inner[5:], *outer[7:]], 1] += gap
    return moved


class TestDrawnParts:
    def test_mouth_shows_teeth_and_dark_only_when_open(self, face):
        mouth = DrawnMouth(face)
        shut, wide = mouth.paint([opened(face, 0.0), opened(face, 0.3)], None)
        drawn = shut[shut[..., 3] > 200][:, :3].astype(int)
        is_ink, is_lips = drawn.max(1) < 60, np.abs(drawn - mouth.lips).max(1) < 12
        assert 0.02 < is_ink.mean() < 0.6 and (is_ink | is_lips).mean() > 0.85, "lips, and ink where they meet; no teeth"
        colours = wide[wide[..., 3] == 255][:, :3].astype(int)
        assert (colours.min(1) > 120).mean() > 0.1, "teeth"
        assert (colours.max(1) < 120).mean() > 0.3, "the dark inside"

    def test_a_mouth_that_was_shut_keeps_its_own_lips(self, face):
        still = replace(face, points=face68.to_pixel_space(face68.closed_mouth(face.face)[None], face.pose[None])[0])
        mouth = DrawnMouth(still)
        shut, = mouth.paint([still.face], None)
        assert (shut[shut[..., 3] > 200][:, :3].max(1) < 60).mean() > 0.9, "ink where they meet is all that is drawn"

    def test_lids_cover_the_eyes_as_they_close(self, face):
        lids = DrawnLids(face)
        rest, half, shut = lids.paint([close_lids(face.face, share) for share in (0.0, 0.5, 1.0)], None)
        assert rest is None
        eye = lids._px(face.face[list(face68.GROUPS["right_eye"])].mean(0)).astype(int)
        assert shut[eye[1], eye[0], 3] > 200
        assert (shut[..., 3] > 0).sum() >= (half[..., 3] > 0).sum()
        drawn = shut[shut[..., 3] == 255][:, :3]
        assert (drawn.max(1) < 60).mean() > 0.05, "lashes"
        assert (np.abs(drawn - np.array(lids.skins[0])).max(1) < 12).mean() > 0.2, "skin"


class TestSpeaking:
    def test_frontal_photo_and_speech_become_a_comic_that_speaks(self, tmp_path, photo_path, short_speech, predicted):
        out = tmp_path / "a.mp4"
        done = command(main.main, "--image", photo_path, "--audio", short_speech, "--avatar", "comic", "--output", out,
                       "--result_dir", tmp_path / "r", "--still")
        assert done.exit_code == 0, done.stderr
        assert "identity distance" in done.stderr
        folder = next((tmp_path / "r").iterdir())
        avatar = np.array(Image.open(folder / "avatar.png")).astype(int)
        frames = list(read_frames(out))
        photo = portrait().astype(int)
        assert np.abs(frames[0] - avatar).mean() < 0.5 * np.abs(frames[0] - photo).mean(), "the comic is shown, not the photo"
        assert artifacts.read_sidecar(out)["options"]["avatar"] == "comic"
        side_px = draw._SHOWN_PX[0]  # small photos are shown larger
        checked = Image.open(folder / "photo_check.png").crop((0, 0, side_px, side_px)).resize((256, 256))
        checked = np.array(checked).astype(int)
        assert np.abs(checked - avatar).mean() < np.abs(checked - photo).mean(), "no picture of the face is left"
        assert len(json.loads((folder / "face.json").read_text())["points"]) == face68.N_POINTS
        mouth = [frame[150:230, 90:160].astype(int) for frame in frames]
        assert max(np.abs(m - mouth[0]).mean() for m in mouth) > 3, "it speaks"

    def test_side_profile_is_warned_of(self, tmp_path, photo_path, short_speech, predicted, face, capsys):
        points = turned_to(face.points, 35) / 2
        (tmp_path / "face.json").write_text(json.dumps({"points": points.round(2).tolist()}))
        out = Animator().animate(photo_path, short_speech, tmp_path / "a.mp4", avatar="comic",
                                 points_file=tmp_path / "face.json")
        assert probe(out).has_sound
        assert "turned to the side" in capsys.readouterr().err

    def test_no_face_is_an_error(self, tmp_path, short_speech, predicted):
        Image.new("RGB", (256, 256), "white").save(tmp_path / "wall.png")
        done = command(main.main, "--image", tmp_path / "wall.png", "--audio", short_speech, "--avatar", "comic",
                       "--output", tmp_path / "a.mp4", "--result_dir", tmp_path / "r")
        assert done.exit_code == 1 and "no face found" in done.stderr
        assert not (tmp_path / "a.mp4").exists()

    def test_text_is_a_format_error_of_the_stage(self, tmp_path):
        (tmp_path / "speech.mp3").write_text("no sound " * 99)
        done = command(predict.main, tmp_path / "speech.mp3", "--out", tmp_path / "out")
        assert done.exit_code == 1
        assert "speech.mp3" in done.stderr and "not readable" in done.stderr and done.stderr.count("\n") == 1


def test_a_damaged_pair_is_told(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not readable"):
        identity_data.read_pair(tmp_path, {"clip": "a"})


class TestWithoutPyTorch:
    """Videos need none: it trains, and draws on GPUs."""

    def test_the_network_draws_as_pytorch_does(self, tmp_path):
        torch.manual_seed(2)
        network = Translator(widths=(8, 12, 16, 20))
        with torch.no_grad():
            for weights in network.parameters():
                weights.add_(0.1 * torch.randn_like(weights))
        drawer = Drawer(save_translator(tmp_path / "model.safetensors", network, stage="test"))
        network, past, wanted_past = load_translator(tmp_path / "model.safetensors"), None, None
        for shift in range(4):  # as many frames as the network looks back
            inputs = np.random.default_rng(shift).uniform(-1, 1, (N_INPUTS, 48, 64)).astype(np.float32)
            drawn, past = drawer(inputs, past)
            with torch.inference_mode():
                wanted, wanted_past = network(torch.from_numpy(inputs)[None, None], wanted_past)
            assert drawn == pytest.approx(wanted[0, 0].numpy(), abs=1e-3)
            for mine, its in zip(past, wanted_past, strict=True):
                assert mine == pytest.approx(its[0].numpy(), abs=1e-3)

    def test_a_comic_speaks(self, tmp_path):
        write_wav(tmp_path / "speech.wav", np.sin(np.arange(8000) / 9).astype(np.float32))
        Image.fromarray(portrait()).save(tmp_path / "me.png")
        done = _without_torch("from main import main", "--image", "me.png", "--audio", "speech.wav", "--avatar", "comic",
                              "--output", "out.mp4", "--size", "128", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out.mp4").stat().st_size > 1000

    def test_a_gpu_needs_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(InputError, match="pip install torch"):
            pick_device("cuda", "photo")
        assert pick_device("auto", "photo") == "cpu"

    @pytest.mark.parametrize(("command_of", "arguments"), [
        ("from gan.sample import main", []), ("from avatar.identity.embed import main", ["me.png"])])
    def test_what_needs_it_says_so(self, command_of, arguments, tmp_path):
        Image.fromarray(portrait()).save(tmp_path / "me.png")
        done = _without_torch(command_of, *arguments, cwd=tmp_path)
        assert done.returncode == 1 and "pip install torch" in done.stderr and "Traceback" not in done.stderr


NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
"""


def _without_torch(command_of, *arguments, cwd):
    code = f"{NO_TORCH}\n{command_of}\nmain(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True)
