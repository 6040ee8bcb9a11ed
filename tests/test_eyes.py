"""Painted lids: which frames are paired, where the patch is laid, and when."""

import cv2
import h5py
import numpy as np
import pytest
import torch
from conftest import SIDE_PX, command, portrait, portrait_photo

from core import artifacts
from core.errors import InputError
from core.face import face68
from core.media.video import write_video
from learn.picture_run import train_as_asked
from render import portrait as portrait_module
from render.liveliness import close_lids
from render.parts import evaluate_eyes, train
from render.parts import pairs as part_pairs
from render.parts.data import as_tensors, load_pairs
from render.parts.network import Painter, load_painter, save_painter
from render.parts.painted import MODELS, PaintedPart, painted_parts
from render.parts.pair_choice import choose_eyes, shut_shares
from render.parts.part import EYES, MOUTH
from render.parts.view import PartView

STILL = np.zeros(5, np.float32)
OPTIONS = {"part": "eyes", "epochs": 4, "batch": 4, "seed": 0, "adversarial_weight": 0.02, "adversarial_from": 0.5}


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


@pytest.fixture(scope="module")
def green(tmp_path_factory):
    """A painter of eyes that paints all of its view green."""
    network = Painter(widths=(8, 8, 8), part="eyes")
    with torch.no_grad():
        network.to_picture.bias[:48] = torch.tensor([-9.0, 9.0, -9.0]).repeat_interleave(16)
        network.to_picture.bias[48:] = 20.0
    return save_painter(tmp_path_factory.mktemp("model") / "model.safetensors", network, stage="test")


def blinking_face(face, shares):
    """A face as measured in each frame, shut by `shares` of half its opening, as landmarks do: float32 [frame, 68, 2]."""
    return np.stack([close_lids(face, share / 2) for share in shares])


@pytest.fixture(scope="module")
def landmarks(face, tmp_path_factory):
    """Landmarks of two drawn clips, `train` and `val`, whose eyes are covered by skin where they blink."""
    root = tmp_path_factory.mktemp("blinks")
    shares = np.clip(np.sin(np.arange(60) / 4) * 2 - 0.8, 0, 1)
    rows = []
    for name, split in (("train", "train"), ("val", "val")):
        picture = cv2.resize(portrait(), (2 * SIDE_PX,) * 2, interpolation=cv2.INTER_CUBIC)
        photo = type(face)(face.path, picture, face.points)
        frames = []
        for share in shares:
            frame = picture.copy()
            for side in ("right_eye", "left_eye"):
                eye = photo.points[list(face68.GROUPS[side])]
                low, high = eye.min(0) - 2, eye.max(0) + 2
                skin = picture[int(high[1]) + 12, int(eye[:, 0].mean())].tolist()
                shut = low + (high - low) * (1, share)
                if share > 0:
                    cv2.rectangle(frame, low.astype(int).tolist(), shut.astype(int).tolist(), skin, -1)
            frames.append(frame)
        path = root / f"{name}.mp4"
        write_video(path, frames, quality="high")
        arrays = {"face": (blinking_face(photo.face, shares), "landmarks-face"), "rest": (photo.face, "rest-face"),
                  "pose": (np.tile(photo.pose, (len(shares), 1)).astype(np.float32), "head-pose")}
        for kind, (array, of) in arrays.items():
            artifacts.save(root / "landmarks" / f"{name}.{kind}.npy", array.astype(np.float32), of, stage="test")
        rows.append({"clip": name, "split": split, "speaker": name, "licence": "", "picture": str(path), "sound": str(path)})
    from core.index import write_index
    write_index(root / "landmarks" / "index.csv", rows, stage="test")
    return root / "landmarks"


