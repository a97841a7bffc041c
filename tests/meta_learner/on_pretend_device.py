"""Campaigns on another device, without one: nothing is left on the CPU, and the numbers are the CPU's.

Run by ``test_pretend_device``, in a process of its own.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation.benchmark import Setup, measure
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.policies import ExpectedInformationGain
from meta_learner.policies.base import Policy
from meta_learner.policies.expected_information_gain import Search
from meta_learner.policies.random import Random
from meta_learner.policies.sobol import Sobol as SobolPolicy
from meta_learner.rollout import BlockState, BlockSteps, rollout
from meta_learner.specialists import Recipe, Trainer, build
from orchestrator.cache import BeliefCache
from orchestrator.recording import experiments_of
from tests.pretend_device import PretendTensor, pretend_device

DOMAINS = ("source-location-unit", "death-process", "enzyme-inhibition", "hyperbolic-discounting")
BLIND = (("prey-population", Random()), ("dose-finding", Random()), ("ces", SobolPolicy()))
SMALL = Search(candidates=32, refined=8, parents=4, climbers=2, finalists=4, coarse=16, coarse_draws=16, final_draws=32)
SETTINGS = BeliefSettings(particles=40, moves=2)

with pretend_device():
    pass  # torch hears of it before the first gradient


def two_steps(name: str, policy: Policy) -> tuple[BlockSteps, BlockState]:
    steps, _ = simulated_block(DomainModel(find(name)), policy, runs=3, seed=5, settings=SETTINGS)
    turns = rollout(steps, 3)
    next(turns)
    return steps, next(turns)


def numbers(state: BlockState) -> dict[str, Tensor]:
    assert state.choice is not None
    assert state.outcomes is not None
    assert state.log_predictive is not None
    found = {
        "designs": state.choice.designs,
        "scores": state.choice.scores,
        "outcomes": state.outcomes,
        "log_predictive": state.log_predictive,
        "probability": state.belief.log_probability,
        "criticism": state.belief.criticism.log_evidence,
        "tail": state.belief.diagnostics.tail,
    }
    return found | {f"z{index}": population.z for index, population in enumerate(state.belief.populations)}


@pytest.mark.parametrize(
    ("name", "policy"),
    [*((name, ExpectedInformationGain(SMALL)) for name in DOMAINS), *BLIND],
)
def test_a_campaign_on_another_device_gives_the_cpus_numbers(name: str, policy: Policy) -> None:
    here = numbers(two_steps(name, policy)[1])
    with pretend_device():
        there = numbers(two_steps(name, policy)[1])
    assert all(isinstance(value, PretendTensor) for value in there.values())
    assert {key: torch.equal(value, there[key].cpu()) for key, value in here.items()} == dict.fromkeys(here, True)


def test_what_is_recorded_and_kept_is_the_cpus(tmp_path: Path) -> None:
    here = experiments_of(*two_steps("enzyme-inhibition", Random()))
    with pretend_device():
        steps, state = two_steps("enzyme-inhibition", Random())
        there = experiments_of(steps, state)
        cache = BeliefCache(tmp_path, 1, "key")
        cache.save(state)
        kept = cache.load(state.step)
    assert [(one.design, one.outcome, one.belief) for one in there] == [(o.design, o.outcome, o.belief) for o in here]
    assert kept is not None
    assert isinstance(kept.spent, PretendTensor)
    assert torch.equal(kept.belief.populations[0].z.cpu(), state.belief.populations[0].z.cpu())


def test_a_benchmark_on_another_device_gives_the_cpus_numbers() -> None:
    setup = Setup(
        find("death-process"), Random(), runs=3, contrasts=200, proposals=50, budget=2, block_runs=2, settings=SETTINGS
    )
    here = measure(setup)
    with pretend_device():
        there = measure(setup)
    for name in ("spce", "snmc", "sace", "svnmc", "information"):
        assert getattr(there, name) == getattr(here, name)


@pytest.mark.parametrize(
    ("name", "domain"),
    [("deep-adaptive-design", "death-process"), ("maml", "death-process"), ("scratch", "inventory-demand")],
)
def test_a_specialist_trained_on_another_device_is_the_cpus(name: str, domain: str) -> None:
    """Stopped and resumed there. A recurrent cell and attention are other programs on every device."""
    here = trained(name, domain)
    with pretend_device():
        there = trained(name, domain)
    assert isinstance(there["network/value.weight"], PretendTensor)
    assert {key: torch.equal(value, there[key].cpu()) for key, value in here.items()} == dict.fromkeys(here, True)


def trained(name: str, domain: str) -> dict[str, Tensor]:
    model = DomainModel(find(domain))
    first, second = (Trainer(build(name, model), model, Recipe(episodes=4, contrasts=8)) for _ in range(2))
    first.update()
    second.restore(first.state())
    second.update()
    return second.state()


def test_the_pretend_device_refuses_what_cuda_refuses() -> None:
    cpu = torch.arange(3.0)
    with pretend_device():
        there = torch.tensor([1.0, 2.0, 3.0])
        assert there.device.type == "pretend"
        for mixed in (lambda: there + cpu, lambda: torch.cat([there, cpu]), lambda: there.gather(0, cpu.long())):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises(RuntimeError, match="same device"):
            cpu[there.long()]
        with pytest.raises(RuntimeError, match="same device"):
            torch.stack([there[0], cpu[0]])
        with pytest.raises(RuntimeError, match="draws"):
            torch.rand(2)
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        with pytest.raises(TypeError, match="numpy"):
            np.asarray(there)


def test_the_pretend_device_lets_pass_what_cuda_lets_pass() -> None:
    cpu = torch.arange(3.0)
    with pretend_device():
        there = torch.tensor([1.0, 2.0, 3.0])
        assert (there + cpu[1]).tolist() == [2.0, 3.0, 4.0]
        assert there[cpu.long()].tolist() == [1.0, 2.0, 3.0]
        assert there.cpu().numpy().tolist() == [1.0, 2.0, 3.0]
        assert cpu.to(there.device).device == there.device
