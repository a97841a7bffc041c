"""Where problems are collected, and a cursor over the document that knows its own path."""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domains.errors import ExpressionError, Problem
from domains.expressions import RESERVED, Expression, number, parse
from domains.reading import MAX_PROBLEMS, Key, Source, render

MAX_ENTRIES = 500
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass
class Report:
    """All problems of one document, each once."""

    source: Source
    problems: dict[Problem, None] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether there are so many problems that further ones are not collected."""
        return len(self.problems) >= MAX_PROBLEMS

    def problem(self, path: Key, message: str) -> None:
        if not self.full:
            self.problems[Problem(render(path), self.source.line(path), message)] = None


def suggest(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question, or else the known names."""
    choices = sorted(set(known))
    near = difflib.get_close_matches(name, choices, 1, 0.6 if len(name) > 3 else 0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    more = ", …" if len(choices) > 15 else ""
    return f"known here: {', '.join(choices[:15])}{more}" if choices else "none is known here"


def describe(value: Any) -> str:
    """A value of the document in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (quote it to make it a text)"
    if isinstance(value, int | float):
        return f"the number {value!r}"[:60]
    if isinstance(value, str):
        return f"the text {value if len(value) <= 60 else value[:57] + '...'!r}"
    return "a list" if isinstance(value, list) else "a mapping"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Part:
    """One place of the document: its value, its path, and the report that its problems go to."""

    report: Report
    path: Key
    value: Any

    @property
    def key(self) -> str:
        return str(self.path[-1])

    def problem(self, message: str) -> None:
        """Report what is wrong here: what was found, what is allowed."""
        self.report.problem(self.path, message)

    def child(self, key: str | int) -> "Part":
        return Part(self.report, (*self.path, key), self.value[key])

    def unknown(self, name: str, what: str, known: Collection[str]) -> None:
        """Report a name that is not among the known ones."""
        if not self.report.full:
            self.problem(f"unknown {what} {name!r}; {suggest(name, known)}")

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> dict[str, "Part"]:
        """The parts under known keys; unknown and missing keys are problems."""
        if not isinstance(self.value, dict):
            self.problem(f"found {describe(self.value)}; a mapping is needed here, with the keys {', '.join(known)}")
            return {}
        for key in self.value:
            if key not in known:
                self.child(key).unknown(key, "key", known)
        for key in required:
            if key not in self.value:
                self.problem(f"the key {key!r} is missing")
        return {key: self.child(key) for key in self.value if key in known}

    def entries(self, what: str, *, least: int = 1, most: int = MAX_ENTRIES) -> dict[str, "Part"]:
        """The parts of a mapping whose keys the author chooses."""
        if not isinstance(self.value, dict):
            self.problem(f"found {describe(self.value)}; a mapping of {what} is needed here")
            return {}
        return {key: self.child(key) for key in self.value} if self._sized(what, least, most) else {}

    def items(self, what: str, *, least: int = 1, most: int = MAX_ENTRIES) -> list["Part"]:
        """The parts of a list."""
        if not isinstance(self.value, list):
            self.problem(f"found {describe(self.value)}; a list of {what} is needed here: [ … ]")
            return []
        return [self.child(index) for index in range(len(self.value))] if self._sized(what, least, most) else []

    def _sized(self, what: str, least: int, most: int) -> bool:
        size = len(self.value)
        if not least <= size <= most:
            self.problem(f"found {size} {what}; {f'at least {least}' if size < least else f'at most {most}'} allowed")
        return least <= size <= most

    def text(self) -> str:
        """A text; anything else is a problem and gives an empty one."""
        if isinstance(self.value, str):
            return self.value
        self.problem(f"found {describe(self.value)}; a text is needed here (quote it)")
        return ""

    def word(self, words: Collection[str]) -> str | None:
        """One of the given words."""
        if self.value in words:
            return str(self.value)
        self.problem(f"found {describe(self.value)}; allowed are {', '.join(words)}")
        return None

    def number(self, *, above: float = -math.inf) -> float | None:
        """A finite number; None after a problem."""
        if not is_number(self.value):
            self.problem(f"found {describe(self.value)}; a finite number is needed here")
        elif self.value <= above:
            self.problem(f"found {self.value}; a number > {above:g} is needed here")
        else:
            return float(self.value)
        return None

    def interval(self) -> tuple[float, float] | None:
        """``[low, high]`` with low < high."""
        if not (isinstance(self.value, list) and len(self.value) == 2 and all(map(is_number, self.value))):
            self.problem(f"found {self.value!r}"[:80] + "; two finite numbers [low, high] are needed here")
            return None
        low, high = map(float, self.value)
        if low >= high:
            self.problem(f"low is {low:g} and high is {high:g}; low must be < high")
            return None
        return low, high

    def expression(self) -> Expression | None:
        """A number or an expression; None after a problem."""
        if is_number(self.value):
            return number(self.value)
        if not isinstance(self.value, str):
            self.problem(f"found {describe(self.value)}; a number or an expression is needed here")
            return None
        try:
            return parse(self.value)
        except ExpressionError as error:
            self.problem(str(error))
            return None

    def title(self) -> bool:
        """Whether the key can name a mechanism, an outcome or a replay."""
        if _TITLE.fullmatch(self.key):
            return True
        self.problem(f"{self.key[:70]!r} is not a name: letters, digits, - and _ are allowed, at most 64")
        return False

    def declare(self, what: str, taken: dict[str, str], name: str | None = None) -> bool:
        """Enter a name, by default the key, among those that expressions may use; ``taken``: name → what it is."""
        name = self.key if name is None else name
        if not _NAME.fullmatch(name):
            self.problem(
                f"{name[:70]!r} is not a name for expressions: a letter, then letters, digits and _, at most 64"
            )
        elif name in RESERVED:
            self.problem(f"{name!r} is reserved (a constant, function or Python keyword); choose another name")
        elif name in taken:
            self.problem(f"{name!r} is declared twice: it is already {taken[name]}; choose another name")
        else:
            taken[name] = what
            return True
        return False


def labels(fields: Mapping[str, Part]) -> dict[str, Any]:
    """The optional ``unit`` and ``label``."""
    return {key: fields[key].text() for key in ("unit", "label") if key in fields}
