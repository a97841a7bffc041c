"""Two policies in the same worlds: one against itself differs by nothing, better designs by what they tell."""

from pathlib import Path
from typing import Any

import numpy
import pytest

from domains.errors import DomainError
from domains.worlds import DomainModel
from meta_learner.agents.card import AgentError, HeldOut
from meta_learner.agents.comparison import Setting, compare
from meta_learner.agents.store import Store
from meta_learner.evaluation.bounds import adaptive
from tests.tiny_agents import TinySetting, slope, tiny

WHAT = {"learn": "sACE", "discriminate": "law", "{maximise: mu}": "score", "{predict: {y: [{x: 0.5}]}}": "score"}


def compared(store: Store, model: DomainModel, agent: Any, **values: Any) -> HeldOut:
    store.save(*agent, replace=True)
    given = {"runs": 12, "seed": 3, "particles": 200, "proposals": 100, "block_runs": 7, **values}
    return compare(store, store.find(agent[0].name), Setting(model.domain, **given))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "own", tmp_path / "shipped")


@pytest.mark.parametrize("goal", WHAT)
def test_a_policy_against_itself_differs_by_nothing(store: Store, goal: str) -> None:
    found = compared(store, slope(goal), tiny("twin", family="sobol-in-disguise"), against="sobol")
    assert found.measure == WHAT[goal]
    assert found.gain == found.other_gain
    assert (found.difference, found.standard_error, found.interval) == (0.0, 0.0, (0.0, 0.0))
    assert (found.experiments, found.other_experiments, found.runs) == (2.0, 2.0, 12)
    assert found.decision_ms > 0
    assert found.weights == store.find("twin").card.weights.sha256


@pytest.mark.statistical
def test_better_designs_show(store: Store) -> None:
    """Large settings tell most of the slope, and at x = 0 nothing is told of it: 1.5 nats less. Over 30 worlds the
    difference is more than four standard errors (false alarms: 3e-5; it was 6)."""
    high, low = (
        compared(store, slope(), tiny(weight=weight), against="random", runs=30, particles=100)
        for weight in (1.0, -1.0)
    )
    assert high.other_gain == low.other_gain, "the same worlds, noise and designs"
    assert high.gain - low.gain > 4 * numpy.hypot(high.standard_error, low.standard_error)
    assert high.interval[0] > 0 > low.interval[1]


def test_the_gain_of_a_known_case(store: Store) -> None:
    """Goal discriminate at x = 0, where the laws say 0 and 3 with noise of 0.2: the true one is found, log 2 nats."""
    found = compared(store, slope("discriminate"), tiny(weight=-1.0), against="random")
    assert found.gain == pytest.approx(numpy.log(2.0), abs=0.02)


def test_any_number_of_processes_gives_the_same(store: Store) -> None:
    store.save(*tiny())
    setting = TinySetting(slope().domain, "random", runs=4, particles=50, proposals=20, block_runs=2)
    one, two = (compare(store, store.find("tiny-one"), setting, processes=processes) for processes in (1, 2))
    apart = {"decision_ms", "other_decision_ms", "date"}
    assert one.model_dump(exclude=apart) == two.model_dump(exclude=apart)


def test_what_cannot_be_compared(store: Store) -> None:
    with pytest.raises(DomainError, match="pays for no experiment"):
        compared(store, slope(), tiny(), budget=0.5)
    with pytest.raises(AgentError, match="serves the goals predict"):
        compared(store, slope(), tiny("narrow", goals=["predict"]))


def test_a_belief_that_failed_gives_no_result(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **named: Any) -> Any:
        pair = adaptive(*arguments, **named)
        pair.lower[0] = -numpy.inf
        return pair

    monkeypatch.setattr("meta_learner.agents.comparison.adaptive", broken)
    with pytest.raises(AgentError, match=r"in 2 of 12 runs on slope .* more particles may mend it"):
        compared(store, slope(), tiny())
