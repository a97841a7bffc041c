"""Outcomes: what comes back, a family with its arguments."""

from collections.abc import Mapping
from typing import Any

from domains.document import Outcome
from domains.expressions import Expression
from domains.validation.families import OUTCOMES, fault
from domains.validation.report import Part, describe, is_number, labels
from domains.validation.scope import Scope, check, fold

MAX_OUTCOMES = 64
_FORM = "an outcome is a family with its arguments by name, as in {normal: {mean: rate, sd: 0.1}}"
_UNCENSORED = ("bernoulli", "categorical")


def read_outcomes(part: Part, scope: Scope, designs: Mapping[str, Any]) -> tuple[tuple[Outcome, ...], frozenset[str]]:
    """All outcomes, and the names of those that are vectors over times."""
    outcomes, vectors = [], set()
    for name, entry in part.entries("outcomes", most=MAX_OUTCOMES).items():
        if not entry.title():
            continue
        if name in designs:
            entry.problem(f"{name!r} is declared twice: it is already a design; choose another name")
        outcome, length = _read(name, entry, scope)
        outcomes.append(outcome)
        if length > 0:
            vectors.add(name)
    return tuple(outcomes), frozenset(vectors)


def read_measured(part: Part, scope: Scope, designs: Mapping[str, Any]) -> tuple[tuple[Outcome, ...], frozenset[str]]:
    """Outcomes whose laws are Python: numbers, with a unit and a label at most."""
    del scope
    outcomes = []
    for name, entry in part.entries("outcomes", most=MAX_OUTCOMES).items():
        if not entry.title():
            continue
        if name in designs:
            entry.problem(f"{name!r} is declared twice: it is already a design; choose another name")
        fields = entry.fields(("unit", "label")) if entry.value is not None else {}
        outcomes.append(Outcome(name, "python", {}, **labels(fields)))
    return tuple(outcomes), frozenset()


def _read(name: str, part: Part, scope: Scope) -> tuple[Outcome, int]:
    fields = part.fields((*OUTCOMES, "censor", "unit", "label"), otherwise=_FORM)
    families = [key for key in fields if key in OUTCOMES]
    if len(families) != 1:
        if isinstance(part.value, dict):
            part.problem(
                f"found {' and '.join(families) or 'no family'}; an outcome has exactly one of {', '.join(OUTCOMES)}"
            )
        return Outcome(name, "", {}), 0
    family = families[0]
    arguments, length = _arguments(fields[family], scope)
    censor = _censor(fields["censor"], family) if "censor" in fields else None
    return Outcome(name, family, arguments, censor, size=max(length, 0), **labels(fields)), length


def _arguments(part: Part, scope: Scope) -> tuple[dict[str, Expression | tuple[Expression, ...]], int]:
    rules = dict(OUTCOMES[part.key])
    fields = part.fields(tuple(rules), tuple(rules))
    arguments: dict[str, Expression | tuple[Expression, ...]] = {}
    lengths = {0}
    for name, entry in fields.items():
        if part.key == "categorical":
            read = [_argument(item, name, rules[name], scope) for item in entry.items("probabilities", least=2)]
            arguments[name] = tuple(expression for expression, _ in read if expression is not None)
            lengths.update(length for _, length in read)
        else:
            expression, length = _argument(entry, name, rules[name], scope)
            lengths.add(length)
            if expression is not None:
                arguments[name] = expression
    if len(lengths - {-1, 0}) > 1:
        part.problem("arguments are vectors of different lengths; an outcome has one length")
    return arguments, max(lengths)


def _argument(part: Part, name: str, rule: str, scope: Scope) -> tuple[Expression | None, int]:
    expression = part.expression()
    length = check(part, expression, scope)
    wrong = fault(name, rule, fold(expression, scope.constants))
    if wrong:
        part.problem(wrong)
    return expression, length


def _censor(part: Part, family: str) -> tuple[float | None, float | None] | None:
    if family in _UNCENSORED:
        part.problem(f"a {family} outcome cannot be censored; remove it")
        return None
    bounds = part.value
    well_formed = isinstance(bounds, list) and len(bounds) == 2 and all(b is None or is_number(b) for b in bounds)
    if not well_formed or bounds == [None, None]:
        part.problem(f"found {describe(bounds)}; censor is [low, high], numbers, one of which may be null")
        return None
    low, high = (None if bound is None else float(bound) for bound in bounds)
    if low is not None and high is not None and low >= high:
        part.problem(f"low is {low:g} and high is {high:g}; low must be < high")
    return low, high
