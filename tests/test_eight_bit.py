"""Painters in 8-bit numbers draw what PyTorch does, and PyTorch draws where ONNX Runtime is not there."""

import numpy as np
import pytest
import torch
from conftest import opening_motion, portrait_photo

from core import paths
from core.errors import InputError
from render.eight_bit import painter as eight_bit
from render.eight_bit.examples import example_faces
from render.eight_bit.graph import in_floats
from render.liveliness import close_lids
from render.parts import painted
from render.parts.network import Painter, as_floats, load_painter, masks_as_floats, save_painter, squares
from render.parts.part import EYES, LARGE_MOUTH, MOUTH, PARTS

ort = pytest.importorskip("onnxruntime")
MODELS = {MOUTH: "mouth", LARGE_MOUTH: "large_mouth", EYES: "eyes"}


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    return portrait_photo(tmp_path_factory.mktemp("photo") / "portrait.png", 512)


def moved(face, part):
    return [close_lids(face.face, share) for share in (0.5, 1)] if part is EYES else \
        [face.face + opening_motion()[t] for t in (0, 4, 8)]


def paint(face, part, model, monkeypatch, fast):
    """What is painted in moved faces, blended over the photo's own pixels, and where: float [n, row, column, rgb], bool."""
    with monkeypatch.context() as patch:
        patch.setattr(painted, "is_installed", lambda: fast)
        patch.setattr(painted, "_painter", painted._painter.__wrapped__)
        drawn = painted.PaintedPart(face, part, model)
    drawn.teeth = None
    faces = moved(face, part)
    solved = [drawn.view.warp.solve(points) for points in faces]
    patches, views = np.stack(drawn.paint(faces, solved)), np.stack([drawn.view.warp_photo(one) for one in solved])
    share = patches[..., 3:] / 255
    return views * (1 - share) + patches[..., :3] * share, patches[..., 3] > 8


def psnr_db(first, second):
    return 10 * np.log10(255**2 / np.square(first - second).mean())


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_what_ships_is_drawn_as_by_pytorch(face, part, monkeypatch):
    model = paths.MODELS[MODELS[part]]
    (exact, where), (fast, _) = (paint(face, part, model, monkeypatch, bytes_) for bytes_ in (False, True))
    assert where.any((1, 2)).all() and 44 < psnr_db(exact[where], fast[where]) < 70, "close, and another way of computing"


@pytest.mark.parametrize("part", [MOUTH, LARGE_MOUTH], ids=lambda part: part.name)
def test_any_weights_are_drawn_as_by_pytorch(face, part, monkeypatch, tmp_path):
    torch.manual_seed(1)
    network = Painter(widths=(8, 16, 8), part=part.name)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.05 * torch.randn_like(weights))
        network.to_picture.bias[3 * part.square**2:] += 2
    model = save_painter(tmp_path / "model.safetensors", network, stage="test")
    (exact, where), (fast, _) = (paint(face, part, model, monkeypatch, bytes_) for bytes_ in (False, True))
    assert where.mean() > 0.1 and psnr_db(exact[where], fast[where]) > 36, "all is painted, in odd colours"


def test_the_layers_in_floats_are_those_of_pytorch(face):
    network = load_painter(paths.MODELS["mouth"])
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    model, names = in_floats(weights, MOUTH)
    rng = np.random.default_rng(0)
    photo, example = rng.integers(0, 256, (2, *MOUTH.size, 4)).astype(np.uint8)
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {name: eight_bit.to_squares(view[None], MOUTH.square) for name, view in (("photo", photo), ("examples", example))}
    *maps, ends = session.run(None, given)

    def as_torch(view):
        view = torch.from_numpy(view)[None]
        return as_floats(view[..., :3]), masks_as_floats(view[..., 3:])

    with torch.inference_mode():
        wanted = network.look_at(*as_torch(photo))
        colours = 127.5 * network.draw(squares(*as_torch(example), MOUTH.square), wanted)[:, :3 * MOUTH.square**2]
    for ours, theirs in zip(maps, wanted):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-3)
    np.testing.assert_allclose(ends[names.index("to_picture")], [colours.min(), colours.max()], rtol=1e-3, atol=0.01)


def test_squares_come_and_go():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 4)).astype(np.uint8)
    laid = eight_bit.to_squares(pictures, 8)
    assert (laid[1, 1, 2] == pictures[1, 8:16, 16:24].ravel()).all()
    assert (eight_bit.from_squares(laid, 8) == pictures).all()


def test_without_onnx_runtime_pytorch_draws(monkeypatch):
    load = painted._painter.__wrapped__
    assert isinstance(load(paths.MODELS["mouth"], MOUTH, "cpu"), eight_bit.BytePainter)
    monkeypatch.setattr(painted, "is_installed", lambda: False)
    assert isinstance(load(paths.MODELS["mouth"], MOUTH, "cpu"), Painter)


def test_files_of_others_are_refused(tmp_path):
    with pytest.raises(InputError, match="a painter of eyes; expected one of mouth"):
        eight_bit.load_byte_painter(paths.MODELS["eyes"], MOUTH)
    with pytest.raises(InputError, match="expected render.mouth_model.MouthPainter version 2"):
        eight_bit.load_byte_painter(paths.MODELS["dcgan"], MOUTH)


def test_examples_open_the_mouth_and_shut_the_eyes(face):
    from core.face.face68 import eye_opening, mouth_opening
    assert np.ptp([mouth_opening(points[None])[0] for points in example_faces(face.face, lids=False)]) > 0.3
    assert min(eye_opening(points) for points in example_faces(face.face, lids=True)) < 0.2 * eye_opening(face.face)
