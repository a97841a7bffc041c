"""Prior-predictive simulation: where a law breaks, and how often an outcome ends at the edge of its censoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from domains.document import Design
from domains.worlds import DomainModel, Worlds
from meta_learner.streams import stream

ALLOWED_SHARE = 0.01  # of prior draws that may simulate something that is not finite
_WARM_UP = 8
_LEAST_GROUP = 10  # draws on either side that a region is read off


@dataclass(frozen=True)
class PriorDraws:
    """Simulated experiments of one law at prior draws and uniform designs, one a draw.

    designs [draws, columns]; parameters name → [draws]; outcomes [draws, outcomes]; seconds: to simulate 1,000.
    """

    designs: Tensor
    parameters: Mapping[str, Tensor]
    outcomes: Tensor
    seconds: float

    @property
    def broken(self) -> Tensor:
        """Which draws gave NaN or infinity [draws]."""
        return ~self.outcomes.isfinite().all(-1)

    @property
    def broken_share(self) -> float:
        return self.broken.to(torch.float64).mean().item()


@dataclass(frozen=True)
class Region:
    """The quantity whose values set some draws apart most, and in words the values of these draws and of the rest."""

    name: str
    values: str
    rest: str


@dataclass(frozen=True)
class Edge:
    """The share of prior-predictive outcomes at one bound of the censoring."""

    outcome: str
    side: str  # "lower", "upper"
    bound: float
    share: float


def draw_prior(model: DomainModel, index: int, draws: int) -> PriorDraws:
    """``draws`` simulated experiments of the mechanism with this index."""
    law = model.mechanisms[index]
    designs = model.space.uniform(draws, stream(0, 0, 0, "design"))
    parameters = law.parameters(law.sample_prior((draws,), stream(0, 0, index, "world")))
    _simulate(model, index, _first(parameters, _WARM_UP), designs[:_WARM_UP])  # the solver is imported on first use
    started = perf_counter()
    outcomes = _simulate(model, index, parameters, designs)
    return PriorDraws(designs, parameters, outcomes, (perf_counter() - started) / draws * 1000)


def _simulate(model: DomainModel, index: int, parameters: dict[str, Tensor], designs: Tensor) -> Tensor:
    mine = tuple(parameters if i == index else {} for i in range(len(model.mechanisms)))
    worlds = Worlds(torch.full((len(designs),), index), mine)
    return model.outcomes(worlds, designs, stream(0, 0, index, "noise"))


def _first(parameters: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    return {name: value[:count] for name, value in parameters.items()}


def example(model: DomainModel, draws: PriorDraws) -> str:
    """Design and parameters of the first broken draw in words; empty where none is."""
    broken = draws.broken
    if not bool(broken.any()):
        return ""
    first = int(broken.to(torch.uint8).argmax())
    values = {name: value[first].item() for name, value in draws.parameters.items()}
    return f"{model.space.to_names(draws.designs[first])} with {values}"


def broken_region(model: DomainModel, draws: PriorDraws) -> Region | None:
    """Where a law breaks, if one design or parameter tells."""
    designs = dict(zip(model.space.names, draws.designs.unbind(-1), strict=True))
    return region(model, {**designs, **draws.parameters}, draws.broken)


def region(model: DomainModel, quantities: Mapping[str, Tensor], chosen: Tensor) -> Region | None:
    """The quantity (name → [draws]) with the largest Kolmogorov–Smirnov distance between chosen [draws] and the rest.

    None where no distance could not be chance: α = 1e-3 over all quantities, by Smirnov's limit.
    """
    few = min(int(chosen.sum()), int((~chosen).sum()))
    if few < _LEAST_GROUP or not quantities:
        return None
    distances = {name: _distance(value[chosen], value[~chosen]) for name, value in quantities.items()}
    name = max(distances, key=lambda key: distances[key])
    inside, outside = int(chosen.sum()), int((~chosen).sum())
    alpha = torch.tensor(1e-3 / len(quantities), dtype=torch.float64)
    limit = (-(alpha / 2).log() / 2 * (inside + outside) / (inside * outside)).sqrt().item()
    if distances[name] < limit:
        return None
    design = next((d for d in model.space.designs if d.name == name), None)
    value = quantities[name]
    return Region(name, _values(value[chosen], design), _values(value[~chosen], design))


def _distance(a: Tensor, b: Tensor) -> float:
    """The largest difference of two empirical distribution functions."""
    values = torch.cat([a, b])
    values = values[values.isfinite()]
    below = [torch.searchsorted(x.sort().values, values, right=True) / len(x) for x in (a, b)]
    return (below[0] - below[1]).abs().max().item() if len(values) else 0.0


def _values(values: Tensor, design: Design | None) -> str:
    """The middle nine tenths of some values in words; of a choice, its options."""
    if design is not None and design.kind == "choice":
        return " or ".join(design.options[int(index)] for index in values.unique())
    low, high = values.quantile(torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
    return f"{low:.3g} to {high:.3g}"


def edges(model: DomainModel, draws: list[PriorDraws]) -> list[Edge]:
    """The shares at the bounds of each censored outcome, over all laws by their prior weight."""
    weights = model.log_weights.exp()
    found = []
    for outcome in model.domain.outcomes:
        columns = model.columns_of(outcome.name)
        for side, bound in zip(("lower", "upper"), outcome.censor or (), strict=False):
            if bound is not None:
                shares = torch.stack([_share_at(law.outcomes[:, columns], side, bound) for law in draws])
                found.append(Edge(outcome.name, side, bound, (weights * shares).sum().item()))
    return found


def _share_at(outcomes: Tensor, side: str, bound: float) -> Tensor:
    at = outcomes <= bound if side == "lower" else outcomes >= bound
    return at.to(torch.float64).mean()
