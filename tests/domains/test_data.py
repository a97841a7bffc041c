"""Tables of experiments already made: the export's columns, and every way in which a table may not fit."""

from pathlib import Path

import pytest

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import load_text
from domains.measurements import Measurements, data_columns, load_data, read_data

DOCUMENT = """\
format: 1
name: small
designs:
  x: {real: [0, 10]}
  n: {integer: [1, 5]}
  dose: {levels: [0.1, 0.3]}
  kind: {choice: [on, "7"]}
parameters: {a: {prior: {normal: [0, 1]}}}
dynamics:
  time: t
  state: {s: {start: a, rate: "-s"}}
  at: [1, 2]
mechanisms: {line: {let: {m: a * x}}}
outcomes:
  y: {normal: {mean: m, sd: 1}}
  path: {normal: {mean: s, sd: 1}}
budget: 5
goal: learn
"""
TABLE = """\
run,design.x,cost,design.n,design.dose,design.kind,outcome.y,outcome.path[0],outcome.path[1],mean.a
3,0.5,1.0,1,0.1,on,2.5,,0.25,9
3, 1e1 ,1.0,5.0,0.30000000000000004,"7",,-3,4,
"""


@pytest.fixture(scope="module")
def small() -> Domain:
    return load_text(DOCUMENT)


def test_the_rows_of_an_export_in_file_order(small: Domain) -> None:
    expected = Measurements(
        ({"x": 0.5, "n": 1.0, "dose": 0.1, "kind": "on"}, {"x": 10.0, "n": 5.0, "dose": 0.3, "kind": "7"}),
        ({"y": 2.5, "path[0]": None, "path[1]": 0.25}, {"y": None, "path[0]": -3.0, "path[1]": 4.0}),
    )
    assert read_data(small, TABLE, "t.csv") == expected
    assert read_data(small, "\ufeff" + TABLE.replace("\n", "\r\n"), "t.csv") == expected
    assert [name for name in TABLE.split("\n")[0].split(",") if name in data_columns(small)] == data_columns(small)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("design.x", "design.X", "the domain has nothing for the column 'design.X': rename or drop it"),
        ("design.x", "x", "t.csv:1: the column 'x' is to be called 'design.x'"),
        ("outcome.y", "y", "t.csv:1: the column 'y' is to be called 'outcome.y'"),
        ("outcome.path[1]", "outcome.path", "nothing for the column 'outcome.path': rename or drop it; did you mean"),
        ("design.kind", "desing.kind", "no column 'design.kind'"),
        ("design.kind", "desing.kind", "did you mean 'desing.kind'?"),
        ("mean.a", "design.x", "2 columns 'design.x'; rename all but one"),
        (",0.5,", ",oops,", "t.csv:2: column 'design.x': 'oops' is not a finite number"),
        (",0.5,", ",,", "t.csv:2: column 'design.x' is empty: every experiment needs a value of 'x'"),
        (",0.5,", ",11,", "t.csv:2: column 'design.x': 'x' is 11, outside its range [0, 10]"),
        (",1,0.1", ",1.5,0.1", "column 'design.n': 'n' takes whole numbers, found 1.5"),
        (",1,0.1", ",1,0.2", "column 'design.dose': 'dose' has no level 0.2; its levels are 0.1, 0.3"),
        (",on,", ",onn,", "t.csv:2: column 'design.kind': 'onn' is no option; did you mean 'on'?"),
        (",-3,", ",NA,", "t.csv:3: column 'outcome.path[0]': 'NA' is not a finite number (a missing outcome is an"),
        (",-3,", ",inf,", "'inf' is not a finite number"),
        ("\n3, 1e1", "\n4, 1e1", "t.csv:3: column 'run': '4' after '3'; a campaign starts from the measurements of"),
        (",9\n", "\n", "t.csv:2: 9 cells under 10 columns"),
        (TABLE[TABLE.index("\n") :], "\n\n", "t.csv: the table has no rows"),
        (TABLE, "", "no column 'design.x'; it has none"),
        (TABLE[TABLE.index("\n") :], "\n" + "3,1,1,1,0.1,on,1,1,1,1\n" * 10_001, "t.csv:10002: more than 10000 exp"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(small: Domain, old: str, new: str, words: str) -> None:
    assert old in TABLE
    with pytest.raises(DomainError) as caught:
        read_data(small, TABLE.replace(old, new, 1), "t.csv")
    assert words in str(caught.value)


def test_files(small: Domain, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.encode())
    measurements, text = load_data(small, tmp_path / "t.csv")
    assert (measurements, text) == (read_data(small, TABLE, "t.csv"), TABLE)
    (tmp_path / "latin.csv").write_bytes(TABLE.encode() + b"\xff")
    (tmp_path / "folder.csv").mkdir()
    for name, words in {
        "none.csv": "none.csv: there is no such file; name a CSV table",
        "folder.csv": "there is no such file",
        "t.parquet": "measurements are read from CSV only; save the table as a file that ends in .csv",
        "latin.csv": "not UTF-8; save the table as UTF-8",
    }.items():
        with pytest.raises(DomainError, match=words):
            load_data(small, tmp_path / name)


COUNTED = """\
format: 1
name: counted
designs: {x: {real: [0, 10]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms: {line: {let: {m: exp(a)}}}
outcomes:
  seen: {poisson: {rate: m}}
  alive: {bernoulli: {p: m / (1 + m)}}
  kind: {categorical: {p: [0.2, 0.3, 0.5]}}
  size: {gamma: {mean: m, shape: 2}}
  part: {beta: {mean: m / (1 + m), concentration: 3}}
  dose: {normal: {mean: m, sd: 1}, censor: [0.1, 4]}
budget: 5
goal: learn
"""
POSSIBLE = {"seen": "3", "alive": "1", "kind": "2", "size": "0.5", "part": "0.5", "dose": "0.1"}


def counted(**values: str) -> str:
    header = ",".join(["design.x", *(f"outcome.{name}" for name in POSSIBLE)])
    return f"{header}\n1,{','.join({**POSSIBLE, **values}.values())}\n"


def test_readings_that_may_be_are_read_bounds_included() -> None:
    domain = load_text(COUNTED)
    for text in (counted(), counted(seen="0", alive="0", kind="0", dose="4")):
        assert len(read_data(domain, text, "t.csv").outcomes) == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("seen", "-1", "-1 is no count"),
        ("seen", "2.5", "2.5 is no count"),
        ("alive", "2", "2 is above 1, the largest value of a bernoulli outcome"),
        ("kind", "3", "3 is above 2, the largest value of a categorical outcome"),
        ("size", "0", "0 is not above 0"),
        ("part", "1", "1 is not between 0 and 1"),
        ("dose", "0.05", "0.05 is below the bound 0.1 of its censoring; a reading at or below it is written 0.1"),
        ("dose", "5", "5 is above the bound 4 of its censoring"),
    ],
)
def test_a_reading_that_no_law_can_give_is_refused_at_its_cell(name: str, value: str, words: str) -> None:
    with pytest.raises(DomainError, match="t.csv:2: column 'outcome." + name) as raised:
        read_data(load_text(COUNTED), counted(**{name: value}), "t.csv")
    assert words in str(raised.value)


def test_semicolons_are_recognised(small: Domain) -> None:
    with pytest.raises(DomainError, match="separated by semicolons"):
        read_data(small, "design.x;outcome.y\n1;2\n".replace("design.x", "x"), "t.csv")
