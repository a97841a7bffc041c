"""YAML text → plain data with line numbers: YAML 1.2 core, without anchors, tags and duplicate keys.

The parser's events are built into data here, one by one and without recursion, so that limits hold before anything
grows. Keys are always the text as written (``n``, ``on`` and ``0.5`` are keys like any other).
"""

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from domains.errors import DocumentError, DomainError, Problem
from domains.yaml_hints import explain, split_lines

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_PROBLEMS = 100
_MAX_DIGITS = 300

Key = tuple[str | int, ...]
Scalar = str | int | float | bool | None

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_INDENT = re.compile("^ *([\t\u00a0\u2000-\u200b\u202f\u3000])", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A document as read: its plain data, the line of every key and list entry, its name for messages, its text.

    path: the file it came from, None for a text.
    """

    data: dict[str, Any]
    lines: dict[Key, int]
    file: str
    text: str
    path: Path | None = None

    def line(self, path: Key) -> int | None:
        """The line of a key's path, or of the nearest one above it that is written in the text."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def core_scalar(text: str) -> Scalar:
    """The value of a plain scalar in YAML 1.2's core schema; DomainError for a number that is not finite."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return _finite(text, int(text, {"0x": 16, "0o": 8}.get(text[:2], 10)))
    if _FLOAT.fullmatch(text):
        return _finite(text, float(text))
    return _finite(text, math.inf) if _NOT_FINITE.fullmatch(text) else text


def _finite(text: str, value: int | float) -> int | float:
    if not abs(value) <= sys.float_info.max:
        raise DomainError(f"{text[:40]!r} is not a finite number; numbers must be finite")
    return value


def read_file(path: Path) -> Source:
    """Read a document from a file; DocumentError names everything that is not the format's YAML."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DocumentError(str(path), (_too_large(path.stat().st_size),))
        content = path.read_bytes()
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = Problem("", line, f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8")
        raise DocumentError(str(path), (problem,)) from None
    return read_text(text, str(path), path)


def read_text(text: str, file: str = "<text>", path: Path | None = None) -> Source:
    """Read a document from its text; ``file`` names it in messages."""
    text = text.removeprefix("\ufeff")
    problems = list(_text_problems(text))
    reader = _Reader(text)
    if not problems:
        reader.read()
        problems = reader.problems
    if not problems and not isinstance(reader.data, dict):
        message = "the document is not a mapping; it starts with 'format: 1' and has one key a line"
        problems = [Problem("", 1, message)]
    if problems:
        raise DocumentError(file, tuple(problems[:MAX_PROBLEMS]))
    return Source(reader.data, reader.lines, file, text, path)


def _too_large(size: int) -> Problem:
    return Problem("", None, f"{size} bytes are too large for a document; at most {MAX_BYTES} are allowed")


def _text_problems(text: str) -> Iterator[Problem]:
    if len(text) > MAX_BYTES:
        yield _too_large(len(text))
        return
    for match in _CONTROL.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Problem("", line, f"the character {match[0]!r} is not allowed in a document; remove it")
        return
    for match in _INDENT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        what = "a tab" if match[1] == "\t" else f"the character {match[1]!r}, no ordinary space,"
        yield Problem("", line, f"{what} indents this line; YAML is indented with spaces")
        return


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    data: Any
    path: Key
    flow: bool
    key: str | None = None  # of a mapping: the key that waits for its value


@dataclass
class _Reader:
    """Builds data from the parser's events; ``problems`` collects what the format does not have."""

    text: str
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0

    def read(self) -> None:
        """Read all events, up to the first one after which nothing can be made out."""
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                if not self.take(event) or len(self.problems) >= MAX_PROBLEMS:
                    return
        except yaml.YAMLError as error:
            self.problem(*explain(self.text, error))

    def problem(self, line: int | None, message: str, path: Key = ()) -> None:
        self.problems.append(Problem(render(path), line, message))

    def take(self, event: Any) -> bool:
        """Take one event; False where reading on would make no sense."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.problem(line, "a second document begins; a file holds one domain, so remove '---'")
            return self.documents == 1
        if isinstance(event, yaml.AliasEvent):
            self.problem(
                line,
                f"the alias *{str(event.anchor)[:60]} is not allowed; write the value out (or quote an expression)",
            )
            return False
        if isinstance(event, yaml.NodeEvent):
            return self.node(event, line)
        if isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        return True

    def node(self, event: Any, line: int) -> bool:
        parent = self.stack[-1] if self.stack else None
        if parent is not None and isinstance(parent.data, dict) and parent.key is None:
            return self.key(parent, event, line)
        path = self.place(parent)
        if parent is None or isinstance(parent.data, list):
            self.lines[path] = line
        if event.anchor is not None:
            self.problem(
                line, f"the anchor &{str(event.anchor)[:60]} is not allowed; write the value out where it is used", path
            )
        if event.tag is not None:
            self.problem(line, f"the tag {str(event.tag)[:60]} is not allowed; write the plain value", path)
        if isinstance(event, yaml.ScalarEvent):
            self.put(parent, self.scalar(event, line, path))
            return True
        data: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.put(parent, data)
        self.stack.append(_Open(data, path, bool(event.flow_style)))
        if len(self.stack) > MAX_DEPTH:
            self.problem(line, f"nested more than {MAX_DEPTH} deep, which no document needs", path)
        return len(self.stack) <= MAX_DEPTH

    def key(self, parent: _Open, event: Any, line: int) -> bool:
        if not isinstance(event, yaml.ScalarEvent):
            self.problem(line, "a list or mapping as a key; keys are names (an expression in {} must be quoted)")
            return False
        path = (*parent.path, event.value)
        if event.anchor is not None or event.tag is not None:
            self.problem(line, "an anchor or tag at a key; write the plain key", path)
        if event.value in parent.data:
            first = self.lines[path]
            self.problem(
                line, f"the key {_short(event.value)} is written twice (first on line {first}); keep one", path
            )
        self.checked(event.value, line, path)
        self.lines.setdefault(path, line)
        parent.key = event.value
        return True

    @staticmethod
    def place(parent: _Open | None) -> Key:
        if parent is None:
            return ()
        return (*parent.path, len(parent.data) if isinstance(parent.data, list) else str(parent.key))

    def put(self, parent: _Open | None, value: Any) -> None:
        if parent is None:
            self.data = value
        elif isinstance(parent.data, list):
            parent.data.append(value)
        else:
            parent.data[parent.key], parent.key = value, None

    def checked(self, text: str, line: int, path: Key) -> str:
        if _CONTROL.search(text):
            self.problem(line, "a control character in a text; remove it", path)
        return text

    def scalar(self, event: Any, line: int, path: Key) -> Scalar:
        if event.style not in (None, ""):
            return self.checked(event.value, line, path)
        if self.stack and self.stack[-1].flow and event.value.count("(") > event.value.count(")"):
            self.problem(line, self.cut(event, path), path)
        try:
            return core_scalar(event.value)
        except DomainError as error:
            self.problem(line, str(error), path)
            return None

    def cut(self, event: Any, path: Key) -> str:
        """Explain an expression that a comma has cut, with the quoted one that was meant."""
        mark = event.start_mark
        rest = split_lines(self.text)[mark.line][mark.column :]
        depth = 0
        whole = rest.rstrip()
        for position, character in enumerate(rest):
            depth += (character == "(") - (character == ")")
            if character == ")" and depth == 0:
                whole = rest[: position + 1]
                break
        if whole.startswith("(") and whole.endswith(")"):
            return f"{whole[:80]!r} is cut at its comma; a list stands in square brackets: [{whole[1:-1][:80]}]"
        family, _, rest = whole.partition("(")
        if path[-1:] == ("prior",) and rest.endswith(")"):
            return f"{whole[:80]!r} is cut at its comma; a prior is written {{{family}: [{rest[:-1][:80]}]}}"
        return (
            f"{_short(event.value)} ends inside a bracket: a comma inside {{}} or [] cuts an expression in two; "
            f'quote the expression: "{whole if len(whole) <= 200 else whole[:197] + "..."}"'
        )


def render(path: Key) -> str:
    """A key's path as text: ``goal.predict.velocity[0].substrate``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{_clipped(key)}" for key in path)
    return text.removeprefix(".")


def _clipped(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _short(text: str) -> str:
    return repr(_clipped(text))
