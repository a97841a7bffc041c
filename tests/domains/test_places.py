"""Plain data by place."""

from domains.places import get, put, remove, same

DATA = {"a": {"b": [1, 2]}, "c": None}


def test_what_stands_at_a_place() -> None:
    assert get(DATA, ("a", "b", 1)) == 2
    assert get(DATA, ()) == DATA
    assert [get(DATA, place) for place in (("a", "b", 2), ("a", "b", "x"), ("c", "d"), ("e",))] == [None] * 4


def test_another_value_leaves_the_old_data_as_it_was() -> None:
    shared = [1, 2]
    data = {"a": shared, "b": shared}
    assert put(data, ("a", 0), 5) == {"a": [5, 2], "b": [1, 2]}
    assert put(data, ("a", 2), 3)["a"] == [1, 2, 3]
    assert put(data, ("c", "d"), 1) == {**data, "c": {"d": 1}}
    assert list(put({"x": 1, "y": 2}, ("x",), 3)) == ["x", "y"]
    assert remove(data, ("a", 0)) == {"a": [2], "b": [1, 2]}
    assert remove(data, ("a",)) == {"b": [1, 2]}
    assert remove(data, ("z", "y")) == data
    assert data == {"a": [1, 2], "b": [1, 2]}


def test_kinds_of_numbers_and_the_order_of_keys_are_told_apart() -> None:
    assert same({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]})
    for one, other in ((1, 1.0), (1, True), ([1], [1, 2]), ({"a": 1, "b": 2}, {"b": 2, "a": 1})):
        assert not same(one, other)
