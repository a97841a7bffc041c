"""Outcomes at candidate designs, and how probable every hypothesis makes them: what expected information is made of.

Outcomes are listed where they are few (yes or no, 17 of 50), with their exact probabilities; else the first hypotheses
draw one each, with the same noise at every design, and what counts is how much more or less probable the other
hypotheses make it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from domains.outcomes import Arguments, OutcomeFamily
from domains.simulators import ExactSimulator
from domains.worlds import DomainModel
from meta_learner.hypotheses import Hypotheses, predict
from meta_learner.predictive_grid import WIDEST

_MOST_LISTED = 64  # outcomes
_CHUNK = 65_536  # pairs of an outcome and a hypothesis worked on at once: they fit the processor's cache
_FAR = 1e4  # standard deviations of the noise, up to which single precision tells a thousandth of one
_CELL_PAIRS = 24  # that a hypothesis on a grid costs as much as
_SIMULATED = 500_000  # the same for simulators
_BITS = 1 / math.log(2)  # in a nat: powers of 2 are taken in half the time, and where they vanish in a tenth


@dataclass(frozen=True)
class Listed:
    """Every outcome there can be. log_probability [runs, designs, outcomes, hypotheses], nats, -inf where one is
    broken."""

    log_probability: Tensor


@dataclass(frozen=True)
class Drawn:
    """Outcomes y that the first hypotheses j gave. bits [runs, designs, draws, hypotheses]: log₂ p(y | k) − log₂
    p(y | j); -inf where k is broken, NaN where j is."""

    bits: Tensor


@dataclass(frozen=True)
class Shifted:
    """One normal outcome whose noise all hypotheses share: its mean [runs, designs, hypotheses], the least and the most
    of these and the noise's standard deviation [runs, designs, 1]."""

    mean: Tensor
    least: Tensor
    most: Tensor
    sd: Tensor


@dataclass(frozen=True)
class Part:
    """What is said at some designs of one run, or at all designs of some runs."""

    runs: slice
    found: Listed | Shifted | Drawn


@dataclass(frozen=True)
class Ways:
    """In which ways outcomes may be described. listed: by all there can be, up to ``most``; shifted: by their mean;
    blurred: also where that loses something of what they tell; single: in single precision."""

    listed: bool = True
    most: int = _MOST_LISTED
    shifted: bool = False
    blurred: bool = False
    single: bool = False


Table = list[tuple[OutcomeFamily, Arguments]]  # of each outcome, arguments [places, hypotheses], or [places, 1] of one
# that all hypotheses share; places are runs × designs


