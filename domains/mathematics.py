"""Expressions as readable mathematics: Unicode text for terminals, LaTeX for pages and notebooks. Needs no torch.

One set of rules decides where brackets stand, from how tightly each part of the syntax tree binds; a style only says
how a part is written. As ISO 80000-2 asks, a quotient that is divided again, or multiplied from the right, stands in
brackets: ``(a/b)·c``, never ``a/b·c``. In Unicode names stay as the document writes them, since that is what is typed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from domains.expressions import (
    Binary,
    Call,
    Compare,
    Conditional,
    Entry,
    Expression,
    Logical,
    Name,
    Node,
    Number,
    Text,
    Unary,
    children,
)

# how tightly a part binds; an operand that binds less than its place asks for stands in brackets
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = range(8)

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SHORT = 24  # characters that a quotient without spaces may have on either side
_MOST_RAISED = 99  # the largest exponent written as superscript

_GREEK = frozenset(
    (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi"),
        *("rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi"),
        *("Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
    )
)


def to_unicode(expression: Expression) -> str:
    """One line of text, such as ``v·substrate / (km·(1 + inhibitor/ki) + substrate)``."""
    return _write(expression.root, _UNICODE)[0]


def to_latex(expression: Expression) -> str:
    """The expression for LaTeX's mathematics mode."""
    return _write(expression.root, _LATEX)[0]


def latex_name(name: str) -> str:
    r"""A name: Greek letters as such, ``x1`` and ``phi_p`` with a subscript, words in text italics."""
    head, _, tail = name.partition("_")
    letters = head.rstrip("0123456789")
    if not tail and (len(letters) == 1 or letters in _GREEK):
        base, below = letters, head[len(letters) :]
    elif tail and (len(head) == 1 or head in _GREEK):
        base, below = head, tail
    else:
        base, below = name, ""
    written = rf"\{base}" if base in _GREEK else base if len(base) == 1 else rf"\mathit{{{_escaped(base)}}}"
    return written + (f"_{{{below if len(below) == 1 or below.isdigit() else latex_name(below)}}}" if below else "")


def latex_text(text: str) -> str:
    """Text inside LaTeX's mathematics mode."""
    return rf"\text{{{_escaped(text)}}}"


_SPECIAL = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_SPECIAL |= {character: rf"\{character}" for character in "_%&#{}$"}


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text)


@dataclass(frozen=True)
class _Style:
    """How each part is written, from its parts already written."""

    number: Callable[[float], str]
    name: Callable[[str], str]
    entry: Callable[[str, int], str]
    text: Callable[[str], str]
    brackets: Callable[[str], str]
    signs: dict[str, str]  # of sums, products, comparisons and logic
    quotient: tuple[str, str, str]  # around and between its sides
    raised: Callable[[str, int], str]
    power: Callable[[str, str], str]
    functions: dict[str, str]  # a function's name where it differs
    call: Callable[[str, list[str]], str]
    around: dict[str, tuple[str, str]]  # functions written as brackets of their own
    cases: Callable[[list[tuple[str, str]], str], str]
    flat: bool  # on one line: else fractions and exponents need no brackets


def _write(node: Node, style: _Style) -> tuple[str, int]:
    """A part written, and how tightly it binds."""
    match node:
        case Unary(operator=operator, operand=operand):
            return _unary(operator, operand, style)
        case Binary():
            return _binary(node, style)
        case Compare(operators=operators, operands=operands):
            return _chain(list(operators), list(operands), style, (_SUM, _COMPARE))
        case Logical(operator=operator, operands=operands):
            own = _OR if operator == "or" else _AND
            return _chain([operator] * (len(operands) - 1), list(operands), style, (own + 1, own))
        case Conditional() | Call():
            return _call(node, style)
    return _leaf(node, style)


def _leaf(node: Number | Name | Entry | Text, style: _Style) -> tuple[str, int]:
    match node:
        case Name(name=name):
            return style.name(name), _ATOM
        case Entry(name=name, index=index):
            return style.entry(name, index), _ATOM
        case Text(value=value):
            return style.text(value), _ATOM
        case Number(value=value):
            text = style.number(value)
            binds = _PRODUCT if r"\cdot" in text else _POWER if "^" in text else _ATOM
            return text, _SUM if value < 0 else binds


def _in(node: Node, style: _Style, least: int) -> str:
    """A part written, in brackets if it binds less tightly than its place asks for."""
    text, binds = _write(node, style)
    return text if binds >= least else style.brackets(text)


