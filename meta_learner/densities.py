"""Outcomes at candidate designs, and how probable every hypothesis makes them: what expected information is made of.

Outcomes are listed where they are few (yes or no, 17 of 50), with their exact probabilities; else the first hypotheses
draw one each, with the same noise at every design, and what counts is how much more or less probable the other
hypotheses make it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from domains.outcomes import Arguments, OutcomeFamily
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from meta_learner.hypotheses import Hypotheses, predict

_MOST_LISTED = 64  # outcomes
_CHUNK = 200_000  # pairs of an outcome and a hypothesis worked on at once: they fit the processor's cache
_FAR = 1e4  # standard deviations of the noise, up to which single precision tells a thousandth of one
_SIMULATED = 500_000  # the same for simulators


@dataclass(frozen=True)
class Listed:
    """Every outcome there can be. log_probability [places, outcomes, hypotheses], -inf where one is broken."""

    log_probability: Tensor


@dataclass(frozen=True)
class Drawn:
    """Outcomes y that the first hypotheses j gave. log_ratio [places, draws, hypotheses]: log p(y | k) − log p(y | j),
    nats; -inf where k is broken, NaN where j is."""

    log_ratio: Tensor


Outcomes = Listed | Drawn
Table = list[tuple[OutcomeFamily, Arguments]]  # of each outcome, arguments [places, hypotheses]
Part = tuple[slice, Outcomes]  # some of the places, runs × designs in this order


def outcome_parts(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor, *, listing: bool, single: bool
) -> Iterator[Part]:
    """What all hypotheses say at all places, designs [runs, designs, columns] of every run, in parts that fit the
    cache.

    uniforms [draws, outcomes, 2]: noise. listing: whether outcomes may be listed; single: whether single precision will
    do.
    """
    if model.simulator is not None:
        return _of_simulator(model, hypotheses, designs, uniforms)
    table = [
        (column.family, tuple(argument.transpose(1, 2).flatten(0, 1) for argument in arguments))
        for column, arguments in zip(model.columns, predict(model, hypotheses, designs), strict=True)
    ]
    counts = _counts(table) if listing else None
    if counts is not None:
        return _listed(table, counts)
    return _drawn(table, uniforms, torch.float32 if single else torch.float64)


def listed_outcomes(model: DomainModel, hypotheses: Hypotheses, designs: Tensor) -> int | None:
    """How many outcomes there can be at designs [runs, designs, columns]; None where they are too many to be listed."""
    if model.simulator is not None:
        return None
    predicted = zip(model.columns, predict(model, hypotheses, designs), strict=True)
    counts = _counts([(column.family, arguments) for column, arguments in predicted])
    return None if counts is None else prod(counts)


def _counts(table: Table) -> list[int] | None:
    """How many values each outcome can have, if all combinations of them can be listed."""
    counts = [count for family, arguments in table if (count := family.options(arguments)) is not None]
    return counts if len(counts) == len(table) and prod(counts) <= _MOST_LISTED else None


def _slices(places: int, each: int) -> Iterator[slice]:
    size = max(1, _CHUNK // each)
    return (slice(start, min(start + size, places)) for start in range(0, places, size))


def _listed(table: Table, counts: list[int]) -> Iterator[Part]:
    """A document's outcomes are independent given the hypothesis: all combinations, by sums of log probabilities."""
    places, rows = table[0][1][0].shape
    for part in _slices(places, prod(counts) * rows):
        found = None
        for (family, arguments), count in zip(table, counts, strict=True):
            options = torch.arange(count, dtype=torch.float64)[:, None]
            few = tuple(_once(argument[part])[:, None] for argument in arguments)
            density = torch.where(family.valid(few), family.log_density(options, few), -torch.inf).expand(-1, -1, rows)
            found = density if found is None else (found[:, :, None] + density[:, None]).flatten(1, 2)
        assert found is not None
        yield part, Listed(found)


