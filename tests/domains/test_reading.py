"""YAML 1.2 core, line numbers, and everything that a document must not contain."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.errors import DocumentError, DomainError
from domains.reading import MAX_BYTES, Source, read_file, read_text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-4", 1e-4),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-1.", -1.0),
        ("+7", 7),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("0b1", "0b1"),
        ("1e", "1e"),
        ("=", "="),
        ("1/2", "1/2"),
    ],
)
def test_scalars_follow_yaml_1_2_core(written: str, value: object) -> None:
    found = read_text(f"key: {written}").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_lines_of_keys_and_entries() -> None:
    source = read_text("# a comment\na: 1\nb:\n  c: [1,\n      2]\n  n: {y: 3}\n")
    assert source.data == {"a": 1, "b": {"c": [1, 2], "n": {"y": 3}}}
    paths = [("a",), ("b",), ("b", "c"), ("b", "c", 0), ("b", "c", 1), ("b", "n", "y")]
    assert [source.line(path) for path in paths] == [2, 3, 4, 4, 5, 6]
    assert source.line(("b", "c", 7, "x")) == 4


def test_keys_are_texts_as_written() -> None:
    assert read_text("{on: 1, n: 2, 0.5: 3, null: 4, true: 5}").data == {
        "on": 1,
        "n": 2,
        "0.5": 3,
        "null": 4,
        "true": 5,
    }


REFUSED = [
    ("a: 1\nb: &x 2", 2, "anchor &x"),
    ("a: 1\nb: *x", 2, "alias *x"),
    ("a: !!str 1", 1, "tag"),
    ("a: !python/object:os.system x", 1, "tag"),
    ("!!map {a: 1}", 1, "tag"),
    ("a: 1\nb: 2\na: 3", 3, "written twice (first on line 1)"),
    ("a: {b: 1, b: 2}", 1, "written twice"),
    ("[a, b]: 1", 1, "keys are names"),
    ("? {a: 1}\n: 1", 1, "keys are names"),
    ("a: 1\n---\nb: 2", 2, "second document"),
    ("a:\n\tb: 1", 2, "tab"),
    ("a:\n  - 1\n \t- 2", 3, "tab"),
    ("- a", 1, "not a mapping"),
    ("just text", 1, "not a mapping"),
    ("", 1, "not a mapping"),
    ("# nothing", 1, "not a mapping"),
    ("a: .inf", 1, "finite"),
    ("a: 1\nb: -.INF", 2, "finite"),
    ("a: .nan", 1, "finite"),
    ("a: 1e999", 1, "finite"),
    ("a: " + "9" * 5000, 1, "finite"),
    ("a: 1\nb: x\0y", 2, "'\\x00'"),
    ('a: "x\\0y"', 1, "control character"),
    ("a: \ud800", 1, "not allowed"),
    ("a: 1\nb: [1, 2", 2, "not YAML"),
    ("a: {mean: w[0], sd: 1}", 1, "must be quoted"),
    ("a: {mean: min(a, b), sd: 1}", 1, 'quote the expression: "min(a, b)"'),
    ("a: 1\nb: {mean: 2 * min(a, max(b, c)) + 1, sd: 1}", 2, 'quote the expression: "2 * min(a, max(b, c))'),
    ("a: [clip(x, 0, 1), 2]", 1, 'quote the expression: "clip(x, 0, 1)"'),
    ("a: %x", 1, "must be quoted"),
    ("a: " + "[" * 100, 1, "deep"),
    ("a: " + "{a: " * 100, 1, "deep"),
    ("\n".join(" " * i + "a:" for i in range(60)), 41, "deep"),
]


@pytest.mark.parametrize(("text", "line", "words"), REFUSED)
def test_refused_with_line_and_reason(text: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_text(text)
    assert (line, True) in [(problem.line, words in problem.message) for problem in caught.value.problems], caught.value


def test_several_problems_at_once() -> None:
    with pytest.raises(DocumentError) as caught:
        read_text("a: &x 1\nb: !!int 2\na: .nan")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3, 3]


@pytest.mark.parametrize("text", ["a: " + "x" * 10_000_000, "[" * 900_000, "{" * 900_000, "a: '" + "\n" * 900_000])
def test_huge_texts_are_refused_quickly(text: str) -> None:
    start = time.process_time()
    with pytest.raises(DocumentError):
        read_text(text)
    assert time.process_time() - start < 3


def test_billion_laughs_is_refused_at_the_first_anchor_or_alias() -> None:
    lines = ["a0: &a0 lol", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))]
    with pytest.raises(DocumentError, match="alias"):
        read_text("\n".join(lines))


def test_files(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    source = read_file(path)
    assert source == Source({"a": 1, "b": 2}, source.lines, str(path), "a: 1\r\nb: 2\r\n", path)
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(DocumentError, match=":2: byte 0xff is not UTF-8"):
        read_file(path)
    path.write_bytes(b"a" * (MAX_BYTES * 10))
    with pytest.raises(DocumentError, match="too large"):
        read_file(path)
    with pytest.raises(DomainError, match="No such file"):
        read_file(tmp_path / "none.yaml")
    with pytest.raises(DomainError, match="directory"):
        read_file(tmp_path)


@given(st.one_of(st.text(max_size=200), st.text(alphabet="ab:{}[],-\"'&*!|>%#?\n\t 01.e(", max_size=80)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_text(text).data, dict)
    except DocumentError:
        return
