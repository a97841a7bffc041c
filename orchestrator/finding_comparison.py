"""Findings side by side: laws, probabilities, and the constants that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.finding_report import Constant, Report
from orchestrator.finding_words import measured


@dataclass(frozen=True)
class Entry:
    """A constant in one finding, under the law that this found."""

    finding: str
    domain: str
    policy: str
    law: str
    constant: Constant


@dataclass(frozen=True)
class Compared:
    """A constant of several findings: of one name and unit, whatever the domain."""

    name: str
    unit: str
    entries: tuple[Entry, ...]

    @property
    def heading(self) -> str:
        """``km (ppm)``."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


def comparison_rows(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """One row a finding, with a column for every constant that any of them has."""
    names = list(dict.fromkeys(_named(constant) for report in reports for constant in report.constants))
    return [_row(report, names) for report in reports]


def _row(report: Report, names: list[str]) -> dict[str, Any]:
    law, verdict = report.law, report.verdict
    known = {_named(constant): measured(constant) for constant in report.constants}
    return {
        "finding": report.name,
        "domain": report.domain,
        "policy": report.policy,
        "laboratory": report.laboratory,
        "experiments": report.experiments,
        "law": "" if law is None else law.name,
        "probability": None if law is None else law.probability,
        "verdict": "not judged" if verdict is None else verdict.verdict,
        **{name: known.get(name, "") for name in names},
    }


def compared_constants(reports: Sequence[Report]) -> list[Compared]:
    """The constants with an interval, those that most findings share first."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for report in reports:
        for constant in report.constants:
            if None not in (constant.mean, constant.low90, constant.high90):
                law = "" if report.law is None else report.law.name
                entry = Entry(report.name, report.domain, report.policy, law, constant)
                groups.setdefault((constant.name, constant.unit), []).append(entry)
    found = [Compared(name, unit, tuple(entries)) for (name, unit), entries in groups.items()]
    return sorted(found, key=lambda compared: -len(compared.entries))


def _named(constant: Constant) -> str:
    return f"{constant.name} ({constant.unit})" if constant.unit else constant.name
