"""Meta-training as a piece of work: interrupted and gone on with, on record, at the end an agent for campaigns."""

import json
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from domains.loading import find
from experiments_db import trainings
from meta_learner.training.recipe import TrainingRecipe
from orchestrator import services
from orchestrator.agents import agent_store, choose_policy
from orchestrator.cli.main import main
from orchestrator.cli.train import stopping
from orchestrator.errors import OrganonError
from orchestrator.settings import Settings
from orchestrator.training import STATE, train

RECIPE = TrainingRecipe.model_validate(
    {
        "name": "tiny",
        "network": {"width": 8, "heads": 2, "layers": 1},
        "tables": [{"hypotheses": [5], "designs": [3], "outcomes": [2], "experiments": [2]}],
        "imitate": {"steps": 6, "batch": 4},
        "improve": {"steps": 2, "batch": 4, "runs": 2},
    }
)


def weights(settings: Settings) -> dict[str, Tensor]:
    return load_file(settings.folder / "training" / "tiny" / STATE)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(bool((one[name] == other[name]).all()) for name in one)


def test_a_training_in_three_sittings_is_one(tmp_path: Path) -> None:
    """The same weights, optimiser, stream and curve as without a stop; one row in the record, one agent."""
    whole, parts = (Settings(home=tmp_path / name) for name in ("whole", "parts"))
    for settings, after in ((whole, (99,)), (parts, (3, 4, 99))):
        database = services.open_database(settings)
        for steps in after:
            turns = count(1)
            row, agent = train(settings, database, RECIPE, stopped=lambda turns=turns, n=steps: next(turns) >= n)
        assert row.status == "finished"
        with database.read() as session:
            (found,) = trainings.trainings(session)
        assert (found.status, found.step, found.steps, len(found.curve)) == ("finished", 8, 8, 8)
        assert found.weights == agent.card.weights.sha256
        assert found.recipe == RECIPE.model_dump(mode="json", by_alias=True)
        assert agent.card.training.curve == tuple((step, value) for step, value in found.curve)
    assert same(weights(whole), weights(parts))
    shas = {agent_store(settings).find("tiny").card.weights.sha256 for settings in (whole, parts)}
    assert len(shas) == 1


def test_time_up_leaves_an_agent_that_campaigns_take(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    row, _ = train(settings, services.open_database(settings), RECIPE, seconds=0.0)
    assert (row.status, row.step) == ("stopped", 1)
    chosen = choose_policy(settings, "tiny", find("enzyme-kinetics"))
    assert chosen.agent is not None
    assert chosen.agent.card.training.steps == 1
    assert not chosen.agent.card.as_good_as_greedy


def test_two_do_not_train_in_one_folder_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second would write over the first one's state."""
    monkeypatch.setattr("orchestrator.training._PATIENCE", 0.2)
    settings = Settings(home=tmp_path)
    database = services.open_database(settings)

    def meanwhile(step: int, _steps: int, _value: float) -> None:
        if step == 1:
            with pytest.raises(OrganonError, match="'tiny' is being trained by another process"):
                train(settings, database, RECIPE, seconds=0.0)

    assert train(settings, database, RECIPE, told=meanwhile)[0].status == "finished"
    assert train(settings, database, RECIPE)[0].status == "finished", "and the folder is free again"
    database.close()


def test_another_recipe_of_the_same_name_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    database = services.open_database(settings)
    train(settings, database, RECIPE, seconds=0.0)
    shutil.rmtree(tmp_path / "agents" / "tiny")
    with pytest.raises(OrganonError, match="the training of another recipe of the name 'tiny'"):
        train(settings, database, RECIPE.model_copy(update={"seed": 5}), seconds=0.0)


def test_the_name_of_another_agent_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    database = services.open_database(settings)
    train(settings, database, RECIPE, seconds=0.0)
    (tmp_path / "training" / "tiny" / STATE).unlink()
    with pytest.raises(OrganonError, match="there is an agent 'tiny' already, of another recipe"):
        train(settings, database, RECIPE.model_copy(update={"seed": 5}))
    assert not (tmp_path / "training" / "tiny" / STATE).exists()
    train(settings, database, RECIPE, seconds=0.0)  # of the same recipe: it takes that one's place


def test_a_state_that_does_not_fit_is_one_message(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    database = services.open_database(settings)
    train(settings, database, RECIPE, seconds=0.0)
    path = tmp_path / "training" / "tiny" / STATE
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(OrganonError, match=r"does not go on in this version of Organon .*move that file away"):
        train(settings, database, RECIPE, seconds=0.0)


def test_ctrl_c_is_noted_once_and_breaks_off_the_second_time() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path / "home"))
    file = tmp_path / "recipe.yaml"
    file.write_text(json.dumps(RECIPE.model_dump(mode="json", by_alias=True)), encoding="utf-8")

    def organon(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["organon", "train", *arguments])
        try:
            main()
        except SystemExit as left:
            return int(left.code or 0), *capsys.readouterr()
        return 0, *capsys.readouterr()

    assert "No training yet" in organon("--past")[1]
    assert "to go on: organon train" in organon(str(file), "--minutes", "0")[1]
    done = json.loads(organon(str(file), "--json")[1])
    assert (done["status"], done["step"], done["agent"]) == ("finished", 8, "tiny")
    assert "tiny   finished  8 of 8" in organon("--past")[1]
    status, out, err = organon("nowhere.yaml")
    assert (status, out) == (2, "")
    assert "there is no such recipe" in err
    assert "experimenter" in err
    assert organon()[0] == 2
