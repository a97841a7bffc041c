"""Where problems are collected, and a cursor over the document that knows its own path."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from domains import hints
from domains.errors import ExpressionError, Problem
from domains.expressions import CONSTANTS, FUNCTIONS, RESERVED, Expression, number, parse
from domains.reading import MAX_PROBLEMS, Key, Source, render

MAX_ENTRIES = 500
MAX_FORMULAS = 3_000_000  # characters; a shared formula counts again for every mechanism with dynamics of its own
MAX_MESSAGE = 900  # characters: a file's name may be as long as the file
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass
class Report:
    """All problems of one document, each once."""

    source: Source
    problems: dict[Problem, None] = field(default_factory=dict)
    parsed: dict[str, Expression] = field(default_factory=dict)
    characters: int = 0

    @property
    def full(self) -> bool:
        """Whether there are so many problems that further ones are not collected."""
        return len(self.problems) >= MAX_PROBLEMS

    def problem(self, path: Key, message: str) -> None:
        if not self.full:
            short = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 3] + "..."
            self.problems[Problem(render(path), self.source.line(path), short)] = None

    def parse(self, text: str) -> Expression | None:
        """The expression in a text, parsed once; None where the formulas together are too long to be read in time."""
        self.characters += len(text)
        if self.characters > MAX_FORMULAS:
            self.problem((), f"the formulas of all mechanisms come to more than {MAX_FORMULAS} characters")
            return None
        if text not in self.parsed:
            self.parsed[text] = parse(text)
        return self.parsed[text]


def describe(value: Any) -> str:
    """A value of the document in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value!r}"[:60]
    if isinstance(value, str):
        return f"the text {clipped(value)!r}"
    return "a list" if isinstance(value, list) else "a mapping"


def clipped(text: str) -> str:
    """The beginning of a text, short enough for a message."""
    return text if len(text) <= 60 else text[:57] + "..."


def number_hint(value: Any) -> str:
    """How what was found is written as a number, beginning with '; ', or nothing."""
    if isinstance(value, list):
        if len(value) > 2 and all(map(is_number, value)):
            return "; numbers have no commas: write 1000, not 1,000"
        return next((hint for hint in map(number_hint, value) if hint), "")
    return hints.for_number(value) if isinstance(value, str) else ""


def _meaning(name: str) -> str:
    if name in CONSTANTS:
        return f"the constant {CONSTANTS[name]:.5g}"
    return "a function of expressions" if name in FUNCTIONS else "a word that expressions cannot use as a name"


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

    def unknown(self, name: str, what: str, known: Collection[str], otherwise: str = "") -> None:
        """Report a name that is not among the known ones; ``otherwise``: the way out where none of them is near."""
        if self.report.full:
            return
        start, colon, rest = name.partition(":")
        if colon and start in known:
            self.problem(f"unknown {what} {clipped(name)!r}; a space follows the colon: {start}: {clipped(rest)}")
        else:
            self.problem(f"unknown {what} {clipped(name)!r}; {hints.suggest(name, known, otherwise)}")

    def fields(self, known: Collection[str], required: Collection[str] = (), otherwise: str = "") -> dict[str, "Part"]:
        """The parts under known keys; unknown and missing keys are problems. ``otherwise``: see ``unknown``."""
        if not isinstance(self.value, dict):
            form = otherwise or f"a mapping is needed here, with the keys {', '.join(known)}"
            self.problem(f"found {describe(self.value)}; {form}")
            return {}
        for key in self.value:
            if key not in known:
                self.child(key).unknown(key, "key", known, otherwise)
        for key in required:
            if key not in self.value:
                self.problem(f"the key {key!r} is missing")
        return {key: self.child(key) for key in self.value if key in known}

    def entries(self, what: str, *, least: int = 1, most: int = MAX_ENTRIES) -> dict[str, "Part"]:
        """The parts of a mapping whose keys the author chooses."""
        if not isinstance(self.value, dict):
            self.problem(f"found {describe(self.value)}; a mapping of {what} is needed here, name: value")
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
        near = hints.nearest(self.value, words) if isinstance(self.value, str) else None
        question = f"; did you mean {near!r}?" if near else ""
        self.problem(f"found {describe(self.value)}; allowed are {', '.join(words)}{question}")
        return None

    def number(self, *, above: float = -math.inf) -> float | None:
        """A finite number; None after a problem."""
        if not is_number(self.value):
            self.problem(f"found {describe(self.value)}; a finite number is needed here{number_hint(self.value)}")
        elif self.value <= above:
            self.problem(f"found {self.value}; a number > {above:g} is needed here")
        else:
            return float(self.value)
        return None

    def interval(self) -> tuple[float, float] | None:
        """``[low, high]`` with low < high."""
        if not (isinstance(self.value, list) and len(self.value) == 2 and all(map(is_number, self.value))):
            found = describe(self.value) if not isinstance(self.value, list) else clipped(repr(self.value))
            self.problem(f"found {found}; two finite numbers [low, high] are needed here{number_hint(self.value)}")
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
            return self.report.parse(self.value)
        except ExpressionError as error:
            self.problem(str(error))
            return None

    def title(self) -> bool:
        """Whether the key can name a mechanism, an outcome or a replay."""
        if _TITLE.fullmatch(self.key):
            return True
        near = hints.for_name(self.key, "-")
        self.problem(f"{clipped(self.key)!r} is not a name: letters, digits, - and _ are allowed, at most 64{near}")
        return False

    def declare(self, what: str, taken: dict[str, str], name: str | None = None) -> bool:
        """Enter a name, by default the key, among those that expressions may use; ``taken``: name → what it is."""
        name = self.key if name is None else name
        if not _NAME.fullmatch(name):
            rule = "a letter, then letters, digits and _, at most 64"
            near = hints.for_name(name, "_")
            self.problem(f"{clipped(name)!r} is not a name for expressions: {rule}{near}")
        elif name in RESERVED:
            self.problem(f"{name!r} is reserved: it is {_meaning(name)}; choose another name")
        elif name in taken:
            self.problem(f"{name!r} is declared twice: it is already {taken[name]}; choose another name")
        else:
            taken[name] = what
            return True
        return False


def labels(fields: Mapping[str, Part]) -> dict[str, Any]:
    """The optional ``unit`` and ``label``."""
    return {key: fields[key].text() for key in ("unit", "label") if key in fields}
