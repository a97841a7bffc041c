"""The loop on the benchmark domain: what the agent learns, and that the learning is real."""

import pytest

from domains.loading import find
from meta_learner.evaluation.benchmark import Measured, Setup, measure
from meta_learner.policies import POLICIES


def measured(policy: str) -> Measured:
    return measure(Setup(find("source-location"), POLICIES[policy](), runs=8, block_runs=8, seed=7, contrasts=200_000))


@pytest.mark.statistical
def test_expected_information_gain_finds_the_sources() -> None:
    """8 runs of 30 steps. A run gains 21.4 nats with a standard deviation of 2.6 (random designs: 5.5 ± 2.4).

    The mean of 8 has a standard error of 0.9, so 17 is 4.8 of them below (α < 1e-6) and 12 above what random designs
    give. A belief that is wrongly sharp could inflate its own information but neither sACE nor sPCE, which must be at
    its cap of 12.2 nats: 97 % of runs are, so fewer than 5 of 8 has a probability below 1e-4.
    """
    planned, random = measured("expected-information-gain"), measured("random")
    assert planned.information is not None
    assert planned.sace is not None
    assert planned.information.mean > 17
    assert planned.sace.mean > 17
    assert planned.capped >= 5 / 8
    assert random.information is not None
    assert random.information.mean < 12
    assert abs(random.information.mean - random.spce.mean) < 0.5  # below the cap both estimate the same quantity
