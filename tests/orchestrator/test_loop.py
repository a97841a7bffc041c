"""The campaign's loop is meta-training's rollout, composed of named steps that callbacks can follow."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from langchain_core.callbacks import BaseCallbackHandler

from domains.worlds import DomainModel
from meta_learner.rollout import BlockState, BlockSteps, rollout
from orchestrator.loop import STEPS, compose, investigate
from orchestrator.recording import StepRecorder

MakeSteps = Callable[..., BlockSteps]


def assert_same_bits(one: object, other: object, where: str = "state") -> None:
    """Every tensor within, however nested, has the same bits (NaN equals NaN); clocks do not count."""
    if isinstance(one, torch.Tensor):
        assert isinstance(other, torch.Tensor), where
        assert one.dtype == other.dtype, where
        assert torch.equal(one.nan_to_num(nan=1e300), other.nan_to_num(nan=1e300)), where
        assert torch.equal(one.isnan(), other.isnan()), where
    elif isinstance(one, dict):
        assert isinstance(other, dict), where
        assert_same_bits(tuple(one.items()), tuple(other.items()), where)
    elif isinstance(one, tuple):
        assert isinstance(other, tuple), where
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same_bits(a, b, f"{where}[{index}]")
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):  # type: ignore[arg-type]
            if field.name != "seconds":
                assert_same_bits(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    else:
        assert one == other, where


def recorded(steps: BlockSteps, runs: int) -> list[BlockState]:
    """The states that the composed loop hands to its recorder."""
    states: list[BlockState] = []
    investigate(compose(steps), steps.begin(runs), [StepRecorder(states.append)], lambda: False)
    return states


@pytest.mark.parametrize("policy", ["random", "sobol", "expected-information-gain"])
@pytest.mark.parametrize("laboratory", ["simulate", "replay:bench"])
def test_the_loop_and_the_rollout_give_the_same_bits(
    costly_model: DomainModel, make_steps: MakeSteps, policy: str, laboratory: str
) -> None:
    campaign = recorded(make_steps(costly_model, laboratory, policy=policy), 3)
    training = list(rollout(make_steps(costly_model, laboratory, policy=policy), 3))
    assert len(campaign) == len(training) > 1
    for step, (one, other) in enumerate(zip(campaign, training, strict=True)):
        assert_same_bits(one, other, f"step {step}")


class Listener(BaseCallbackHandler):
    """Notes which step begins."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        del serialized, inputs
        self.heard.append(kwargs["name"])


def test_callbacks_hear_the_five_steps_in_order(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    steps, listener, turns = make_steps(costly_model), Listener(), iter([False, False, True])
    end = investigate(compose(steps), steps.begin(3), [listener], lambda: next(turns))
    assert listener.heard == ["turn", *STEPS, "turn", *STEPS]
    assert STEPS == ("hypothesise", "design", "experiment", "update", "decide")
    assert end.step == 2


def test_the_recorder_gets_whole_turns_only(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    states = recorded(make_steps(costly_model), 3)
    assert [state.step for state in states] == list(range(1, len(states) + 1))
    assert not bool(states[-1].active.any())


def test_an_error_in_the_recorder_stops_the_loop(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    seen: list[int] = []

    def write(state: BlockState) -> None:
        seen.append(state.step)
        if state.step == 2:
            raise RuntimeError("the disk is full")

    steps = make_steps(costly_model)
    with pytest.raises(RuntimeError, match="the disk is full"):
        investigate(compose(steps), steps.begin(3), [StepRecorder(write)], lambda: False)
    assert seen == [1, 2]


def test_a_pause_before_the_first_turn_changes_nothing(costly_model: DomainModel, make_steps: MakeSteps) -> None:
    steps = make_steps(costly_model)
    state = steps.begin(3)
    assert investigate(compose(steps), state, [], lambda: True) is state
