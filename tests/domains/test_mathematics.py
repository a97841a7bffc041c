"""Expressions as mathematics: what is written can be read back to the same formula, and reads as one would write it."""

import math
import re
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.compiler import compile_expression
from domains.expressions import (
    FUNCTIONS,
    Binary,
    Call,
    Conditional,
    Expression,
    Node,
    Number,
    Unary,
    children,
    parse,
)
from domains.mathematics import latex_name, to_latex, to_unicode


def read_back(text: str) -> str:
    """The document's notation of a rendered formula, by replacing signs alone: no look at what stands around."""
    text = re.sub(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**({found[0].translate(_LOWERED)})", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = re.sub(r"√([\w.]+)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"(?<![<>=!])=", "==", text)
    for sign, written in _SIGNS.items():
        text = text.replace(sign, written)
    return _cases(text)


_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SIGNS = {
    "−": "-", "·": "*", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "π": "pi", "‘": "'", "’": "'", " mod ": " % ",
    "⌊": "floor(", "⌋": ")", "lnΓ(": "lgamma(", "ln(": "log(", "log₁₀(": "log10(", "Φ(": "normcdf(",
    "arctan(": "atan(", "sgn(": "sign(",
}  # fmt: skip


def _cases(text: str) -> str:
    """``{a if t, b if u, else c}`` as conditional expressions."""
    opened: list[str] = []
    written = ""
    for place, character in enumerate(text):
        if character in "({[":
            opened.append(character)
        if character in ")}]":
            opened.pop()
        if character == "," and opened[-1] == "{":
            written += "" if text[place:].startswith(", else ") else " else"
        else:
            written += {"{": "(", "}": ")"}.get(character, character)
    return written


def meant(node: Node) -> Node:
    """The formula that a tree stands for: ``where`` is a conditional, ``//`` a floor, ``expm1(x)`` exp(x) − 1 …"""
    match node:
        case Unary(operator="+", operand=operand):
            return meant(operand)
        case Unary(operator="-", operand=Call(function="expm1", arguments=(x,))):
            return Binary("-", Number(1.0), Call("exp", (meant(x),)))
        case Call(function="expm1", arguments=(x,)):
            return Binary("-", Call("exp", (meant(x),)), Number(1.0))
        case Call(function="log1p", arguments=(x,)):
            return Call("log", (Binary("+", Number(1.0), meant(x)),))
        case Call(function="where"):
            return Conditional(*map(meant, children(node)))
        case Binary(operator="//", left=left, right=right):
            return Call("floor", (Binary("/", meant(left), meant(right)),))
    return _rebuilt(node)


