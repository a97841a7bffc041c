"""What many runs come to. Of Agarwal et al. 2021 (``bootstrap``) unless another source is named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meta_learner.evaluation.adaptation.bootstrap import Array, Interval, Resamples, estimate, percentile

Numbers = tuple[float, ...]

_TRIMMED = 0.25  # of the runs, at either end


def iqm(values: Array) -> Array:
    """Interquartile mean of [..., runs] → [...]: of the runs left without the ⌊runs/4⌋ lowest and as many highest."""
    cut = int(_TRIMMED * values.shape[-1])
    ordered = np.sort(values, axis=-1)
    found: Array = ordered[..., cut : values.shape[-1] - cut].mean(-1)
    return found


def optimality_gap(values: Array) -> Array:
    """How far runs fall short of 1: mean of max(0, 1 − x) over [..., runs]; what is beyond 1 makes up for nothing."""
    found: Array = np.maximum(0.0, 1.0 - values).mean(-1)
    return found


def area(progress: Array, budgets: Sequence[float]) -> Array:
    """Area under progress [runs, budgets], by trapezoids, over the largest budget [runs]: the mean progress while the
    budget is spent (Taylor & Stone 2009, Transfer learning for reinforcement learning domains, JMLR 10: *total reward*,
    here of the knowledge at hand)."""
    found: Array = np.trapezoid(progress, np.asarray(budgets), axis=-1) / budgets[-1]
    return found


@dataclass(frozen=True)
class Profile:
    """share: of the runs that score above each threshold, with a pointwise 95 % band."""

    threshold: Numbers
    share: Numbers
    low: Numbers
    high: Numbers


def profile(strata: Sequence[Array], thresholds: Sequence[float], drawn: Resamples) -> Profile:
    """Performance profile (run-score distribution): F(τ) = share of runs with x > τ; scores [runs] a stratum."""
    above = [(scores[:, None] > np.asarray(thresholds)).astype(np.float64) for scores in strata]
    share = np.concatenate(above).mean(0)
    hits = sum((counts @ one for counts, one in zip(drawn.counts, above, strict=True)), np.zeros(1))
    spread = hits / sum(len(one) for one in above)  # [resamples, thresholds]
    ends = [percentile(value, column) for value, column in zip(share.tolist(), spread.T, strict=True)]
    return Profile(
        tuple(thresholds),
        tuple(share.tolist()),
        tuple(end.low for end in ends),
        tuple(end.high for end in ends),
    )


def curve(strata: Sequence[Array], drawn: Resamples) -> list[Interval]:
    """Interquartile mean, with its interval, of each column of [runs, columns] a stratum."""
    columns = range(strata[0].shape[1])
    return [estimate([one[:, column] for one in strata], iqm, drawn) for column in columns]


def _better(first: Array, second: Array) -> Array:
    """1 where the first is larger, ½ where they tie."""
    found: Array = (first > second) + 0.5 * (first == second)
    return found


def paired_improvement(ours: Sequence[Array], theirs: Sequence[Array], drawn: Resamples) -> Interval:
    """In which share of the worlds we score higher than they do there, ties a half: mean over strata of
    P(x_i > y_i) + ½ P(x_i = y_i), with x, y [runs] in the same worlds."""
    wins = [_better(x, y) for x, y in zip(ours, theirs, strict=True)]
    shares = [counts @ win / len(win) for counts, win in zip(drawn.counts, wins, strict=True)]
    return percentile(float(np.mean([win.mean() for win in wins])), np.mean(shares, axis=0))


def improvement(ours: Sequence[Array], theirs: Sequence[Array], drawn: Resamples, others: Resamples) -> Interval:
    """How likely a run of ours scores higher than one of theirs in another world: mean over strata of
    Σ_ij (1[x_i > y_j] + ½ 1[x_i = y_j]) ÷ nm, the Mann–Whitney statistic. others: their own resamples."""
    tables = [_better(x[:, None], y[None]) for x, y in zip(ours, theirs, strict=True)]
    shares = [
        ((mine @ table) * yours).sum(-1) / table.size
        for mine, table, yours in zip(drawn.counts, tables, others.counts, strict=True)
    ]
    return percentile(float(np.mean([table.mean() for table in tables])), np.mean(shares, axis=0))


def paired_difference(ours: Sequence[Array], theirs: Sequence[Array], drawn: Resamples) -> Interval:
    """Mean of x_i − y_i over worlds that both met."""
    return estimate([x - y for x, y in zip(ours, theirs, strict=True)], lambda values: values.mean(-1), drawn)
