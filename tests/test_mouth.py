"""The mouth model: pairs of frames, training, and a patch laid where the mouth is."""

from functools import partial

import cv2
import h5py
import numpy as np
import pytest
import torch
from conftest import command, opening_motion, portrait_photo, stopped_at
from safetensors.torch import load_file

from core import artifacts
from core.errors import InputError
from core.face import face68
from core.index import read_index
from learn.picture_run import train_as_asked
from render import evaluate, portrait
from render.parts import pairs as part_pairs
from render.parts import train
from render.parts.data import as_tensors, augment, load_pairs
from render.parts.network import WIDTHS, Painter, as_floats, load_painter, masks_as_floats, save_painter
from render.parts.painted import PaintedPart
from render.parts.pair_choice import choose_mouths
from render.parts.part import MOUTH
from render.parts.view import PartView

OPTIONS = {"part": "mouth", "epochs": 2, "batch": 4, "seed": 0, "adversarial_weight": 0.02, "adversarial_from": 0.5}


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    """A model that paints all of its view green, and nothing else."""
    network = Painter(widths=(8, 8, 8))
    with torch.no_grad():
        network.to_picture.bias[:48] = torch.tensor([-9.0, 9.0, -9.0]).repeat_interleave(16)
        network.to_picture.bias[48:] = 20.0
    return save_painter(tmp_path_factory.mktemp("model") / "model.safetensors", network, stage="test")


@pytest.fixture(scope="module")
def pairs(data, tmp_path_factory):
    """Pairs of the drawn clips; ben/3 is `val`."""
    out = tmp_path_factory.mktemp("pairs")
    result = command(part_pairs.main, "--landmarks", data / "landmarks", "--out", out, "--most", 12, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    return out


@pytest.fixture(scope="module")
def trained(pairs, tmp_path_factory):
    return run(pairs, tmp_path_factory.mktemp("record"))


def run(pairs, record, save_every=9, widths=(8, 8, 8), **changes):
    options = {**OPTIONS, "pairs": str(pairs), **changes}
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "Painter", partial(Painter, widths=widths))
        return train_as_asked(train.training, train.STAGE, "pairs", record=record, save_every=save_every, **options)


def test_a_view_at_rest_is_the_photo(face):
    view = PartView(MOUTH, face.picture, face.face, face.pose)
    warped = view.warp_photo(view.warp.solve(view.face))
    assert warped.shape == (*MOUTH.size, 3)
    assert np.abs(warped.astype(int) - view.picture).mean() < 0.5


def test_a_view_lies_where_the_mouth_is(face):
    view = PartView(MOUTH, face.picture, face.face, face.pose)
    (shut, near), (opened, _) = (cv2.split(view.masks(points)) for points in (face.face, face.face + opening_motion()[8]))
    y, x = np.nonzero(shut)
    assert abs(x.mean() - MOUTH.columns / 2) < 8 and MOUTH.columns * 0.5 < np.ptp(x) < MOUTH.columns * 0.9
    assert (opened > 200).sum() > 2 * (shut > 200).sum(), "whole between the lips"
    assert (near[shut > 100] > 225).all() and near[:10].max() == 0


def test_pairs_are_of_other_frames_and_the_truth_is_the_clip(pairs, data):
    rows = {row["clip"]: row for row in read_index(pairs / "index.csv")}
    assert rows["ben/3"]["split"] == "val" and int(rows["ben/3"]["pairs"]) > 5
    assert "no face" in rows["odd/no face"]["problem"]
    with h5py.File(pairs / "ben" / "3.h5") as file:
        truth, warped, photo = (file[name][:].astype(int) for name in ("truth", "warped", "photo"))
        lips = file["masks"][:][..., :1] > 0
        chin_row = np.array([np.nonzero(one)[0].max() for one in lips])
        photos, all_pairs = photo[file["photo_of"][:]], np.arange(len(truth))
        gone = [np.abs(picture - truth)[all_pairs, chin_row].mean() for picture in (warped, photos)]
    assert gone[0] < gone[1], "moved by the landmarks, the lower lip comes nearer to the truth"


def test_a_photo_never_shows_itself():
    rng = np.random.default_rng(0)
    face = np.zeros((40, 68, 2), np.float32) + rng.normal(0, 1, (68, 2)).astype(np.float32)
    face[5] = np.nan
    photo, shown, _ = choose_mouths(face, 30, rng)
    assert len(photo) and (photo != shown).all() and 5 not in {*photo, *shown}
    face[:20] += np.array([0.5, 0], np.float32)  # the head is turned otherwise
    photo, shown, _ = choose_mouths(face, 30, rng)
    assert ((photo < 20) == (shown < 20)).all()


def test_pictures_of_a_pair_are_varied_alike(pairs):
    batch = load_pairs(pairs, "train").batch(np.arange(4))
    batch["warped"] = batch["truth"]
    some = augment(batch, np.random.default_rng(3))
    assert torch.equal(some["warped"], some["truth"])
    assert not torch.allclose(some["truth"], as_tensors(batch)["truth"], atol=0.05)
    assert some["truth"].abs().max() <= 1


