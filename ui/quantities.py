"""Names, units and labels of what a recorded domain document speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quantity:
    """One design, outcome or parameter as the page names it."""

    name: str
    unit: str = ""
    label: str = ""

    @property
    def heading(self) -> str:
        """``km (ppm)``."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def described(self) -> str:
        """``km, half-saturation concentration``."""
        return f"{self.name}, {self.label}" if self.label else self.name


@dataclass(frozen=True)
class Quantities:
    """All of a domain's quantities; one that the document does not describe has its name only."""

    designs: Mapping[str, Quantity]
    outcomes: Mapping[str, Quantity]
    parameters: Mapping[str, Quantity]

    def design(self, name: str) -> Quantity:
        return self.designs.get(name, Quantity(name))

    def outcome(self, name: str) -> Quantity:
        return self.outcomes.get(name, Quantity(name))

    def parameter(self, name: str) -> Quantity:
        """A parameter; of a vector's entry ``name[0]``, the vector's unit and label."""
        whole = self.parameters.get(name.partition("[")[0], Quantity(name))
        return Quantity(name, whole.unit, whole.label)

    def entry(self, name: str) -> Quantity:
        """An outcome; of a vector's entry ``name[0]``, with the vector's unit and label."""
        whole = self.outcome(name.partition("[")[0])
        return Quantity(name, whole.unit, whole.label)

    def settings(self, design: Mapping[str, Any]) -> str:
        """``substrate = 0.5 ppm, pH = 7``."""
        return ", ".join(_with_unit(name, value, self.design(name).unit) for name, value in design.items())

    def results(self, outcome: Mapping[str, Any]) -> str:
        """``velocity = 76 counts/min²``; a dash where nothing came back."""
        return ", ".join(_with_unit(name, value, self.entry(name).unit) for name, value in outcome.items())


def _with_unit(name: str, value: Any, unit: str) -> str:
    if value is None:
        return f"{name} = –"
    shown = f"{value:.6g}".replace("-", "−") if isinstance(value, float) else str(value)
    return f"{name} = {shown}{f' {unit}' if unit else ''}"


def quantities(document: Mapping[str, Any]) -> Quantities:
    """The quantities of a recorded document; a mechanism's own parameters join the shared ones."""
    parameters = _section(document.get("parameters"))
    for mechanism in _mapping(document.get("mechanisms")).values():
        parameters = {**_section(_mapping(mechanism).get("parameters")), **parameters}
    return Quantities(_section(document.get("designs")), _section(document.get("outcomes")), parameters)


def _section(section: Any) -> dict[str, Quantity]:
    return {
        str(name): Quantity(str(name), str(_mapping(entry).get("unit", "")), str(_mapping(entry).get("label", "")))
        for name, entry in _mapping(section).items()
    }


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
