"""Prometheus' text format, written by hand: families of samples, version 0.0.4."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Family:
    """A metric: name, kind (counter, gauge), help; samples: values by labels, as ``{(("status", "running"),): 3}``."""

    name: str
    kind: str
    help: str
    samples: Mapping[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def one(name: str, kind: str, text: str, value: float) -> Family:
    """A family of one sample without labels."""
    return Family(name, kind, text, {(): value})


def by(label: str, values: Mapping[str, float]) -> dict[tuple[tuple[str, str], ...], float]:
    """Samples that differ in one label."""
    return {((label, key),): value for key, value in values.items()}


def exposition(families: Iterable[Family]) -> str:
    """All of them, a line a sample."""
    return "".join(_family(family) for family in families)


def _family(family: Family) -> str:
    lines = [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
    for labels, value in family.samples.items():
        told = ",".join(f'{name}="{_escaped(text, quoted=True)}"' for name, text in labels)
        lines.append(f"{family.name}{'{' + told + '}' if told else ''} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text
