"""How a value of a document looks in a field of the form, and how what is typed becomes a value again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domains.errors import DomainError
from domains.places import same
from domains.reading import core_scalar


@dataclass(frozen=True)
class Kind:
    """show: a value as text; read: the text as a value. What does not come back the same, the field cannot show."""

    show: Callable[[Any], str]
    read: Callable[[str], Any]

    def fits(self, value: Any) -> bool:
        """Whether the field can show this value."""
        try:
            return value is None or same(self.read(self.show(value)), value)
        except (TypeError, ValueError, AttributeError):
            return False


def _show_scalar(value: Any) -> str:
    if isinstance(value, bool | list | dict):
        raise TypeError(f"{value!r} is no number, name or formula")
    return "" if value is None else str(value)


def _read_scalar(text: str) -> Any:
    """A number where it is one, else the text, without the spaces around it."""
    plain = text if "\n" in text else text.strip()
    try:
        value = core_scalar(plain)
    except DomainError:
        return plain
    return value if isinstance(value, int | float) and not isinstance(value, bool) else plain


def _show_words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _list(joint: str, read: Callable[[str], Any], show: Callable[[Any], str]) -> Kind:
    def show_all(value: Any) -> str:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is no list")
        return joint.join(show(entry) for entry in value)

    def read_all(text: str) -> list[Any]:
        return [read(part.strip()) for part in text.split(joint.strip() or "\n") if part.strip()]

    return Kind(show_all, read_all)


def _show_weights(value: Any) -> str:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no mapping")
    return ", ".join(f"{key}: {_show_scalar(weight)}" for key, weight in value.items())


def _read_weights(text: str) -> dict[str, Any]:
    pairs = [part.partition(":") for part in text.split(",") if part.strip()]
    return {key.strip(): _read_scalar(weight) for key, _, weight in pairs}


def _show_points(value: Any) -> str:
    lines = []
    for outcome, points in value.items():
        for point in points:
            settings = ", ".join(f"{name} = {_show_scalar(setting)}" for name, setting in point.items())
            lines.append(f"{outcome}: {settings}")
    return "\n".join(lines)


def _read_points(text: str) -> dict[str, list[dict[str, Any]]]:
    points: dict[str, list[dict[str, Any]]] = {}
    for line in filter(str.strip, text.splitlines()):
        outcome, _, settings = line.partition(":")
        pairs = [part.partition("=") for part in settings.split(",") if part.strip()]
        points.setdefault(outcome.strip(), []).append({name.strip(): _read_scalar(v) for name, _, v in pairs})
    return points


FORMULA = Kind(_show_scalar, _read_scalar)
BOUND = Kind(_show_scalar, lambda text: _read_scalar(text) if text.strip() else None)
WORDS = Kind(_show_words, lambda text: text)
NUMBERS = _list(", ", _read_scalar, _show_scalar)
OPTIONS = _list(", ", str, _show_words)
LINES = _list("\n", str, _show_words)
FORMULAS = _list("\n", _read_scalar, _show_scalar)
WEIGHTS = Kind(_show_weights, _read_weights)
POINTS = Kind(_show_points, _read_points)
