"""A document's text rewritten to say something else, changing no more of it than must be. Needs no torch.

Where every key of the document begins a line, as in the catalogue, only the keys whose values changed are written anew;
comments and layout of all others stay. Elsewhere the whole is written anew, without comments.
"""

from collections.abc import Mapping
from typing import Any

from domains.errors import DomainError
from domains.loading import as_yaml
from domains.places import same
from domains.reading import read_text


def rewritten(text: str, document: Mapping[str, Any]) -> str:
    """A text that reads as ``document``, made of ``text``; a text that cannot be read gives way entirely."""
    try:
        before = read_text(text)
    except DomainError:
        return as_yaml(document)
    if same(before.data, document):
        return text
    kept = _blocks(text, {key: line for (key, *rest), line in _places(before.lines) if not rest})
    parts = [kept.get("", "")]
    for key, value in document.items():
        head, body = _split(kept[key]) if key in kept else ("", "")
        unchanged = key in before.data and same(before.data[key], value)
        parts.append(head + (body if unchanged else _written(key, value, body)))
    changed = "".join(parts)
    return changed if _reads_as(changed, document) else as_yaml(document)


def _places(lines: Mapping[tuple[str | int, ...], int]) -> list[tuple[tuple[str | int, ...], int]]:
    return [(path, line) for path, line in lines.items() if path]


def _blocks(text: str, begins: Mapping[str | int, int]) -> dict[str, str]:
    """The lines of each key with the comments above it; under the empty key, what stands before the first."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    ordered = sorted(begins.items(), key=lambda entry: entry[1])
    starts = [_with_comments(lines, line - 1) for _, line in ordered]
    ends = [*starts[1:], len(lines)]
    blocks = {"": "".join(lines[: starts[0]])} if starts else {}
    for (key, _), start, end in zip(ordered, starts, ends, strict=True):
        blocks[str(key)] = "".join(lines[start:end])
    return blocks


def _with_comments(lines: list[str], index: int) -> int:
    """Where the comments and empty lines right above a line begin."""
    while index > 0 and (not lines[index - 1].strip() or lines[index - 1].startswith("#")):
        index -= 1
    return index


def _split(block: str) -> tuple[str, str]:
    """The comments above a key, and the key with its value."""
    lines = block.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    return "".join(lines[:first]), "".join(lines[first:])


def _written(key: str, value: Any, body: str) -> str:
    """A key anew; what stood empty below it stays."""
    return as_yaml({key: value}) + "\n" * (len(body) - len(body.rstrip("\n")) - 1)


def _reads_as(text: str, document: Mapping[str, Any]) -> bool:
    try:
        return same(read_text(text).data, document)
    except DomainError:
        return False