def _unary(operator: str, operand: Node, style: _Style) -> tuple[str, int]:
    if operator == "not":
        return f"{style.signs['not']}{_in(operand, style, _NOT)}", _NOT
    plain = _plain(Unary(operator, operand))
    if plain is not None:
        return _write(plain, style)
    if operator == "+":
        return _write(operand, style)
    return f"{style.signs['minus']}{_in(operand, style, _POWER)}", _SUM


def _chain(operators: list[str], operands: list[Node], style: _Style, binds: tuple[int, int]) -> tuple[str, int]:
    """Operands with operators between them; binds: what an operand's place asks for, and the whole."""
    inner, own = binds
    written = [_in(operand, style, inner) for operand in operands]
    pairs = zip(operators, written[1:], strict=True)
    return reduce(lambda text, pair: f"{text} {style.signs[pair[0]]} {pair[1]}", pairs, written[0]), own


def _binary(node: Binary, style: _Style) -> tuple[str, int]:
    match node.operator:
        case "+" | "-":
            left, right = _in(node.left, style, _SUM), _in(node.right, style, _PRODUCT)
            return f"{left} {style.signs[node.operator]} {right}", _SUM
        case "*":
            return _signed(f"{_factor(node.left, style)}{style.signs['*']}{_in(node.right, style, _POWER)}", style)
        case "/":
            return _quotient(node, style)
        case "**":
            return _power(node, style)
        case "%":
            text = f"{_in(node.left, style, _POWER)} {style.signs['%']} {_in(node.right, style, _POWER)}"
            return text, _COMPARE
    opening, closing = style.around["floor"]
    return f"{opening}{_quotient(node, style)[0]}{closing}", _ATOM


def _signed(text: str, style: _Style) -> tuple[str, int]:
    """A product or quotient; after another sign, one that begins with a minus needs brackets."""
    return text, _SUM if text.startswith(style.signs["minus"]) else _PRODUCT


def _factor(node: Node, style: _Style) -> str:
    """The left side of a product or quotient: a leading minus and a further product need no brackets there."""
    text, binds = _write(node, style)
    product = isinstance(node, Binary) and node.operator == "*"
    negative = isinstance(node, Unary) and node.operator == "-" and _plain(node) is None
    return text if binds >= _POWER or product or negative else style.brackets(text)


def _quotient(node: Binary, style: _Style) -> tuple[str, int]:
    opening, sign, closing = style.quotient
    if not style.flat:
        return f"{opening}{_write(node.left, style)[0]}{sign}{_write(node.right, style)[0]}{closing}", _POWER
    left, right = _factor(node.left, style), _in(node.right, style, _POWER)
    product = isinstance(node.left, Binary) and node.left.operator == "*"
    long = product or max(len(left), len(right)) > _SHORT
    return _signed(f"{left} {sign} {right}" if long else f"{left}{sign}{right}", style)


def _power(node: Binary, style: _Style) -> tuple[str, int]:
    base = _in(node.left, style, _ATOM)
    exponent = _whole(node.right)
    plain = isinstance(node.left, Name | Entry) or base.endswith((")", "|", "⌋", "}"))
    if exponent is not None and (plain or base.isdigit()):
        return style.raised(base, exponent), _POWER
    return style.power(base, _in(node.right, style, _ATOM if style.flat else _OR)), _POWER


def _whole(node: Node) -> int | None:
    """A small whole exponent, possibly negative."""
    match node:
        case Unary(operator="-", operand=Number(value=value)) if 0 < value == math.floor(value) <= _MOST_RAISED:
            return -int(value)
        case Number(value=value) if 0 <= value == math.floor(value) <= _MOST_RAISED:
            return int(value)
    return None


def _plain(node: Node) -> Node | None:
    """A numerically careful function as the formula that it stands for; None for any other part."""
    match node:
        case Unary(operator="-", operand=Call(function="expm1", arguments=(inner,))):
            return Binary("-", Number(1.0), Call("exp", (inner,)))
        case Call(function="expm1", arguments=(inner,)):
            return Binary("-", Call("exp", (inner,)), Number(1.0))
        case Call(function="log1p", arguments=(inner,)):
            return Call("log", (Binary("+", Number(1.0), inner),))
    return None


def _call(node: Call | Conditional, style: _Style) -> tuple[str, int]:
    if isinstance(node, Conditional) or node.function == "where":
        return _cases(node, style)
    plain = _plain(node)
    if plain is not None:
        return _write(plain, style)
    function, arguments = node.function, [_write(part, style)[0] for part in node.arguments]
    if function in style.around and not (function == "abs" and _holds_abs(node.arguments[0])):
        opening, closing = style.around[function]
        return f"{opening}{arguments[0]}{closing}", _ATOM
    return style.call(style.functions.get(function, function), arguments), _POWER if function == "sqrt" else _ATOM


