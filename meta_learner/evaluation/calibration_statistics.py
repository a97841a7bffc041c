"""Statistics of calibration, each a sum over runs whose null distribution is exact, and what they would detect.

Under the null the truth of a run is a draw from its own belief: a law by the laws' probabilities; given the law, one of
its particles, with the ranks of all of its constants together. So a run's part in any sum has a known distribution,
dependence between constants or between laws included, and runs are independent.

Which runs are counted may depend on their data, and on which law is true: given both, the ranks stay uniform. That the
most probable law is true, which coverage asks for, is such a condition; so coverage is nominal for an exact belief.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy
from numpy.typing import NDArray
from scipy import stats

from meta_learner.evaluation.calibration import ROWS, JudgedRun
from meta_learner.evaluation.nulls import NullSum, Term, sum_of

Array = NDArray[numpy.float64]
Ranks = NDArray[numpy.int16]
LEVELS = (0.5, 0.8, 0.9, 0.95)
BINS = 10
EVERYWHERE = "all domains"
_LEAST = 1e-12  # probabilities below count as this much in the log score


@dataclass(frozen=True)
class Statistic:
    """A sum over ``runs``.

    about: a domain or all of them. ranks: a run's part [draws] from ranks [draws, names], where it is of constants;
    laws: its part [laws] under each law, where it is of laws. counts: parts are whole numbers. of: how many things were
    counted, where the sum is a number of them.
    """

    about: str
    name: str
    runs: Sequence[JudgedRun]
    ranks: Callable[[JudgedRun, Ranks], Array] | None = None
    laws: Callable[[JudgedRun], Array] | None = None
    counts: bool = False
    of: int = 0

    @cached_property
    def null(self) -> NullSum:
        """The sum as observed, and its distribution for an exact belief."""
        return self.sum()

    def sum(
        self, narrowed: float | None = None, sharpened: float | None = None, *, step: float | None = None
    ) -> NullSum:
        """The distribution for a belief that is wrong in one of two ways.

        narrowed: standard deviations as a share of what they should be: a true u becomes Φ(Φ⁻¹(u) / narrowed).
        sharpened: probabilities of laws are what they should be to this power, normalised.
        """
        terms = [self._term(run, narrowed, sharpened) for run in self.runs]
        return sum_of(terms, counts=self.counts, step=step)

    def power(self, alpha: float, narrowed: float | None = None, sharpened: float | None = None) -> float:
        """The probability that a belief wrong in this way gives a p-value below alpha."""
        return self.null.power(self.sum(narrowed, sharpened, step=self.null.step), alpha)

    def _term(self, run: JudgedRun, narrowed: float | None, sharpened: float | None) -> Term:
        if self.laws is not None:
            values = self.laws(run)
            truth = run.probability if sharpened is None else run.probability ** (1 / sharpened)
            return Term(values, truth, float(values[run.truth]))
        assert self.ranks is not None
        values = self.ranks(run, run.others)
        weight = numpy.full(len(values), 1 / len(values))
        observed = float(self.ranks(run, run.rank[None])[0])
        if narrowed is None:
            return Term(values, weight, observed)
        wrong = self.ranks(run, _narrowed(narrowed)[run.others])
        every = numpy.concatenate([values, wrong])  # the same cells as under the null
        return Term(every, numpy.concatenate([0 * weight, weight]), observed)


@lru_cache(maxsize=16)
def _narrowed(share: float) -> Ranks:
    """Rank → rank under standard deviations that are ``share`` of what they should be."""
    u = (numpy.arange(ROWS) + 0.5) / ROWS
    wrong = stats.norm.cdf(stats.norm.ppf(u) / share)
    ranks: Ranks = numpy.clip(wrong * ROWS, 0, ROWS - 1).astype(numpy.int16)
    return ranks


def place(ranks: Ranks) -> Array:
    """Rank → u in (0, 1)."""
    return (ranks.astype(numpy.float64) + 0.5) / ROWS


def of_one_domain(about: str, runs: Sequence[JudgedRun]) -> list[Statistic]:
    """Everything tested for one domain: coverage, ranks together and of each constant, laws."""
    every = [*of_constants(about, runs), *of_laws(about, runs)]
    for name in dict.fromkeys(name for run in runs for name in run.names):
        having = [run for run in runs if name in run.names]
        every.append(Statistic(about, f"shift of {name}", having, ranks=_of(name, _shift)))
        every.append(Statistic(about, f"spread of {name}", having, ranks=_of(name, _spread)))
    return every


def of_all(runs: Sequence[JudgedRun]) -> list[Statistic]:
    """Everything tested for all domains together."""
    return [*of_constants(EVERYWHERE, runs), *of_laws(EVERYWHERE, runs), *reliability(EVERYWHERE, runs)]


def of_constants(about: str, runs: Sequence[JudgedRun]) -> list[Statistic]:
    """Coverage of central intervals where the most probable law is true; the spread and the histogram of all ranks."""
    found = [run for run in runs if run.found and run.continuous.any()]
    ranked = [run for run in runs if run.names]
    intervals = sum(int(run.continuous.sum()) for run in found)
    numbers = sum(len(run.names) for run in ranked)
    covers = [
        Statistic(about, f"coverage {level:.0%}", found, ranks=_inside(level), counts=True, of=intervals)
        for level in LEVELS
        if found
    ]
    if not ranked:
        return covers
    tenths = [
        Statistic(about, f"ranks in tenth {which + 1}", ranked, ranks=_in_bin(which), counts=True, of=numbers)
        for which in range(BINS)
    ]
    return [*covers, Statistic(about, "spread of ranks", ranked, ranks=_sum_of(_spread)), *tenths]


def of_laws(about: str, runs: Sequence[JudgedRun]) -> list[Statistic]:
    """How often the most probable law is true; log score and Brier score of the laws' probabilities."""
    rivals = [run for run in runs if len(run.probability) > 1]
    if not rivals:
        return []
    return [
        Statistic(about, "laws found", rivals, laws=_leading, counts=True, of=len(rivals)),
        Statistic(about, "log score", rivals, laws=log_score),
        Statistic(about, "Brier score", rivals, laws=brier),
    ]