def _rebuilt(node: Node) -> Node:
    """The same part of parts as they are meant."""
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            changed[field.name] = meant(value)
        elif isinstance(value, tuple) and isinstance(value[0], Node):
            changed[field.name] = tuple(map(meant, value))
    return replace(node, **changed)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(function: str) -> st.SearchStrategy[str]:
        fewest, most = FUNCTIONS[function]
        return st.lists(inner, min_size=fewest, max_size=most or 3).map(lambda found: f"{function}({', '.join(found)})")

    signs = ["+", "-", "*", "/", "**", "%", "//", "<", "<=", ">", ">=", "==", "!=", "and", "or"]
    return st.one_of(
        st.tuples(inner, st.sampled_from(signs), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda operand: f"(-{operand})"),
        inner.map(lambda operand: f"(+{operand})"),
        inner.map(lambda operand: f"(not {operand})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(call),
    )


_LEAVES = st.one_of(
    st.floats(0, 1e300).map(repr),
    st.integers(0, 120).map(str),
    st.sampled_from(["x", "km", "w[0]", "pi", "e", "1e-7", "(site == 'on')", "(a < b <= c)"]),
)


_FORMS = [
    *(f"({{}} {sign} {{}})" for sign in ("+", "-", "*", "/", "**", "%", "<", "and", "or")),
    *("(-{})", "(not {})", "({} if {} else {})", "({} < {} <= {})"),
    *(f"{function}({{}})" for function in ("sqrt", "abs", "floor", "log1p", "expm1")),
]


def _filled(form: str, inner: list[str]) -> list[str]:
    """The form with each of ``inner`` in each of its places, names in the others."""
    holes = form.count("{}")
    names = ["x", "y", "2"]
    return [form.format(*names[:hole], part, *names[hole + 1 : holes]) for hole in range(holes) for part in inner]


_SINGLE = [form.format(*("a", "b", "3")[: form.count("{}")]) for form in _FORMS]


@pytest.mark.parametrize("outer", _FORMS)
def test_every_form_inside_every_form_of_every_form_can_only_be_read_one_way(outer: str) -> None:
    """Exhaustive for three levels: every place where brackets may or may not stand."""
    middle = [text for form in _FORMS for text in _filled(form, _SINGLE)]
    for text in _filled(outer, [*_SINGLE, *middle]):
        expression = parse(text)
        written = to_unicode(expression)
        assert meant(parse(read_back(written)).root) == meant(expression.root), written


@settings(max_examples=200)
@given(st.recursive(_LEAVES, _grown, max_leaves=10))
def test_what_is_written_can_only_be_read_one_way(text: str) -> None:
    expression = parse(text)
    written = to_unicode(expression)
    assert meant(parse(read_back(written)).root) == meant(expression.root), written


@given(st.recursive(_LEAVES, _grown, max_leaves=10))
def test_latex_is_balanced(text: str) -> None:
    written = to_latex(parse(text))
    assert written.isascii()
    assert written.count(r"\left") - written.count(r"\leftarrow") == written.count(r"\right")
    assert written.count(r"\begin{cases}") == written.count(r"\end{cases}")
    depth = 0
    for character in written.replace(r"\{", "").replace(r"\}", ""):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize(
    ("text", "written", "latex"),
    [
        (
            "v * substrate / (km * (1 + inhibitor / ki) + substrate)",
            "v·substrate / (km·(1 + inhibitor/ki) + substrate)",
            r"\frac{v \cdot \mathit{substrate}}{\mathit{km} \cdot \left(1 + \frac{\mathit{inhibitor}}{\mathit{ki}}"
            r"\right) + \mathit{substrate}}",
        ),
        ("dose / v * ka", "(dose/v)·ka", r"\frac{\mathit{dose}}{v} \cdot \mathit{ka}"),
        ("a / b / c", "(a/b)/c", r"\frac{\frac{a}{b}}{c}"),
        ("a * (b / c)", "a·(b/c)", r"a \cdot \frac{b}{c}"),
        ("-x**2", "−x²", "-x^{2}"),
        ("(-x)**2", "(−x)²", r"\left(-x\right)^{2}"),
        ("c - -a * b", "c − (−a·b)", r"c - \left(-a \cdot b\right)"),
        ("x**-2 * y**n", "x⁻²·y^n", r"x^{-2} \cdot y^{n}"),
        ("(1 + t)**(-k)", "(1 + t)^(−k)", r"\left(1 + t\right)^{-k}"),
        ("x**2**3", "x^(2³)", r"x^{2^{3}}"),
        ("sqrt(x)**2 + sqrt(x + 1)", "(√x)² + √(x + 1)", r"\left(\sqrt{x}\right)^{2} + \sqrt{x + 1}"),
        ("abs(abs(x) - 1)", "abs(|x| − 1)", r"\operatorname{abs}\left(\left|x\right| - 1\right)"),
        ("-expm1(-k * t)", "1 − exp(−k·t)", r"1 - \exp\left(-k \cdot t\right)"),
        ("log1p(x) * 2", "ln(1 + x)·2", r"\ln\left(1 + x\right) \cdot 2"),
        ("2 * pi * 1e-7", "2·π·1e−7", r"2 \cdot \pi \cdot 10^{-7}"),
        ("2.5e-7**2", "2.5e−7^2", r"\left(2.5 \cdot 10^{-7}\right)^{2}"),
        (
            "v * where(enzyme == 'mutant', 0.4, 1.0)",
            "v·{0.4 if enzyme = ‘mutant’, else 1}",
            r"v \cdot \begin{cases} 0.4 & \text{if } \mathit{enzyme} = \text{mutant} \\ 1 & \text{otherwise} "
            r"\end{cases}",
        ),
        ("a if x <= 1 else b if x <= 2 else c", "{a if x ≤ 1, b if x ≤ 2, else c}", None),
        ("alpha[0] * phi_p", "alpha[0]·phi_p", r"{\alpha}_{0} \cdot \phi_{p}"),
    ],
)
def test_how_a_formula_reads(text: str, written: str, latex: str | None) -> None:
    assert to_unicode(parse(text)) == written
    if latex is not None:
        assert to_latex(parse(text)) == latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("x1", "x_{1}"),
        ("phi_x", r"\phi_{x}"),
        ("beta2", r"\beta_{2}"),
        ("km", r"\mathit{km}"),
        ("log_k", r"\mathit{log\_k}"),
        ("k_on", r"k_{\mathit{on}}"),
        ("half_dose", r"\mathit{half\_dose}"),
    ],
)
def test_names_in_latex(name: str, latex: str) -> None:
    assert latex_name(name) == latex


@pytest.mark.parametrize("text", ["expm1(x)", "-expm1(x)", "log1p(x)", "-log1p(-x)", "7 // (x + 1)"])
def test_a_careful_function_and_its_formula_have_one_value(text: str) -> None:
    """The rewriting that ``meant`` and the renderer share, against the numbers."""
    x = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    formula = read_back(to_unicode(parse(text)))
    assert formula.replace(" ", "") != text.replace(" ", "")
    one, other = (compile_expression(parse(each))({"x": x}) for each in (text, formula))
    torch.testing.assert_close(one, other)


def test_a_number_reads_as_short_as_it_can() -> None:
    for value, written in ((1.0, "1"), (0.05, "0.05"), (-2.5, "−2.5"), (1e-7, "1e−7"), (1e22, "1e22"), (math.pi, "π")):
        assert to_unicode(Expression("", Number(value))) == written
