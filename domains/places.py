"""Plain data by place: what stands there, and the same data with something else there. Needs no torch."""

from typing import Any

from domains.reading import Key


def get(data: Any, place: Key) -> Any:
    """What stands at a place, None where nothing does."""
    for step in place:
        inside = step in data if isinstance(data, dict) else isinstance(step, int) and 0 <= step < _size(data)
        if not inside:
            return None
        data = data[step]
    return data


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def put(data: Any, place: Key, value: Any) -> Any:
    """With another value at a place, and at no other that shares it; what leads there is made where it is missing."""
    if not place:
        return value
    step, rest = place[0], place[1:]
    if isinstance(data, list) and isinstance(step, int):
        before = data[step] if step < len(data) else None
        return [*data[:step], put(before, rest, value), *data[step + 1 :]]
    known = data if isinstance(data, dict) else {}
    return {**known, step: put(known.get(step), rest, value)}


def remove(data: Any, place: Key) -> Any:
    """Without what stands at a place."""
    parent, last = get(data, place[:-1]), place[-1]
    if isinstance(parent, dict):
        return put(data, place[:-1], {key: value for key, value in parent.items() if key != last})
    if isinstance(parent, list):
        return put(data, place[:-1], [value for index, value in enumerate(parent) if index != last])
    return data


def same(one: Any, other: Any) -> bool:
    """Equal down to the kinds of numbers and the order of keys: 1, 1.0 and true are three values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
