"""``organon benchmark adaptation``: tables, the JSON document, the picture, and what is refused."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from domains.errors import DomainError
from orchestrator.cli.adaptation_figure import adaptation_figure
from orchestrator.cli.adaptation_text import interval, when
from orchestrator.cli.benchmark import app
from orchestrator.errors import RequestError
from tests.benchmarks.page import page

# Only readings near 1 tell anything: greedy is clearly better than random, in few runs and few experiments.
STEEP = """
format: 1
name: steep
title: How steep is it?
designs: {x: {real: [0, 1]}}
parameters: {slope: {prior: {normal: [0, 1]}}}
mechanisms: {line: {let: {mu: slope * x**8}}}
outcomes: {y: {normal: {mean: mu, sd: 0.2}}}
budget: 1
goal: learn
"""
FEW = ("--runs", "8", "--particles", "60", "--contrasts", "300")
POLICIES = ("--policy", "random", "--policy", "sobol")


def organon(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["adaptation", *arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("adaptation")
    out, figure = folder / "adaptation.json", folder / "adaptation.html"
    files = ("--out", str(out), "--figure", str(figure))
    one, other = folder / "steep.yaml", folder / "other.yaml"
    one.write_text(STEEP)
    other.write_text(STEEP.replace("name: steep", "name: other"))  # by another name: other worlds
    chosen = ("--unseen", str(other), "--training", "sobol=30", *POLICIES)
    ended = organon(str(one), str(other), *chosen, *FEW, *files)
    assert ended.exit_code == 0, ended
    return ended, json.loads(out.read_text()), folder


def test_words(made: tuple[Result, dict[str, Any], Path]) -> None:
    lines = [" ".join(line.split()) for line in made[0].stdout.splitlines()]
    for line in (
        "steep, as the document says: How steep is it?",
        "other, a domain no agent was made for: How steep is it?",
        "policy own terms ± s.e. score (95 %) gap area",
        "policy experiments to 50 % to 80 % to 90 % saved to 80 % break-even, tasks",
        "beside expected-information-gain difference P(higher), same world another jump-start transfer",
    ):
        assert line in lines, made[0].stdout
    assert any(line.startswith("Together, with shifted parameters: ") for line in lines)
    assert any("0 before any experiment, random" in line and "8 worlds, experiments: 1." in line for line in lines)


def test_the_document_holds_everything(made: tuple[Result, dict[str, Any], Path]) -> None:
    _, document, folder = made
    told = {"kind", "title", "columns", "rows", "note", "organon", "commit", "date", "machine", "seed", "settings"}
    assert told | {"baseline", "groups", "shifts"} == set(document)
    assert document["settings"]["policies"] == ["random", "sobol"]
    assert all(len(row) == len(document["columns"]) for row in document["rows"])
    assert [(g["domain"], g["shift"]) for g in document["groups"]] == [
        ("steep", "in-distribution"), ("steep", "shifted-parameters"),
        ("other", "unseen-domain"), ("other", "shifted-parameters"),
    ]  # fmt: skip
    assert [shift["shift"] for shift in document["shifts"]] == [
        "in-distribution", "shifted-parameters", "unseen-domain",
    ]  # fmt: skip
    for group in document["groups"]:
        assert [agent["summary"]["policy"] for agent in group["agents"]] == [
            *POLICIES[1::2],
            "expected-information-gain",
        ]
        for agent in group["agents"]:
            assert len(agent["finals"]) == group["runs"] == 8
            assert set(agent["times"]) == {"0.5", "0.8", "0.9"}
            assert set(agent["reach"][0]["cost"]) >= {"median", "low", "high", "restricted_mean", "reached", "runs"}
            assert len(agent["times"]["0.8"]["reached"]) == 8
            assert len(agent["curve"]) == len(group["budgets"]) == 2
            profile = agent["summary"]["profile"]
            assert profile["share"] == sorted(profile["share"], reverse=True)
    assert "## How fast do agents become good at a question?" in page(folder)


def test_the_picture_shows_every_group_and_level(made: tuple[Result, dict[str, Any], Path]) -> None:
    _, document, folder = made
    figure = adaptation_figure(document)
    titles = [annotation.text for annotation in figure.layout.annotations]
    told = [shift for shift in document["shifts"] if shift["agents"]]
    assert len(titles) == len(document["groups"]) + len(told)
    lines = [trace for trace in figure.data if trace.name]
    assert {trace.name for trace in lines} == {"random", "sobol", "expected-information-gain"}
    assert sum(trace.showlegend is True for trace in lines) == 3
    first = document["groups"][0]["agents"][0]
    assert list(lines[0].y) == [point["value"] for point in first["curve"]]
    assert "plotly" in (folder / "adaptation.html").read_text()


def test_policies_are_told_apart(made: tuple[Result, dict[str, Any], Path]) -> None:
    """More policies than colours, and those that others are beside in a style of their own."""
    document = copy.deepcopy(made[1])
    (agent, *_), names = document["groups"][0]["agents"], [f"policy-{number}" for number in range(14)]
    everyone = ["random", *names, "expected-information-gain"]
    many = [{**agent, "summary": {**agent["summary"], "policy": name}} for name in everyone]
    document["groups"][0]["agents"] = many
    document.update(groups=document["groups"][:1], shifts=[])
    lines = {
        trace.name: (trace.line.color, trace.line.dash) for trace in adaptation_figure(document).data if trace.name
    }
    assert len(set(lines.values())) == len(lines) == 16
    assert "score" not in adaptation_figure(document).layout.title.text


def test_the_same_seed_gives_the_same_document(tmp_path: Path) -> None:
    (tmp_path / "steep.yaml").write_text(STEEP)
    arguments = (str(tmp_path / "steep.yaml"), "--shift", "in-distribution", *POLICIES, *FEW, "--json")
    one, other = (json.loads(organon(*arguments).stdout) for _ in range(2))
    for document in (one, other):
        del document["date"]
        for agent in document["groups"][0]["agents"]:
            assert agent.pop("decision_seconds") >= 0
    assert one == other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["death-proces"], "did you mean 'death-process'"),
        (["death-process", "--policy", "greedy"], "there is no policy 'greedy'"),
        (["death-process", "--policy", "expected-improvement"], "which death-process does not allow"),
        (["death-process", "--baseline", "nobody"], "there is no policy 'nobody'"),
        (["death-process", "--out", "x.csv"], "--out x.csv: the name must end in .json"),
        (["death-process", "--figure", "x.png"], "--figure x.png: the name must end in .html"),
        (["death-process", "--figure", "nowhere/x.html"], "there is no folder"),
        (["death-process", "--shift", "sideways"], "--shift sideways: it is one of in-distribution"),
        (["death-process", "--unseen", "ces"], "--unseen ces: not among the domains asked for"),
        (["death-process", "--training", "sobol"], "--training sobol: write POLICY=N"),
        (["death-process", "--training", "guess=3"], "training guess=3: name one of"),
        (["death-process", "--budget", "0.5"], "it pays for no experiment of death-process"),
        (["structural-causal", "--shift", "shifted-parameters"], "have no unknown constants to shift"),
        (["death-process", "death-process"], "is asked for twice"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(arguments: list[str], message: str) -> None:
    ended = organon(*arguments)
    assert isinstance(ended.exception, DomainError | RequestError)
    assert message in str(ended.exception)


def test_numbers_in_words() -> None:
    passage = {"median": 3.0, "low": 2.0, "high": None, "reached": 15, "runs": 24}
    assert when(passage, 4.0) == "3 (2 to >4), 15 of 24"
    never = {"median": None, "low": None, "high": None, "reached": 1, "runs": 24}
    assert when(never, 4.0) == ">4 (>4), 1 of 24"
    assert interval({"value": 0.621, "low": 0.4, "high": 0.8}) == "0.62 (0.40 to 0.80)"
    assert interval({"value": None, "low": None, "high": None}) == "–"
    assert interval({"value": 0.2, "low": None, "high": 0.3}, percent=True) == "20 % (– to 30)"
    assert interval({"value": 0.2, "low": None, "high": None}) == "0.20 (–)"
    assert interval({"value": -0.2, "low": -0.31, "high": 1e-14}, percent=True) == "-20 % (-31 to 0)"
    assert interval(None) is None
