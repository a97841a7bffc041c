"""``organon benchmark``: rows as a table and as JSON, files that grow, words that are domains."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from domains.errors import DomainError
from meta_learner.evaluation import results
from orchestrator.cli.benchmark import app
from orchestrator.errors import RequestError

FEW = ["--runs", "4", "--contrasts", "100", "--particles", "50", "--proposals", "20"]


def organon(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_published_rows_stand_beside_ours_where_the_setting_is_the_same() -> None:
    same = organon("death-process", "--policy", "random", *FEW[:2], "--contrasts", "1000000", "--blind")
    assert same.exit_code == 0, same.output
    assert "DAD, published" in same.stdout
    other = organon("domain", "death-process", "--policy", "random", *FEW)
    assert other.exit_code == 0, other.output
    assert "published" not in other.stdout
    assert "L = 100," in other.stdout


def test_a_file_keeps_other_rows_and_replaces_its_own(tmp_path: Path) -> None:
    file = tmp_path / "results" / "death-process.json"
    for policy in ("random", "sobol", "random"):
        ended = organon("death-process", "--policy", policy, *FEW, "--json", "--out", str(file))
        assert ended.exit_code == 0, ended.output
    printed, kept = json.loads(ended.stdout), results.load(file)
    assert [row["policy"] for row in kept["rows"]] == ["sobol", "random"]
    assert printed["rows"] == kept["rows"][1:]
    row = kept["rows"][0]
    assert (kept["kind"], kept["domain"]) == ("benchmark", "death-process")
    assert row["spce"]["mean"] <= row["snmc"]["mean"]
    assert row["machine"]["cores"] > 0
    assert organon("death-process", "--policy", "random", *FEW, "--seed", "1", "--out", str(file)).exit_code == 0
    assert [row["seed"] for row in results.load(file)["rows"]] == [2026, 2026, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["death-process", "--policy", "nope"], "there is no policy 'nope'"),
        (["death-process", "--policy", "expected-improvement"], "which death-process does not allow (goal: learn has"),
        (["death-process", "--policy", "random", "--budget", "0.5"], "it pays for no experiment of death-process"),
        (["death-process", "--policy", "expected-information-gain", "--blind"], "leave --blind out"),
    ],
)
def test_mistakes_are_told(arguments: list[str], message: str) -> None:
    ended = organon(*arguments)
    assert isinstance(ended.exception, RequestError | DomainError)
    assert message in str(ended.exception)


def test_a_row_of_more_runs_is_not_replaced_by_one_of_fewer(tmp_path: Path) -> None:
    out = tmp_path / "kept.json"
    assert organon("death-process", "--policy", "random", *FEW, "--out", str(out)).exit_code == 0
    (row,) = results.load(out)["rows"]
    results.save(out, {"rows": [{**row, "runs": 500}]})
    done = organon("death-process", "--policy", "random", *FEW, "--out", str(out))
    assert isinstance(done.exception, RequestError)
    assert "holds more than 4 runs of random" in str(done.exception)
    assert results.load(out)["rows"][0]["runs"] == 500


def test_rows_that_keep_no_belief_stand_beside_those_that_do(tmp_path: Path) -> None:
    out = tmp_path / "death-process.json"
    for blind in ([], ["--blind"], ["--blind"]):
        ended = organon("death-process", "--policy", "random", "--policy", "sobol", *FEW, *blind, "--out", str(out))
        assert ended.exit_code == 0, ended.output
    rows = results.load(out)["rows"]
    assert [(row["policy"], row["particles"], row["proposals"]) for row in rows] == [
        ("random", 50, 20), ("sobol", 50, 20), ("random", None, None), ("sobol", None, None)
    ]  # fmt: skip
    assert rows[0]["spce"] == rows[2]["spce"]
