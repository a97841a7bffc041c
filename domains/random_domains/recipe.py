"""What random domains are made of, and how often: one frozen value, so that curricula can be written down."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domains.errors import DomainError
from domains.validation.families import OUTCOMES, PRIORS

KINDS = ("real", "integer", "levels", "choice")
GOALS = ("learn", "learn: [names]", "discriminate", "predict", "maximise", "minimise")
FEATURES: Mapping[str, float] = {
    "dynamics": 0.3,
    "vector": 0.3,  # of the domains with dynamics: read out at several times
    "second outcome": 0.25,
    "effort": 0.35,  # of the integer designs: a number of repeats, trials, or the like
    "source": 0.12,  # something to be located, in one or two dimensions
    "exchangeable": 0.5,  # of the sources: two that cannot be told apart
    "unknown noise": 0.3,
    "hierarchical": 0.4,  # of the priors that have a related one to lean on
    "truncation": 0.12,  # of the priors
    "censor": 0.15,
    "cost": 0.5,
    "constraints": 0.25,
    "weights": 0.3,
}
_POSITIVE = ("lognormal", "loguniform", "uniform", "gamma", "normal", "studentt")


def _counts(*weights: float) -> Any:
    return field(default_factory=lambda: dict(enumerate(weights, 1)))


@dataclass(frozen=True)
class Recipe:
    """Weights of the alternatives (need not sum to 1; leave out or put 0 what shall not appear) and ranges.

    mechanisms, parameters, designs: weights of their numbers, up to 4, 6 and 5. parameters counts all that are unknown
    in any law, a vector by its entries, and is an upper bound where the laws have fewer; so is mechanisms. kinds,
    priors, outcomes, goals: weights of the words of the format; a prior family is used where it suits the quantity, a
    goal where the document allows it. features: the probability of each where it can be had; those left out keep their
    default. noise: range of the noise relative to the signal's prior-predictive spread; experiments: range of how many
    average experiments the budget pays (both evenly in the logarithm).
    """

    mechanisms: Mapping[int, float] = _counts(0.15, 0.4, 0.3, 0.15)
    parameters: Mapping[int, float] = _counts(0.08, 0.14, 0.2, 0.22, 0.18, 0.18)
    designs: Mapping[int, float] = _counts(0.25, 0.35, 0.22, 0.12, 0.06)
    kinds: Mapping[str, float] = field(default_factory=lambda: dict(zip(KINDS, (6.0, 2.0, 1.5, 2.0), strict=True)))
    priors: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(PRIORS, 1.0) | {"lognormal": 4.0})
    outcomes: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 1.0) | {"normal": 4.0})
    goals: Mapping[str, float] = field(
        default_factory=lambda: dict(zip(GOALS, (5.0, 1.5, 3.0, 2.0, 1.5, 1.0), strict=True))
    )
    features: Mapping[str, float] = field(default_factory=dict)
    noise: tuple[float, float] = (0.03, 0.4)
    experiments: tuple[float, float] = (4.0, 40.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", {**FEATURES, **self.features})
        for name, known in _KNOWN.items():
            _check_weights(name, getattr(self, name), known)
        for name, value in self.features.items():
            if name not in FEATURES or not 0 <= value <= 1:
                raise DomainError(f"recipe features: {name!r}: {value}; known, each 0 to 1: {', '.join(FEATURES)}")
        for name in ("noise", "experiments"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise DomainError(f"recipe {name}: found [{low}, {high}]; write 0 < low <= high")
        if not any(self.priors.get(family) for family in _POSITIVE):
            raise DomainError(f"recipe priors: positive quantities need at least one of {', '.join(_POSITIVE)}")
        if not any(self.goals.get(goal) for goal in ("learn", "maximise", "minimise")):
            raise DomainError("recipe goals: not every document allows the others; add learn, maximise or minimise")

    def chance(self, feature: str) -> float:
        return self.features[feature]


_KNOWN: Mapping[str, tuple[Any, ...]] = {
    "mechanisms": (1, 2, 3, 4),
    "parameters": (1, 2, 3, 4, 5, 6),
    "designs": (1, 2, 3, 4, 5),
    "kinds": KINDS,
    "priors": tuple(PRIORS),
    "outcomes": tuple(OUTCOMES),
    "goals": GOALS,
}


def _check_weights(name: str, weights: Mapping[Any, float], known: tuple[Any, ...]) -> None:
    unknown = [key for key in weights if key not in known]
    if unknown:
        raise DomainError(f"recipe {name}: unknown {unknown[0]!r}; known: {', '.join(map(str, known))}")
    if not all(0 <= weight < math.inf for weight in weights.values()) or not any(weights.values()):
        raise DomainError(f"recipe {name}: weights are >= 0 and one at least is above 0, found {dict(weights)}")
