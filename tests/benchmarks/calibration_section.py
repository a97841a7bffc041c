"""Calibration on the page: by statistic over all domains, by domain, and what would have been found."""

from collections.abc import Iterator
from typing import Any

from tests.benchmarks.markdown import table

_EVERYWHERE = "all domains"
_COLUMNS = ["statistic, all domains together", "of", "observed", "exact belief", "95 % of exact beliefs", "p"]
_GROUPS = (  # what the names of statistics begin with, in the order of the page
    ("coverage", "coverage of central {} intervals"),
    ("spread of ranks", "spread of ranks (above 0: too narrow)"),
    ("ranks in tenth", "ranks of true values in tenth {}"),
    ("laws in tenth", "laws that hold, of those given {}"),
    ("laws found", "most probable law is true"),
    ("log score", "log score of laws, nats a world"),
    ("Brier score", "Brier score of laws, a world"),
)


def calibration_section(document: dict[str, Any]) -> str:
    """The section of a document that ``organon benchmark calibration --out`` wrote."""
    results, setting = document["results"], document["settings"]
    together = [result for result in results if result["about"] == _EVERYWHERE]
    lines = [f"## {document['title']}", "", document["note"], "", _smallest(results), ""]
    lines += [table(_COLUMNS, list(_rows(together))), ""]
    lines += [
        "Coverage: of worlds whose most probable law is true, the share of central intervals of continuous parameters "
        "that hold the true value. Ranks are the places of true values among the particles: as many in each tenth if "
        "the belief is right. Exact distributions take into account that constants of one world hang together.",
        "",
    ]
    lines += [table(document["columns"], document["rows"]), ""]
    if document.get("power"):
        lines += ["The probability with which a fault would have been found, by the best single statistic:", ""]
        what, *scopes = document["power"][0]
        told = [[row[what], *(f"{row[scope]:.1%}" for scope in scopes)] for row in document["power"]]
        lines += [table(["fault", *scopes], told), ""]
    lines += [f"{setting['policy']}, {setting['particles']:,} particles, seed {document['seed']}.", ""]
    return "\n".join(lines)


def _smallest(results: list[dict[str, Any]]) -> str:
    """The result that is nearest to its limit."""
    least = min(results, key=lambda result: result["p"] / result["alpha"])
    return (
        f"Nearest to its limit: {least['name']} of {least['about']}, p = {least['p']:.2g} where {least['alpha']:.2g} "
        "would count."
    )


def _rows(results: list[dict[str, Any]]) -> Iterator[list[object]]:
    """A row a statistic: shares where things were counted, means over worlds where they were not."""
    for start, words in _GROUPS:
        for result in (result for result in results if result["name"].startswith(start)):
            observed, mean, low, high = (
                result[name] / (result["of"] or result["runs"]) for name in ("observed", "mean", "low95", "high95")
            )
            about = words.format(_within(result["name"].removeprefix(start).strip(), start))
            counted = f"{result['of']:,}" if result["of"] else f"{result['runs']:,} worlds"
            number = "{:.1%}" if result["of"] else "{:.3f}"
            ranged = f"{number.format(low)} to {number.format(high)}"
            yield [about, counted, number.format(observed), number.format(mean), ranged, f"{result['p']:.2g}"]


def _within(which: str, start: str) -> str:
    """A tenth of probabilities in per cent; else as it is."""
    return f"{10 * int(which) - 10} to {10 * int(which)} %" if start == "laws in tenth" else which.replace("%", " %")