@dataclass(frozen=True)
class _Layout:
    """How many runs, designs, draws and hypotheses."""

    runs: int
    designs: int
    draws: int
    rows: int

    def parts(self, each: int) -> Iterator[tuple[slice, slice]]:
        """The places in parts that fit the cache, ``each`` the pairs at a place: their runs, and their places."""
        fit = max(1, _CHUNK // each)
        if fit >= self.designs:
            size = fit // self.designs
            for first in range(0, self.runs, size):
                last = min(first + size, self.runs)
                yield slice(first, last), slice(first * self.designs, last * self.designs)
            return
        size = -(-self.designs // -(-self.designs // fit))
        for run in range(self.runs):
            for first in range(0, self.designs, size):
                place = run * self.designs + first
                yield slice(run, run + 1), slice(place, place + min(size, self.designs - first))


def outcome_parts(
    model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor, ways: Ways
) -> Iterator[Part]:
    """What all hypotheses say at designs [runs, designs, columns] of every run, in parts that fit the cache, in order.

    uniforms [draws, outcomes, 2]: noise of outcomes that are drawn.
    """
    if model.simulator is not None:
        return _of_simulator(model, hypotheses, designs, uniforms)
    layout = _Layout(designs.shape[0], designs.shape[1], len(uniforms), hypotheses.mechanism.shape[1])
    table = [
        (column.family, tuple(argument.transpose(1, 2).flatten(0, 1) for argument in arguments))
        for column, arguments in zip(model.columns, predict(model, hypotheses, designs), strict=True)
    ]
    counts = _counts(table, ways.most) if ways.listed else None
    if counts is not None:
        return _listed(table, counts, layout, torch.float32 if ways.single else torch.float64)
    shifted = _shifts(table, blurred=ways.blurred) if ways.shifted else None
    if shifted is not None:
        return _shifted(shifted, layout)
    return _drawn(table, uniforms, layout, torch.float32 if ways.single else torch.float64)


def affordable(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, ways: Ways, *, pairs: int) -> int:
    """How many hypotheses can be asked about a design for the price of so many pairs of a drawn outcome and a
    hypothesis: the square root where outcomes are drawn. A few hypotheses tell which way it goes."""
    drawn = math.isqrt(pairs)
    if model.simulator is not None:
        return drawn
    predicted = zip(model.columns, predict(model, hypotheses, designs), strict=True)
    table = [(column.family, arguments) for column, arguments in predicted]
    counts = _counts(table, ways.most) if ways.listed else None
    if counts is not None:
        return max(drawn, pairs // prod(counts))
    return pairs // _CELL_PAIRS if ways.shifted and _shifts(table, blurred=True) is not None else drawn


def _counts(table: Table, most: int) -> list[int] | None:
    """How many values each outcome can have, if all combinations of them can be listed: at most so many."""
    if any(family.options is None for family, _ in table):
        return None
    counts = [family.options(arguments) for family, arguments in table if family.options is not None]
    known = [count for count in counts if count is not None]
    return known if len(known) == len(table) and prod(known) <= most else None


def _listed(table: Table, counts: list[int], layout: _Layout, dtype: torch.dtype) -> Iterator[Part]:
    """A document's outcomes are independent given the hypothesis: all combinations, by sums of log probabilities."""
    for runs, part in layout.parts(prod(counts) * layout.rows):
        found = None
        for (family, arguments), count in zip(table, counts, strict=True):
            options = torch.arange(count, dtype=dtype)[:, None]
            few = tuple(_once(argument[part]).to(dtype)[:, None] for argument in arguments)
            density, valid = _of_options(family, options, few), family.valid(few)
            if not bool(valid.all()):
                density = torch.where(valid, density, -torch.inf)
            density = density.expand(-1, -1, layout.rows)
            found = density if found is None else (found[:, :, None] + density[:, None]).flatten(1, 2)
        assert found is not None
        yield Part(runs, Listed(found.unflatten(0, (runs.stop - runs.start, -1))))


def _of_options(family: OutcomeFamily, options: Tensor, arguments: Arguments) -> Tensor:
    """Log density [places, options, hypotheses] of options [options, 1]: arguments [places, 1, hypotheses]."""
    terms = None if family.linear is None else family.linear(arguments)
    if terms is None or family.base is None:
        return family.log_density(options, arguments)
    slope, offset = terms
    return torch.addcmul(offset, slope, options) + family.base(options, arguments)


def _shifts(table: Table, *, blurred: bool) -> Shifted | None:
    """The means [places, hypotheses] of a single normal outcome, where all hypotheses share its noise and predict
    something, and (unless blurred) lie no further apart than a grid resolves."""
    ((family, arguments), *others) = table
    if others or family.normal_scale is None or family.bounds is not None:
        return None
    mean, sd = arguments
    if sd.shape[1] > 1 and not bool((sd == sd[:, :1]).all()):
        return None
    sd = sd[:, :1]
    least, most = mean.detach().aminmax(dim=1, keepdim=True)
    apart = (most - least) / sd
    widest = torch.inf if blurred else WIDEST
    if not bool((family.valid((least, sd)) & (apart < widest)).all()):
        return None
    return Shifted(mean, least, most, sd)


def _shifted(shifted: Shifted, layout: _Layout) -> Iterator[Part]:
    mean = shifted.mean.expand(-1, layout.rows)
    for runs, part in layout.parts(layout.rows):
        values = (mean[part], shifted.least[part], shifted.most[part], shifted.sd[part])
        yield Part(runs, Shifted(*(value.unflatten(0, (runs.stop - runs.start, -1)) for value in values)))


def _drawn(table: Table, uniforms: Tensor, layout: _Layout, dtype: torch.dtype) -> Iterator[Part]:
    columns = []
    for index, (family, arguments) in enumerate(table):
        source = tuple(argument[:, : layout.draws] for argument in arguments)
        y = family.sample(source, uniforms[:, index]).expand(-1, layout.draws)
        valid = family.valid(arguments)
        broken = None if bool(valid.all()) else ~valid
        if broken is not None:
            y = torch.where(broken[:, : layout.draws], torch.nan, y)  # what breaks gives no outcome to learn from
        columns.append((_bits(family, y, arguments, dtype), broken))
    shape = (layout.draws, layout.rows)
    for runs, part in layout.parts(layout.draws * layout.rows):
        found = None
        for bits, broken in columns:
            here = bits(part).expand(-1, *shape)
            if broken is not None:
                here = torch.where(broken[part, None], -torch.inf, here)
            found = here if found is None else found + here
        assert found is not None
        yield Part(runs, Drawn(found.unflatten(0, (runs.stop - runs.start, -1))))


Bits = Callable[[slice], Tensor]


def _bits(family: OutcomeFamily, y: Tensor, arguments: Arguments, dtype: torch.dtype) -> Bits:
    """Some places → log₂ p(y | k) − log₂ p(y | j) [places, draws, hypotheses], of y [places, draws]."""
    draws = y.shape[-1]
    if family.normal_scale is not None:
        inside = _normal_bits(family.normal_scale(y), *arguments, dtype=dtype)
        return inside if family.bounds is None else _censored_bits(family, y, arguments, inside)
    terms = None if family.linear is None else family.linear(arguments)
    if terms is not None:
        return _linear_bits(y, *torch.broadcast_tensors(*terms), dtype=dtype)

    def general(part: slice) -> Tensor:
        few = tuple(_once(argument[part])[:, None] for argument in arguments)
        own = family.log_density(y[part], tuple(argument[part, :draws] for argument in arguments))
        ratio = family.log_density(y[part, :, None], few) - own[..., None]
        return ratio.nan_to_num(nan=torch.nan, neginf=-torch.inf) * _BITS

    return general


def _linear_bits(y: Tensor, slope: Tensor, offset: Tensor, *, dtype: torch.dtype) -> Bits:
    """Of outcomes with log p = slope·y + offset + h(y). All is centred, so that six digits will do for large counts:
    slopes at the first hypothesis's, and (slope_k − slope_j)·y + offset_k − offset_j is taken around its y."""
    draws = y.shape[-1]
    slope, offset = (_BITS * (term - term[:, :1].nan_to_num(posinf=0.0, neginf=0.0)) for term in (slope, offset))
    middle = y[:, :1].nan_to_num()
    height = offset + slope * middle
    away = y - middle
    own = (height[:, :draws] + slope[:, :draws] * away).to(dtype)[..., None]
    height, slope, away = height.to(dtype)[:, None], slope.to(dtype)[:, None], away.to(dtype)[..., None]
    return lambda part: torch.addcmul(height[part] - own[part], away[part], slope[part])


def _normal_bits(y: Tensor, mean: Tensor, sd: Tensor, *, dtype: torch.dtype) -> Bits:
    """Of normal outcomes, centred and in units of the noise: so six digits will do while candidates are searched."""
    draws = y.shape[-1]
    centre, unit = mean[:, :1].nan_to_num(posinf=0.0, neginf=0.0), sd[:, :1]
    unit = torch.where((unit > 0) & unit.isfinite(), unit, 1.0)
    root = (0.5 * _BITS) ** 0.5 * unit / sd  # log₂ p = log₂ root − (root·(y − mean)/unit)² + a constant
    place, y = (mean - centre) * (root / unit), (y - centre) / unit
    own = (root[:, :draws] * y - place[:, :draws]).square() - root[:, :draws].log2()
    least, most = place.detach().aminmax()
    if not -_FAR < least.item() <= most.item() < _FAR:  # or NaN: six digits would not hold the noise
        dtype = torch.float64
    place = place.to(dtype)[:, None]
    if sd.shape[-1] == 1 or bool((root == root[:, :1]).all()):
        y, own = (y * root[:, :1]).to(dtype)[..., None], (own + root[:, :1].log2()).to(dtype)[..., None]
        return lambda part: _less_square(own[part], y[part] - place[part])
    y, own, root = y.to(dtype)[..., None], own.to(dtype)[..., None], root.to(dtype)[:, None]
    height, behind = root.log2(), -place
    return lambda part: _less_square(own[part] + height[part], torch.addcmul(behind[part], y[part], root[part]))


def _less_square(height: Tensor, gap: Tensor) -> Tensor:
    """height − gap², in the place of gap where no gradient is asked for."""
    return torch.addcmul(height, gap, gap, value=-1, out=None if gap.requires_grad else gap)


def _censored_bits(family: OutcomeFamily, y: Tensor, arguments: Arguments, inside: Bits) -> Bits:
    """Where an outcome lies on a bound, what counts is the hypotheses' mass there."""
    assert family.bounds is not None
    assert family.tails is not None
    draws = y.shape[-1]
    bounds = zip(family.bounds, (family.tails.below, family.tails.above), strict=True)
    masses = [(y == bound, _BITS * tail(y.new_tensor(bound), arguments)) for bound, tail in bounds if bound is not None]

    def bits(part: slice) -> Tensor:
        found = inside(part)
        for here, mass in masses:
            less = (mass[part, None] - mass[part, :draws, None]).to(found.dtype)
            found = torch.where(here[part, :, None], less, found)
        return found

    return bits


def _once(argument: Tensor) -> Tensor:
    """An argument [..., hypotheses] that all hypotheses share, a noise say, once for all of them: what is computed from
    it and the outcomes alone is then computed once, too."""
    return argument[..., :1] if bool((argument == argument[..., :1]).all()) else argument


def _of_simulator(model: DomainModel, hypotheses: Hypotheses, designs: Tensor, uniforms: Tensor) -> Iterator[Part]:
    evaluate = _simulated if hypotheses.statistics is None else _exact
    (runs, rows), count = hypotheses.mechanism.shape, designs.shape[1]
    size = max(1, _SIMULATED // (runs * rows * len(uniforms)))
    every = [evaluate(model, hypotheses, designs[:, i : i + size], uniforms) for i in range(0, count, size)]
    yield Part(slice(0, runs), Drawn(_less_own(torch.cat(every, dim=1))))


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
    """Log densities [..., draws, hypotheses] less the draw's own, in bits: the draws are the first hypotheses."""
    every = every.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)
    own = every[..., : every.shape[-2]].diagonal(dim1=-2, dim2=-1)
    return _BITS * (every - torch.where(own.isfinite(), own, torch.nan)[..., None])
