"""The verdict over all statistics of calibration, at a family-wise error rate, and the power it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from meta_learner.evaluation.calibration import JudgedRun
from meta_learner.evaluation.calibration_statistics import (
    EVERYWHERE,
    Statistic,
    calibration_error,
    of_all,
    of_one_domain,
)

ALPHA = 1e-4
_REDRAWS = 2000
_NARROWED = (0.95, 0.9, 0.8, 0.7, 0.5)
_SHARPENED = (1.1, 1.25, 1.5, 2.0)
_SENSITIVE = {"narrowed": ("spread of ranks", "coverage 80%"), "sharpened": ("log score", "Brier score", "laws found")}


@dataclass(frozen=True)
class Result:
    """One statistic, and what an exact belief gives: mean, sd, and two intervals, outside of which p-values are
    below alpha (its share of the false-alarm rate of all) and below 5 %. of: out of how many, where it is a number of
    things."""

    about: str
    name: str
    runs: int
    observed: float
    mean: float
    sd: float
    low: float
    high: float
    low95: float
    high95: float
    p: float
    alpha: float
    of: int

    @property
    def outside(self) -> bool:
        return self.p < self.alpha


@dataclass(frozen=True)
class Calibration:
    """All results; of all domains together first."""

    runs: Sequence[JudgedRun]
    together: list[Result]
    domains: Mapping[str, list[Result]]
    power: list[dict[str, Any]]
    error: dict[str, float]
    alpha: float = ALPHA

    @property
    def results(self) -> list[Result]:
        return [*self.together, *(result for results in self.domains.values() for result in results)]

    @property
    def outside(self) -> list[Result]:
        return [result for result in self.results if result.outside]

    @property
    def ok(self) -> bool:
        """Whether everything lies inside what an exact belief gives."""
        return not self.outside

    @property
    def verdict(self) -> str:
        """One paragraph: what was tested, how, and what came of it."""
        count, worlds = len(self.results), len(self.runs)
        of = f"{count} statistics of {worlds} worlds in {len(self.domains)} domain{'s'[: len(self.domains) > 1]}"
        how = (
            "Each is judged by its exact distribution for a belief that is right; such a belief has any outside with a "
            f"probability of at most {self.alpha:g} (Bonferroni: half for all domains together, half for single ones)."
        )
        if self.ok:
            return f"Inside: all {of} are what an exact belief gives. {how}"
        return f"Outside: {len(self.outside)} of {of} are not what an exact belief gives. {how}"


def assess(runs: Sequence[JudgedRun], seed: int = 0) -> Calibration:
    """Test everything. An exact belief has any result outside with a probability of at most ALPHA (Bonferroni): half
    of it is shared among the statistics of all domains together, half among those of single domains."""
    names = list(dict.fromkeys(run.domain for run in runs))
    together = of_all(runs)
    single = {name: of_one_domain(name, [run for run in runs if run.domain == name]) for name in names}
    count = sum(len(statistics) for statistics in single.values())
    wide, narrow = ALPHA / 2 / max(1, len(together)), ALPHA / 2 / max(1, count)
    return Calibration(
        runs=runs,
        together=[_result(statistic, wide) for statistic in together],
        domains={name: [_result(statistic, narrow) for statistic in of] for name, of in single.items()},
        power=_powers(together, single, wide, narrow),
        error=calibration_error(runs, _REDRAWS, seed),
    )


def _result(statistic: Statistic, alpha: float) -> Result:
    null = statistic.null
    low, high = null.interval(alpha)
    low95, high95 = null.interval(0.05)
    return Result(
        about=statistic.about,
        name=statistic.name,
        runs=len(statistic.runs),
        observed=null.value,
        mean=null.mean,
        sd=null.sd,
        low=low,
        high=high,
        low95=low95,
        high95=high95,
        p=null.p_value,
        alpha=alpha,
        of=statistic.of,
    )


def _powers(
    together: Sequence[Statistic], single: Mapping[str, list[Statistic]], wide: float, narrow: float
) -> list[dict[str, Any]]:
    """How likely overconfidence would be found: by the best statistic of all domains together, if all were so; by the
    best of one domain, if only that were so (median over the domains). Lower bounds: other statistics help."""
    wrongs: list[tuple[str, str, float]] = [
        *((f"standard deviations too small by {1 - share:.0%}", "narrowed", share) for share in _NARROWED),
        *((f"probabilities of laws to the power {power:g}", "sharpened", power) for power in _SHARPENED),
    ]
    rows = []
    for what, kind, size in wrongs:
        found = _power(together, wide, kind, size)
        each = [one for of in single.values() if (one := _power(of, narrow, kind, size)) is not None]
        if found is not None:
            rows.append({"what": what, EVERYWHERE: found, "one domain": float(numpy.median(each))})
    return rows


def _power(statistics: Sequence[Statistic], alpha: float, kind: str, size: float) -> float | None:
    """Of the best of the statistics that answer to this kind of fault; None where there is none."""
    sensitive = [statistic for statistic in statistics if statistic.name in _SENSITIVE[kind]]
    return max((statistic.power(alpha, **{kind: size}) for statistic in sensitive), default=None)
