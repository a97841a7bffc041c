"""ℓ = Σ_t log p(y_t | θ, ξ_t) of very many θ for the experiments of many runs, fast on one core.

θ come in parts of so many points that a table of experiments × points fits a processor's cache. Where runs share
designs (whole numbers, levels), what a law predicts is worked out once for every distinct design, its density once for
every distinct design and outcome, and a run's ℓ is a sum of rows of that table.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from domains import outcomes as outcome_laws
from domains.mechanisms import CompiledMechanism, MechanismModel
from domains.outcomes import Arguments
from domains.worlds import DomainModel
from meta_learner.belief import History

CELLS = 65_536  # of a table of experiments × points
_SOLVED = 1_000_000  # the same, where dynamics are solved, which see to the cache themselves
_MOST_POINTS = 16_384
_FIRST = 4  # experiments that all points are judged by, before the unlikely ones are left out
_COUNTED = ("bernoulli", "binomial", "poisson", "negative_binomial", "categorical")  # log probabilities: at most 0
_SPREAD = ("normal", "lognormal", "logitnormal")
_SHARED = 0.5  # runs share designs where at most this share of all designs is distinct

Points = Mapping[str, Tensor]  # parameter name → [points]


class Likelihoods:
    """Of a domain, for the experiments of some runs. Rows whose outcomes are all missing say nothing and are left out.

    grouped: whether to share work between runs; None: where it pays. points_at_once: how many ``log_sum`` likes best.
    """

    def __init__(self, model: DomainModel, history: History, *, grouped: bool | None = None) -> None:
        self._model = model
        self._columns = [_Column(model, index) for index in range(len(model.columns))]
        came = ~history.outcomes.isnan().all(-1)
        self._runs = [_Rows(d[own], y[own]) for d, y, own in zip(history.designs, history.outcomes, came, strict=True)]
        designs, outcomes = history.designs[came], history.outcomes[came]
        shared = _Shared(designs, outcomes, came.sum(-1))
        pays = len(shared.designs) <= _SHARED * len(designs)
        compiled = model.simulator is None
        self._shared = shared if compiled and (pays if grouped is None else grouped) and len(designs) > 0 else None
        self._cells = _SOLVED if any(law.at_once > _SOLVED for law in model.mechanisms) else CELLS
        widest = _FIRST if self._shared is None else len(self._shared.designs)
        self.points_at_once = min(_MOST_POINTS, max(64, self._cells // max(1, widest)))

    def log_sum(self, mechanism: int, points: Points, floor: Tensor | None = None) -> Tensor:
        """log Σ e^ℓ [runs] over points that all runs share, under one mechanism.

        floor [runs]: points whose ℓ is certain to be below may be left out.
        """
        if self._shared is not None:
            return self._of_shared(mechanism, points, self._shared).logsumexp(-1)
        floors = [-math.inf] * len(self._runs) if floor is None else floor.tolist()
        each = [self._of_likely(run, mechanism, points, least) for run, least in enumerate(floors)]
        return torch.stack([terms.logsumexp(0) for terms in each])

    def of_run(self, run: int, mechanism: int, points: Points) -> Tensor:
        """ℓ [points] under one mechanism, for one run."""
        return self._of_rows(self._runs[run], mechanism, points)

    def _of_likely(self, run: int, mechanism: int, points: Points, floor: float) -> Tensor:
        """ℓ of all points that may reach the floor: some experiments first, and the others only for what they leave.

        What is still to come adds at most the sum of the densities' maxima.
        """
        rows = self._runs[run]
        count = _count(points)
        if floor == -math.inf or len(rows.designs) <= _FIRST:
            return self._of_rows(rows, mechanism, points)
        highest = self._highest(rows, mechanism, points)
        order = highest.argsort(stable=True).flip(0)  # the unknown, then the last first: late designs tell the most
        total = torch.zeros(count, dtype=torch.float64)
        size, start = max(_FIRST, int((highest == torch.inf).sum())), 0
        while start < len(order):
            total = total + self._of_rows(rows.few(order[start : start + size]), mechanism, points)
            start, size = start + size, 2 * size
            keep = (total + highest[order[start:]].sum() >= floor).nonzero()[:, 0]
            if len(keep) == 0:
                return total[:0]
            if len(keep) < len(total):
                total, points = total[keep], {name: value[keep] for name, value in points.items()}
        return total

    def _highest(self, rows: "_Rows", mechanism: int, points: Points) -> Tensor:
        """The largest log density that each experiment's outcomes can have under any point [experiments]."""
        law = self._model.mechanisms[mechanism]
        if mechanism not in rows.highest:
            rows.highest[mechanism] = torch.full((len(rows.designs),), torch.inf, dtype=torch.float64)
            if isinstance(law, CompiledMechanism) and _count(points) > 1:
                two = {name: value[:2] for name, value in points.items()}
                arguments = zip(self._columns, law.outcome_arguments(two, rows.designs[:, None]), strict=True)
                each = [
                    column.highest(y, values) for (column, values), y in zip(arguments, rows.outcomes.T, strict=True)
                ]
                rows.highest[mechanism] = torch.stack(each).sum(0)
        return rows.highest[mechanism]

    def _of_rows(self, rows: "_Rows", mechanism: int, points: Points) -> Tensor:
        """ℓ [points] of some experiments."""
        count, length = _count(points), len(rows.designs)
        if length == 0:
            return torch.zeros(count, dtype=torch.float64)
        law, size = self._model.mechanisms[mechanism], max(64, self._cells // length)
        parts = []
        for first in range(0, count, size):
            few = {name: value[first : first + size] for name, value in points.items()}
            terms = self._terms(law, few, rows)
            parts.append(terms.expand(length, min(size, count - first)).sum(0))
        return _sound(torch.cat(parts))

    def _terms(self, law: MechanismModel, points: Points, rows: "_Rows") -> Tensor:
        """log densities, broadcastable to [experiments, points]."""
        if not isinstance(law, CompiledMechanism):
            return law.log_likelihood(points, rows.designs[:, None], rows.outcomes[:, None])
        return self._density(law.outcome_arguments(points, rows.designs[:, None]), rows.outcomes)

    def _density(self, arguments: list[Arguments], outcomes: Tensor) -> Tensor:
        total: Tensor | float = 0.0
        for index, (column, values) in enumerate(zip(self._columns, arguments, strict=True)):
            y = outcomes[:, index]
            missing = y.isnan()
            density = column.log_density(y, values)
            total = total + (torch.where(missing[:, None], 0.0, density) if bool(missing.any()) else density)
        assert isinstance(total, Tensor)
        return total

    def _of_shared(self, mechanism: int, points: Points, shared: "_Shared") -> Tensor:
        """ℓ [runs, points]."""
        law = self._model.mechanisms[mechanism]
        assert isinstance(law, CompiledMechanism)
        count = _count(points)
        arguments = law.outcome_arguments(points, shared.designs[:, None])
        table = torch.empty((len(shared.outcomes), count), dtype=torch.float64)
        for rows in torch.arange(len(table)).split(max(1, CELLS // count)):
            few = [tuple(_take(value, shared.design[rows]) for value in each) for each in arguments]
            table[rows[0] : rows[-1] + 1] = self._density(few, shared.outcomes[rows])
        return embedding_bag(shared.pair, _sound(table), shared.offsets, mode="sum")


class _Rows:
    """Experiments of one run: designs [experiments, columns], outcomes [experiments, outcomes]; highest: mechanism →
    the largest log densities their outcomes can have."""

    def __init__(self, designs: Tensor, outcomes: Tensor) -> None:
        self.designs, self.outcomes = designs, outcomes
        self.highest: dict[int, Tensor] = {}

    def few(self, rows: Tensor) -> "_Rows":
        return _Rows(self.designs[rows], self.outcomes[rows])


class _Shared:
    """Experiments of all runs, each distinct one once.

    designs [distinct designs, columns]; of each distinct (design, outcome): design, the index of its design, and
    outcomes [pairs, outcomes]; pair [experiments]: which it is, run after run from ``offsets`` [runs] on.
    """

    def __init__(self, designs: Tensor, outcomes: Tensor, counts: Tensor) -> None:
        self.designs, which = designs.unique(dim=0, return_inverse=True)
        self.offsets = counts.cumsum(0) - counts
        known = outcomes.nan_to_num(nan=torch.inf)  # NaN differs from itself
        pairs, self.pair = torch.cat([which[:, None].to(torch.float64), known], dim=1).unique(
            dim=0, return_inverse=True
        )
        self.design = pairs[:, 0].long()
        self.outcomes = torch.where(pairs[:, 1:].isposinf(), torch.nan, pairs[:, 1:])


class _Column:
    """One outcome column: its density, with no more work than these outcomes need."""

    def __init__(self, model: DomainModel, index: int) -> None:
        self._family = model.columns[index].family
        outcome = next(o for o in model.domain.outcomes if model.columns[index].name in o.entries)
        self._low, self._high = outcome.censor or (None, None)
        self._kind, self._inner = outcome.family, outcome_laws.FAMILIES[outcome.family]

    def log_density(self, y: Tensor, arguments: Arguments) -> Tensor:
        """log p(y [experiments] | arguments), broadcastable to [experiments, points]; -inf for invalid arguments."""
        valid = self._family.valid(arguments)
        censors = self._low is not None or self._high is not None
        density = self._kinds(y, arguments) if censors else self._inner.log_density(y[:, None], arguments)
        return density if bool(valid.all()) else torch.where(valid, density, -torch.inf)

    def highest(self, y: Tensor, arguments: Arguments) -> Tensor:
        """The largest log density [experiments] that y [experiments] can have, whatever the point; ∞ where unknown.

        arguments [experiments, 2]: what the law predicts at two points; one that has a single column is the same at
        all points.
        """
        kind, sd = self._kind, arguments[-1]
        if kind in _COUNTED:
            result = torch.zeros_like(y)
        elif kind in _SPREAD and (sd.dim() == 0 or sd.shape[-1] == 1):
            widest = self._inner.log_density(y[:, None], (_location(kind, y)[:, None], sd))
            result = widest.expand(len(y), 1)[:, 0]
        else:
            result = torch.full_like(y, torch.inf)
        at_bound = (y == self._low) | (y == self._high)  # None equals nothing
        return torch.where(y.isnan() | at_bound, 0.0, result)

    def _kinds(self, y: Tensor, arguments: Arguments) -> Tensor:
        """Censored: a tail at either bound, the family's own density between them. Each only where it is needed."""
        tails = self._family.tails
        assert tails is not None
        low = y == self._low if self._low is not None else torch.zeros_like(y, dtype=torch.bool)
        high = y == self._high if self._high is not None else torch.zeros_like(y, dtype=torch.bool)
        parts = []
        for law, where in ((tails.below, low), (tails.above, high), (self._inner.log_density, ~(low | high))):
            rows = where.nonzero()[:, 0]
            if len(rows) == len(y):
                return law(y[:, None], arguments)
            if len(rows) > 0:
                few = tuple(_take(value, rows) for value in arguments)
                parts.append((rows, law(y[rows, None], few)))
        width = max(part.shape[-1] for _, part in parts)
        density = torch.empty((len(y), width), dtype=torch.float64)
        for rows, part in parts:
            density[rows] = part
        return density


def _location(family: str, y: Tensor) -> Tensor:
    """The mean at which y is most probable, for families of a normal variable."""
    return y if family == "normal" else y.log() if family == "lognormal" else y.logit()


def _count(points: Points) -> int:
    """How many points; those of a law without unknowns are one."""
    return len(next(iter(points.values()))) if points else 1


def _take(value: Tensor, rows: Tensor) -> Tensor:
    """Rows of an argument [experiments, points]; all of one that is the same for all experiments."""
    return value[rows] if value.dim() == 2 and value.shape[0] > 1 else value


def _sound(density: Tensor) -> Tensor:
    """What is not a number, or infinite density, is a law's failure: -inf, as in the belief."""
    return density.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)
