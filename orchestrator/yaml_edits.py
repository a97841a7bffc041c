"""Changing one value of a YAML text and leaving the rest as somebody wrote it: order, comments, what we do not know.

Where a value stands is read off the composed nodes; what results is read again and held to what it should say. A text
that is written too unusually for that is written anew as a whole, which loses its comments and nothing else.
"""

from typing import Any

import yaml

from domains.places import put, remove
from domains.reading import Key


def changed(text: str, place: Key, value: Any) -> str:
    """The text with this value at that place; keys that are missing on the way are added."""
    data = yaml.safe_load(text)
    return _held(_replaced(text, place, value), put(data if isinstance(data, dict) else {}, place, value))


def appended(text: str, key: str, value: Any) -> str:
    """The text with this value at the end of a list, which is begun if it is not there."""
    data = yaml.safe_load(text) or {}
    found = list(data.get(key) or [])
    return _held(
        _appended(text, key, value) if found else changed(text, (key,), [value]), {**data, key: [*found, value]}
    )


def removed(text: str, key: str, index: int) -> str:
    """The text without one of a list's values."""
    left = remove(yaml.safe_load(text), (key, index))
    return _held(_removed(text, key, index) if left[key] else changed(text, (key,), []), left)


def flow(value: Any) -> str:
    """A value on one line."""
    written = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return written.removesuffix("\n").removesuffix("\n...").strip()


def _held(text: str | None, wanted: Any) -> str:
    """The text if it says that, else another that does."""
    try:
        if text is not None and yaml.safe_load(text) == wanted:
            return text
    except yaml.YAMLError:
        pass
    return yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=110)


def _replaced(text: str, place: Key, value: Any) -> str | None:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, part in enumerate(place):
        found = _child(node, part)
        if found is None:
            for key in reversed(place[depth + 1 :]):
                value = {key: value}
            return _inserted(text, node, part, value)
        node = found
    return None if node is None else _put(text, node, value)


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found: yaml.Node = node.value[part]
        return found
    return None


def _span(text: str, node: yaml.Node) -> tuple[int, int]:
    """From where to before where a node stands, without the space that follows it."""
    start, end = node.start_mark.index, node.end_mark.index
    lines = text[start:end].rstrip()
    return start, start + len(lines)


def _put(text: str, node: yaml.Node, value: Any) -> str | None:
    start, end = _span(text, node)
    if start == end or getattr(node, "flow_style", None) is False or getattr(node, "style", None) in ("|", ">"):
        return None
    return text[:start] + flow(value) + text[end:]


def _inserted(text: str, node: yaml.Node | None, key: str | int, value: Any) -> str | None:
    """With a key more at the end of a mapping."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return None
    entry = f"{flow(key)}: {flow(value)}"
    if node.flow_style:
        _, end = _span(text, node)
        return text[: end - 1].rstrip() + f", {entry}" + text[end - 1 :]
    column = node.value[0][0].start_mark.column
    return _after_line(text, _span(text, node.value[-1][1])[1], " " * column + entry)


def _appended(text: str, key: str, value: Any) -> str | None:
    node = _child(yaml.compose(text, Loader=yaml.SafeLoader), key)
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    if node.flow_style:
        _, end = _span(text, node)
        return text[: end - 1].rstrip() + f", {flow(value)}" + text[end - 1 :]
    return _after_line(text, _span(text, node.value[-1])[1], " " * node.start_mark.column + "- " + flow(value))


def _removed(text: str, key: str, index: int) -> str | None:
    node = _child(yaml.compose(text, Loader=yaml.SafeLoader), key)
    if not isinstance(node, yaml.SequenceNode):
        return None
    items = node.value
    if node.flow_style:
        return _put(text, node, [each for place, each in enumerate(yaml.safe_load(text)[key]) if place != index])
    start = text.rfind("\n", 0, items[index].start_mark.index) + 1
    end = text.find("\n", _span(text, items[index])[1])
    return text[:start] + ("" if end < 0 else text[end + 1 :])


def _after_line(text: str, place: int, line: str) -> str:
    """With a line more after the one in which something ends."""
    end = text.find("\n", place)
    if end < 0:
        return f"{text}\n{line}\n"
    return f"{text[: end + 1]}{line}\n{text[end + 1 :]}"
