"""Files of results: rows of other settings stay, rows of the same are replaced by newer ones of as many runs."""

from pathlib import Path
from typing import Any

import pytest

from meta_learner.evaluation import results

ROW: dict[str, Any] = {
    "identity": "x",
    "policy": "random",
    "budget": 4.0,
    "contrasts": 100,
    "proposals": 20,
    "seed": 1,
    "block_runs": 25,
    "particles": 2000,
    "moves": 5,
    "runs": 100,
}


def file(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.json"
    for row in rows:
        results.merge(path, {"kind": "benchmark", "rows": [row]})
    return path


@pytest.mark.parametrize("name", results.SETTING)
def test_rows_that_differ_in_one_setting_both_stay(tmp_path: Path, name: str) -> None:
    other = {**ROW, name: None, "runs": 200}
    path = file(tmp_path, ROW, other)
    assert results.load(path)["rows"] == [ROW, other]
    assert results.better_kept(path, [{**ROW, "runs": 150}]) is None


@pytest.mark.parametrize("runs", [100, 101])
def test_a_newer_row_of_the_setting_with_as_many_runs_replaces_it(tmp_path: Path, runs: int) -> None:
    newer = {**ROW, "runs": runs, "date": "later"}
    assert results.better_kept(file(tmp_path, ROW), [newer]) is None
    assert results.load(file(tmp_path, newer))["rows"] == [newer]


def test_a_newer_row_of_fewer_runs_does_not(tmp_path: Path) -> None:
    fewer = {**ROW, "runs": 99}
    path = file(tmp_path, ROW, fewer)
    assert results.load(path)["rows"] == [ROW]
    assert results.better_kept(path, [{**fewer, "policy": "sobol"}, fewer]) == "random"
    assert results.better_kept(tmp_path / "none.json", [fewer]) is None
