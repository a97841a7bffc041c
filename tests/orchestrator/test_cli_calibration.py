"""``organon benchmark calibration``: files, tables, any number of processes, and what is refused."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from domains.errors import DomainError
from orchestrator.cli.benchmark_calibration import calibration, wanted
from orchestrator.errors import OrganonError, RequestError
from tests.benchmarks.page import page

app = typer.Typer()
app.command()(calibration)
SMALL = ["death-process", "enzyme-kinetics", "--runs", "11", "--runs-of", "enzyme-kinetics=3", "--policy", "random"]
QUICK = [*SMALL, "--particles", "60"]


def organon(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_tables_file_and_picture(tmp_path: Path) -> None:
    out, plot = tmp_path / "calibration.json", tmp_path / "calibration.html"
    ended = organon(*QUICK, "--out", str(out), "--plot", str(plot))
    assert ended.exit_code == 0, ended.output
    assert "Inside: all" in ended.stdout
    assert "standard deviations too small by 20%" in ended.stdout
    document = json.loads(out.read_text())
    assert document["kind"] == "calibration"
    assert {"title", "columns", "rows", "note", "organon", "commit", "machine", "seed", "settings"} <= set(document)
    assert [row[0] for row in document["rows"]] == ["death-process", "enzyme-kinetics", "all domains"]
    assert [row[2] for row in document["rows"]] == [11, 3, 14]
    assert all(len(row) == len(document["columns"]) for row in document["rows"])
    assert len(document["runs"]) == 14
    assert "## Are beliefs right as often as they say?" in page(tmp_path)
    assert all(0 < u < 1 for run in document["runs"] for u in run["u"].values())
    assert "ranks of truths, all domains" in plot.read_text()


def test_two_processes_give_what_one_gives() -> None:
    one, two = (json.loads(organon(*QUICK, "--json", "--processes", n).stdout) for n in ("1", "2"))
    assert [document.pop("machine")["processes"] for document in (one, two)] == [1, 2]
    assert one.pop("date") <= two.pop("date")
    assert one.pop("seconds") > 0 < two.pop("seconds")
    assert one == two


def test_kept_runs_add_up_to_the_report_of_one_run(tmp_path: Path) -> None:
    folder = ["--keep", str(tmp_path / "kept"), "--json"]
    first = organon("enzyme-kinetics", *QUICK[2:], *folder)
    assert first.exit_code == 0, first.output
    assert "enzyme-kinetics: 3 worlds" in first.stderr
    assert "(1 of 1 domains)" in first.stderr
    found = json.loads(organon("death-process", *SMALL[2:4], *SMALL[6:], "--particles", "60", *folder).stdout)
    assert [row[0] for row in found["rows"]] == ["death-process", "all domains"]
    whole, kept, plain = (
        json.loads(organon(*QUICK, *options).stdout) for options in (folder, [*folder, "--only-kept"], ["--json"])
    )
    assert whole["seconds"] == kept["seconds"]  # what was kept was not investigated again
    for document in (whole, kept, plain):
        assert document.pop("date")
        assert document.pop("seconds") > 0
    assert whole == kept == plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["death-proces"], "did you mean 'death-process'"),
        (["death-process", "--out", "x.csv"], "must end in .json"),
        (["death-process", "--plot", "nowhere/x.html"], "there is no folder"),
        (["death-process", "--skip", "ces"], "--skip ces: not among the domains asked for: death-process"),
        (["death-process", "--skip", "death-process"], "every domain is skipped"),
        (["death-process", "--runs-of", "ces=3"], "--runs-of ces=3: write DOMAIN=N"),
        (["death-process", "--runs-of", "death-process=0"], "N of at least 1"),
        (["death-process", "--policy", "guess"], "guess"),
        (["death-process", "--only-kept"], "name it with --keep FOLDER"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(arguments: list[str], message: str) -> None:
    ended = organon(*arguments)
    assert isinstance(ended.exception, DomainError | OrganonError | RequestError)
    assert message in str(ended.exception)


def test_a_folder_of_another_setting_or_of_nothing_is_refused(tmp_path: Path) -> None:
    folder = ["--policy", "random", "--particles", "60", "--keep", str(tmp_path / "kept")]
    assert organon("death-process", "--runs", "2", *folder).exit_code == 0
    other = organon("death-process", "--runs", "2", "--seed", "1", *folder)
    assert "its runs have seed 0, and 1 is asked for" in str(other.exception)
    assert isinstance(other.exception, DomainError)
    nothing = organon("ces", "--only-kept", *folder)
    assert "holds no runs of the domains asked for" in str(nothing.exception)


def test_the_catalogue_is_the_default() -> None:
    counts = wanted([], 40, ["epidemic=8"], ["gene-switch"])
    assert len(counts) == 25
    assert sum(counts.values()) == 24 * 40 + 8