@pytest.fixture(scope="module")
def pairs(landmarks, tmp_path_factory):
    out = tmp_path_factory.mktemp("pairs")
    result = command(part_pairs.main, "--part", "eyes", "--landmarks", landmarks, "--out", out, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    return out


def closed(face, share):
    return close_lids(face.face, share), STILL


def green_px(frame):
    return np.argwhere((frame[..., 1] > 180) & (frame[..., 0] < 90) & (frame[..., 2] < 90))[:, ::-1]


def test_a_view_holds_both_eyes(face):
    view = PartView(EYES, face.picture, face.face, face.pose)
    assert view.picture.shape == (*EYES.size, 3)
    mask, near = cv2.split(view.masks(face.face))
    for side in (slice(None, EYES.columns // 2), slice(EYES.columns // 2, None)):
        assert 200 < (mask[:, side] > 200).sum() < 3000 and near[:, side].max() > 250
    assert near[:, [0, -1]].max() == 0 and near[[0, -1]].max() == 0
    brows = (face.face[list(face68.GROUPS["left_brow"])] - view.corner) * view.view[0]
    inside = brows[(brows[:, 1] > 0)].astype(int)
    assert all(near[y, x] < 64 for x, y in inside if x < EYES.columns), "brows are not painted"


def test_the_mask_tells_what_the_lids_covered(face):
    view = PartView(EYES, face.picture, face.face, face.pose)
    opened, shut = (view.masks(close_lids(face.face, share))[..., 0] for share in (0, 1))
    assert (shut > 200).sum() < 0.35 * (opened > 200).sum()
    assert ((shut > 100) & (shut < 150)).sum() > 0.6 * (opened > 200).sum()


def test_shares_follow_the_blinks_and_not_the_landmarks(face):
    shares = np.array([0, 0, 0, 0, 0, 0.4, 1, 1, 0.6, 0, 0, 0, 0, 0])
    found = shut_shares(blinking_face(face.face, shares))
    assert found[0] < 0.05 and (found[6:8] > 0.95).all() and 0.2 < found[5] < 0.6, "half closed as measured is shut"
    assert shut_shares(blinking_face(face.face, 0 * shares)) is None


def test_photos_have_open_eyes_and_their_lids_are_moved(face):
    shares = np.tile([0, 0, 0, 0, 0, 0, 0.5, 1, 0.5, 0], 4)
    measured = blinking_face(face.face, shares)
    measured[3] = np.nan
    photo, shown, moved = choose_eyes(measured, 12, np.random.default_rng(0))
    assert len(photo) and (shares[photo] == 0).all() and 3 not in {*photo, *shown} and (shares[shown] > 0).mean() > 0.7
    gap = face68.eye_opening(moved) / face68.eye_opening(face.face)
    assert (gap[shares[shown] == 1] < 0.1).all(), "shut, however little the landmarks say"
    assert not len(choose_eyes(np.full_like(measured, np.nan), 12, np.random.default_rng(0))[0])


def test_the_truth_is_shut(pairs):
    with h5py.File(pairs / "train.h5") as file:
        truth, photo = file["truth"][:].astype(int), file["photo"][:][file["photo_of"][:]].astype(int)
        lids = file["masks"][:][..., 0]
    covered = (lids > 100) & (lids < 150)
    wide = covered.sum((1, 2)) > 500
    assert wide.sum() > 3
    assert all(np.abs(t - p)[c].mean() > 15 for t, p, c in zip(truth[wide], photo[wide], covered[wide]))


def test_clips_of_one_speaker_are_thinned(landmarks, tmp_path):
    result = command(part_pairs.main, "--part", "eyes", "--landmarks", landmarks, "--out", tmp_path, "--jobs", 1,
                     "--clips-of-speaker", 0)
    assert result.exit_code == 2, "at least one"


def test_training_learns_to_shut_eyes(pairs, tmp_path):
    torch.set_num_threads(1)
    options = {**OPTIONS, "pairs": str(pairs)}
    model = train_as_asked(train.training, train.STAGE, "pairs", record=tmp_path, save_every=100, **options)
    assert artifacts.read_sidecar(model)["settings"]["part"] == "eyes"
    batch = as_tensors(load_pairs(pairs, "val", EYES).batch(np.arange(8)))
    drawn, near = train.paint(load_painter(model, EYES), batch), batch["masks"][:, 1:]
    assert ((drawn - batch["truth"]).abs() * near).sum() < 0.97 * ((batch["warped"] - batch["truth"]).abs() * near).sum()


def test_pairs_and_painters_of_another_part_are_refused(pairs, green):
    with pytest.raises(InputError, match="eyes-pairs"):
        load_pairs(pairs, "train", MOUTH)
    with pytest.raises(InputError, match="a painter of eyes; expected one of mouth"):
        load_painter(green)


def test_lids_are_painted_where_the_eyes_are_and_only_in_a_blink(face, green):
    part = PaintedPart(face, EYES, green)
    shares = (0, 0.15, 0.3, 0.5, 1)
    moves = [closed(face, share) for share in shares]
    patches = part.paint([points for points, _ in moves], [part.view.warp.solve(points) for points, _ in moves])
    assert patches[0] is None and patches[1] is None, "open eyes cost nothing, and a squint moves the photo's own pixels"
    strength = [int(patch[..., 3].max()) for patch in patches[2:]]
    assert 0 < strength[0] < strength[1] == strength[2] == 255, "nothing jumps"
    frames = list(portrait_module.frames(face, moves, [part]))
    assert not len(green_px(frames[0]))
    found = green_px(frames[-1])
    middle = face68.to_pixel_space(np.zeros((1, 1, 2), np.float32), face.pose)[0, 0]
    assert np.linalg.norm(found.mean(0) - middle) < 0.1 * face.pose[0]
    for group in ("right_eye", "left_eye"):
        eye = face.points[list(face68.GROUPS[group])].mean(0)
        assert np.linalg.norm(found - eye, axis=1).min() < 2


def test_the_lids_follow_the_head(face, green):
    part = PaintedPart(face, EYES, green)
    moved = np.array([0, 0, 0, 0.1, -0.05], np.float32)
    rest, gone = (green_px(next(portrait_module.frames(face, [(close_lids(face.face, 1), head)], [part]))).mean(0)
                  for head in (STILL, moved))
    assert np.allclose((gone - rest) / face.pose[0], (0.1, -0.05), atol=0.01)


def test_what_ships_shuts_eyes(face):
    """No white between the lids, and no dark blotch in its place."""
    parts = painted_parts(face)
    assert [part.view.part for part in parts] == [MOUTH, EYES]
    assert all(path.stat().st_size < 2.5e6 for path in MODELS.values())
    opened, shut = (frame.astype(int) for frame in portrait_module.frames(face, [closed(face, 0), closed(face, 1)], parts))
    for group in ("right_eye", "left_eye"):
        eye = face.points[list(face68.GROUPS[group])]
        (left, top), (right, bottom) = eye.min(0).astype(int), eye.max(0).astype(int) + 1
        before, after = (frame[top:bottom, left:right] for frame in (opened, shut))
        white = [((e[..., 2] > 0.85 * e[..., 0]) & (e[..., 0] > 120)).sum() for e in (before, after)]
        assert white[1] < 0.2 * white[0]
        skin = opened[bottom + 8:bottom + 14, left:right].mean()
        assert after.mean() > 0.5 * skin, "skin, not a shade"


def test_evaluation_tells_methods_apart(landmarks, green, tmp_path):
    import json
    model = tmp_path / "model.safetensors"
    for name in ("", ".json"):
        (tmp_path / f"model.safetensors{name}").write_bytes((green.parent / f"{green.name}{name}").read_bytes())
    result = command(evaluate_eyes.main, "--model", model, "--landmarks", landmarks, "--picture", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.stderr
    about = json.loads((tmp_path / "metrics.json").read_text())
    table, frames = about["sources"]["all clips"], next(iter(about["frames"].values()))
    assert 0 < frames["measured"] <= frames["shut"] and (tmp_path / "sheet.png").is_file()
    assert table["painted"]["eye_psnr_db"] < min(table[m]["eye_psnr_db"] for m in ("warp alone", "photo held still")) - 2
