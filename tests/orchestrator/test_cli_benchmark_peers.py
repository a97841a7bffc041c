"""``benchmark peers``: says what is missing, and compares in the same worlds where it is not."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from domains.loading import find
from orchestrator.cli.benchmark_peers import check, peers
from orchestrator.errors import RequestError
from tests.benchmarks.page import page

HERE = {name: find_spec(name) is not None for name in ("botorch", "pyro")}


def run(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(peers)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_goals_without_peers_are_refused() -> None:
    with pytest.raises(RequestError, match="asks to discriminate; peers are known for goals learn, maximise, minimise"):
        check(find("consumption"))


WAY_OUT = r".* pip install -c constraints.txt -e '\.\[peers\]'"


@pytest.mark.skipif(HERE["botorch"], reason="BoTorch is installed: nothing is missing")
def test_without_botorch_the_way_out_is_said() -> None:
    with pytest.raises(RequestError, match="BoTorch is not installed; " + WAY_OUT):
        check(find("reaction-yield"))


@pytest.mark.skipif(HERE["pyro"], reason="Pyro is installed: nothing is missing")
def test_without_pyro_the_way_out_is_said() -> None:
    with pytest.raises(RequestError, match="Pyro is not installed; " + WAY_OUT):
        check(find("pharmacokinetics"))


@pytest.mark.skipif(not HERE["pyro"], reason="needs the extra: pip install -e '.[peers]'")
def test_a_table_and_its_json(tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    options = ("--runs", "3", "--budget", "2", "--seed", "4", "--policy", "random", "--policy", "sobol")
    text = run("pharmacokinetics", *options, "--out", str(out))
    assert "random" in text
    assert "sobol" in text
    report = json.loads(out.read_text())
    assert "## Peers on pharmacokinetics" in page(tmp_path)
    assert (report["kind"], report["seed"], report["settings"]["budget"]) == ("peers", 4, 2)
    rows = [dict(zip(report["columns"], row, strict=True)) for row in report["rows"]]
    assert [row["policy"] for row in rows] == ["random", "sobol"]
    assert all(row["runs"] == 3 and row["experiments"] == 2 and row["information_se"] > 0 for row in rows)
    again = json.loads(run("pharmacokinetics", *options, "--json"))
    column = report["columns"].index("information")
    assert [row[column] for row in again["rows"]] == [row[column] for row in report["rows"]]


@pytest.mark.skipif(not HERE["pyro"], reason="needs the extra: pip install -e '.[peers]'")
def test_wrong_options_name_the_way_out() -> None:
    with pytest.raises(RequestError, match=r"--policy 'botorch-qlognei' does not apply .* these do: random, sobol"):
        run("pharmacokinetics", "--policy", "botorch-qlognei")
    with pytest.raises(RequestError, match="--budget 0: a budget is above 0"):
        run("pharmacokinetics", "--budget", "0")
