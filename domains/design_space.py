"""The designs of a domain as tensors.

A batch of designs is a float64 tensor ``[..., columns]`` in document order; a choice is its option's index. The unit
cube ``[0, 1)^columns`` is where candidates are drawn and refined: real and integer ranges are stretched over it
(logarithmically with ``scale: log``), levels and options cut it into equal parts.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from domains import randomness
from domains.compiler import Compiled, Environment, Names, compile_expression
from domains.document import Design, Domain
from domains.errors import DomainError

_BELOW_ONE = 1.0 - 2.0**-53
_LEAST_SHARE = 0.001  # of designs that satisfy the constraints
_ENOUGH_TRIED = 2**16  # to judge that share
_FEW = 512  # designs that are looked at one by one


class DesignSpace:
    """All designs of a domain, their costs and constraints."""

    def __init__(self, domain: Domain) -> None:
        self.designs = domain.designs
        self.names = tuple(design.name for design in domain.designs)
        self.options = {d.name: d.options for d in domain.designs if d.kind == "choice"}
        names = Names(self.options)
        self._constants = {
            name: torch.tensor(value, dtype=torch.float64) for name, value in domain.shared_constants.items()
        }
        self._constraints = [compile_expression(expression, names) for expression in domain.constraints]
        self._cost: Compiled | None = compile_expression(domain.cost, names) if domain.cost else None

    def environment(self, designs: Tensor) -> dict[str, Tensor]:
        """Design name → tensor [...] for designs [..., columns]."""
        return dict(zip(self.names, designs.unbind(-1), strict=True))

    def decode(self, unit: Tensor) -> Tensor:
        """Points of the unit cube [..., columns] → designs [..., columns]."""
        columns = [_decode(design, unit[..., i]) for i, design in enumerate(self.designs)]
        return torch.stack(columns, dim=-1)

    def encode(self, designs: Tensor) -> Tensor:
        """Designs [..., columns] → the middle of their cell in the unit cube."""
        columns = [_encode(design, designs[..., i]) for i, design in enumerate(self.designs)]
        return torch.stack(columns, dim=-1)

    def feasible(self, designs: Tensor) -> Tensor:
        """Which designs [..., columns] satisfy every constraint: boolean [...]."""
        environment: Environment = {**self._constants, **self.environment(designs)}
        result = torch.ones(designs.shape[:-1], dtype=torch.bool)
        for constraint in self._constraints:
            result = result & (constraint(environment) != 0)
        return result

    def cost(self, designs: Tensor) -> Tensor:
        """Cost [...] of each design [..., columns]; 1 where the document names none. Always > 0."""
        if self._cost is None:
            return torch.ones(designs.shape[:-1], dtype=torch.float64)
        environment: Environment = {**self._constants, **self.environment(designs)}
        cost = self._cost(environment).expand(designs.shape[:-1]).to(torch.float64)
        if not bool(((cost > 0) & cost.isfinite()).all()):
            worst = cost[~((cost > 0) & cost.isfinite())].flatten()[0].item()
            raise DomainError(f"cost: a design costs {worst:g}; every design must cost a finite amount above 0")
        return cost

    def available(self, designs: Tensor, remaining: Tensor) -> Tensor:
        """Which designs [..., columns] satisfy every constraint and cost no more than remains (a rounding apart)."""
        if self._cost is None and not self._constraints:
            return (remaining >= 1 - 1e-9) & torch.ones(designs.shape[:-1], dtype=torch.bool)
        return self.feasible(designs) & (self.cost(designs) * (1 - 1e-9) <= remaining)

    @cached_property
    def cheapest(self) -> Tensor:
        """The cheapest feasible design [columns] among corners, points within, and these with ranges at their ends."""
        width = len(self.designs)
        corners = torch.cartesian_prod(*[torch.tensor([0.0, _BELOW_ONE])] * min(width, 10)).reshape(-1, min(width, 10))
        filler = torch.full((len(corners), width - corners.shape[1]), 0.5)
        inside = randomness.sobol(width)(1024)
        ranged = torch.tensor([design.kind in ("real", "integer") for design in self.designs])
        edges = torch.where(ranged, inside.round(), inside)
        designs = self.decode(torch.cat([torch.cat([corners, filler], dim=1).to(torch.float64), inside, edges]))
        designs = designs[self.feasible(designs)]
        if len(designs) == 0:
            designs = self.uniform(1, randomness.generator(0))
        return designs[self.cost(designs).argmin()]

    @cached_property
    def every(self) -> Tensor | None:
        """All feasible designs [designs, columns], where there are finitely many and at most 512; else None."""
        if any(design.kind == "real" for design in self.designs):
            return None
        columns = [_choices(design) for design in self.designs]
        if math.prod(len(column) for column in columns) > _FEW:
            return None
        designs = torch.cartesian_prod(*columns).reshape(-1, len(columns))
        designs = designs[self.feasible(designs)]
        return designs if len(designs) > 0 else None

    def sobol(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` feasible designs [count, columns] from a scrambled Sobol sequence seeded by the generator."""
        points = randomness.sobol(len(self.designs), randomness.seed(generator))
        return self._reject(count, lambda n: points(n).clamp(0.0, _BELOW_ONE))

    def uniform(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` feasible designs [count, columns], uniform in the unit cube."""
        width = len(self.designs)
        return self._reject(count, lambda n: randomness.uniform((n, width), generator))

    def _reject(self, count: int, draw: Any) -> Tensor:
        if not self._constraints:
            return self.decode(draw(count))
        kept, tried = torch.empty((0, len(self.designs)), dtype=torch.float64), 0
        while len(kept) < count:
            if tried >= _ENOUGH_TRIED and len(kept) < _LEAST_SHARE * tried:
                raise DomainError(
                    f"constraints: hardly any design satisfies them all ({len(kept)} of {tried} tried); "
                    "narrow the ranges of the designs so that most of them are allowed"
                )
            designs = self.decode(draw(max(2 * count, 1024)))
            kept, tried = torch.cat([kept, designs[self.feasible(designs)]]), tried + len(designs)
        return kept[:count]

    def perturb(self, designs: Tensor, size: Tensor | float, generator: torch.Generator) -> Tensor:
        """Designs [runs, designs, columns] moved at random by ``size`` of the unit cube, reflected at its faces.

        size: a number, or one a design [runs, designs, 1].
        """
        unit = self.encode(designs)
        moved = unit + size * randomness.normal(unit.shape, generator)
        return self.decode((1.0 - (1.0 - moved % 2.0).abs()).clamp(0.0, _BELOW_ONE))

    def from_names(self, values: Mapping[str, Any], *, ranged: bool = True) -> Tensor:
        """One design [columns] from name → value (an option's text for a choice); inside its range unless told."""
        _same_names(values, self.names)
        numbers = [
            _number(design, values[design.name]) if ranged or design.kind == "choice" else float(values[design.name])
            for design in self.designs
        ]
        return torch.tensor(numbers, dtype=torch.float64)

    def to_names(self, design: Sequence[float] | Tensor) -> dict[str, float | str]:
        """Name → value of one design [columns]; a choice as its option's text."""
        numbers = design.tolist() if isinstance(design, Tensor) else list(design)
        return {d.name: _named(d, value) for d, value in zip(self.designs, numbers, strict=True)}


def _named(design: Design, value: float) -> float | str:
    if design.kind == "choice":
        return design.options[int(value)]
    return int(value) if design.kind == "integer" else value


def _same_names(values: Mapping[str, Any], names: tuple[str, ...]) -> None:
    missing, extra = [n for n in names if n not in values], [n for n in values if n not in names]
    if missing or extra:
        found = f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(extra)}"
        raise DomainError(f"a design of this domain has the settings {', '.join(names)}; {found}")


def _number(design: Design, value: Any) -> float:
    """The number that stands for a setting's value in tensors; DomainError where it is not allowed."""
    if design.kind == "choice":
        if value not in design.options:
            raise DomainError(f"design {design.name}: {value!r} is not one of {', '.join(design.options)}")
        return float(design.options.index(value))
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise DomainError(f"design {design.name}: {value!r} is not a number") from None
    allowed = number in design.values if design.kind == "levels" else design.low <= number <= design.high
    if not allowed or (design.kind == "integer" and number != int(number)):
        rule = (
            f"one of {', '.join(f'{v:g}' for v in design.values)}"
            if design.kind == "levels"
            else f"{'a whole number ' if design.kind == 'integer' else ''}between {design.low:g} and {design.high:g}"
        )
        raise DomainError(f"design {design.name}: {number:g} is not allowed; it must be {rule}")
    return number


def _choices(design: Design) -> Tensor:
    """The values of a setting that is not real; one more than is of use where they are too many."""
    if design.kind == "integer":
        return torch.arange(int(design.low), min(int(design.high), int(design.low) + _FEW) + 1, dtype=torch.float64)
    values = design.values if design.kind == "levels" else tuple(range(len(design.options)))
    return torch.tensor(values, dtype=torch.float64)


def _decode(design: Design, u: Tensor) -> Tensor:
    if design.kind in ("levels", "choice"):
        count = len(design.values or design.options)
        index = (u * count).floor().clamp(0, count - 1)
        return torch.tensor(design.values, dtype=torch.float64)[index.long()] if design.kind == "levels" else index
    low, high = design.low, design.high
    if design.kind == "integer":
        low, high = low - 0.5, high + 0.5
        if design.scale == "log":
            low = max(low, 0.5)
    ratio = high / low if design.scale == "log" else 0.0
    value = low * ratio**u if design.scale == "log" else low + (high - low) * u
    if design.kind == "integer":
        value = value.round()
    return torch.where(u >= _BELOW_ONE, design.high, value.clamp(design.low, design.high))


def _encode(design: Design, value: Tensor) -> Tensor:
    if design.kind == "levels":
        levels = torch.tensor(design.values, dtype=torch.float64)
        return ((value[..., None] - levels).abs().argmin(-1).to(torch.float64) + 0.5) / len(design.values)
    if design.kind == "choice":
        return (value + 0.5) / len(design.options)
    low, high = design.low, design.high
    if design.kind == "integer":
        low, high = low - 0.5, high + 0.5
        if design.scale == "log":
            low = max(low, 0.5)
    unit = (value / low).log() / math.log(high / low) if design.scale == "log" else (value - low) / (high - low)
    return unit.to(torch.float64).clamp(0.0, _BELOW_ONE)