def _drawn(table: Table, uniforms: Tensor, dtype: torch.dtype) -> Iterator[Part]:
    places, rows = table[0][1][0].shape
    draws = len(uniforms)
    columns = []
    for index, (family, arguments) in enumerate(table):
        source = tuple(argument[:, :draws] for argument in arguments)
        y = family.sample(source, uniforms[:, index].expand(places, draws, 2))
        valid = family.valid(arguments)
        if not bool(valid.all()):
            y = torch.where(valid[:, :draws], y, torch.nan)  # what breaks gives no outcome to learn from
        columns.append((_ratio(family, y, arguments, dtype), valid))
    for part in _slices(places, draws * rows):
        found = None
        for ratio, valid in columns:
            here = ratio(part).expand(-1, -1, rows)
            if not bool(valid[part].all()):
                here = torch.where(valid[part, None], here, -torch.inf)
            found = here if found is None else found + here
        assert found is not None
        yield part, Drawn(found)


Ratio = Callable[[slice], Tensor]


def _ratio(family: OutcomeFamily, y: Tensor, arguments: Arguments, dtype: torch.dtype) -> Ratio:
    """Some places → log p(y | k) − log p(y | j) [places, draws, hypotheses], of y [places, draws]."""
    draws = y.shape[-1]
    if family.normal_scale is not None:
        inside = _normal_ratio(family.normal_scale(y), *arguments, dtype=dtype)
        return inside if family.bounds is None else _censored_ratio(family, y, arguments, inside)
    terms = None if family.linear is None else family.linear(arguments)
    if terms is not None:
        return _linear_ratio(y, *torch.broadcast_tensors(*terms), dtype=dtype)

    def general(part: slice) -> Tensor:
        few = tuple(_once(argument[part])[:, None] for argument in arguments)
        own = family.log_density(y[part], tuple(argument[part, :draws] for argument in arguments))
        return (family.log_density(y[part, :, None], few) - own[..., None]).nan_to_num(nan=torch.nan, neginf=-torch.inf)

    return general


def _linear_ratio(y: Tensor, slope: Tensor, offset: Tensor, *, dtype: torch.dtype) -> Ratio:
    """Of outcomes with log p = slope·y + offset + h(y). All is centred, so that six digits will do for large counts:
    slopes at the first hypothesis's, and (slope_k − slope_j)·y + offset_k − offset_j is taken around its y."""
    draws = y.shape[-1]
    slope, offset = (term - term[:, :1].nan_to_num(posinf=0.0, neginf=0.0) for term in (slope, offset))
    middle = y[:, :1].nan_to_num()
    height = offset + slope * middle
    away = y - middle
    own = (height[:, :draws] + slope[:, :draws] * away).to(dtype)
    height, slope, away = height.to(dtype), slope.to(dtype), away.to(dtype)
    return lambda part: torch.addcmul(height[part, None] - own[part, :, None], away[part, :, None], slope[part, None])


def _normal_ratio(y: Tensor, mean: Tensor, sd: Tensor, *, dtype: torch.dtype) -> Ratio:
    """Of normal outcomes, centred and in units of the noise: so six digits will do while candidates are searched."""
    draws = y.shape[-1]
    centre, unit = mean[:, :1].nan_to_num(posinf=0.0, neginf=0.0), sd[:, :1]
    unit = torch.where((unit > 0) & unit.isfinite(), unit, 1.0)
    root = 0.5**0.5 * unit / sd  # log p = log root − (root·(y − mean)/unit)² + a constant
    own = (root[:, :draws] * ((y - mean[:, :draws]) / unit)).square() - root[:, :draws].log()
    place, y = root * ((mean - centre) / unit), (y - centre) / unit
    if not bool((place.abs() < _FAR).all()):  # or NaN: six digits would not hold the noise
        dtype = torch.float64
    place = place.to(dtype)
    if bool((root == root[:, :1]).all()):
        y, own = (y * root[:, :1]).to(dtype), (own + root[:, :1].log()).to(dtype)

        def shared(part: slice) -> Tensor:
            gap = y[part, :, None] - place[part, None]
            return torch.addcmul(own[part, :, None], gap, gap, value=-1)

        return shared
    y, own, root = y.to(dtype), own.to(dtype), root.to(dtype)
    height = root.log()

    def ratio(part: slice) -> Tensor:
        gap = y[part, :, None] * root[part, None] - place[part, None]
        return torch.addcmul(own[part, :, None] + height[part, None], gap, gap, value=-1)

    return ratio


