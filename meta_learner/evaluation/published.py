"""What others published for the benchmark domains (``published.yaml``). No torch."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEFAULT_CONTRASTS = 100_000


@dataclass(frozen=True)
class PublishedRow:
    """One policy's published bounds, nats. error: one standard error; ci: half a 95 % interval; differs: what was not
    as in our domain."""

    policy: str
    lower: float
    upper: float | None
    error: float | None
    ci: float | None
    source: str
    differs: str | None


@dataclass(frozen=True)
class Published:
    """A benchmark: its number of contrasts and budget, its setting in words, and the published rows."""

    contrasts: int
    budget: float
    setting: str
    rows: tuple[PublishedRow, ...]


@cache
def published() -> dict[str, Published]:
    """Domain name → what was published for it."""
    document = yaml.safe_load(Path(__file__).with_name("published.yaml").read_text(encoding="utf-8"))
    return {name: _benchmark(entry, document["sources"]) for name, entry in document["domains"].items()}


def default_contrasts(domain: str) -> int:
    """The published L of a domain; for others, 100,000."""
    known = published().get(domain)
    return DEFAULT_CONTRASTS if known is None else known.contrasts


def _benchmark(entry: dict[str, Any], sources: dict[str, str]) -> Published:
    rows = []
    for row in entry["rows"]:
        source = row.get("source", row["policy"])
        optional = {name: row.get(name) for name in ("upper", "error", "ci", "differs")}
        rows.append(
            PublishedRow(policy=row["policy"], lower=row["lower"], source=sources.get(source, source), **optional)
        )
    return Published(entry["contrasts"], entry["budget"], entry["setting"], tuple(rows))
