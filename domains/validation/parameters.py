"""Parameters: constants and priors, checked against their family."""

import math

from domains.document import Parameter, Prior
from domains.expressions import Expression
from domains.validation.families import PRIORS, fault, support
from domains.validation.report import Part, describe, is_number, labels, number_hint
from domains.validation.scope import Known, Scope, check_scalar, fold, in_order, read_scalar

MAX_PARAMETERS = 200
MAX_SIZE = 100
_FORM = "a family and its bounds stand under 'prior', as in {prior: {normal: [0, 1], low: 0}}"


def declare_parameters(part: Part | None, what: str, taken: dict[str, str]) -> dict[str, Part]:
    """The parts of all parameters whose names can be used."""
    if part is None:
        return {}
    entries = part.entries("parameters", least=0, most=MAX_PARAMETERS)
    return {name: entry for name, entry in entries.items() if entry.declare(what, taken)}


def known_parameters(parts: dict[str, Part]) -> dict[str, Known]:
    """What expressions know of parameters, before these are read in full."""
    return {name: _known(part.value) for name, part in parts.items()}


def _known(value: object) -> Known:
    if is_number(value):
        return Known("constant", value=float(value))  # type: ignore[arg-type]
    prior = value.get("prior") if isinstance(value, dict) else None
    vector = prior.get("dirichlet") if isinstance(prior, dict) else None
    return Known("parameter", length=len(vector) if isinstance(vector, list) else 0)


def read_parameters(parts: dict[str, Part], scope: Scope) -> tuple[Parameter, ...]:
    """Parameters in evaluation order: constants first, then each after those that its prior uses."""
    read = {name: _read(name, part, scope) for name, part in parts.items()}
    uses = {name: _uses(parameter) for name, parameter in read.items()}
    ordered = [read[name] for name in in_order(uses, parts)]
    return tuple(sorted(ordered, key=lambda parameter: parameter.constant is None))


def _uses(parameter: Parameter) -> frozenset[str]:
    prior = parameter.prior
    expressions = (*prior.arguments, prior.low, prior.high) if prior else ()
    return frozenset[str]().union(*(expression.names for expression in expressions if expression is not None))


def _read(name: str, part: Part, scope: Scope) -> Parameter:
    if is_number(part.value):
        return Parameter(name, constant=float(part.value))
    if not isinstance(part.value, dict):
        way = number_hint(part.value).removeprefix("; ") if isinstance(part.value, str) else ""
        way = way or (
            "a formula belongs under 'let'" if isinstance(part.value, str) else "write {prior: {normal: [0, 1]}}"
        )
        part.problem(f"found {describe(part.value)}; a parameter is a number or has a prior; {way}")
        return Parameter(name)
    fields = part.fields(("prior", "unit", "label"), ("prior",), _FORM)
    prior = _read_prior(fields["prior"], scope) if "prior" in fields else None
    size = len(prior.arguments) if prior and prior.family == "dirichlet" else 0
    return Parameter(name, prior, size=size, **labels(fields))


def _read_prior(part: Part, scope: Scope) -> Prior | None:
    fields = part.fields((*PRIORS, "low", "high"))
    families = [key for key in fields if key in PRIORS]
    if len(families) != 1:
        if isinstance(part.value, dict):
            part.problem(
                f"found {' and '.join(families) or 'no family'}; a prior has exactly one of {', '.join(PRIORS)}"
            )
        return None
    family = families[0]
    place = fields[family]
    values: tuple[float, ...] = ()
    if family == "categorical":
        values, arguments = _categorical(place, scope)
    else:
        arguments = _arguments(place, scope)
    if arguments is None:
        return None
    low, high = (read_scalar(fields[key], scope) if key in fields else None for key in ("low", "high"))
    prior = Prior(family, arguments, low, high, values)
    _check_truncation(part, fields, prior, scope)
    return prior


def _arguments(part: Part, scope: Scope) -> tuple[Expression, ...] | None:
    family, names = part.key, [name for name, _ in PRIORS[part.key]]
    if not isinstance(part.value, list):
        form = f"[{', '.join(names or ['a1', '…', 'ak'])}]"
        part.problem(f"found {describe(part.value)}; the arguments of {family} are a list: {family}: {form}")
        return None
    if family == "dirichlet":
        items = part.items("concentrations", least=2, most=MAX_SIZE)
        rules = tuple((f"a{i + 1}", "positive") for i in range(len(items)))
    else:
        items, rules = [part.child(i) for i in range(len(part.value))], PRIORS[family]
    if len(items) != len(rules):
        part.problem(f"found {len(items)} argument(s); {family} takes {len(rules)}: [{', '.join(names)}]")
        return None
    arguments = tuple(read_scalar(item, scope) for item in items)
    constants = tuple(fold(argument, scope.constants) for argument in arguments)
    for item, (name, rule), value in zip(items, rules, constants, strict=True):
        wrong = fault(name, rule, value)
        if wrong:
            item.problem(f"{wrong} ({family} prior)")
    if family in ("uniform", "loguniform"):
        _check_order(part, constants[0], constants[1])
    return tuple(argument for argument in arguments if argument is not None) if None not in arguments else None


def _check_order(part: Part, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low >= high:
        part.problem(f"low is {low:g} and high is {high:g}; low must be < high")


def _categorical(part: Part, scope: Scope) -> tuple[tuple[float, ...], tuple[Expression, ...] | None]:
    if not isinstance(part.value, dict):
        part.problem(f"found {describe(part.value)}; a categorical prior maps values to weights: {{1: 0.5, 2: 0.5}}")
        return (), None
    values, weights = [], []
    for key, entry in part.entries("values", least=2, most=MAX_SIZE).items():
        value = _number(key)
        if value is None or value in values:
            entry.problem(f"found the value {key!r}; the values are different finite numbers")
            continue
        weight = entry.expression()
        check_scalar(entry, weight, scope)
        wrong = fault(f"the weight of {key}", "positive", fold(weight, scope.constants))
        if wrong:
            entry.problem(wrong)
        if weight is not None:
            values.append(value)
            weights.append(weight)
    return tuple(values), tuple(weights)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _check_truncation(part: Part, fields: dict[str, Part], prior: Prior, scope: Scope) -> None:
    bounds = [fields[key] for key in ("low", "high") if key in fields]
    if not bounds:
        return
    if prior.family in ("dirichlet", "categorical"):
        bounds[0].problem(f"a {prior.family} prior cannot be truncated; remove low and high")
        return
    arguments = tuple(fold(argument, scope.constants) for argument in prior.arguments)
    lowest, highest = support(prior.family, arguments)
    low, high = fold(prior.low, scope.constants), fold(prior.high, scope.constants)
    if low is not None and high is not None and not low < high:
        part.problem(f"low is {low:g} and high is {high:g}; low must be < high")
    elif prior.family == "poisson":
        if high is not None and math.floor(high) < max(math.ceil(low or 0), 0):
            part.problem("no whole number >= 0 lies between low and high")
    elif (low is not None and not low < highest) or (high is not None and not high > lowest):
        part.problem(f"nothing of the {prior.family} prior, on ({lowest:g}, {highest:g}), lies between low and high")
