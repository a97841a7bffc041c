"""What is different between two documents, in words: one line a change. Needs no torch."""

from collections.abc import Iterator, Mapping
from typing import Any

from domains.reading import Key, render

_LONGEST = 80
_NAMED = {
    "designs": "design", "parameters": "unknown", "mechanisms": "law", "outcomes": "outcome", "let": "formula",
    "replays": "replay", "state": "state",
}  # fmt: skip


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Every change from one parsed document to the other, by place, in the order of the documents."""
    return list(_mapping(before, after, ()))


def _mapping(before: Mapping[str, Any], after: Mapping[str, Any], path: Key) -> Iterator[str]:
    kept = [key for key in before if key in after]
    for key in before:
        if key not in after:
            yield f"{_named(path, key)} is gone: it was {_short(before[key])}"
    for key in after:
        here = (*path, key)
        if key not in before:
            yield f"{_named(path, key)} is new: {_short(after[key])}"
        else:
            yield from _value(before[key], after[key], here)
    if kept != [key for key in after if key in before]:
        yield f"{render(path) or 'the document'}: the order is {', '.join(key for key in after)}"


def _value(before: Any, after: Any, path: Key) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _mapping(before, after, path)
    elif type(before) is not type(after) or before != after:
        yield f"{render(path)}: {_short(before)} → {_short(after)}"


def _named(path: Key, key: str) -> str:
    """``law competitive``, ``formula rate of mechanisms.competitive``, ``budget``."""
    kind = _NAMED.get(str(path[-1])) if path else None
    if kind is None:
        return render((*path, key))
    owner = f" of {render(path[:-1])}" if len(path) > 1 else ""
    return f"{kind} {key}{owner}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {_short(entry)}" for key, entry in value.items())
        text = f"{{{text}}}"
    elif isinstance(value, list):
        text = f"[{', '.join(map(_short, value))}]"
    else:
        text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
