"""Two policies followed experiment by experiment end where the comparison of an agent ends."""

from pathlib import Path

import numpy
import pytest

from domains.loading import load_text
from meta_learner.agents.comparison import compare
from meta_learner.agents.loading import load_policy
from meta_learner.agents.side_by_side import Followed, follow, joined, summary
from meta_learner.agents.store import Store
from meta_learner.policies import POLICIES
from tests.tiny_agents import SLOPE, TinySetting, slope, tiny


def test_the_last_gains_are_those_of_the_comparison(tmp_path: Path) -> None:
    store, model = Store(tmp_path), slope()
    stored = store.save(*tiny())
    setting = TinySetting(
        load_text(SLOPE.replace("GOAL", "learn")), "random", 4, particles=100, proposals=200, block_runs=2
    )
    policies = (load_policy(stored, model), POLICIES["random"]())
    followed = [joined([follow(model, each, setting, block).plain() for block in (0, 1)]) for each in policies]

    found, told = summary(followed), compare(store, stored, setting)

    assert found["runs"] == 4
    assert len(found["difference"]) == 3  # before the first experiment, and after each of two
    last = found["difference"][-1]
    assert last["mean"] == pytest.approx(told.difference, abs=1e-12)
    assert last["error"] == pytest.approx(told.standard_error, abs=1e-12)
    assert (last["low"], last["high"]) == pytest.approx(told.interval, abs=1e-12)
    first, second = found["policies"]
    assert first["by_experiment"][-1]["mean"] == pytest.approx(told.gain)
    assert second["by_experiment"][-1]["mean"] == pytest.approx(told.other_gain)
    assert first["experiments"] == told.experiments == 2


def test_who_ended_earlier_keeps_what_there_was_and_what_is_not_finite_is_left_out() -> None:
    short = {"gain": [[0.0, 0.0], [1.0, None]], "experiments": [1.0, 1.0], "deciding": 1.0}
    long = {"gain": [[0.0], [1.0], [3.0]], "experiments": [2.0], "deciding": 1.0}
    both = joined([short, long])
    assert both.gain[:, 0].tolist() == [0.0, 1.0, 1.0]
    assert both.gain[:, 2].tolist() == [0.0, 1.0, 3.0]
    other = Followed(numpy.zeros((2, 3)), numpy.ones(3), 1.0)
    found = summary([both, other])
    assert (found["runs"], found["left_out"]) == (2, 1)
    assert [row["mean"] for row in found["difference"]] == [0.0, 1.0, 2.0]
