"""The bench keeps what it measured, says what changed, and draws how cost grows; the measures themselves take minutes."""

import json

import pytest
from conftest import command

import bench
from core.cost import Row
from evaluation import growth


def test_each_run_is_kept_and_what_moved_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = iter([2.0, 2.1, 3.0])
    measures = {"ear": lambda _: [Row("ear", next(values), "s", "the speech", 1.0)]}
    monkeypatch.setattr(bench, "MEASURES", measures | {"batch": None})
    runs = [command(bench.main, "--only", "ear") for _ in range(3)]
    assert [run.exit_code for run in runs] == [0, 0, 0]
    assert ["changed" in run.stderr for run in runs] == [False, False, True], "a twentieth is no change"
    assert "ear: ratio 3.00, before 2.10" in runs[2].stderr
    history = json.loads((tmp_path / "results" / "bench_history.json").read_text())
    assert [run["measures"][0]["value"] for run in history] == [2.0, 2.1, 3.0]
    assert json.loads((tmp_path / "results" / "bench.json").read_text()) == history[-1]


def test_a_history_that_is_damaged_is_one_line_and_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "bench_history.json").write_text("[")
    monkeypatch.setattr(bench, "MEASURES", {"ear": lambda _: [Row("ear", 1, "s", "the speech", 1.0)], "batch": None})
    done = command(bench.main, "--only", "ear")
    assert done.exit_code == 1 and "bench_history.json" in done.stderr and done.stderr.count("error:") == 1
    assert (tmp_path / "results" / "bench_history.json").read_text() == "["


def test_growth_is_drawn_and_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "GROWTHS", {"length": lambda _: growth.Growth("a", "s", "b", [(1.0, 2.0), (10.0, 21.0)])})
    done = command(bench.main, "--only", "growth")
    assert done.exit_code == 0, done.stderr
    assert json.loads((tmp_path / "results" / "bench.json").read_text())["growth"][0]["points"] == [[1.0, 2.0], [10.0, 21.0]]
    assert (tmp_path / "results" / "bench.png").stat().st_size > 2000


@pytest.mark.parametrize("measure", [growth.ear, growth.voice])
def test_parts_are_measured(measure, tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "N_TIMES", 1)
    rows = measure(tmp_path)
    assert rows and all(0 < row.value < 300 and row.other > 1 for row in rows)
