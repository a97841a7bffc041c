"""Names in a document as plain data: a free one, and another for what has one. The old document stays as it was."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from domains.places import get
from domains.reading import Key

Document = dict[str, Any]
NAMED = ("designs", "parameters", "let", "mechanisms", "outcomes", "state")  # whose keys the author chooses
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORDS = ("title", "summary", "label", "unit", "field", "name", "references", "source", "file", "python", "choice")


def free_name(taken: Mapping[str, Any], stem: str, joint: str = "_") -> str:
    """A name with the next number that is not there yet: ``design_2``."""
    number = len(taken) + 1
    while f"{stem}{joint}{number}" in taken:
        number += 1
    return f"{stem}{joint}{number}"


def rename(document: Document, path: Key, new: str) -> Document:
    """With another name for the entry at a place, in the same order, and in every formula that uses it."""
    *above, old = path
    changed = copy.deepcopy(document)
    parent = get(changed, tuple(above))
    entries = [(new if key == old else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(entries)
    if not (isinstance(old, str) and _NAME.fullmatch(old.replace("-", "_"))):
        return changed
    within = tuple(above[:2]) if above[0] == "mechanisms" and len(above) > 1 else ()
    if above[-1] == "outcomes":
        return _outcome_renamed(changed, old, new)
    if above[-1] != "mechanisms" and _NAME.fullmatch(new):
        _replace(get(changed, within), _replacer(old, new), old, new)
    return changed


def _outcome_renamed(document: Document, old: str, new: str) -> Document:
    """Outcomes stand in no formula, but in the columns of replays and in the points of predictions."""
    places = [get(document, ("goal", "predict"))]
    replays = document.get("replays")
    places += [entry.get("columns") for entry in replays.values()] if isinstance(replays, dict) else []
    for place in places:
        if isinstance(place, dict) and old in place:
            _keys(place, old, new)
    return document


def _replacer(old: str, new: str) -> Callable[[str], str]:
    """Puts a name for another in a formula, but not inside the texts that choices are compared with."""
    pattern = re.compile(rf"'[^']*'|\"[^\"]*\"|(?<![\w.])({re.escape(old)})(?!\w)")

    def replaced(formula: str) -> str:
        return pattern.sub(lambda found: new if found[1] else found[0], formula)

    return replaced


def _replace(here: Any, replaced: Callable[[str], str], old: str, new: str) -> None:
    """In all formulas below a place, and where points, columns and fixed values name a design."""
    entries = list(here.items()) if isinstance(here, dict) else list(enumerate(here)) if isinstance(here, list) else []
    for key, value in entries:
        if key in _WORDS:
            continue
        if isinstance(value, str):
            here[key] = replaced(value)
        elif key in ("columns", "set") and isinstance(value, dict):
            _keys(value, old, new)
        elif key == "predict" and isinstance(value, dict):
            for point in [point for points in value.values() if isinstance(points, list) for point in points]:
                _keys(point, old, new)
        elif key != "where":
            _replace(value, replaced, old, new)


def _keys(mapping: Any, old: str, new: str) -> None:
    if isinstance(mapping, dict) and old in mapping:
        entries = [(new if key == old else key, value) for key, value in mapping.items()]
        mapping.clear()
        mapping.update(entries)
