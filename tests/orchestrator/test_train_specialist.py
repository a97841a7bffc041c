"""``organon train FAMILY``: interrupted and gone on with, on record, and an agent for its domain alone."""

import json
from itertools import count
from pathlib import Path

import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner

from domains.loading import find, load_text
from experiments_db import trainings
from meta_learner.agents.families import SPECIALISTS as NAMES
from meta_learner.specialists import SPECIALISTS, Recipe
from meta_learner.specialists.session import Plan
from orchestrator import services
from orchestrator.agents import agent_store, choose_policy
from orchestrator.cli.benchmark import app as benchmark
from orchestrator.errors import OrganonError, RequestError
from orchestrator.settings import Settings
from orchestrator.training import STATE, train
from tests.meta_learner.specialists.worlds import LINE
from tests.orchestrator.commands import Organon
from tests.tiny_agents import SLOPE

SMALL = {"rl2": {"width": 8}, "scratch": {"width": 8}, "maml": {"width": 4, "probes": 2}, "transformer": {"width": 8}}


def plan(family: str, experiments: int = 60) -> Plan:
    """Three experiments an episode, four episodes an update."""
    recipe = Recipe(experiments=experiments, episodes=4, contrasts=16, seed=3)
    return Plan(f"{family}-line", family, load_text(LINE), SMALL.get(family, {}), recipe)


def test_agents_have_the_families_that_there_are() -> None:
    assert tuple(SPECIALISTS) == NAMES


@pytest.mark.parametrize("family", NAMES)
def test_a_training_in_three_sittings_is_one(family: str, tmp_path: Path) -> None:
    """The same weights, moments, stream, counts and curve as without a stop; one row in the record, one agent."""
    whole, parts = (Settings(home=tmp_path / name) for name in ("whole", "parts"))
    for settings, stops in ((whole, (99,)), (parts, (1, 2, 99))):
        database = services.open_database(settings)
        for after in stops:
            turns = count(1)
            row, agent = train(
                settings, database, plan(family), stopped=lambda turns=turns, after=after: next(turns) >= after
            )
        assert row.status == "finished"
        with database.read() as session:
            (found,) = trainings.trainings(session)
        assert (found.status, found.step, found.steps) == ("finished", 60, 60)
        assert found.weights == agent.card.weights.sha256
        assert found.recipe == agent.card.recipe
        assert [step for step, _ in found.curve] == [12, 24, 36, 48, 60]
        assert agent.card.training.curve == tuple((step, value) for step, value in found.curve)
        assert (agent.card.training.steps, agent.card.training.episodes, agent.card.training.experiments) == (5, 20, 60)
    states = [load_file(settings.folder / "training" / f"{family}-line" / STATE) for settings in (whole, parts)]
    assert states[0].keys() == states[1].keys()
    assert all(bool((states[0][name] == states[1][name]).all()) for name in states[0])
    cards = [agent_store(settings).find(f"{family}-line").card for settings in (whole, parts)]
    assert cards[0].weights == cards[1].weights
    assert cards[0].training.curve == cards[1].training.curve


def test_it_serves_its_domain_and_no_other(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    made = plan("scratch")
    row, agent = train(settings, services.open_database(settings), made, seconds=0.0)
    assert (row.status, row.step) == ("stopped", 12)
    assert [document.identity for document in agent.card.training.domains] == [made.domain.identity]
    assert choose_policy(settings, "scratch-line", made.domain).weights == agent.card.weights.sha256
    for other in (find("enzyme-kinetics"), load_text(LINE.replace("budget: 3", "budget: 4"))):
        with pytest.raises(RequestError, match="--policy scratch-line: this agent is a specialist for"):
            choose_policy(settings, "scratch-line", other)


def test_other_recipes_and_names_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    database = services.open_database(settings)
    train(settings, database, plan("scratch"), seconds=0.0)
    with pytest.raises(OrganonError, match="there is an agent 'scratch-line' already, of another recipe"):
        train(settings, database, plan("scratch", experiments=61))
    wrong = plan("scratch")
    with pytest.raises(OrganonError, match="'Line': an agent's name is"):
        train(settings, database, Plan("Line", wrong.family, wrong.domain, wrong.options, wrong.recipe))
    assert sorted(path.name for path in (tmp_path / "training").iterdir()) == ["scratch-line"]


def test_the_command_and_what_follows_it(organon: Organon, home: Path) -> None:
    file = home.parent / "slope.yaml"
    file.write_text(SLOPE.replace("GOAL", "learn"), encoding="utf-8")
    asked = ("train", "rl2", "--domain", str(file), "--experiments", "200", "--name", "recurrent", "--contrasts", "32")
    asked += ("--option", "cell=lstm", "--option", "width=8")
    status, out, err = organon(*asked, "--minutes", "0")
    assert status == 0, err
    assert "stopped at experiment 128 of 200" in out
    assert f"to go on: organon {' '.join(asked)}" in out
    done = json.loads(organon(*asked, "--json")[1])
    assert (done["status"], done["step"], done["steps"], done["agent"]) == ("finished", 256, 200, "recurrent")
    assert done["recipe"]["options"] == {"width": 8, "cell": "lstm", "layers": 1}
    assert "recurrent  finished  256 of 200" in organon("train", "--past")[1]
    assert "a specialist for slope" in organon("agent", "show", "recurrent")[1]
    few = ("--runs", "4", "--particles", "60")
    status, out, err = organon("agent", "evaluate", "recurrent", "--domain", str(file), *few, "--json")
    assert status == 0, err
    assert json.loads(out)["results"][0]["domain"]["name"] == "slope"
    given = ("--policy", "recurrent", "--baseline", "random", "--shift", "in-distribution", "--contrasts", "50")
    ended = CliRunner().invoke(benchmark, ["adaptation", str(file), *given, *few, "--json"])
    assert ended.exit_code == 0, ended
    agents = json.loads(ended.stdout)["groups"][0]["agents"]
    assert [agent["summary"]["policy"] for agent in agents] == ["recurrent", "random"]
    status, _, err = organon("campaign", "run", "--domain", "ces", "--policy", "recurrent")
    assert status == 2
    assert "this agent is a specialist for slope" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rl2",), "rl2 is a family of specialists; say on which domain: --domain"),
        ((), "or a family of specialists, with its --domain: rl2, "),
        (("smoke", "--seed", "1"), "--seed is of specialists (rl2, "),
        (("rl2", "--domain", "ces", "--option", "width"), "--option width: write NAME=VALUE"),
        (("rl2", "--domain", "ces", "--option", "depth=2"), "rl2 has none of that name; it has cell, layers, width"),
        (("rl2", "--domain", "ces", "--option", "cell=tape"), "option cell=tape: Input should be 'gru' or 'lstm'"),
        (("rl2", "--domain", "ces", "--option", "width=0"), "option width=0: it must be above 0"),
        (("transformer", "--domain", "ces", "--option", "heads=3"), "the width, 64, must be a multiple of it"),
        (("maml", "--domain", "ces", "--budget", "0.5"), "budget 0.5: it pays for no experiment of ces"),
        (("scratch", "--domain", "ces", "--name", "sobol"), "'sobol' is a classical policy's name"),
    ],
)
def test_what_is_wrong_is_one_message(organon: Organon, home: Path, arguments: tuple[str, ...], says: str) -> None:
    status, out, err = organon("train", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("organon: ")
    assert says in err
    assert not (home / "training").exists()
