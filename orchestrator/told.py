"""What somebody says came back, and where: checked against the domain before it is believed. Torch-free."""

import difflib
import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from domains.document import Design, Domain, Outcome
from domains.errors import DomainError
from domains.measurements import design_fault, outcome_fault
from domains.plain_values import broken_constraint


def told_outcome(domain: Domain, outcome: Mapping[str, Any]) -> dict[str, float | None]:
    """An outcome by the names of the domain, in their order; None where nothing came back. DomainError if it cannot
    be."""
    _check_names(outcome, domain.outcome_entries, "an outcome", "values", " (None where nothing came back)")
    entries = {entry: described for described in domain.outcomes for entry in described.entries}
    return {name: _told(name, outcome[name], entries[name]) for name in domain.outcome_entries}


def outcome_wrong(domain: Domain, name: str, value: float | None) -> str:
    """What is wrong with one number that came back, in words; empty where nothing is."""
    described = next(outcome for outcome in domain.outcomes if name in outcome.entries)
    return "" if value is None else outcome_fault(described, value) or ""


def setting_wrong(domain: Domain, name: str, value: float | str) -> str:
    """What is wrong with one setting, in words; empty where nothing is."""
    described = next(design for design in domain.designs if design.name == name)
    return design_fault(described, value) or ""


def _told(name: str, value: Any, described: Outcome) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not _finite(value):
        raise DomainError(f"outcome {name}: {value!r} is not a finite number; write None where nothing came back")
    wrong = outcome_fault(described, float(value))
    if wrong:
        raise DomainError(f"outcome {name}: {wrong}")
    return float(value)


def told_design(domain: Domain, design: Mapping[str, Any]) -> dict[str, float | str]:
    """A design by the names of the domain, in their order. DomainError if it cannot be set."""
    _check_names(design, [entry.name for entry in domain.designs], "a design", "settings", "")
    settings = {described.name: _setting(described, design[described.name]) for described in domain.designs}
    broken = broken_constraint(domain, settings)
    if broken:
        raise DomainError(f"the design {settings} breaks a constraint of {domain.name}: {broken}")
    return settings


def _setting(described: Design, value: Any) -> float | str:
    if described.kind == "choice":
        wrong = design_fault(described, value if isinstance(value, str) else repr(value))
    elif isinstance(value, bool) or not isinstance(value, Real) or not _finite(value):
        wrong = f"{value!r} is not a finite number"
    else:
        wrong = design_fault(described, float(value))
    if wrong:
        raise DomainError(f"design {described.name}: {wrong}")
    if described.kind == "levels":
        return min(described.values, key=lambda level: abs(level - float(value)))
    if described.kind == "integer":
        return int(value)
    return str(value) if described.kind == "choice" else float(value)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the floats
        return False


def _check_names(given: Mapping[str, Any], names: Any, what: str, parts: str, hint: str) -> None:
    unknown, missing = [name for name in given if name not in names], [name for name in names if name not in given]
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, 1, 0.5)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise DomainError(f"{what} of {_this_domain(names, parts)}; unknown {', '.join(unknown)}{meant}")
    if missing:
        raise DomainError(f"{what} of {_this_domain(names, parts)}; missing {', '.join(missing)}{hint}")


def _this_domain(names: Any, parts: str) -> str:
    return f"this domain has the {parts} {', '.join(names)}"
