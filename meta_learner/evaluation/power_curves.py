"""From simulated runs to curves against the budget, and to answers: how much does a target need?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from domains.document import Domain
from meta_learner.evaluation.assurance import assured, needed, wilson
from meta_learner.evaluation.power_runs import Array, Runs

Numbers = tuple[float, ...]  # one a budget


@dataclass(frozen=True)
class Spread:
    """A quantity over the worlds, at each budget: mean with its standard error, and the 10, 50 and 90 % quantiles."""

    mean: Numbers
    standard_error: Numbers
    low: Numbers
    median: Numbers
    high: Numbers


@dataclass(frozen=True)
class Share:
    """A share of the worlds at each budget, with the ends of its 95 % interval."""

    share: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class ParameterPower:
    """What is known of a parameter, in the ``worlds`` whose true law has it and under that law's belief.

    error: root-mean-square error of the posterior mean over that of the prior mean in the same worlds, which estimates
    the prior's standard deviation: √(Σ eᵢ(b)² ÷ Σ eᵢ(0)²), 1 before the first experiment; error_se: its standard error
    (delta method); width: of the central 90 % interval, in ``unit``.
    """

    name: str
    unit: str
    worlds: int
    error: Numbers
    error_se: Numbers
    width: Spread


@dataclass(frozen=True)
class Target:
    """What is to be reached: P(true law) ≥ limit (``law``), a 90 % interval of ``name`` narrower than limit
    (``width``), or a score of the goal of at most limit (``score``)."""

    kind: Literal["law", "width", "score"]
    limit: float
    name: str = ""


@dataclass(frozen=True)
class Need:
    """The smallest budget from which on a target is met in the wanted share of the worlds; None: not within the budget.

    low, high: its 95 % interval, None beyond the budget; experiments: how many that buys, on average; worlds: that the
    question arises in; reached: the share of them that meet the target, at each budget.
    """

    target: Target
    budget: float | None
    low: float | None
    high: float | None
    experiments: float | None
    worlds: int
    reached: Share


@dataclass(frozen=True)
class Assured:
    """The limit (of a target's kind) that the whole budget meets in the wanted share of the worlds."""

    target: Target
    worlds: int


@dataclass(frozen=True)
class PolicyPower:
    """One policy's curves over the report's budgets, and its answers.

    experiments: done, the mean over the worlds; untrusted, surprised: runs whose belief at the end was in poor order,
    or raised the alarm; unknown: runs whose information is not finite, left out of its curve.
    """

    policy: str
    experiments: Numbers
    probability: Spread
    found: Share
    information: Spread
    parameters: tuple[ParameterPower, ...]
    score: Spread | None
    needs: tuple[Need, ...]
    assured: tuple[Assured, ...]
    untrusted: int
    surprised: int
    unknown: int


def summarise(
    domain: Domain, policy: str, runs: Runs, budgets: Numbers, *, targets: tuple[Target, ...], assurance: float
) -> PolicyPower:
    """Curves and answers of one policy."""
    clear = np.isfinite(runs.information).all(1)
    return PolicyPower(
        policy=policy,
        experiments=_numbers(runs.experiments.mean(0)),
        probability=spread(runs.probability),
        found=share(runs.found),
        information=spread(runs.information[clear]),
        parameters=tuple(_parameter(domain, runs, name) for name in runs.width),
        score=None if runs.score is None else spread(runs.score),
        needs=tuple(_need(runs, target, budgets, assurance) for target in targets),
        assured=tuple(_assured(runs, target, assurance) for target in _measured(domain, runs)),
        untrusted=int((~runs.trusted).sum()),
        surprised=int(runs.surprised.sum()),
        unknown=int((~clear).sum()),
    )


def spread(values: Array) -> Spread:
    """Of values [worlds, budgets]; NaN where there is no world."""
    count, budgets = values.shape
    if count == 0:
        return Spread(*[(math.nan,) * budgets] * 5)
    error = values.std(0, ddof=1) / math.sqrt(count) if count > 1 else np.full(budgets, math.nan)
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
    return Spread(*map(_numbers, (values.mean(0), error, low, median, high)))


def share(reached: Array) -> Share:
    """Of what is 1 or 0 in worlds × budgets [worlds, budgets], with Wilson's interval."""
    count, budgets = reached.shape
    if count == 0:
        return Share((math.nan,) * budgets, (0.0,) * budgets, (1.0,) * budgets)
    successes = reached.sum(0).astype(np.float64)
    return Share(*map(_numbers, (successes / count, *wilson(successes, count))))


def _numbers(values: Array) -> Numbers:
    return tuple(values.tolist())


def _parameter(domain: Domain, runs: Runs, name: str) -> ParameterPower:
    has = ~np.isnan(runs.width[name][:, 0])
    ratio, error = _relative_error(runs.error[name][has])
    unit = next(p.unit for p in domain.parameters if name in p.entries)
    return ParameterPower(name, unit, int(has.sum()), ratio, error, spread(runs.width[name][has]))


def _relative_error(errors: Array) -> tuple[Numbers, Numbers]:
    """√(mean e(b)² ÷ mean e(0)²) with its standard error, by linearising the ratio; errors [worlds, budgets]."""
    count, budgets = errors.shape
    if count == 0:
        return (math.nan,) * budgets, (math.nan,) * budgets
    square = errors**2
    now, before = square.mean(0), square[:, :1].mean(0)
    ratio = np.sqrt(now / before)
    influence = 0.5 * (square / np.maximum(now, 1e-300) - square[:, :1] / before)
    error = ratio * influence.std(0, ddof=1) / math.sqrt(count) if count > 1 else np.full(budgets, math.nan)
    return _numbers(ratio), _numbers(error)


def _distance(runs: Runs, target: Target) -> Array:
    """What a target limits, smaller is better, in the worlds in which the question arises [worlds, budgets]."""
    if target.kind == "law":
        return -runs.probability
    if target.kind == "score":
        assert runs.score is not None
        return runs.score
    width = runs.width[target.name]
    return width[~np.isnan(width[:, 0])]


def _need(runs: Runs, target: Target, budgets: Numbers, assurance: float) -> Need:
    limit = -target.limit if target.kind == "law" else target.limit
    distance = _distance(runs, target)
    reached = distance < limit if target.kind == "width" else distance <= limit
    found = needed(reached, assurance)
    budget, low, high = (None if index is None else budgets[index] for index in (found.index, found.low, found.high))
    experiments = None if found.index is None else float(runs.experiments.mean(0)[found.index])
    return Need(target, budget, low, high, experiments, len(reached), share(reached.astype(np.float64)))


def _measured(domain: Domain, runs: Runs) -> Iterator[Target]:
    """Everything that a limit can be set to, with no limit set."""
    if len(domain.mechanisms) > 1:
        yield Target("law", math.nan)
    yield from (Target("width", math.nan, name) for name in runs.width)
    if runs.score is not None:
        yield Target("score", math.nan)


def _assured(runs: Runs, target: Target, assurance: float) -> Assured:
    distance = _distance(runs, target)
    limit = assured(distance[:, -1], assurance)
    return Assured(Target(target.kind, -limit if target.kind == "law" else limit, target.name), len(distance))