def test_bytes_are_drawn_as_floats_are(face):
    torch.manual_seed(0)
    painter, view = Painter(widths=(8, 8, 8)), PartView(MOUTH, face.picture, face.face, face.pose)
    with torch.inference_mode():
        for weights in painter.parameters():
            weights.add_(0.05 * torch.randn_like(weights))
        pixels = torch.from_numpy(np.stack([view.picture, view.picture[::-1], view.picture[:, ::-1]]))
        masks = torch.from_numpy(np.stack([view.masks(face.face + opening_motion()[t]) for t in (0, 4, 8)]))
        floats, soft = as_floats(pixels), masks_as_floats(masks)
        maps = painter.look_at(floats[:1], soft[:1])
        colour, mask = painter(floats, soft, maps)
        expected = torch.cat([(colour + 1) / 2, mask], 1).permute(0, 2, 3, 1).mul(255).round().clamp(0, 255)
        drawn = painter.patches(torch.cat([pixels, masks[..., :1]], 3), masks[..., 1].contiguous(), maps)
    assert expected[..., 3].std() > 20 and (drawn - expected).abs().max() <= 1


def test_a_new_model_changes_nothing(face, tmp_path):
    path = save_painter(tmp_path / "model.safetensors", Painter(widths=(8, 8, 8)), stage="test")
    moves = [(face.face + opening_motion()[8], np.zeros(5, np.float32))]
    part = PaintedPart(face, model=path)
    part.teeth = None  # those of the photo are laid whatever a network paints
    painted, alone = (next(portrait.frames(face, moves, parts)).astype(int) for parts in ([part], ()))
    assert np.abs(painted - alone).mean() < 0.5


def test_the_patch_follows_the_head(face, painter):
    def green(head):
        moves = [(face.face, np.array(head, np.float32))]
        frame = next(portrait.frames(face, moves, [PaintedPart(face, model=painter)])).astype(int)
        y, x = np.nonzero((frame[..., 1] > 200) & (frame[..., 0] < 60) & (frame[..., 2] < 60))
        return np.array([x.mean(), y.mean()])

    mouth = face68.to_pixel_space(face.face[None], face.pose)[0][face68.MOUTH].mean(0)
    rest = green((0, 0, 0, 0, 0))
    assert np.linalg.norm(rest - mouth) < 0.35 * face.pose[0]
    moved = (green((0, 0, 0, 0.1, -0.05)) - rest) / face.pose[0]
    assert np.allclose(moved, (0.1, -0.05), atol=0.01)


def test_training_learns_and_ships_what_it_was_made_of(pairs, tmp_path):
    trained = run(pairs, tmp_path, epochs=9, save_every=999, widths=WIDTHS)  # each checkpoint takes as long as ten steps
    about = artifacts.read_sidecar(trained)
    assert about["pairs"] == len(load_pairs(pairs, "train")) and about["speakers"] == ["anna", "ben", "odd"]
    assert (trained.parent / "preview.png").is_file() and (trained.parent / "curves.csv").is_file()
    batch = as_tensors(load_pairs(pairs, "train").batch(np.arange(8)))
    drawn = train.paint(load_painter(trained), batch)
    near = batch["masks"][:, 1:]  # a painter that learnt nothing leaves 1.0 of the error; this one 0.978, of 7 epochs 0.99
    assert ((drawn - batch["truth"]).abs() * near).sum() < 0.99 * ((batch["warped"] - batch["truth"]).abs() * near).sum()


def test_resuming_equals_not_stopping(pairs, trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "check", stopped_at(train.check, 3))  # what came after the second is done again
        run(pairs, tmp_path)
    assert (tmp_path / "00001" / "state.safetensors").is_file()
    model = run(pairs, tmp_path)
    whole, resumed = load_file(trained), load_file(model)
    assert model.parent.name == "00001" and all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_another_network_is_refused(tmp_path, painter):
    from gan.model import Generator, save_generator, widths_for
    path = save_generator(tmp_path / "model.safetensors", Generator(32, widths_for(32, 0.2)), stage="test")
    with pytest.raises(InputError, match="expected render.mouth_model.MouthPainter version 2"):
        load_painter(path)


def test_evaluation_tells_methods_apart(data, painter, tmp_path):
    model = tmp_path / "model.safetensors"
    for name in ("", ".json"):
        (tmp_path / f"model.safetensors{name}").write_bytes((painter.parent / f"{painter.name}{name}").read_bytes())
    result = command(evaluate.main, "--model", model, "--landmarks", data / "landmarks", "--picture", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.stderr
    import json
    table = json.loads((tmp_path / "metrics.json").read_text())["sources"]["all clips"]
    assert table["warp alone"]["mouth_ssim"] > table["painted"]["mouth_ssim"] + 0.1, "all green is no mouth"
    assert table["warp alone"]["mouth_psnr_db"] > table["photo held still"]["mouth_psnr_db"]
    assert table["warp alone"]["identity"] < 0.4 and (tmp_path / "sheet.png").is_file()
