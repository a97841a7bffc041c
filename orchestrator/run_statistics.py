"""What the finished runs of a campaign have in common: spreads, and whether what was believed held. Torch-free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from experiments_db.run_reads import RunOutcome

_BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.0))
_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Held:
    """How often something believed held: ``held`` of ``count``, beside the mean of what was believed."""

    name: str
    believed: float
    held: int
    count: int

    @property
    def share(self) -> float:
        return self.held / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
        share, weight = self.share, _Z**2 / self.count
        middle = (share + weight / 2) / (1 + weight)
        reach = sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True)
class RunStatistics:
    """Over finished runs: a value each, and, where truths are known, what held.

    widths: parameter → widths of its 90 % interval, in the runs whose most probable law has it; laws: by how probable
    the most probable law was, whether it was true; intervals: of each parameter, whether its 90 % interval held the
    truth, in the runs that found the true law.
    """

    count: int
    experiments: list[int]
    probability: list[float]
    information: list[float]
    widths: dict[str, list[float]]
    laws: list[Held]
    intervals: list[Held]


def run_statistics(outcomes: Sequence[RunOutcome]) -> RunStatistics:
    """The statistics of these runs."""
    findings = [outcome.finding for outcome in outcomes]
    known = [(outcome.finding, outcome.truth) for outcome in outcomes if outcome.truth is not None]
    return RunStatistics(
        count=len(outcomes),
        experiments=[finding["experiments"] for finding in findings],
        probability=[finding["probability"] for finding in findings],
        information=[outcome.information for outcome in outcomes if outcome.truth and outcome.information is not None],
        widths=_widths(findings),
        laws=_laws(known),
        intervals=_intervals(known),
    )


def _widths(findings: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    widths: dict[str, list[float]] = {}
    for finding in findings:
        for name, values in finding["parameters"].items():
            if None not in (values["low90"], values["high90"]):
                widths.setdefault(name, []).append(values["high90"] - values["low90"])
    return widths


def _laws(known: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[Held]:
    """The most probable law's probability in bins, beside the share of runs in which it was true."""
    found = []
    for low, high in _BINS:
        inside = [(f, t) for f, t in known if low < f["probability"] <= high]
        if inside and any(len(f["mechanism_probability"]) > 1 for f, _ in inside):
            believed = sum(f["probability"] for f, _ in inside) / len(inside)
            held = sum(f["mechanism"] == t["mechanism"] for f, t in inside)
            found.append(Held(f"{low:.0%} to {high:.0%}", believed, held, len(inside)))
    return found


def _intervals(known: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[Held]:
    inside: dict[str, list[bool]] = {}
    for finding, truth in known:
        if finding["mechanism"] != truth["mechanism"]:
            continue
        for name, value in truth["parameters"].items():
            bounds = finding["parameters"].get(name, {})
            if None not in (bounds.get("low90"), bounds.get("high90")):
                inside.setdefault(name, []).append(bounds["low90"] <= value <= bounds["high90"])
    return [Held(name, 0.9, sum(held), len(held)) for name, held in inside.items()]
