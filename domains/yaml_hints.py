"""Why a text is not YAML, in words for somebody who has never seen a parser: which line, and what to change there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_GENERAL = "an expression with a comma, a bracket [ or a leading quote, * or % must be quoted as a whole"
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")


@dataclass(frozen=True)
class _Fault:
    """What the parser says. line: where it stopped; opened: where that began; both from 1. column: from 0."""

    lines: list[str]
    reason: str
    line: int
    column: int
    opened: int

    def text(self, line: int) -> str:
        """A line without its quoted texts."""
        return _QUOTED.sub("''", self.lines[line - 1]) if 0 < line <= len(self.lines) else ""

    def shown(self, line: int) -> str:
        """The beginning of a line, for a message."""
        text = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        return repr(text if len(text) <= 60 else text[:57] + "...")

    def before(self) -> int:
        """The last line before this one that says something."""
        line = self.line - 1
        while line > 0 and not self.text(line).split("#")[0].strip():
            line -= 1
        return line


def split_lines(text: str) -> list[str]:
    """The lines of a text as YAML counts them."""
    return re.split(r"\r\n|\r|\n", text)


def explain(text: str, error: Any) -> tuple[int | None, str]:
    """The line (None where the parser gives none) and the message for a parser's error."""
    reason = getattr(error, "problem", None) or "unreadable characters"
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return None, f"this is not YAML: {reason}; {_GENERAL}"
    lines = split_lines(text)
    last = len(split_lines(text.rstrip()))  # what is left open is noticed after the end
    context = getattr(error, "context_mark", None) or mark
    fault = _Fault(lines, reason, min(mark.line + 1, last), mark.column, min(context.line + 1, last))
    line, hint = next((way(fault) for words, way in _WAYS if words in f"{error.context} | {reason}"), (fault.line, ""))
    return line, f"this is not YAML: {hint or f'{reason}; {_GENERAL}'}"


def _two_values(fault: _Fault) -> tuple[int, str]:
    if len(re.findall(r":(?:\s|$)", fault.text(fault.line))) > 1:
        return (
            fault.line,
            f"two colons in {fault.shown(fault.line)}; a text with a colon and a space in it needs quotes",
        )
    before = fault.before()
    if before and not re.search(r":(?:\s|$)", fault.text(before)):
        return before, f"{fault.shown(before)} has no colon and space after its key, as in  key: value"
    return fault.line, (
        f"{fault.shown(fault.line)} stands further right than line {before}, which has its value already; "
        "keys of one mapping begin in one column"
    )


def _no_colon(fault: _Fault) -> tuple[int, str]:
    return fault.opened, f"{fault.shown(fault.opened)} has no colon and space after its key, as in  key: value"


def _open_quote(fault: _Fault) -> tuple[int, str]:
    return fault.opened, f"a quote opens in {fault.shown(fault.opened)} and is never closed"


def _open_bracket(fault: _Fault) -> tuple[int, str]:
    for line in range(fault.opened, fault.line + 1):
        if re.search(r"(?:^|\s)#", fault.text(line)):
            return line, f"what follows ' #' in {fault.shown(line)} is a comment, its brackets too; {_QUOTE}"
    if fault.line == fault.opened:
        return fault.line, (
            f"a comma or a closing bracket is missing in {fault.shown(fault.line)}; "
            "an expression or text with quotes, a colon, a comma or brackets [ { in it must be quoted as a whole"
        )
    return fault.opened, f"a bracket {{ or [ opens in {fault.shown(fault.opened)} and is never closed"


def _no_key(fault: _Fault) -> tuple[int, str]:
    indent = len(fault.lines[fault.line - 1]) - len(fault.lines[fault.line - 1].lstrip())
    if fault.column > indent:
        rest = fault.lines[fault.line - 1][fault.column :].strip()[:40]
        return fault.line, f"{rest!r} stands after the end of the value; {_QUOTE}, or remove it"
    if fault.text(fault.line).lstrip().startswith("- "):
        return fault.line, f"{fault.shown(fault.line)} is an entry of a list amid keys; write  key: value"
    return fault.line, (
        f"{fault.shown(fault.line)} is indented by {indent}, unlike the keys above it; "
        "keys of one mapping begin in one column"
    )


def _no_token(fault: _Fault) -> tuple[int, str]:
    character = fault.lines[fault.line - 1][fault.column : fault.column + 1]
    if character == "`":
        return fault.line, "a backquote begins a value; remove it (the lines ``` around a document too)"
    return fault.line, f"a value begins with {character!r}; such a text must be quoted as a whole"


def _star(fault: _Fault) -> tuple[int, str]:
    return fault.line, (
        f"{fault.shown(fault.line)} has * or & where YAML gives it a meaning of its own; "
        "the expression must be quoted as a whole"
    )


def _bar(fault: _Fault) -> tuple[int, str]:
    return fault.line, "a value begins with | or >; such a text must be quoted, and an absolute value is abs(x)"


def _no_dash(fault: _Fault) -> tuple[int, str]:
    return fault.line, f"{fault.shown(fault.line)} stands amid the entries of a list, which all begin with '- '"


def _no_value(fault: _Fault) -> tuple[int, str]:
    return fault.line, (
        f"a value is missing in {fault.shown(fault.line)}, or begins with - or another sign for which it must be quoted"
    )


_QUOTE = "a text with quotes, # or brackets inside is quoted as a whole"
_WAYS: tuple[tuple[str, Callable[[_Fault], tuple[int, str]]], ...] = (
    ("mapping values are not allowed", _two_values),
    ("could not find expected ':'", _no_colon),
    ("found unexpected end of stream", _open_quote),
    ("did not find expected ',' or", _open_bracket),
    ("while parsing a block mapping | did not find expected key", _no_key),
    ("cannot start any token", _no_token),
    ("while scanning an alias", _star),
    ("while scanning an anchor", _star),
    ("while scanning a block scalar", _bar),
    ("did not find expected '-' indicator", _no_dash),
    ("did not find expected node content", _no_value),
)
