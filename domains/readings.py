"""A goal's objective in what comes back: each outcome's reading put for what it measures. Needs no torch.

Who optimises without laws sees designs and outcomes only, and the objective is written in the laws' words. Where it is
a linear combination of what the outcomes measure (its coefficients may depend on the design), the same combination of
readings has the objective as its mean: E[reading | world, design] = objective. A product of readings, or a function of
one, has not, and is refused. A ``clip`` around what an outcome measures is passed over: the reading has the clipped
mean, which rises with the other.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from domains.document import Domain, Mechanism, Outcome
from domains.errors import DomainError
from domains.expressions import Binary, Call, Conditional, Entry, Expression, Name, Node, Number, Unary, children, walk

# family → the argument that is the mean of a statistic of the outcome; the statistic is ``_statistic``
_MEASURED = {
    "normal": "mean",
    "studentt": "mean",
    "lognormal": "mu",
    "logitnormal": "mean",
    "bernoulli": "p",
    "binomial": "p",
    "poisson": "rate",
    "negative_binomial": "mean",
    "beta": "mean",
    "gamma": "mean",
}
_PREFIX = "outcome "  # no name of a document has a space


def reading_name(outcome: str) -> str:
    """The name that stands for an outcome's value in ``objective_reading``."""
    return _PREFIX + outcome


def objective_reading(domain: Domain) -> Expression:
    """The goal's objective as an expression of designs and outcomes, linear in the outcomes' statistics.

    DomainError where the goal has no objective, or one that cannot be read off outcomes.
    """
    goal = domain.goal
    if goal.objective is None:
        raise DomainError(f"goal: {goal.kind} has no objective to optimise; only maximise and minimise have one")
    roots = [_Reader(domain, mechanism).read(goal.objective.root) for mechanism in domain.mechanisms]
    root = roots[0]
    if any(other != root for other in roots[1:]):
        raise DomainError(f"goal: {goal.objective.text!r} reads differently under different mechanisms")
    if _degree(root) != 1:
        raise DomainError(
            f"goal: {goal.objective.text!r} is not a linear combination of what the outcomes measure, so that no "
            "reading has it as its mean"
        )
    return Expression(goal.objective.text, root)


class _Reader:
    """Rewrites the objective under one mechanism."""

    def __init__(self, domain: Domain, mechanism: Mechanism) -> None:
        self._domain = domain
        self._lets = {name: law.root for name, law in mechanism.let}
        self._constants = {p.name: p.constant for p in mechanism.parameters if p.constant is not None}
        self._designs = {design.name for design in domain.designs}
        self._readings: list[tuple[Node, Node]] = []  # what is measured, and its reading
        for outcome in domain.outcomes:
            with suppress(DomainError):  # a count that is itself unknown: the outcome cannot be read
                reading = self._statistic(outcome)
                self._readings += [(measured, reading) for measured in _measured(outcome, self._lets)]

    def read(self, node: Node) -> Node:
        for measured, reading in self._readings:
            if node == measured:
                return reading
        if isinstance(node, Name | Entry):
            return self._name(node.name)
        changed: dict[str, Any] = {}
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, tuple) and value and isinstance(value[0], Node):
                changed[field.name] = tuple(self.read(part) for part in value)
            elif isinstance(value, Node):
                changed[field.name] = self.read(value)
        return replace(node, **changed)

    def _name(self, name: str) -> Node:
        if name in self._designs:
            return Name(name)
        if name in self._constants:
            return Number(self._constants[name])
        if name in self._lets:
            return self.read(self._lets[name])
        known = ", ".join(sorted({_text(measured) for measured, _ in self._readings})) or "nothing"
        raise DomainError(f"goal: the objective depends on {name!r}, which no outcome measures; they measure {known}")

    def _statistic(self, outcome: Outcome) -> Node:
        """What is computed from a value so that its mean is the family's argument."""
        value = Name(reading_name(outcome.name))
        if outcome.family == "lognormal":
            return Call("log", (value,))
        if outcome.family == "logitnormal":
            return Call("logit", (value,))
        if outcome.family == "binomial":
            count = outcome.arguments["n"]
            assert isinstance(count, Expression)
            return Binary("/", value, self.read(count.root))
        return value


def _measured(outcome: Outcome, lets: Mapping[str, Node]) -> Iterator[Node]:
    """What an outcome measures, in every way that the document may write it."""
    law = outcome.arguments.get(_MEASURED.get(outcome.family, ""))
    if not isinstance(law, Expression) or outcome.censor is not None or outcome.size:
        return
    node: Node | None = law.root
    while node is not None and not isinstance(node, Number):
        yield node
        if isinstance(node, Call) and node.function == "clip":
            node = node.arguments[0]
        else:
            node = lets.get(node.name) if isinstance(node, Name) else None


def _text(node: Node) -> str:
    names = [part.name for part in walk(node) if isinstance(part, Name)]
    return names[0] if isinstance(node, Name) else f"a function of {', '.join(dict.fromkeys(names))}"


def _degree(node: Node) -> int:
    """0 without readings, 1 where linear in their statistics, 2 for all else."""
    match node:
        case Name(name):
            return int(name.startswith(_PREFIX))
        case Call("log" | "logit", (Name(name),)) if name.startswith(_PREFIX):
            return 1
        case Unary("-" | "+") | Binary("+" | "-") | Call("sum"):
            return max(_degree(child) for child in children(node))
        case Binary("*", left, right):
            return min(2, _degree(left) + _degree(right))
        case Binary("/", left, right):
            return _degree(left) if _degree(right) == 0 else 2
        case Conditional(test, yes, no) | Call("where", (test, yes, no)):
            return max(_degree(yes), _degree(no)) if _degree(test) == 0 else 2
    return 2 if any(_degree(child) > 0 for child in children(node)) else 0
