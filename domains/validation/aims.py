"""What is wanted and what it costs: goal, cost, constraints, exchangeable groups."""

from collections.abc import Mapping

from domains.document import Design, Domain, Goal, Mechanism, Parameter, Prior
from domains.expressions import Compare, Expression, Logical, Number, Unary, renamed
from domains.hints import nearest
from domains.validation.designs import fault
from domains.validation.report import Part, describe
from domains.validation.scope import Scope, check, check_scalar, fold, read_scalar

MAX_POINTS = 1000
_KINDS = ("learn", "discriminate", "predict", "maximise", "minimise")
_FORMS = "learn, discriminate, {learn: [names]}, {predict: {outcome: [designs]}}, {maximise: name}, {minimise: name}"


def read_cost(part: Part, scope: Scope) -> Expression:
    """The cost of one experiment, from designs and shared constants."""
    cost = read_scalar(part, scope)
    value = fold(cost, scope.constants)
    if value is not None and not value > 0:
        part.problem(f"the cost is {value:g}, but must be > 0")
    return cost or Expression("1", Number(1.0))


def read_constraints(part: Part, scope: Scope) -> tuple[Expression, ...]:
    """Conditions that designs must satisfy, all of them."""
    constraints = []
    for item in part.items("conditions", least=0):
        expression = item.expression()
        check_scalar(item, expression, scope)
        if expression is None:
            continue
        root = expression.root
        if not isinstance(root, Compare | Logical) and not (isinstance(root, Unary) and root.operator == "not"):
            item.problem(f"{expression.text!r} is not a condition; write a comparison, such as x + y <= 25")
        constraints.append(expression)
    return tuple(constraints)


def read_goal(part: Part, scope: Scope, designs: Mapping[str, Design], domain: Domain) -> Goal:
    """The goal; ``domain`` gives the mechanisms and outcomes that it may name."""
    if part.value in ("learn", "discriminate"):
        if part.value == "discriminate" and len(domain.mechanisms) == 1:
            part.problem("discriminate needs rival mechanisms, found one; add another or write goal: learn")
        return Goal("learn" if part.value == "learn" else "discriminate")
    if not isinstance(part.value, dict) or len(part.value) != 1:
        near = nearest(part.value, _KINDS) if isinstance(part.value, str) else None
        question = f"; did you mean {near!r}?" if near else ""
        part.problem(f"found {describe(part.value)}; a goal is one of {_FORMS}{question}")
        return Goal("learn")
    fields = part.fields(("learn", "predict", "maximise", "minimise"))
    for kind, entry in fields.items():
        if kind == "learn":
            return Goal("learn", parameters=_learned(entry, domain))
        if kind == "predict":
            return Goal("predict", points=_points(entry, designs, domain))
        return Goal("maximise" if kind == "maximise" else "minimise", objective=_objective(entry, scope, domain))
    return Goal("learn")


def _learned(part: Part, domain: Domain) -> tuple[str, ...]:
    unknown = [{parameter.name for parameter in mechanism.unknowns} for mechanism in domain.mechanisms]
    everywhere = set.intersection(*unknown) if unknown else set()
    anywhere = set[str]().union(*unknown)
    constants = {p.name for mechanism in domain.mechanisms for p in mechanism.parameters if p.constant is not None}
    names = []
    for item in part.items("parameters"):
        name = item.text()
        if name in constants:
            item.problem(f"{name!r} is a constant; there is nothing to learn about it")
        elif name in anywhere - everywhere:
            item.problem(f"{name!r} is not a parameter of every mechanism; a goal names those that all have")
        elif name and name not in everywhere:
            item.unknown(name, "parameter", everywhere)
        elif name in names:
            item.problem(f"{name!r} is named twice; keep one")
        names.append(name)
    return tuple(names)


def _points(part: Part, designs: Mapping[str, Design], domain: Domain) -> dict[str, tuple[dict[str, float | str], ...]]:
    points = {}
    outcomes = [outcome.name for outcome in domain.outcomes]
    for name, entry in part.entries("outcomes").items():
        if name not in outcomes:
            entry.unknown(name, "outcome", outcomes)
        points[name] = tuple(_point(item, designs) for item in entry.items("designs", most=MAX_POINTS))
    return points


