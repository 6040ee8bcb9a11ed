"""A second measurement of the mouth: where it looks, how two measurements agree, what evaluation makes of it."""

import numpy as np
import pytest
from conftest import command

from core import pretrained
from core.errors import InputError
from core.face import face68, mesh
from core.face.mesh import BELOW, SIDE, SIDE_PX, upright_face
from core.index import read_index, write_index
from landmarks.measure import trusted
from preprocess import second_opinion
from preprocess.second_opinion import FEWEST, agreement, mesh_opening


@pytest.fixture
def without_the_package(monkeypatch):
    monkeypatch.setattr(mesh, "find", lambda model: None)


@pytest.mark.parametrize("roll", [-0.4, 0.0, 0.7])
@pytest.mark.parametrize("scale_px", [30.0, 90.0])
def test_the_mesh_sees_the_face_upright_at_one_size(roll, scale_px):
    pose = np.array([scale_px, roll, 150.0, 120.0])
    frame = np.zeros((400, 400, 3), np.uint8)
    spots = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 1.2]])  # two eyes and a mouth
    for x, y in face68.to_pixel_space(spots[None], pose)[0]:
        frame[round(y) - 2:round(y) + 3, round(x) - 2:round(x) + 3] = 255
    seen = upright_face(frame, pose)
    assert seen.shape == (SIDE_PX, SIDE_PX, 3)
    for x, y in ((spots - [0, BELOW]) / SIDE + 0.5) * (SIDE_PX - 1):
        assert seen[round(y) - 1:round(y) + 2, round(x) - 1:round(x) + 2].max() > 60


@pytest.mark.parametrize("gap", [0.0, 0.1, 0.35])
def test_the_opening_of_a_mesh_is_in_eye_distances(gap):
    points = np.zeros((468, 3))
    for corners, x in zip(second_opinion.EYE_CORNERS, (60.0, 120.0)):
        points[list(corners), 0] = x - 5, x + 5
    points[second_opinion.INNER_LIPS[1], 1] = 60 * gap
    assert mesh_opening(points) == pytest.approx(gap)


def test_agreement_is_of_frames_that_both_have():
    rng = np.random.default_rng(0)
    own = np.repeat(rng.uniform(0, 0.3, 20), 6)
    mesh = 0.5 * own + 0.1
    mesh[:7], own[40:43] = np.nan, np.nan
    found = agreement(mesh, own)
    assert found["compared_frames"] == 110 and found["opening_agreement"] > 0.9 and 0.4 < found["opening_ratio"] < 0.5
    assert abs(agreement(rng.uniform(0, 1, 120), own)["opening_agreement"]) < 0.4
    with pytest.raises(ValueError, match="3 frames"):
        agreement(np.where(np.arange(120) < 10, mesh, np.nan), own)


def test_a_clip_is_compared_with_its_landmarks(data, monkeypatch):
    """A stand-in for the mesh, which sees how dark the mouth is."""
    def points(face):
        mesh = np.zeros((468, 3))
        for corners, x in zip(second_opinion.EYE_CORNERS, (66, 124)):
            mesh[list(corners), 0] = x
        mesh[second_opinion.INNER_LIPS[1], 1] = (face[110:160, 70:120].mean(-1) < 60).sum(0).max()
        return mesh

    monkeypatch.setattr(second_opinion, "mesh_points", points)
    row = next(row for row in read_index(data / "landmarks/index.csv") if not row.get("problem"))
    found = second_opinion.compare_clip(row, data, {"landmarks": data / "landmarks"})
    assert found["compared_frames"] >= FEWEST and -1 <= found["opening_agreement"] <= 1


def test_without_the_package_a_cure_is_printed(without_the_package, data, tmp_path):
    done = command(second_opinion.main, "--landmarks", data / "landmarks", "--out", tmp_path / "out")
    assert done.exit_code == 1 and pretrained.FACE_MESH.cure in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_evaluation_sets_clips_apart_whose_labels_agree(tmp_path):
    rows = [{"clip": f"{source}/{i}", "source": source, "model": {"opening_correlation": r}}
            for source, values in (("a", (0.9, 0.5)), ("b", (0.7,))) for i, r in enumerate(values)]
    index = write_index(tmp_path / "index.csv", [{"clip": "a/0", "opening_agreement": 0.8, "problem": ""},
                                                 {"clip": "a/1", "opening_agreement": 0.79, "problem": ""},
                                                 {"clip": "b/0", "opening_agreement": "", "problem": "no face"}], stage="test")
    table = trusted(rows, index)
    assert table["a"] == {"clips": 2, "agreed": 1, "opening_correlation": 0.7, "where_agreed": 0.9, "elsewhere": 0.5}
    assert table["b"]["where_agreed"] is None and table["b"]["elsewhere"] == 0.7
    assert table["all clips"]["clips"] == 3 and table["all clips"]["where_agreed"] == 0.9
    write_index(index, [{"clip": "a/0", "opening_agreement": "much"}], stage="test")
    with pytest.raises(InputError, match="'much'"):
        trusted(rows, index)
    write_index(index, [{"clip": "a/0"}], stage="test")
    with pytest.raises(InputError, match="preprocess.second_opinion"):
        trusted(rows, index)
