"""The report of everything: spreads and worst clips are right, and on clips made here the page holds what was measured."""

import json
import re

import numpy as np
import pytest
from conftest import command

from core.face import face68
from evaluation import lips, page
from evaluation.evaluate import main
from evaluation.spread import ALL, spread_of, table_of, worst
from landmarks.dataset import load_clips
from landmarks.ear import pack as ear_pack

ROWS = [{"clip": f"{source}/{i}", "source": source, "method": method, "fit": fit + i / 10}
        for source, fit in (("a", 0.5), ("b", 0.1)) for method in ("model", "none") for i in range(3)]


def test_spread_is_that_of_the_values_that_are_known():
    found = spread_of([1.0, 2.0, 3.0, None, float("nan")])
    assert found["n"] == 3 and found["mean"] == 2 and found["sd"] == pytest.approx(np.std([1, 2, 3]))
    assert 1 <= found["low"] < 2 < found["high"] <= 3
    assert spread_of([None]) is None
    wide, narrow = spread_of([0, 1] * 5), spread_of([0, 1] * 500)
    assert wide["high"] - wide["low"] > 5 * (narrow["high"] - narrow["low"]), "more clips, surer means"


def test_tables_are_by_source_and_method_and_over_all():
    table = table_of(ROWS)
    assert list(table) == ["a", "b", ALL] and list(table["a"]) == ["model", "none"]
    assert table["a"]["model"]["fit"]["mean"] == pytest.approx(0.6) and table[ALL]["none"]["fit"]["n"] == 6
    assert table[ALL]["model"]["fit"]["mean"] == pytest.approx(0.4)


def test_the_worst_come_first():
    assert [row["clip"] for row in worst(ROWS, "model", "fit", 4)] == ["b/0", "b/1", "b/2", "a/0"]
    rows = [*ROWS, {"clip": "c", "source": "c", "method": "model", "fit": None}]
    assert worst(rows, "model", "fit", 1)[0]["clip"] == "b/0", "what is not known is not the worst"


def test_nested_measures_become_tables():
    html = page.plain_table({"split": "val", "sources": {"a": {"r": 0.5, "n": 3}, "b": {"r": 0.25, "n": 4}}, "list": [1, 2]})
    assert "sources / b</th><td>0.250</td><td>4</td>" in html
    assert html.count("<table>") == 2 and "1, 2" not in html


def test_names_that_are_html_are_text():
    assert "<b>" not in page.plain_table({"<b>": {"<b>": 1, "x": "<b>"}}) + page.spread_table(table_of(
        [{"clip": "c", "source": "<b>", "method": "<b>", "<b>": 1.0}]))


@pytest.fixture(scope="module")
def report(data, tmp_path_factory):
    """The report on ben/3, the one clip of `val`."""
    folder = tmp_path_factory.mktemp("report")
    index = data / "recordings" / "index.csv"
    assert command(ear_pack.main, "--pack", data / "train.h5", "--index", index, "--versions", 1, "--jobs", 1,
                   "--out", folder / "ear.h5").exit_code == 0
    (folder / "other_metrics.json").write_text(json.dumps({"shares": {"right": 0.125}}))
    done = command(main, "--pack", data / "train.h5", "--ear", folder / "ear.h5", "--landmarks", data / "landmarks",
                   "--index", index, "--every-clip", 1, "--out", folder / "out",
                   "--also", folder / "other_metrics.json")
    assert done.exit_code == 0, done.stderr
    return folder / "out"


def test_the_report_holds_what_was_measured(report, data):
    measured = json.loads((report / "evaluation.json").read_text())
    text = (report / "index.html").read_text()
    lip_rows = measured["parts"]["Lips"]["clips"]
    assert {row["method"] for row in lip_rows} == {lips.MODEL, lips.STREAM, lips.FFT, "mean face", "first frame*", "clip mean*"}
    by_hand, = (row for row in lip_rows if row["method"] == "clip mean*")
    face = load_clips(data / "train.h5", "val")[0].face
    seen = face[np.isfinite(face).all((1, 2))]
    off = np.linalg.norm(seen - seen.mean(0), axis=-1)[:, face68.MOUTH].mean()
    assert by_hand["lip_drift"] == pytest.approx(off, rel=1e-4)
    for part in measured["parts"].values():
        for methods in part["table"].values():
            for found in methods.values():
                for spread in filter(None, found.values()):
                    assert f"<td>{page._number(spread['mean'])}<small>" in text
    assert "0.125" in text and "landmark-robustness" in text, "what other commands measured"


def test_every_picture_of_the_report_is_there(report):
    text = (report / "index.html").read_text()
    sources = re.findall(r'src="([^"]+)"', text)
    assert len(sources) >= 5 and all((report / source).stat().st_size > 500 for source in sources)
    assert text.count("ben/3: ") >= 3 and "http" not in text.replace("https://", "http")


def test_another_split_and_no_such_clips(data, tmp_path):
    done = command(main, "--pack", data / "train.h5", "--ear", tmp_path / "none.h5", "--landmarks", data / "landmarks",
                   "--index", data / "recordings" / "index.csv", "--out", tmp_path / "out")
    assert done.exit_code == 1 and "none.h5" in done.stderr and not (tmp_path / "out").exists()
