"""A policy's row: the same whatever the processes, and without a belief for policies that do not look at one."""

from dataclasses import replace

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings
from meta_learner.evaluation import results
from meta_learner.evaluation.benchmark import Setup, measure, play
from meta_learner.evaluation.published import default_contrasts, published
from meta_learner.policies import POLICIES

SMALL = BeliefSettings(particles=100, moves=2)


def setup(policy: str = "random", domain: str = "pharmacokinetics") -> Setup:
    return Setup(
        find(domain), POLICIES[policy](), runs=5, block_runs=3, contrasts=70_000, proposals=100, settings=SMALL
    )


def test_processes_share_the_work_and_change_nothing() -> None:
    told: list[tuple[str, float]] = []
    alone = measure(setup(), tell=lambda what, share: told.append((what, share)))
    shared = measure(setup(), processes=2)
    timed = {"decision_seconds": 0.0, "playing_seconds": 0.0, "bounding_seconds": 0.0}
    assert replace(alone, **timed) == replace(shared, **timed)
    assert [what for what, _ in told] == sorted((what for what, _ in told), reverse=True)
    assert all(0 <= share <= 1 for _, share in told)


@pytest.mark.parametrize("policy", ["random", "sobol"])
def test_blind_runs_are_the_same_runs(policy: str) -> None:
    seeing, blind = setup(policy), replace(setup(policy), blind=True)
    model = DomainModel(seeing.domain)
    one, other = play(seeing, model, 1), play(blind, model, 1)
    assert torch.equal(one.history.designs, other.history.designs)
    assert torch.equal(one.history.outcomes, other.history.outcomes)
    assert torch.equal(one.truth, other.truth)
    found = measure(blind)
    assert found.sace is found.svnmc is found.information is None


def test_an_exact_belief_has_no_proposal() -> None:
    small = replace(setup(domain="structural-causal"), runs=2, contrasts=50, budget=2.0)
    found = measure(small)
    assert found.sace is None
    assert found.information is not None


def test_published_numbers_belong_to_domains_as_they_are() -> None:
    assert len(published()) == 7
    for name, known in published().items():
        assert find(name).budget == known.budget
        assert default_contrasts(name) == known.contrasts
        assert all(row.source and row.lower > 0 for row in known.rows)
    assert default_contrasts("enzyme-kinetics") == 100_000


def test_provenance_names_version_machine_and_date() -> None:
    found = results.provenance(processes=2)
    assert found["organon"]
    assert found["machine"]["torch"] == torch.__version__
    assert found["machine"]["processes"] == 2
    assert results.plain({"a": [float("inf"), 1.5]}) == {"a": [None, 1.5]}
