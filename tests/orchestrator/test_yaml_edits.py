"""One value of a text changed, and the rest as it was written."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.yaml_edits import appended, changed, removed

TEXT = """\
# what it is for
name: mine   # mine alone
tables:
  # the small ones
  - {weight: 0.5, hypotheses: [6], odd: yes}  # half
  - weight: 1
    hypotheses: [12]
network: {width: 16}
imitate: {steps: 60}
"""


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        (("name",), "other", "name: other   # mine alone"),
        (("tables", 0, "weight"), 0.25, "  - {weight: 0.25, hypotheses: [6], odd: yes}  # half"),
        (("tables", 0, "hypotheses"), [6, 12], "  - {weight: 0.5, hypotheses: [6, 12], odd: yes}  # half"),
        (("tables", 0, "dear"), [0.0], "  - {weight: 0.5, hypotheses: [6], odd: yes, dear: [0.0]}  # half"),
        (("tables", 1, "dear"), [0.0], "    dear: [0.0]"),
        (("network", "heads"), 2, "network: {width: 16, heads: 2}"),
        (("held-out", "domains"), ["ces"], "held-out: {domains: [ces]}"),
    ],
)
def test_one_line_is_another(place: tuple[str | int, ...], value: object, line: str) -> None:
    before, after = TEXT.splitlines(), changed(TEXT, place, value).splitlines()
    assert line in after
    assert len([each for each in after if each not in before]) == 1
    assert [each for each in before if each not in after] == [] or len(after) == len(before)
    found = yaml.safe_load("\n".join(after))
    for part in place:
        found = found[part]
    assert found == value


def test_parts_come_and_go() -> None:
    longer = appended(TEXT, "tables", {"weight": 2})
    assert "  - {weight: 2}\n" in longer
    assert "# the small ones" in longer
    assert removed(longer, "tables", 2) == TEXT
    fewer = removed(TEXT, "tables", 0)
    assert yaml.safe_load(fewer)["tables"] == [{"weight": 1, "hypotheses": [12]}]
    assert "# what it is for" in fewer
    assert yaml.safe_load(removed(fewer, "tables", 0))["tables"] == []
    begun = appended(TEXT, "domains", {"names": ["ces"]})
    assert "domains: [{names: [ces]}]" in begun
    assert "{names: [ces]}, {names: [okuns-law]}" in appended(begun, "domains", {"names": ["okuns-law"]})


def test_what_is_written_unusually_is_written_anew_and_says_the_same() -> None:
    text = "name: >\n  folded\n  text\nimitate:\n  steps: 3\n"
    assert yaml.safe_load(changed(text, ("name",), "x")) == {"name": "x", "imitate": {"steps": 3}}
    assert yaml.safe_load(changed(text, ("imitate",), {"steps": 4}))["imitate"] == {"steps": 4}
    assert yaml.safe_load(changed("", ("name",), "x")) == {"name": "x"}
    anchored = "a: &b [1, 2]\nc: *b\n"
    assert yaml.safe_load(changed(anchored, ("a",), [3])) == {"a": [3], "c": [1, 2]}


_SCALARS = st.one_of(st.integers(-9, 9), st.text("ab: #'-\n", max_size=6), st.booleans(), st.none())
_DATA = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(st.text("xy", min_size=1), _SCALARS)),
    max_size=4,
)


@given(_DATA, st.text("abc", min_size=1, max_size=2), _SCALARS, st.sampled_from([True, False, None]))
def test_any_text_says_what_it_should(data: dict[str, object], key: str, value: object, style: bool | None) -> None:
    text = yaml.safe_dump(data, default_flow_style=style)
    assert yaml.safe_load(changed(text, (key,), value)) == {**data, key: value}
