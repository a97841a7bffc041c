"""``organon domain power``: text, JSON, the page, and requests that cannot be carried out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from domains.errors import DomainError
from orchestrator.cli.domain import app
from orchestrator.cli.power_text import chosen
from orchestrator.errors import RequestError

FEW = ("--runs", "4", "--particles", "50")


def organon(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["power", *arguments])


def test_a_report_in_words() -> None:
    policies = ("--policy", "sobol", "--policy", "random")
    ended = organon("enzyme-kinetics", "--budget", "3", *policies, "--width", "km=1000", "--width", "n=0.001", *FEW)
    assert ended.exit_code == 0, ended
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    for line in (
        "How many experiments does enzyme-kinetics need?",
        "4 worlds drawn from the domain, investigated with 3 experiments each; seed 0, 50 particles a law.",
        "experiments P(true law) 10–90 % of worlds true law leads (95 %) information, nats 10–90 % of worlds",
        "parameter worlds after 0 after 1 after 2 after 3",
        "Needed, to reach it in 80 % of the worlds",
        "90 % interval of km < 1000 ppm sobol 0 0 to beyond 3 100 % (51–100 %)",
        "What 3 experiments assure in 80 % of the worlds",
        "Nothing is extrapolated beyond 3: --budget 6 looks further.",
    ):
        assert line in lines
    assert sum("90 % interval of n < 0.001" in line and "not within 3" in line for line in lines) == 2
    assert "organon domain" not in ended.stderr


def test_costs_that_differ_and_a_score(tmp_path: Path) -> None:
    page = tmp_path / "power.html"
    arguments = ("dose-finding", "--budget", "8", "--policy", "sobol", "--score", "0.99", "--plot", str(page), *FEW)
    ended = organon(*arguments, "--json")
    assert ended.exit_code == 0, ended
    report = json.loads(ended.stdout)
    assert report["unequal"] is True
    assert (report["budgets"][0], report["budgets"][1], report["budgets"][-1]) == (0.0, 1.0, 8.0)
    (policy,) = report["policies"]
    assert policy["experiments"][-1] <= 8
    assert [need["target"]["kind"] for need in policy["needs"]] == ["law", "score"]
    assert len(policy["score"]["mean"]) == len(report["budgets"])
    assert json.loads(organon(*arguments, "--json").stdout) == report, "the same seed, the same report"
    text = page.read_text()
    assert "<html>" in text
    assert "probability of the true law" in text
    assert "src=" not in text.split("plotly.js v")[0], "the page needs nothing from elsewhere"


def test_text_where_costs_differ() -> None:
    shown = organon("dose-finding", "--budget", "8", "--policy", "sobol", *FEW).stdout
    for words in ("investigated with a budget of 8 each", "budget  experiments  P(true law)", "simple regret", "mg"):
        assert words in shown
    assert "To ask for a precision: --width harmful_dose=" in shown


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (["enzime-kinetics"], DomainError, "did you mean 'enzyme-kinetics'"),
        (["enzyme-kinetics", "--policy", "randon"], RequestError, "did you mean 'random'"),
        (["enzyme-kinetics", "--width", "km"], RequestError, "--width km: 'km' is not a number; write NAME=WIDTH"),
        (["enzyme-kinetics", "--width", "kmm=1"], DomainError, "no continuous parameter 'kmm'; did you mean 'km'"),
        (["enzyme-kinetics", "--budget", "0.5"], DomainError, "budget 0.5: it pays for no experiment"),
        (["enzyme-kinetics", "--runs", "1"], DomainError, "runs 1: it must be a whole number from 2"),
        (["enzyme-kinetics", "--plot", "power.png"], RequestError, "the name must end in .html"),
        (["enzyme-kinetics", "--plot", "no/power.html"], RequestError, "there is no folder"),
    ],
)
def test_requests_that_cannot_be_carried_out(arguments: list[str], kind: type[Exception], words: str) -> None:
    ended = organon(*arguments)
    assert isinstance(ended.exception, kind)
    assert words in str(ended.exception)
    assert ended.stdout == ""


def test_budgets_shown_are_spread_from_first_to_last() -> None:
    assert chosen([0, 1, 2], 5) == [0, 1, 2]
    assert chosen(list(range(6)), 5) == [0, 1, 3, 4, 5]
    assert chosen(list(range(61)), 9) == [0, 8, 15, 23, 30, 38, 45, 53, 60]
