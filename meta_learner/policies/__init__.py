"""Policies: belief → next design. One variant a file, under its name in the literature."""

from collections.abc import Callable

from meta_learner.policies.base import Choice, DesignProblem, Policy, Pool
from meta_learner.policies.expected_improvement import ExpectedImprovement
from meta_learner.policies.expected_information_gain import ExpectedInformationGain
from meta_learner.policies.random import Random
from meta_learner.policies.sobol import Sobol

POLICIES: dict[str, Callable[[], Policy]] = {
    "random": Random,
    "sobol": Sobol,
    "expected-information-gain": ExpectedInformationGain,
    "expected-improvement": ExpectedImprovement,
}

__all__ = ["POLICIES", "Choice", "DesignProblem", "Policy", "Pool"]
