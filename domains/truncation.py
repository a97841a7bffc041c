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

from domains import counts, randomness
from domains.distributions import Arguments, End, log_between
from domains.priors import FAMILIES, Line, PriorFamily, normal_shares

_ROUNDS = 8  # of drawing from the whole law and keeping what falls between the bounds; the rest by inversion
_STEPS = 60
_CLOSE = 1e-6  # in the logarithm of a share
_WIDEST = 700.0  # e^±700 are floats
_NOTHING = -745.0  # e^-745 is the smallest positive float
_TINY = 1e-300
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
        ends = self._end(a), self._end(b)
        self.log_mass = log_between(*ends, self._narrow(a, b))
        # a bound beyond which there is no mass that a float could tell is none: it would only cost precision
        self.low = torch.where(ends[0].below - self.log_mass < _NOTHING, -torch.inf, a)
        self.high = torch.where(ends[1].above - self.log_mass < _NOTHING, torch.inf, b)
        self._ends = self._end(self.low), self._end(self.high)
        self._a = torch.where(self.low.isfinite(), self.low, 0.0)  # only where finite: infinite ones have no gradient
        self._b = torch.where(self.high.isfinite(), self.high, 0.0)
        self._bounds = self.low.isfinite().to(torch.int8) + self.high.isfinite().to(torch.int8)

    def _end(self, z: Tensor) -> End:
        return End(self._line.tails.below(z, self._own), self._line.tails.above(z, self._own))

    def _narrow(self, a: Tensor, b: Tensor) -> Tensor:
        """The log mass of an interval so narrow that the density does not change."""
        middle = torch.where(a.isfinite() & b.isfinite(), (a + b) / 2, 0.0)
        return self._family.log_density(middle, self._own) + (b - a).clamp_min(0.0).log()

    def place(self, w: Tensor) -> Tensor:
        """w → z."""
        width = self._b - self._a
        both = torch.where(w < 0, self._a + width * torch.sigmoid(w), self._b - width * torch.sigmoid(-w))
        one = torch.where(self.low.isfinite(), self._a + w.exp(), self._b - (-w).exp())
        return self._choose(both, one, w)

    def unplace(self, z: Tensor) -> Tensor:
        """z between the bounds → w."""
        above, below = (z - self._a).clamp_min(_TINY).log(), (self._b - z).clamp_min(_TINY).log()
        return self._choose(above - below, torch.where(self.low.isfinite(), above, -below), z)

    def log_density(self, w: Tensor) -> Tensor:
        """Of w: that of z(w) times dz/dw, over the mass."""
        width = torch.where(self._bounds == 2, self._b - self._a, 1.0)
        both = width.log() + logsigmoid(w) + logsigmoid(-w)
        slope = self._choose(both, torch.where(self.low.isfinite(), w, -w), torch.zeros_like(w))
        return self._family.log_density(self.place(w), self._own) + slope - self.log_mass

    def log_shares(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """log of the shares of the mass on the left and on the right of w."""
        z = self.place(w)
        end = self._end(z)
        left = log_between(self._ends[0], end, self._narrow(self.low, z))
        right = log_between(end, self._ends[1], self._narrow(z, self.high))
        return left - self.log_mass, right - self.log_mass

    def _choose(self, both: Tensor, one: Tensor, none: Tensor) -> Tensor:
        return torch.where(self._bounds == 2, both, torch.where(self._bounds == 1, one, none))


def _truncated_line(family: PriorFamily, line: Line, split: Split) -> PriorFamily:
    def interval(arguments: Arguments) -> _Interval:
        return _Interval(family, line, split(arguments))

    def transform(w: Tensor, arguments: Arguments) -> Tensor:
        own, low, high = split(arguments)
        x = family.transform(interval(arguments).place(w), own)
        x = x if low is None else torch.maximum(x, low)  # rounding may have crossed a bound
        return x if high is None else torch.minimum(x, high)

    def log_density(w: Tensor, arguments: Arguments) -> Tensor:
        return interval(arguments).log_density(w)

    def valid(arguments: Arguments) -> Tensor:
        own, low, high = split(arguments)
        sound = family.valid(own) & interval(arguments).log_mass.isfinite()
        sound = sound if low is None else sound & ~low.isnan()
        sound = sound if high is None else sound & ~high.isnan()
        return sound if low is None or high is None else sound & (low < high)

    def sample(shape: torch.Size, arguments: Arguments, generator: torch.Generator) -> Tensor:
        flat = tuple(a if a.dim() == 0 else a.expand(shape).reshape(-1) for a in arguments)
        return _sample(shape.numel(), family, interval, (split, flat), generator).reshape(shape)

    return PriorFamily(transform, log_density, sample, valid)


def _sample(
    count: int,
    family: PriorFamily,
    interval: Callable[[Arguments], _Interval],
    law: tuple[Split, Arguments],
    generator: torch.Generator,
) -> Tensor:
    """Draws w [count], arguments [count] or numbers: rejection from the whole law; the rest by inversion."""
    split, arguments = law
    w = torch.full((count,), torch.nan, dtype=torch.float64)
    left = torch.arange(count)
    for _ in range(_ROUNDS):
        part = _rows(arguments, left)
        where = interval(part)
        z = family.sample(left.shape, split(part)[0], generator)
        hit = (z > where.low) & (z < where.high)
        w[left] = torch.where(hit, where.unplace(z), torch.nan)
        left = left[~hit]
        if len(left) == 0:
            return w
    where = interval(_rows(arguments, left))
    w[left] = _invert(where, randomness.uniform(left.shape, generator).clamp_min(2.0**-54))
    return w


def _rows(arguments: Arguments, rows: Tensor) -> Arguments:
    return tuple(a if a.dim() == 0 else a[rows] for a in arguments)


def _invert(where: _Interval, uniform: Tensor) -> Tensor:
    """The w with the share ``uniform`` of the mass on its left: Newton in the logarithm of the smaller share, kept
    within a shrinking bracket."""
    from_left = uniform < 0.5
    target = torch.where(from_left, uniform, 1 - uniform).log()
    low, high = torch.full_like(uniform, -_WIDEST), torch.full_like(uniform, _WIDEST)
    w = torch.zeros_like(uniform)
    for _ in range(_STEPS):
        left, right = where.log_shares(w)
        share = torch.where(from_left, left, right)
        far = ~((share - target).abs() <= _CLOSE)
        if not bool(far.any()):
            break
        short = torch.where(from_left, ~(share >= target), share > target)
        low, high = torch.where(short, w, low), torch.where(short, high, w)
        step = torch.where(from_left, 1.0, -1.0) * (target - share) * (share - where.log_density(w)).exp()
        newton = w + step
        following = torch.where((newton > low) & (newton < high), newton, (low + high) / 2)
        w = torch.where(far, following, w)
    return w


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
