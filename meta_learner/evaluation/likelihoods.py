"""ℓ = Σ_t log p(y_t | θ, ξ_t) of very many θ for the experiments of many runs, fast on one core.

θ come in parts of so many points that a table of experiments × points fits a processor's cache. Where runs share
designs (whole numbers, levels), what a law predicts is worked out once for every distinct design, its density once for
every distinct design and outcome, and a run's ℓ is a sum of rows of that table.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from domains import outcomes as outcome_laws
from domains.outcomes import Arguments
from domains.worlds import CompiledMechanism, DomainModel, MechanismModel
from meta_learner.belief import History

CELLS = 65_536  # of a table of experiments × points
_SOLVED = 1_000_000  # the same, where dynamics are solved, which see to the cache themselves
_MOST_POINTS = 16_384
_SHARED = 0.5  # runs share designs where at most this share of all designs is distinct

Points = Mapping[str, Tensor]  # parameter name → [points]


class Likelihoods:
    """Of a domain, for the experiments of some runs. Rows whose outcomes are all missing say nothing and are left out.

    grouped: whether to share work between runs; None: where it pays.
    """

    def __init__(self, model: DomainModel, history: History, *, grouped: bool | None = None) -> None:
        self._model = model
        self._columns = [_Column(model, index) for index in range(len(model.columns))]
        came = ~history.outcomes.isnan().all(-1)
        self._runs = [(d[own], y[own]) for d, y, own in zip(history.designs, history.outcomes, came, strict=True)]
        designs, outcomes = history.designs[came], history.outcomes[came]
        shared = _Shared(designs, outcomes, came.sum(-1))
        pays = len(shared.designs) <= _SHARED * len(designs)
        compiled = model.simulator is None
        self._shared = shared if compiled and (pays if grouped is None else grouped) and len(designs) > 0 else None
        widest = int(came.sum(-1).amax()) if self._shared is None else len(self._shared.designs)
        self._cells = _SOLVED if any(law.at_once > _SOLVED for law in model.mechanisms) else CELLS
        self.points_at_once = min(_MOST_POINTS, max(64, self._cells // max(1, widest)))

    def of_all(self, mechanism: int, points: Points) -> Tensor:
        """ℓ [runs, points] under one mechanism, for points that all runs share; best ``points_at_once`` of them."""
        if self._shared is not None:
            return self._of_shared(mechanism, points, self._shared)
        return torch.stack([self.of_run(run, mechanism, points) for run in range(len(self._runs))])

    def of_run(self, run: int, mechanism: int, points: Points) -> Tensor:
        """ℓ [points] under one mechanism, for one run."""
        designs, outcomes = self._runs[run]
        count = len(next(iter(points.values()))) if points else 1
        if len(designs) == 0:
            return torch.zeros(count, dtype=torch.float64)
        law, size = self._model.mechanisms[mechanism], max(64, self._cells // len(designs))
        parts = []
        for first in range(0, count, size):
            few = {name: value[first : first + size] for name, value in points.items()}
            terms = self._terms(law, few, designs, outcomes)
            parts.append(terms.expand(len(designs), min(size, count - first)).sum(0))
        return _sound(torch.cat(parts))

    def _terms(self, law: MechanismModel, points: Points, designs: Tensor, outcomes: Tensor) -> Tensor:
        """log densities, broadcastable to [experiments, points]."""
        if not isinstance(law, CompiledMechanism):
            return law.log_likelihood(points, designs[:, None], outcomes[:, None])
        return self._density(law.outcome_arguments(points, designs[:, None]), outcomes)

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
        law = self._model.mechanisms[mechanism]
        assert isinstance(law, CompiledMechanism)
        count = len(next(iter(points.values()))) if points else 1
        arguments = law.outcome_arguments(points, shared.designs[:, None])
        table = torch.empty((len(shared.outcomes), count), dtype=torch.float64)
        for rows in torch.arange(len(table)).split(max(1, CELLS // count)):
            few = [tuple(_take(value, shared.design[rows]) for value in each) for each in arguments]
            table[rows[0] : rows[-1] + 1] = self._density(few, shared.outcomes[rows])
        return embedding_bag(shared.pair, _sound(table), shared.offsets, mode="sum")


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
        self._inner = outcome_laws.FAMILIES[outcome.family]

    def log_density(self, y: Tensor, arguments: Arguments) -> Tensor:
        """log p(y [experiments] | arguments), broadcastable to [experiments, points]; -inf for invalid arguments."""
        valid = self._family.valid(arguments)
        censors = self._low is not None or self._high is not None
        density = self._kinds(y, arguments) if censors else self._inner.log_density(y[:, None], arguments)
        return density if bool(valid.all()) else torch.where(valid, density, -torch.inf)

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


def _take(value: Tensor, rows: Tensor) -> Tensor:
    """Rows of an argument [experiments, points]; all of one that is the same for all experiments."""
    return value[rows] if value.dim() == 2 and value.shape[0] > 1 else value


def _sound(density: Tensor) -> Tensor:
    """What is not a number, or infinite density, is a law's failure: -inf, as in the belief."""
    return density.nan_to_num_(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)