def reliability(about: str, runs: Sequence[JudgedRun]) -> list[Statistic]:
    """How often laws hold that were given a probability in each tenth."""
    rivals = [run for run in runs if len(run.probability) > 1]
    every = []
    for which in range(BINS):
        within = [run for run in rivals if (_bin(run.probability) == which).any()]
        pairs = sum(int((_bin(run.probability) == which).sum()) for run in within)
        if within:
            part = _believed_in(which)
            every.append(Statistic(about, f"laws in tenth {which + 1}", within, laws=part, counts=True, of=pairs))
    return every


def log_score(run: JudgedRun) -> Array:
    """−log P(law) for each law that may hold, nats."""
    return -numpy.log(numpy.maximum(run.probability, _LEAST))


def brier(run: JudgedRun) -> Array:
    """Σ_m (P(m) − 1[m holds])² for each law that may hold (Brier 1950)."""
    return (run.probability**2).sum() - 2 * run.probability + 1


def calibration_error(runs: Sequence[JudgedRun], redraws: int, seed: int) -> dict[str, float]:
    """The expected calibration error Σ_b n_b/n |share of laws that hold − mean probability| (Naeini et al. 2015), and
    what ``redraws`` truths drawn from the beliefs give: their mean and 95 % quantile. Not a sum, and never judged."""
    rivals = [run for run in runs if len(run.probability) > 1]
    if not rivals:
        return {}
    generator = numpy.random.default_rng(seed)
    gaps = numpy.zeros((redraws + 1, BINS))
    for run in rivals:
        bins, probability = _bin(run.probability), run.probability / run.probability.sum()
        gaps -= numpy.bincount(bins, weights=run.probability, minlength=BINS)
        drawn = generator.choice(len(probability), redraws, p=probability)
        gaps[numpy.arange(redraws + 1), bins[numpy.append(drawn, run.truth)]] += 1
    errors = numpy.abs(gaps).sum(1) / sum(len(run.probability) for run in rivals)
    null = errors[:-1]
    return {"observed": float(errors[-1]), "mean": float(null.mean()), "high95": float(numpy.quantile(null, 0.95))}


def _bin(probability: Array) -> NDArray[numpy.int64]:
    return numpy.minimum((probability * BINS).astype(numpy.int64), BINS - 1)


def _leading(run: JudgedRun) -> Array:
    return (numpy.arange(len(run.probability)) == run.leading).astype(numpy.float64)


def _believed_in(which: int) -> Callable[[JudgedRun], Array]:
    return lambda run: (_bin(run.probability) == which).astype(numpy.float64)


def _shift(u: Array) -> Array:
    """The first Legendre polynomial: mean 0, variance 1 for uniform u; above 0 where the belief is too low."""
    return numpy.sqrt(3) * (2 * u - 1)


def _spread(u: Array) -> Array:
    """The second: above 0 where the belief is too narrow (Neyman's smooth test, 1937)."""
    return numpy.sqrt(5) * (6 * (u - 0.5) ** 2 - 0.5)


def _of(name: str, law: Callable[[Array], Array]) -> Callable[[JudgedRun, Ranks], Array]:
    return lambda run, ranks: law(place(ranks[:, run.names.index(name)]))


def _sum_of(law: Callable[[Array], Array]) -> Callable[[JudgedRun, Ranks], Array]:
    return lambda _, ranks: law(place(ranks)).sum(1)


def _inside(level: float) -> Callable[[JudgedRun, Ranks], Array]:
    def part(run: JudgedRun, ranks: Ranks) -> Array:
        held = numpy.abs(place(ranks[:, run.continuous]) - 0.5) <= level / 2
        return held.sum(1).astype(numpy.float64)

    return part


def _in_bin(which: int) -> Callable[[JudgedRun, Ranks], Array]:
    return lambda _, ranks: (_bin(place(ranks)) == which).sum(1).astype(numpy.float64)
