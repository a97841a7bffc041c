"""Tables of real measurements: their rows, and every way in which a table may not fit."""

from dataclasses import replace

import pytest

from domains.errors import DomainError
from domains.loading import attachments, find, load_file, load_text
from domains.measurements import Measurements, find_table, read_replay

DOCUMENT = """\
format: 1
name: small
designs:
  x: {real: [0, 10]}
  n: {integer: [1, 5]}
  dose: {levels: [0.1, 0.2]}
  kind: {choice: [on, off]}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms: {line: {let: {m: a * x}}}
outcomes:
  y: {normal: {mean: m, sd: 1}}
  z: {normal: {mean: m, sd: 1}}
budget: 5
goal: learn
replays:
  table:
    file: t.csv
    where: {group: 1}
    columns: {x: X, n: N, kind: Kind, y: Y, z: Z}
    set: {dose: 0.1}
"""
TABLE = 'group,X,N,Kind,Y,Z\n1,0.5,1,on,2.5,\n2,oops,,,,\n1.0, 1e0 ,5,"off",-3,4\n'


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yaml").write_text(DOCUMENT)
    (tmp_path / "t.csv").write_text(TABLE)
    return load_file(tmp_path / "small.yaml")


@pytest.mark.parametrize(
    ("domain", "replay", "rows", "first", "last"),
    [
        ("enzyme-kinetics", "puromycin-treated", 12, (0.02, 76), (1.10, 200)),
        ("enzyme-kinetics", "puromycin-untreated", 11, (0.02, 67), (1.10, 160)),
        ("expanding-universe", "hubble-1929", 24, (0.032, 170), (2.0, 1090)),
    ],
)
def test_the_catalogue(domain: str, replay: str, rows: int, first: tuple, last: tuple) -> None:
    found = read_replay(find(domain), replay)
    assert len(found.designs) == len(found.outcomes) == rows
    for index, pair in ((0, first), (-1, last)):
        assert (*found.designs[index].values(), *found.outcomes[index].values()) == pair


def test_rows_in_file_order_after_the_filter(small) -> None:
    expected = Measurements(
        ({"x": 0.5, "n": 1, "dose": 0.1, "kind": "on"}, {"x": 1, "n": 5, "dose": 0.1, "kind": "off"}),
        ({"y": 2.5, "z": None}, {"y": -3, "z": 4}),
    )
    assert read_replay(small, "table") == expected
    assert read_replay(replace(small, file=None), "table", text="\ufeff" + TABLE.replace("\n", "\r\n")) == expected


def test_a_document_that_came_as_text_has_its_tables_with_it(small) -> None:
    sent = load_text(DOCUMENT, attachments={"t.csv": TABLE})
    assert read_replay(sent, "table") == read_replay(small, "table")
    assert attachments(sent) == attachments(small) == {"t.csv": TABLE}
    assert sent.identity == small.identity


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.5,1,on", "oops,1,on", "t.csv:2: column 'X': 'oops' is not a finite number"),
        ("0.5,1,on", "nan,1,on", "column 'X': 'nan' is not a finite number"),
        ("0.5,1,on", "1_0,1,on", "'1_0' is not a finite number"),
        ("0.5,1,on", ",1,on", "t.csv:2: column 'X' is empty: every experiment needs a value of 'x'"),
        ("0.5,1,on", "11,1,on", "'x' is 11, outside its range [0, 10]"),
        ("0.5,1,on", "0.5,1.5,on", "whole numbers, found 1.5"),
        ("0.5,1,on", "0.5,1,onn", "'onn' is no option; did you mean 'on'?"),
        ("-3,4", "NA,4", "t.csv:4: column 'Y': 'NA'"),
        ("-3,4", "-3", "5 cells under 6 columns"),
        (",Y,Z", ",YY,Z", "no column 'Y'; it has 'group', 'X', 'N', 'Kind', 'YY', 'Z'; did you mean 'YY'?"),
        ("group,", "grp,", "no column 'group'"),
        (",Y,Z", ",Y,Y", "2 columns 'Y'"),
        ("group,X", "X,X", "2 columns 'X'"),
        (TABLE, "", "no column 'X'; it has none"),
        (TABLE, "group,X,N,Kind,Y,Z\n", "no rows are left where group = 1"),
        ("2.5,\n", "2.5,\0\n", ""),
    ],
)
def test_tables_that_do_not_fit(small, old: str, new: str, words: str) -> None:
    assert old in TABLE
    with pytest.raises(DomainError) as caught:
        read_replay(small, "table", text=TABLE.replace(old, new, 1))
    assert words in str(caught.value)


def test_unknown_replay(small) -> None:
    with pytest.raises(DomainError, match="did you mean 'table'"):
        read_replay(small, "tabel")


def test_where_tables_lie(tmp_path) -> None:
    document = tmp_path / "docs" / "a.yaml"
    places = {"a.csv": "docs/a.csv", "b.csv": "docs/data/b.csv", "c.csv": "data/c.csv", "sub/d.csv": "docs/sub/d.csv"}
    for place in (*places.values(), "secret.csv"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("x")
    assert {name: find_table(document, name) for name in places} == {n: tmp_path / p for n, p in places.items()}
    assert find_table(document, "../data/c.csv") == tmp_path / "data/c.csv"
    (tmp_path / "docs" / "link.csv").symlink_to(tmp_path / "secret.csv")
    for name in (
        "../secret.csv",
        "/etc/passwd",
        "../data/../secret.csv",
        "sub/../../secret.csv",
        "link.csv",
        "..",
        "a\0b",
        "c:x.csv",
        "..\\secret.csv",
        "",
        ".",
    ):
        with pytest.raises(DomainError, match=r"outside|not in"):
            find_table(document, name)
    with pytest.raises(DomainError, match="put it there"):
        find_table(document, "none.csv")


def test_table_must_be_utf8(small, tmp_path) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.encode() + b"\xff")
    with pytest.raises(DomainError, match="not UTF-8"):
        read_replay(small, "table")
