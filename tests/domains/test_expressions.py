"""The expression language: what parses, what is refused, and that nothing else ever happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.errors import ExpressionError
from domains.expressions import FUNCTIONS, Expression, Text, parse, walk


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("vmax * s / (km + s)", {"vmax", "s", "km"}),
        ("-x**2 % 3 // y", {"x", "y"}),
        ("0 < a <= b != c", {"a", "b", "c"}),
        ("x if a and not b or c else w[3]", {"x", "a", "b", "c", "w"}),
        ("where(enzyme == 'mutant', 0.4, 1.0) * pi + e", {"enzyme"}),
        ("enzyme == 'Größe, Δ'", {"enzyme"}),
        ("1e-4 + .5 + 1. + 1_000 + 1E+3", set()),
        ("a +\n  b", {"a", "b"}),
        ("sum(w) + dot(w, v) + min(a, b, c)", {"w", "v", "a", "b", "c"}),
    ],
)
def test_what_parses(text: str, names: set[str]) -> None:
    assert parse(text).names == names


REFUSED = [
    ("__import__('os')", "not a function"),
    ("a.b", "attribute"),
    ("().__class__", "attribute"),
    ("f(x)", "'f'"),
    ("lambda x: x", "lambda"),
    ("[x for x in y]", "comprehension"),
    ("(x := 1)", "assignment"),
    ("f'{x}'", "f-string"),
    ("exp(*x)", "starred"),
    ("exp(x=1)", "keyword"),
    ("exp(x, y)", "1 argument"),
    ("exp", "without brackets"),
    ("w[x]", "entry of a vector"),
    ("w[-1]", "entry of a vector"),
    ("w[0:1]", "entry of a vector"),
    ("w[0][0]", "entry of a vector"),
    ("w[True]", "entry of a vector"),
    ("w[1.0]", "entry of a vector"),
    ("_x", "underscore"),
    ("_x[0]", "entry"),
    ("x ^ 2", "**"),
    ("x @ y", "operator"),
    ("~x", "not"),
    ("x is y", "comparisons"),
    ("x in y", "comparisons"),
    ("True", "not a number"),
    ("None", "not a number"),
    ("1j", "not a number"),
    ("b'a'", "not a number"),
    ("...", "not a number"),
    ("1e999", "1e308"),
    ("-1e400", "1e308"),
    ("9" * 400, "1e308"),
    ("", "empty"),
    ("  \n ", "empty"),
    ("x = 1", "not an expression"),
    ("x; y", "not an expression"),
    ("a, b", "comma"),
    ("import os", "not an expression"),
    ("2x", "2 * x"),
    ("1if x else 2", "not a number"),
    ("0x1F", "not a number"),
    ("x # y", "'#'"),
    ("'\\x41' == x", "backslash"),
    ("ｘ + 1", "ASCII"),
    ("х + 1", "ASCII"),
    ("x − 1", "ASCII"),
    ("x\u200b", "ASCII"),
    ("x\t\x0c", "ASCII"),
    ("σ", "ASCII"),
    ("x" * 5000, "4000"),
    ("(" * 100 + "x" + ")" * 100, "100 deep"),
    ("-" * 3000 + "1", ""),
    ("not " * 900 + "x", ""),
    ("+".join("x" * 1500), ""),
    ("x" + "**x" * 1300, ""),
    ("[" * 3999, "deep"),
    ("x if y else " * 300 + "z", ""),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.one_of(st.text(), st.text(alphabet="abexp01.()[]'\"+-*/<>=!,: \n_\\#{}ifelsandot", max_size=60)))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        assert isinstance(parse(text), Expression)
    except ExpressionError:
        return


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(function: str) -> st.SearchStrategy[str]:
        fewest, most = FUNCTIONS[function]
        arguments = st.lists(inner, min_size=fewest, max_size=most or 3)
        return arguments.map(lambda found: f"{function}({', '.join(found)})")

    signs = st.sampled_from(["+", "-", "*", "/", "**", "%", "//", "<", "<=", ">", ">=", "==", "!=", "and", "or"])
    return st.one_of(
        st.tuples(inner, signs, inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda operand: f"(-{operand})"),
        inner.map(lambda operand: f"(not {operand})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(call),
    )


_LEAVES = st.one_of(
    st.floats(0, 1e300).map(repr),
    st.integers(0, 10**12).map(str),
    st.sampled_from(["x", "km", "w[0]", "pi", "e", "'on'"]),
)


@given(st.recursive(_LEAVES, _grown, max_leaves=12))
def test_the_whole_grammar_parses(text: str) -> None:
    expression = parse(text)
    assert expression.names <= {"x", "km", "w"}
    assert all(node.value == "on" for node in walk(expression.root) if isinstance(node, Text))
