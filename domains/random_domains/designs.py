"""What the experimenter sets: real, integer, levels, choice, with ranges that suit the setting's role."""

from dataclasses import dataclass
from typing import Any

from domains.random_domains.draw import Draw, Number, figures


@dataclass(frozen=True)
class Setting:
    """One design: its entry in the document and what laws need to know. typical: a value in the midst of its effect."""

    name: str
    kind: str
    entry: dict[str, Any]
    low: float = 0.0
    high: float = 1.0
    typical: float = 0.5

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def reach(self) -> float:
        """How far effects of the setting extend: over its range, or about the typical value of a logarithmic one."""
        return 3 * self.typical if self.log else self.width

    @property
    def middle(self) -> float:
        return 1.3 * self.typical if self.log else (self.low + self.high) / 2

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.entry.get("choice", ()))

    @property
    def log(self) -> bool:
        return self.entry.get("scale") == "log"


def setting(draw: Draw, name: str, kind: str, span: str) -> Setting:
    """A numeric design of a kind (real, integer, levels) laid out over a span of ``shapes.Role``."""
    low, high, log = _range(draw, span, whole=kind == "integer")
    typical = (low * high) ** 0.5 if low > 0 and (log or low < high / 20) else low + (high - low) / 3
    if span in ("line", "kelvin"):
        typical = (low + high) / 2
    entry: dict[str, Any] = {kind: [figures(low, 3), figures(high, 3)]}
    if kind == "levels":
        entry = {"levels": _levels(draw, low, high, log=log)}
    elif log:
        entry["scale"] = "log"
    return Setting(name, kind, entry, low, high, typical)


def choice(draw: Draw, name: str, options: tuple[str, ...]) -> Setting:
    count = min(len(options), draw.pick({2: 0.6, 3: 0.25, 4: 0.15}))
    return Setting(name, "choice", {"choice": draw.some(options, count)})


def effort(draw: Draw, name: str) -> Setting:
    """How often something is repeated within one experiment."""
    high = draw.one((4, 5, 8, 10, 20))
    return Setting(name, "integer", {"integer": [1, high]}, 1, high, high / 2)


def _range(draw: Draw, span: str, *, whole: bool) -> tuple[float, float, bool]:
    """Low, high, and whether the scale is logarithmic."""
    if span == "kelvin":
        low = draw.one((270, 275, 280))
        return low, low + draw.one((40, 50, 60)), False
    if span == "line":
        reach = draw.one((5, 10, 20, 50)) if whole else draw.one((1, 2, 4, 5, 10, 90))
        low = draw.one((0, -reach))
        return low, reach, False
    high = draw.one((10, 20, 30, 50, 100)) if whole else draw.one((0.5, 1, 2, 5, 10, 20, 24, 50, 100, 200))
    log = span == "frequency" or draw.chance(0.2 if span == "dose" else 0.45)
    if log:
        return (1, high, True) if whole else (high / draw.one((20, 50, 100, 200, 1000)), high, True)
    if span == "amount" and draw.chance(0.5):
        return (1 if whole else high / 50), high, False
    return 0, high, False


def _levels(draw: Draw, low: float, high: float, *, log: bool) -> list[Number]:
    count = draw.whole(3, 8)
    spaced = [
        low * (high / low) ** (i / (count - 1)) if log else low + (high - low) * i / (count - 1) for i in range(count)
    ]
    return sorted({figures(value, 3) for value in spaced})
