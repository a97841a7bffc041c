"""The domain document as frozen values: what validation makes and everything else reads. Needs no torch.

A domain is a distribution over worlds: rival mechanisms with prior weights, parameters with priors, what the
experimenter sets (designs), what comes back (outcomes), what it costs, and the goal.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from domains.expressions import Expression

DesignKind = Literal["real", "integer", "levels", "choice"]
GoalKind = Literal["learn", "discriminate", "predict", "maximise", "minimise"]


@dataclass(frozen=True)
class Design:
    """One thing the experimenter sets.

    ``real`` and ``integer`` have ``low`` ≤ value ≤ ``high`` and a ``scale``; ``levels`` has the allowed ``values``;
    ``choice`` has ``options``, and its value in tensors is the option's index.
    """

    name: str
    kind: DesignKind
    low: float = 0.0
    high: float = 0.0
    scale: Literal["linear", "log"] = "linear"
    values: tuple[float, ...] = ()
    options: tuple[str, ...] = ()
    unit: str = ""
    label: str = ""


@dataclass(frozen=True)
class Prior:
    """A prior family with its arguments, each an expression in other parameters; optional truncation."""

    family: str
    arguments: tuple[Expression, ...]
    low: Expression | None = None
    high: Expression | None = None
    values: tuple[float, ...] = ()  # of a categorical prior; its arguments are the weights


@dataclass(frozen=True)
class Parameter:
    """An unknown with a prior, or a constant. ``size`` > 0: a vector with entries ``name[0]`` …"""

    name: str
    prior: Prior | None = None
    constant: float | None = None
    size: int = 0
    unit: str = ""
    label: str = ""

    @property
    def entries(self) -> tuple[str, ...]:
        """The scalar names the parameter stands for: itself, or ``name[0]`` … of a vector."""
        return tuple(f"{self.name}[{i}]" for i in range(self.size)) if self.size else (self.name,)


@dataclass(frozen=True)
class State:
    name: str
    start: Expression
    rate: Expression


@dataclass(frozen=True)
class Dynamics:
    """Ordinary differential equations integrated from time 0 ``until`` a time, or read out ``at`` several."""

    time: str
    states: tuple[State, ...]
    let: tuple[tuple[str, Expression], ...]
    until: Expression | None
    at: tuple[Expression, ...]


@dataclass(frozen=True)
class Mechanism:
    """One candidate law, complete: shared and own parts together, each in the order in which it can be evaluated."""

    name: str
    weight: float
    parameters: tuple[Parameter, ...]
    let: tuple[tuple[str, Expression], ...]
    dynamics: Dynamics | None = None
    label: str = ""

    @cached_property
    def unknowns(self) -> tuple[Parameter, ...]:
        """The parameters that have a prior, in evaluation order."""
        return tuple(parameter for parameter in self.parameters if parameter.prior is not None)


@dataclass(frozen=True)
class Outcome:
    """One thing that comes back: a family with its arguments as expressions (``p`` of a categorical: a tuple).

    ``size`` > 0: a vector over the times that the dynamics are read out ``at``.
    """

    name: str
    family: str
    arguments: Mapping[str, Expression | tuple[Expression, ...]]
    censor: tuple[float | None, float | None] | None = None
    unit: str = ""
    label: str = ""
    size: int = 0

    @property
    def entries(self) -> tuple[str, ...]:
        """The numbers that come back: the outcome itself, or ``name[0]`` … of a vector."""
        return tuple(f"{self.name}[{i}]" for i in range(self.size)) if self.size else (self.name,)


@dataclass(frozen=True)
class Goal:
    """What we want to know.

    learn: ``parameters`` (empty: everything); predict: ``points``, outcome name → designs; maximise and minimise:
    ``objective``.
    """

    kind: GoalKind
    parameters: tuple[str, ...] = ()
    points: Mapping[str, tuple[Mapping[str, float | str], ...]] = dataclasses.field(default_factory=dict)
    objective: Expression | None = None


@dataclass(frozen=True)
class Replay:
    """A table of real measurements that answers instead of a simulator. ``columns``: our name → the file's column."""

    name: str
    file: str
    columns: Mapping[str, str]
    where: Mapping[str, str] = dataclasses.field(default_factory=dict)
    set: Mapping[str, float | str] = dataclasses.field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Domain:
    """The whole document. ``parsed`` is the plain data it was read from; ``identity`` the SHA-256 of its content.

    ``python``: the entry point whose class holds the laws; mechanisms then have no lets and outcomes no family.
    ``attached``: file name → text of the tables that came with the text of a document, for want of a folder.
    """

    name: str
    title: str
    designs: tuple[Design, ...]
    mechanisms: tuple[Mechanism, ...]
    outcomes: tuple[Outcome, ...]
    budget: float
    goal: Goal
    identity: str
    parsed: Mapping[str, Any]
    text: str = ""
    file: Path | None = None
    field: str = ""
    summary: str = ""
    references: tuple[str, ...] = ()
    constraints: tuple[Expression, ...] = ()
    cost: Expression | None = None
    exchangeable: tuple[tuple[str, ...], ...] = ()
    replays: Mapping[str, Replay] = dataclasses.field(default_factory=dict)
    python: str = ""
    attached: Mapping[str, str] | None = dataclasses.field(default=None, compare=False, repr=False)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter of any mechanism that has a prior, shared ones once, in document order of appearance."""
        seen: dict[str, Parameter] = {}
        for mechanism in self.mechanisms:
            for parameter in mechanism.unknowns:
                seen.setdefault(parameter.name, parameter)
        return tuple(seen.values())

    @property
    def outcome_entries(self) -> tuple[str, ...]:
        """The numbers that an experiment gives, in order."""
        return tuple(entry for outcome in self.outcomes for entry in outcome.entries)

    @property
    def prediction_names(self) -> tuple[str, ...]:
        """What goal predict asks: ``outcome[i]``, i over the entries of a vector and, within each, over the points."""
        sizes = {outcome.name: len(outcome.entries) for outcome in self.outcomes}
        counts = {name: len(points) * sizes[name] for name, points in self.goal.points.items()}
        return tuple(f"{name}[{index}]" for name, count in counts.items() for index in range(count))

    @property
    def shared_constants(self) -> dict[str, float]:
        """Constants that every mechanism has: what costs and constraints may use beside designs."""
        common = [
            {p.name: p.constant for p in mechanism.parameters if p.constant is not None}
            for mechanism in self.mechanisms
        ]
        return {name: value for name, value in common[0].items() if all(c.get(name) == value for c in common)}
