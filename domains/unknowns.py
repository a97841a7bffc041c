"""A mechanism's unknowns, compiled: unconstrained columns z ↔ parameter values, in evaluation order.

A scalar takes one column of z. A vector with a Dirichlet prior takes one column a stick: w_i = v_i·Π_{j<i}(1 − v_j)
with independent v_i ~ Beta(a_i, Σ_{j>i} a_j) (Sethuraman 1994), so that it needs no family of its own.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from domains import priors
from domains.compiler import Compiled, Names, compile_expression
from domains.document import Mechanism, Parameter, Prior
from domains.truncation import truncated


@dataclass(frozen=True)
class _Scalar:
    """An unknown number with one column of z."""

    name: str
    family: priors.PriorFamily
    arguments: tuple[Compiled, ...]

    columns = 1
    vector = False

    def priors(self, environment: Mapping[str, Tensor]) -> Iterator[tuple[priors.PriorFamily, priors.Arguments]]:
        yield self.family, tuple(argument(environment) for argument in self.arguments)

    def assemble(self, values: list[Tensor]) -> Tensor:
        return values[0]


@dataclass(frozen=True)
class _Simplex:
    """An unknown vector of positive entries that sum to 1, with one column of z a stick."""

    name: str
    arguments: tuple[Compiled, ...]

    vector = True

    @property
    def columns(self) -> int:
        return len(self.arguments) - 1

    def priors(self, environment: Mapping[str, Tensor]) -> Iterator[tuple[priors.PriorFamily, priors.Arguments]]:
        weights = [argument(environment) for argument in self.arguments]
        for index in range(self.columns):
            yield priors.FAMILIES["beta"], (weights[index], torch.stack(weights[index + 1 :]).sum(0))

    def assemble(self, values: list[Tensor]) -> Tensor:
        """Sticks → entries along a leading axis."""
        left: Tensor = torch.ones_like(values[0])
        entries = []
        for stick in values:
            entries.append(stick * left)
            left = left * (1 - stick)
        return torch.stack([*entries, left])


class Unknowns:
    """All unknowns of one mechanism: its prior in unconstrained space.

    Exchangeable groups of parameters are kept in the order of their first members (density times the number of
    orders, zero elsewhere): one labelling of the same world, so that particles, truths and summaries agree on it. They
    are compared in z, in which values rise: two equal values of a discrete parameter still have one order.
    """

    def __init__(self, mechanism: Mechanism, exchangeable: tuple[tuple[str, ...], ...]) -> None:
        constants = [p for p in mechanism.parameters if p.constant is not None]
        self.constants = {p.name: torch.tensor(p.constant, dtype=torch.float64) for p in constants}
        self.vectors = frozenset(p.name for p in mechanism.unknowns if p.size)
        names = Names(vectors=self.vectors)
        self._unknowns = tuple(_unknown(p, p.prior, names) for p in mechanism.unknowns if p.prior is not None)
        self.names = tuple(entry for parameter in mechanism.unknowns for entry in parameter.entries)
        self.dims = sum(unknown.columns for unknown in self._unknowns)
        self._groups = _group_columns(self._unknowns, exchangeable)

    def environment(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Constants and parameters as expressions see them: vectors along a leading axis, from their entries."""
        environment = {**self.constants, **parameters}
        for name in self.vectors:
            entries = [parameters[entry] for entry in self.names if entry.startswith(f"{name}[")]
            environment[name] = torch.stack(torch.broadcast_tensors(*entries))
        return environment

    def parameters(self, z: Tensor) -> dict[str, Tensor]:
        """Unconstrained z [..., dims] → the value of every entry, name → [...]."""
        environment = dict(self.constants)
        values: dict[str, Tensor] = {}
        start = 0
        for unknown in self._unknowns:
            laws = enumerate(unknown.priors(environment), start)
            value = unknown.assemble([family.transform(z[..., column], args) for column, (family, args) in laws])
            environment[unknown.name] = value
            entries = value.unbind(0) if unknown.vector else (value,)
            names = self.names[len(values) : len(values) + len(entries)]
            values |= dict(zip(names, entries, strict=True))
            start += unknown.columns
        return values

    def log_prior(self, z: Tensor) -> Tensor:
        """log density [...] of z [..., dims] under the prior, nats; -inf where the prior's arguments are invalid."""
        environment = dict(self.constants)
        total = torch.zeros(z.shape[:-1], dtype=torch.float64)
        start = 0
        for unknown in self._unknowns:
            values = []
            for column, (family, arguments) in enumerate(unknown.priors(environment), start):
                density = family.log_density(z[..., column], arguments)
                total = total + torch.where(family.valid(arguments), density, -torch.inf)
                values.append(family.transform(z[..., column], arguments))
            environment[unknown.name] = unknown.assemble(values)
            start += unknown.columns
        if self._groups:
            first = z[..., [group[0] for group in self._groups]]
            in_order = (first.diff(dim=-1) >= 0).all(-1)
            total = torch.where(in_order, total + math.lgamma(len(self._groups) + 1), -torch.inf)
        return total.nan_to_num(nan=-torch.inf, posinf=-torch.inf, neginf=-torch.inf)

    def sample(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draws z [*shape, dims] from the prior."""
        environment = dict(self.constants)
        columns: list[Tensor] = []
        for unknown in self._unknowns:
            values = []
            for family, arguments in unknown.priors(environment):
                columns.append(family.sample(torch.Size(shape), arguments, generator))
                values.append(family.transform(columns[-1], arguments))
            environment[unknown.name] = unknown.assemble(values)
        z = torch.stack(columns, dim=-1) if columns else torch.empty((*shape, 0), dtype=torch.float64)
        if self._groups:
            order = z[..., [group[0] for group in self._groups]].argsort(dim=-1)
            blocks = z[..., torch.tensor(self._groups)]  # [..., groups, members]
            z[..., torch.tensor(self._groups)] = blocks.gather(-2, order[..., None].expand(blocks.shape))
        return z


def _unknown(parameter: Parameter, prior: Prior, names: Names) -> _Scalar | _Simplex:
    arguments = tuple(compile_expression(argument, names) for argument in prior.arguments)
    if prior.family == "dirichlet":
        return _Simplex(parameter.name, arguments)
    if prior.family == "categorical":
        order = sorted(range(len(arguments)), key=lambda index: prior.values[index])
        family = priors.categorical(tuple(prior.values[index] for index in order))
        return _Scalar(parameter.name, family, tuple(arguments[index] for index in order))
    bounds = tuple(compile_expression(bound, names) for bound in (prior.low, prior.high) if bound is not None)
    if bounds:
        family = truncated(prior.family, low=prior.low is not None, high=prior.high is not None)
        return _Scalar(parameter.name, family, (*arguments, *bounds))
    return _Scalar(parameter.name, priors.FAMILIES[prior.family], arguments)


def _group_columns(unknowns: tuple[_Scalar | _Simplex, ...], groups: tuple[tuple[str, ...], ...]) -> list[list[int]]:
    """The columns of each exchangeable group; none if the mechanism does not have them all."""
    columns: dict[str, list[int]] = {}
    start = 0
    for unknown in unknowns:
        columns[unknown.name] = list(range(start, start + unknown.columns))
        start += unknown.columns
    if not all(name in columns for group in groups for name in group):
        return []
    return [[column for name in group for column in columns[name]] for group in groups]
