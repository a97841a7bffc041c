"""How long policies take to a share of greedy's progress, and how many times as long as others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from meta_learner.evaluation.adaptation import aggregates
from meta_learner.evaluation.adaptation.bootstrap import Array, Resamples, estimate, percentile, resamples
from meta_learner.evaluation.adaptation.report import Measured
from meta_learner.evaluation.adaptation.study import GroupRuns, Study
from meta_learner.evaluation.adaptation.survival import passage, restricted_means
from meta_learner.streams import stream
from tests.benchmarks.adaptation_agents import ADAPTED, UNIVERSAL

SHARE = 0.9  # of the progress of greedy at twice the budget
ALL = "all"


@dataclass(frozen=True)
class Speed:
    """Of a policy on a domain or on all. passage: along the cost; mean: restricted to the horizon; ratios: of means, to
    the part named; progress: at the domain's own budget. Intervals as plain data."""

    domain: str
    part: str
    horizon: float
    passage: dict[str, Any] | None
    mean: dict[str, float] | None
    ratios: Mapping[str, dict[str, float]]
    progress: dict[str, float]


def speeds(found: Sequence[GroupRuns], study: Study) -> Iterator[Speed]:
    """Every policy on every domain, then on all together where there are several."""
    measured = [Measured(runs) for runs in found]
    for one in measured:
        drawn = _drawn([one], study)
        for part in study.policies:
            mean = _means(one, part, drawn.counts[0])
            yield Speed(
                one.runs.group.domain.name,
                part,
                one.budget,
                asdict(passage(one.cost(part, SHARE), one.budget)),
                _interval(mean),
                _ratios([one], part, drawn),
                _progress([one], part, drawn),
            )
    if len(measured) > 1:
        drawn = _drawn(measured, study)
        for part in study.policies:
            ratios, progress = _ratios(measured, part, drawn), _progress(measured, part, drawn)
            yield Speed(ALL, part, 0.0, None, None, ratios, progress)


def _drawn(measured: Sequence[Measured], study: Study) -> Resamples:
    return resamples([one.runs.reference.runs for one in measured], study.resamples, stream(study.seed, 0, 0, "check"))


def _means(one: Measured, part: str, counts: Array) -> Array:
    """Restricted means of the cost to the share: of the runs as they are, then of every resample [1 + resamples]."""
    everyone = np.ones((1, counts.shape[1]))
    return restricted_means(one.cost(part, SHARE), one.budget, np.concatenate([everyone, counts]))


def _ratios(measured: Sequence[Measured], part: str, drawn: Resamples) -> dict[str, dict[str, float]]:
    """Geometric means over domains of mean ÷ mean in the same worlds, to each of the universal ones but itself."""
    found = {}
    for other in (UNIVERSAL, ADAPTED):
        logs = [
            np.log(_means(one, part, counts)) - np.log(_means(one, other, counts))
            for one, counts in zip(measured, drawn.counts, strict=True)
        ]
        if other != part:
            found[other] = _interval(np.exp(np.mean(logs, axis=0)))
    return found


def _progress(measured: Sequence[Measured], part: str, drawn: Resamples) -> dict[str, float]:
    strata = [one.scale.progress(one.of(part).along([one.runs.group.domain.budget]))[:, 0] for one in measured]
    return asdict(estimate(strata, aggregates.iqm, drawn))


def _interval(values: Array) -> dict[str, float]:
    return asdict(percentile(float(values[0]), values[1:]))
