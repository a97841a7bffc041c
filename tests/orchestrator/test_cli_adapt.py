"""``organon adapt``: an agent for one domain comes out, before and after are compared, and refusals are one message."""

import json
from pathlib import Path

import pytest

from orchestrator import services
from orchestrator.agents import agent_store
from orchestrator.settings import Settings
from orchestrator.training import train
from tests.orchestrator.commands import Organon, runner
from tests.orchestrator.test_training import RECIPE


@pytest.fixture
def organon(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Organon:
    """Run ``organon adapt …`` in this process, in a home with an untrained experimenter named tiny."""
    settings = Settings(home=home)
    train(settings, services.open_database(settings), RECIPE, seconds=0.0)
    return runner(monkeypatch, capsys, "adapt")


def test_before_and_after(organon: Organon, home: Path) -> None:
    status, out, err = organon(
        "--domain", "death-process", "--agent", "tiny", "--minutes", "0", "--runs", "2", "--which", "head", "--json"
    )
    assert status == 0, err
    told = json.loads(out)
    assert (told["agent"], told["steps"]) == ("tiny-death-process", 1)
    assert [result["domain"]["name"] for result in told["before_and_after"]] == ["death-process"] * 2
    card = agent_store(Settings(home=home)).find("tiny-death-process").card
    assert [document.name for document in card.domains] == ["death-process"]
    assert card.training.steps == 2
    assert [step for step, _ in card.training.curve] == [1]
    assert card.recipe["adapted"] == "tiny"
    again = organon("--domain", "death-process", "--agent", "tiny", "--minutes", "0", "--runs", "0")
    assert again[0] == 2
    assert "there is an agent 'tiny-death-process' already" in again[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--agent", "nobody"), "there is no policy 'nobody'"),
        (("--agent", "sobol"), "there is no agent 'sobol'"),
        (("--agent", "tiny", "--which", "some"), "one of all, head, low-rank"),
        (("--agent", "tiny", "--runs", "1"), "two worlds at least"),
    ],
)
def test_what_is_wrong_is_one_message(organon: Organon, arguments: tuple[str, ...], says: str) -> None:
    status, out, err = organon("--domain", "death-process", "--minutes", "0", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("organon: ")
    assert says in err