def _point(part: Part, designs: Mapping[str, Design]) -> dict[str, float | str]:
    point: dict[str, float | str] = {}
    for name, entry in part.fields(tuple(designs), tuple(designs)).items():
        wrong = fault(designs[name], entry.value, ranged=False)
        if wrong:
            entry.problem(wrong)
        else:
            point[name] = entry.value if designs[name].kind == "choice" else float(entry.value)
    return point


def _objective(part: Part, scope: Scope, domain: Domain) -> Expression | None:
    objective = part.expression()
    outcomes = {outcome.name for outcome in domain.outcomes} - scope.names.keys()
    if objective is not None and objective.names & outcomes:
        name = min(objective.names & outcomes)
        part.problem(f"{name!r} is an outcome; name what it measures{_measured(name, domain)}")
        return objective
    length = check(part, objective, scope)
    if length > 0:
        part.problem(f"the objective is a vector of {length}; pick an entry, name[0], or its sum, min or max")
    return objective


def _measured(name: str, domain: Domain) -> str:
    """What an outcome measures, in the words of the document."""
    arguments = next(outcome.arguments for outcome in domain.outcomes if outcome.name == name)
    found = next((arguments[key] for key in ("mean", "mu", "rate", "p") if key in arguments), None)
    return f", such as {found.text[:60]}" if isinstance(found, Expression) else ", such as its mean"


def read_exchangeable(part: Part, mechanisms: tuple[Mechanism, ...]) -> tuple[tuple[str, ...], ...]:
    """Groups of parameters that may be swapped: of one length, with equal priors, all in the same mechanisms."""
    parts = [group.items("parameters") for group in part.items("groups", least=2)]
    groups = tuple(tuple(item.text() for item in group) for group in parts)
    if len({len(group) for group in groups}) > 1:
        part.problem("the groups have different lengths; groups that can be swapped correspond member by member")
        return ()
    names = [name for group in groups for name in group]
    unknowns = {parameter.name for mechanism in mechanisms for parameter in mechanism.unknowns}
    for name, item in zip(names, (item for group in parts for item in group), strict=True):
        if name and name not in unknowns:
            item.unknown(name, "parameter with a prior", unknowns)
    if len(set(names)) < len(names):
        part.problem("a parameter stands in two places; each belongs to one group")
    for mechanism in mechanisms:
        _check_alike(part, groups, {parameter.name: parameter for parameter in mechanism.unknowns})
    return groups


def _check_alike(part: Part, groups: tuple[tuple[str, ...], ...], unknowns: Mapping[str, Parameter]) -> None:
    present = [name in unknowns for group in groups for name in group]
    if any(present) and not all(present):
        part.problem("a mechanism has some of these parameters, not all; they cannot be swapped there")
        return
    if not all(present) or not groups or not all(groups):
        return
    inside = {name for group in groups for name in group}
    if _names(unknowns[groups[0][0]].prior) & inside:
        part.problem(
            f"the prior of {groups[0][0]!r} depends on another parameter of the groups; put a parameter first whose "
            "prior does not, since the groups are kept in the order of their first members"
        )
    for group in groups[1:]:
        names = dict(zip(groups[0], group, strict=True))
        for first, other in names.items():
            if _shape(unknowns[first].prior, names) != _shape(unknowns[other].prior, {}):
                part.problem(f"{first}, {other} have different priors, so swapping them changes something")


def _names(prior: Prior | None) -> set[str]:
    return set().union(*(argument.names for argument in _arguments(prior)))


def _arguments(prior: Prior | None) -> list[Expression]:
    assert prior is not None
    return [part for part in (*prior.arguments, prior.low, prior.high) if part is not None]


def _shape(prior: Prior | None, names: Mapping[str, str]) -> tuple[object, ...]:
    """What two priors must share to be alike, with the names of one group put for those of another."""
    assert prior is not None
    trees = tuple(None if part is None else renamed(part.root, names) for part in (prior.low, prior.high))
    return prior.family, prior.values, tuple(renamed(a.root, names) for a in prior.arguments), trees
