"""Truncated priors: a family kept between bounds, renormalised.

A continuous family is truncated in its own z. With a and b the bounds' images there, z = a + e^w, b − e^(−w) or
a + (b − a)·sigmoid(w), where w on the real line takes the place of z. The density of w is that of z times dz/dw, over
the mass between the bounds, all in the logarithm: a bound far out in a tail costs no precision. A Poisson law is
truncated in its quantile; both bounds belong to it.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from torch.special import gammainc, gammaincc

from domains import counts
from domains.distributions import Arguments, log_between
from domains.priors import FAMILIES, Line, PriorFamily, normal_shares

_ROUNDS = 8  # of drawing from the whole law and keeping what falls between the bounds; the rest by bisection
_BISECTIONS = 64
_WIDEST = 700.0  # e^±700 are floats
_NOTHING = -745.0  # e^-745 is the smallest positive float
_LEAST_MASS = 1e-290

Split = Callable[[Arguments], tuple[Arguments, Tensor | None, Tensor | None]]


def truncated(name: str, *, low: bool, high: bool) -> PriorFamily:
    """The family with the bounds it has, low before high, as its last arguments."""

    def split(arguments: Arguments) -> tuple[Arguments, Tensor | None, Tensor | None]:
        own, bounds = list(arguments[: len(arguments) - low - high]), list(arguments[len(arguments) - low - high :])
        return tuple(own), bounds[0] if low else None, bounds[-1] if high else None

    family = FAMILIES[name]
    return _truncated_poisson(split) if family.line is None else _truncated_line(family, family.line, split)


# ---- continuous families


class _Interval:
    """Where z may lie: bounds a and b, ±∞ where there is none, and the log mass between them."""

    def __init__(self, family: PriorFamily, line: Line, parts: tuple[Arguments, Tensor | None, Tensor | None]) -> None:
        own, low, high = parts
        nowhere = torch.tensor(torch.inf, dtype=torch.float64)
        a = -nowhere if low is None else line.inverse(low, own)
        b = nowhere if high is None else line.inverse(high, own)
        self._family, self._line, self._own = family, line, own
        mass = self._between(a, b)
        # a bound beyond which there is no mass that a float could tell is none: it would only cost precision
        self.low = torch.where(line.tails.below(a, own) - mass < _NOTHING, -torch.inf, a)
        self.high = torch.where(line.tails.above(b, own) - mass < _NOTHING, torch.inf, b)
        self.log_mass = mass

    def _between(self, a: Tensor, b: Tensor) -> Tensor:
        return log_between(a, b, self._own, self._line.tails, self._family.log_density)

    def place(self, w: Tensor) -> Tensor:
        """w → z."""
        width = self.high - self.low
        both = torch.where(w < 0, self.low + width * torch.sigmoid(w), self.high - width * torch.sigmoid(-w))
        one = torch.where(self.low.isfinite(), self.low + w.exp(), self.high - (-w).exp())
        return self._choose(both, one, w)

    def unplace(self, z: Tensor) -> Tensor:
        """z between the bounds → w."""
        above, below = (z - self.low).clamp_min(1e-300).log(), (self.high - z).clamp_min(1e-300).log()
        return self._choose(above - below, torch.where(self.low.isfinite(), above, -below), z)

    def log_slope(self, w: Tensor) -> Tensor:
        """log dz/dw."""
        both = (self.high - self.low).log() + logsigmoid(w) + logsigmoid(-w)
        return self._choose(both, torch.where(self.low.isfinite(), w, -w), torch.zeros_like(w))

    def log_share(self, w: Tensor, *, left: bool) -> Tensor:
        """log of the share of the mass between the bounds that lies left (or right) of w."""
        z = self.place(w)
        part = self._between(self.low, z) if left else self._between(z, self.high)
        return part - self.log_mass

    def _choose(self, both: Tensor, one: Tensor, none: Tensor) -> Tensor:
        bounds = self.low.isfinite().to(torch.int8) + self.high.isfinite().to(torch.int8)
        return torch.where(bounds == 2, both, torch.where(bounds == 1, one, none))


def _truncated_line(family: PriorFamily, line: Line, split: Split) -> PriorFamily:
    def interval(arguments: Arguments) -> _Interval:
        return _Interval(family, line, split(arguments))

    def transform(w: Tensor, arguments: Arguments) -> Tensor:
        own, low, high = split(arguments)
        x = family.transform(interval(arguments).place(w), own)
        x = x if low is None else torch.maximum(x, low)  # rounding may have crossed a bound
        return x if high is None else torch.minimum(x, high)

    def log_density(w: Tensor, arguments: Arguments) -> Tensor:
        own, _, _ = split(arguments)
        inside = interval(arguments)
        return family.log_density(inside.place(w), own) + inside.log_slope(w) - inside.log_mass

    def valid(arguments: Arguments) -> Tensor:
        own, low, high = split(arguments)
        sound = family.valid(own) & interval(arguments).log_mass.isfinite()
        sound = sound if low is None else sound & ~low.isnan()
        sound = sound if high is None else sound & ~high.isnan()
        return sound if low is None or high is None else sound & (low < high)

    def sample(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
        spread = tuple(argument.expand(shape).reshape(-1) for argument in arguments)
        return _sample(family, interval, split, spread, generator).reshape(shape)

    return PriorFamily(transform, log_density, sample, valid)


def _sample(
    family: PriorFamily,
    interval: Callable[[Arguments], _Interval],
    split: Split,
    arguments: Arguments,
    generator: torch.Generator,
) -> Tensor:
    """Draws w [n], arguments [n]: rejection from the whole law; what it does not give, from a uniform by bisection."""
    count = arguments[0].shape[0]
    w = torch.full((count,), torch.nan, dtype=torch.float64)
    left = torch.arange(count)
    for _ in range(_ROUNDS):
        part = tuple(argument[left] for argument in arguments)
        where = interval(part)
        z = family.sample(left.shape, split(part)[0], generator)
        hit = (z > where.low) & (z < where.high)
        w[left] = torch.where(hit, where.unplace(z), torch.nan)
        left = left[~hit]
        if len(left) == 0:
            return w
    where = interval(tuple(argument[left] for argument in arguments))
    w[left] = _invert(where, torch.rand(left.shape, generator=generator, dtype=torch.float64).clamp_min(2.0**-54))
    return w


def _invert(where: _Interval, uniform: Tensor) -> Tensor:
    """The w with the share ``uniform`` of the mass on its left."""
    low, high = torch.full_like(uniform, -_WIDEST), torch.full_like(uniform, _WIDEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        short = where.log_share(middle, left=True) < uniform.log()
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return (low + high) / 2


# ---- Poisson


def _truncated_poisson(split: Split) -> PriorFamily:
    family = FAMILIES["poisson"]

    def shares(arguments: Arguments) -> tuple[Tensor, Tensor, Tensor]:
        """P(K < low), P(K > high), and P(low ≤ K ≤ high), from the tails that cancel less."""
        (rate,), low, high = split(arguments)
        least, most = _whole(low, high, rate)
        first, last = least.clamp_min(1.0), torch.where(most.isfinite(), most.clamp_min(0.0), 0.0) + 1
        too_low = torch.where(least > 0, gammaincc(first, rate), 0.0)
        not_low = torch.where(least > 0, gammainc(first, rate), 1.0)
        too_high = torch.where(most.isfinite(), gammainc(last, rate), 0.0)
        not_high = torch.where(most.isfinite(), gammaincc(last, rate), 1.0)
        return too_low, too_high, torch.where(least > rate, not_low - too_high, not_high - too_low)

    def transform(z: Tensor, arguments: Arguments) -> Tensor:
        (rate,), low, high = split(arguments)
        too_low, too_high, mass = shares(arguments)
        left, right = normal_shares(z)
        k = counts.quantile(counts.POISSON, (rate,), too_low + left * mass, too_high + right * mass)
        least, most = _whole(low, high, rate)
        return torch.minimum(torch.maximum(k, least), most)

    def valid(arguments: Arguments) -> Tensor:
        (rate,), low, high = split(arguments)
        least, most = _whole(low, high, rate)
        return family.valid((rate,)) & (least <= most) & least.isfinite() & (shares(arguments)[2] > _LEAST_MASS)

    return PriorFamily(transform, family.log_density, family.sample, valid)


def _whole(low: Tensor | None, high: Tensor | None, rate: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest count between the bounds."""
    least = torch.zeros_like(rate) if low is None else low.ceil().clamp_min(0.0)
    most = torch.full_like(rate, torch.inf) if high is None else high.floor()
    return least, most