def _censored_ratio(family: OutcomeFamily, y: Tensor, arguments: Arguments, inside: Ratio) -> Ratio:
    """Where an outcome lies on a bound, what counts is the hypotheses' mass there."""
    assert family.bounds is not None
    assert family.tails is not None
    draws = y.shape[-1]
    bounds = zip(family.bounds, (family.tails.below, family.tails.above), strict=True)
    masses = [(y == bound, tail(y.new_tensor(bound), arguments)) for bound, tail in bounds if bound is not None]

    def ratio(part: slice) -> Tensor:
        found = inside(part)
        for here, mass in masses:
            less = (mass[part, None] - mass[part, :draws, None]).to(found.dtype)
            found = torch.where(here[part, :, None], less, found)
        return found

    return ratio


def _once(argument: Tensor) -> Tensor:
    """An argument [..., hypotheses] that all hypotheses share, a noise say, once for all of them: what is computed from
    it and the outcomes alone is then computed once, too."""
    return argument[..., :1] if bool((argument == argument[..., :1]).all()) else argument


def _of_simulator(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Iterator[Part]:
    evaluate = _simulated if hypotheses.statistics is None else _exact
    (runs, rows), count = hypotheses.mechanism.shape, designs.shape[1]
    size = max(1, _SIMULATED // (runs * rows * len(uniforms)))
    every = [evaluate(model, hypotheses, designs[:, i : i + size], uniforms) for i in range(0, count, size)]
    yield slice(0, runs * count), Drawn(_less_own(torch.cat(every, dim=1).flatten(0, 1)))


def _simulated(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Tensor:
    """From a simulator's sampler and log-likelihood, one mechanism after the other."""
    (runs, rows), count, draws = hypotheses.mechanism.shape, designs.shape[1], uniforms.shape[0]
    y = torch.full((runs, draws, count, len(model.outcome_names)), torch.nan, dtype=torch.float64)
    for law, member in zip(model.mechanisms, hypotheses.members, strict=True):
        drawing = member.row < draws
        run, row = member.run[drawing], member.row[drawing]
        parameters = {name: value[drawing] for name, value in member.parameters.items()}
        noise = uniforms[row, None].expand(-1, count, -1, -1)
        y[run, row] = law.sample(parameters, designs[run], noise)
    every = torch.full((runs, rows, draws, count), -torch.inf, dtype=torch.float64)
    for law, member in zip(model.mechanisms, hypotheses.members, strict=True):
        parameters = {name: value[..., None] for name, value in member.parameters.items()}
        density = law.log_likelihood(parameters, designs[member.run, None], y[member.run])
        every[member.run, member.row] = torch.where(y[member.run].isnan().any(-1), -torch.inf, density)
    return every.permute(0, 3, 2, 1)


def _exact(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Tensor:
    """From the predictive of laws whose unknowns are integrated out."""
    assert isinstance(model.simulator, ExactSimulator)
    assert hypotheses.statistics is not None
    draws, statistics = uniforms.shape[0], hypotheses.statistics
    y = model.simulator.predictive_sample(statistics, hypotheses.mechanism[:, :draws], designs, uniforms)
    return model.simulator.predictive_log_density(statistics, hypotheses.mechanism, designs, y).permute(0, 3, 1, 2)


def _less_own(every: Tensor) -> Tensor:
    """Log densities [places, draws, hypotheses] less the draw's own: the draws are the first hypotheses."""
    every = every.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)
    own = every[..., : every.shape[1]].diagonal(dim1=1, dim2=2)
    return every - torch.where(own.isfinite(), own, torch.nan)[..., None]