def _holds_abs(node: Node) -> bool:
    """Whether bars stand anywhere inside: then bars around would not tell where they end."""
    return (isinstance(node, Call) and node.function == "abs") or any(map(_holds_abs, children(node)))


def _cases(node: Node, style: _Style) -> tuple[str, int]:
    """Nested cases in the last place are one list."""
    cases = []
    while isinstance(node, Conditional) or (isinstance(node, Call) and node.function == "where"):
        test, yes, no = children(node)
        cases.append((_write(yes, style)[0], _write(test, style)[0]))
        node = no
    return style.cases(cases, _write(node, style)[0]), _ATOM


def _unicode_number(value: float) -> str:
    if value in (math.pi, math.e):
        return "π" if value == math.pi else "e"
    text = repr(value).removesuffix(".0").replace("-", "−")
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[:1].replace('+', '')}{exponent[1:].lstrip('0')}" if exponent else mantissa


def _latex_number(value: float) -> str:
    if value in (math.pi, math.e):
        return r"\pi" if value == math.pi else r"\mathrm{e}"
    mantissa, _, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not exponent:
        return mantissa
    return rf"10^{{{int(exponent)}}}" if mantissa == "1" else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def _unicode_cases(cases: list[tuple[str, str]], otherwise: str) -> str:
    return "{" + ", ".join(f"{value} if {test}" for value, test in cases) + f", else {otherwise}}}"


def _latex_cases(cases: list[tuple[str, str]], otherwise: str) -> str:
    rows = [rf"{value} & \text{{if }} {test}" for value, test in cases]
    body = r" \\ ".join([*rows, rf"{otherwise} & \text{{otherwise}}"])
    return rf"\begin{{cases}} {body} \end{{cases}}"


def _unicode_call(function: str, arguments: list[str]) -> str:
    root = function == "√" and arguments[0].replace(".", "").isalnum()
    return f"√{arguments[0]}" if root else f"{function}({', '.join(arguments)})"


def _latex_call(function: str, arguments: list[str]) -> str:
    if function == r"\sqrt":
        return rf"\sqrt{{{arguments[0]}}}"
    name = function if function.startswith("\\") else rf"\operatorname{{{function}}}"
    return rf"{name}\left({', '.join(arguments)}\right)"


_UNICODE = _Style(
    number=_unicode_number,
    name=str,
    entry=lambda name, index: f"{name}[{index}]",
    text=lambda value: f"‘{value}’",
    brackets=lambda text: f"({text})",
    signs={
        "+": "+", "-": "−", "minus": "−", "*": "·", "%": "mod", "<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=",
        "!=": "≠", "and": "and", "or": "or", "not": "not ",
    },
    quotient=("", "/", ""),
    raised=lambda base, exponent: base + str(exponent).translate(_SUPERSCRIPTS),
    power=lambda base, exponent: f"{base}^{exponent}",
    functions={"log": "ln", "log10": "log₁₀", "sqrt": "√", "normcdf": "Φ", "atan": "arctan", "sign": "sgn",
               "lgamma": "lnΓ"},
    call=_unicode_call,
    around={"abs": ("|", "|"), "floor": ("⌊", "⌋")},
    cases=_unicode_cases,
    flat=True,
)  # fmt: skip

_LATEX = _Style(
    number=_latex_number,
    name=latex_name,
    entry=lambda name, index: f"{{{latex_name(name)}}}_{{{index}}}",
    text=latex_text,
    brackets=lambda text: rf"\left({text}\right)",
    signs={
        "+": "+", "-": "-", "minus": "-", "*": r" \cdot ", "%": r"\bmod", "<": "<", "<=": r"\le", ">": ">",
        ">=": r"\ge", "==": "=", "!=": r"\ne", "and": r"\land", "or": r"\lor", "not": r"\lnot ",
    },
    quotient=(r"\frac{", "}{", "}"),
    raised=lambda base, exponent: f"{base}^{{{exponent}}}",
    power=lambda base, exponent: f"{base}^{{{exponent}}}",
    functions={
        "log": r"\ln", "log10": r"\log_{10}", "sqrt": r"\sqrt", "normcdf": r"\Phi", "atan": r"\arctan",
        "sign": "sgn", "exp": r"\exp", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "tanh": r"\tanh",
        "min": r"\min", "max": r"\max", "lgamma": r"\ln\Gamma",
    },
    call=_latex_call,
    around={"abs": (r"\left|", r"\right|"), "floor": (r"\left\lfloor ", r"\right\rfloor ")},
    cases=_latex_cases,
    flat=False,
)  # fmt: skip
