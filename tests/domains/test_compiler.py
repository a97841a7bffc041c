"""Compiled expressions against an independent evaluation with Python floats and scipy, point by point."""

import math
import operator
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

from domains.compiler import Names, compile_expression
from domains.errors import ExpressionError
from domains.expressions import (
    FUNCTIONS,
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
    parse,
)

OPTIONS = {"enzyme": ("wild-type", "mutant", "none")}
Point = Mapping[str, float | tuple[float, ...]]


def value(text: str, **names: object) -> torch.Tensor:
    """The value of an expression; numbers given as names become float64 tensors."""
    tensors = {
        name: torch.stack(torch.broadcast_tensors(*[torch.as_tensor(v, dtype=torch.float64) for v in given]))
        if isinstance(given, tuple)
        else torch.as_tensor(given, dtype=torch.float64)
        for name, given in names.items()
    }
    vectors = frozenset(name for name, given in names.items() if isinstance(given, tuple))
    return compile_expression(parse(text), Names(OPTIONS, vectors))(tensors)


# ---- the reference: scalars only, by numpy's IEEE arithmetic and scipy's functions


def _sign(x: float) -> float:
    return math.nan if math.isnan(x) else float(x > 0) - float(x < 0)


REFERENCE: dict[str, Callable[..., float]] = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt,
    "abs": np.abs, "sign": _sign, "floor": np.floor, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh,
    "atan": np.arctan, "atan2": np.arctan2, "sigmoid": special.expit, "logit": special.logit,
    "normcdf": special.ndtr, "erf": special.erf, "lgamma": lambda x: math.inf if np.isinf(x) else special.gammaln(x),
    "where": lambda test, yes, no: yes if test != 0 else no,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}  # fmt: skip
VECTOR: dict[str, Callable[..., float]] = {
    "min": lambda *values: np.min(values),
    "max": lambda *values: np.max(values),
    "sum": lambda *values: sum(values[1:], values[0]),
}
BINARY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "%": lambda a, b: np.remainder(a, b) + 0.0, "//": np.floor_divide,
}  # fmt: skip
COMPARE = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
EXACT = {"+", "-", "*", "/", "abs", "sign", "floor", "where", "clip", "min", "max", "sum", "sqrt"}


class Reference:
    """Evaluates a tree at a point; every inexact operation's result is moved by the relative ``nudge``."""

    def __init__(self, point: Point, nudge: float = 0.0) -> None:
        self.point = point
        self.nudge = nudge

    def inexact(self, name: str, result: float) -> float:
        return np.float64(result) if name in EXACT else np.float64(result) * (1.0 + self.nudge)

    def __call__(self, node: Node) -> float:  # noqa: C901, PLR0912  # one case a kind of node
        match node:
            case Number(number):
                return np.float64(number)
            case Name(name):
                return np.float64(self.point[name])
            case Entry(name, index):
                return np.float64(self.point[name][index])
            case Unary("not", operand):
                return np.float64(self(operand) == 0)
            case Unary(sign, operand):
                return -self(operand) if sign == "-" else self(operand)
            case Binary(sign, left, right):
                return self.inexact(sign, BINARY[sign](self(left), self(right)))
            case Compare(signs, operands):
                values = [self.option(operand) for operand in operands]
                return np.float64(all(COMPARE[s](a, b) for s, a, b in zip(signs, values, values[1:], strict=False)))
            case Logical("and", operands):
                return np.float64(all([self(operand) != 0 for operand in operands]))
            case Logical("or", operands):
                return np.float64(any([self(operand) != 0 for operand in operands]))
            case Conditional(test, yes, no):
                return self(yes) if self(test) != 0 else self(no)
            case Call("dot", (Name(left), Name(right))):
                return np.float64(sum(a * b for a, b in zip(self.point[left], self.point[right], strict=True)))
            case Call(function, (Name(name),)) if function in VECTOR and isinstance(self.point[name], tuple):
                return VECTOR[function](*(np.float64(v) for v in self.point[name]))
            case Call(function, arguments):
                known = {**REFERENCE, **VECTOR}[function]
                return self.inexact(function, known(*[self(argument) for argument in arguments]))
        raise AssertionError(node)

    def option(self, node: Node) -> float:
        return float(OPTIONS["enzyme"].index(node.value)) if isinstance(node, Text) else self(node)


def reference(root: Node, point: Point, nudge: float = 0.0) -> float:
    with np.errstate(all="ignore"):
        return float(Reference(point, nudge)(root))


def test_the_reference_knows_every_function() -> None:
    assert {*REFERENCE, *VECTOR, "dot"} == set(FUNCTIONS)


# ---- random trees

SPECIAL = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, math.inf, -math.inf, math.nan])
NUMBERS = st.one_of(st.floats(-20, 20).map(lambda x: round(x, 3)), SPECIAL)


def _call(inner: st.SearchStrategy[Node], name: str) -> st.SearchStrategy[Node]:
    fewest, most = FUNCTIONS[name]
    arguments = st.lists(inner, min_size=fewest, max_size=most or 3)
    return arguments.map(lambda found: Call(name, tuple(found)))


def _compare(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    signs = st.lists(st.sampled_from(sorted(COMPARE)), min_size=1, max_size=3)
    return signs.flatmap(
        lambda found: st.tuples(*[inner] * (len(found) + 1)).map(lambda operands: Compare(tuple(found), operands))
    )


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    logical = st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
    return st.one_of(
        st.builds(Unary, st.sampled_from(["-", "+", "not"]), inner),
        st.builds(Binary, st.sampled_from(sorted(BINARY)), inner, inner),
        _compare(inner),
        logical.map(lambda parts: Logical(parts[0], tuple(parts[1]))),
        st.builds(Conditional, inner, inner, inner),
        st.sampled_from(sorted(FUNCTIONS.keys() - {"dot"})).flatmap(lambda name: _call(inner, name)),
    )


LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.floats(0, 20).map(lambda x: Number(round(x, 3))),
    st.sampled_from([Number(0.0), Number(1.0), Number(2.0), Number(0.5)]),
    st.sampled_from([Name("x"), Name("y"), Name("x"), Name("y"), Entry("w", 0), Entry("w", 1)]),
    st.sampled_from([Call("dot", (Name("w"), Name("w"))), *(Call(name, (Name("w"),)) for name in VECTOR)]),
    st.sampled_from(OPTIONS["enzyme"]).map(lambda option: Compare(("==",), (Name("enzyme"), Text(option)))),
    st.sampled_from(OPTIONS["enzyme"]).map(lambda option: Compare(("!=",), (Text(option), Name("enzyme")))),
)
TREES = st.recursive(LEAVES, _grown, max_leaves=8)
POINTS = st.fixed_dictionaries(
    {"x": NUMBERS, "y": NUMBERS, "w": st.tuples(NUMBERS, NUMBERS), "enzyme": st.sampled_from([0.0, 1.0, 2.0])}
)


def _close(a: float, b: float, relative: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= relative * max(abs(a), abs(b), 1e-290)


@settings(max_examples=600, deadline=None)
@given(TREES, st.lists(POINTS, min_size=1, max_size=4))
def test_random_trees_agree_with_the_reference(root: Node, points: list[Point]) -> None:
    """Batched values equal the reference at every point where rounding of the last digits makes no difference."""
    compiled = compile_expression(Expression("", root), Names(OPTIONS, frozenset({"w"})))
    column = {name: torch.tensor([p[name] for p in points], dtype=torch.float64) for name in ("x", "y", "enzyme")}
    entries = torch.tensor([p["w"] for p in points], dtype=torch.float64).T
    found = compiled({**column, "w": entries})
    assert found.dtype == torch.float64
    for point, got in zip(points, found.expand(len(points)).tolist(), strict=True):
        wanted, moved = reference(root, point), [reference(root, point, nudge) for nudge in (1e-12, -1e-12)]
        assume(all(_close(wanted, other, 1e-9) for other in moved))
        assert _close(got, wanted, 1e-8), (point, got, wanted)


# ---- every function on a grid

GRID = torch.cat(
    [torch.linspace(-30, 30, 601, dtype=torch.float64), torch.tensor([1e-300, 1e-17, -1e-17, 170.0, 1e8, -1e8])]
)
UNARY = sorted(name for name, count in FUNCTIONS.items() if count == (1, 1))
INFINITIES = torch.tensor([math.inf, -math.inf, math.nan], dtype=torch.float64)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name: str) -> None:
    x = torch.cat([GRID, torch.linspace(0, 1, 101, dtype=torch.float64), INFINITIES])
    with np.errstate(all="ignore"):
        wanted = np.array([REFERENCE[name](np.float64(v)) for v in x.tolist()])
    np.testing.assert_allclose(value(f"{name}(x)", x=x), wanted, rtol=1e-12, atol=1e-14 if name == "lgamma" else 0)


@pytest.mark.parametrize(
    ("name", "python", "low", "high"),
    [("exp", math.exp, -700, 700), ("log", math.log, 1e-9, 99), ("sin", math.sin, -9, 9), ("erf", math.erf, -5, 5),
     ("lgamma", math.lgamma, 0.01, 50), ("tanh", math.tanh, -9, 9), ("expm1", math.expm1, -9, 9),
     ("floor", math.floor, -9, 9), ("log10", math.log10, 1e-9, 99), ("sqrt", math.sqrt, 0, 99)],
)  # fmt: skip
def test_functions_agree_with_pythons_own(name: str, python: Callable[[float], float], low: float, high: float) -> None:
    x = torch.linspace(low, high, 301, dtype=torch.float64)
    np.testing.assert_allclose(value(f"{name}(x)", x=x), [python(v) for v in x.tolist()], rtol=1e-13, atol=1e-15)


def test_functions_of_several_numbers() -> None:
    x, y = np.meshgrid(GRID[::20], GRID[::30])
    np.testing.assert_allclose(value("atan2(x, y)", x=x, y=y), np.arctan2(x, y), rtol=1e-14)
    np.testing.assert_array_equal(value("clip(x, -1, y)", x=x, y=y), np.minimum(np.maximum(x, -1), y))
    np.testing.assert_array_equal(value("min(x, y, 3)", x=x, y=y), np.minimum(np.minimum(x, y), 3))
    np.testing.assert_array_equal(value("max(-2, x, y)", x=x, y=y), np.maximum(np.maximum(x, y), -2))
    np.testing.assert_array_equal(value("sum(1, x, y)", x=x, y=y), 1 + x + y)
    np.testing.assert_array_equal(value("where(x < y, x, 7)", x=x, y=y), np.where(x < y, x, 7))


def test_vectors() -> None:
    w, v = (1.0, -2.0, 5.0), (0.5, 3.0, 2.0)
    found = {t: value(t, w=w, v=v).item() for t in ("sum(w)", "min(w)", "max(w)", "dot(w, v)", "w[1]", "w[2] - v[0]")}
    assert found == {"sum(w)": 4, "min(w)": -2, "max(w)": 5, "dot(w, v)": 4.5, "w[1]": -2, "w[2] - v[0]": 4.5}


# ---- operators with a number on either side

SIDES = [7.5, -7.5, 2.0, -2.0, 0.5, 3.0, 0.25]


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "%", "//", "**"])
@pytest.mark.parametrize("number", SIDES)
def test_numbers_on_either_side(sign: str, number: float) -> None:
    """x∘number, number∘x, x∘y and the folded constant are Python's value; % and // take the divisor's sign."""
    python = {"%": operator.mod, "//": operator.floordiv, **BINARY}[sign]
    written = f"({number})"
    for other in SIDES:
        pairs = {
            f"x {sign} {written}": (other, number),
            f"{written} {sign} x": (number, other),
            f"x {sign} y": (other, number),
            f"({other}) {sign} {written}": (other, number),
        }
        for text, (left, right) in pairs.items():
            wanted = python(left, right)
            wanted = math.nan if isinstance(wanted, complex) else wanted  # Python leaves the real numbers, we do not
            found = value(text, x=[other], y=[number])
            assert found.dtype == torch.float64, text
            np.testing.assert_allclose(found.flatten(), [wanted], rtol=1e-15, err_msg=text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1 / 0", math.inf), ("-1 / 0", -math.inf), ("0 / 0", math.nan), ("5 % 0", math.nan), ("5 // 0", math.inf),
     ("0 ** -1", math.inf), ("(-8) ** (1 / 3)", math.nan), ("log(0)", -math.inf), ("sqrt(-1)", math.nan),
     ("1e308 * 10", math.inf), ("exp(1000)", math.inf), ("2 ** 0.5 * pi + e", 2**0.5 * math.pi + math.e),
     ("-2 ** 2", -4), ("2 ** 3 ** 2", 512), ("(1 < 2) + (2 < 3)", 2), ("not 3", 0), ("1 if 0 else 2", 2)],
)  # fmt: skip
def test_constants_fold_to_a_number_and_never_raise(text: str, wanted: float) -> None:
    found = value(text)
    assert found.shape == ()
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
    np.testing.assert_allclose(value(f"x + ({text})", x=[0.0, 0.0]), [wanted, wanted], rtol=1e-15)


def test_division_by_zero_in_a_batch_gives_infinity() -> None:
    assert value("1 / x", x=[0.0, -0.0, 2.0]).tolist() == [math.inf, -math.inf, 0.5]


# ---- truth values


def test_chained_comparisons_hold_link_by_link() -> None:
    x = torch.arange(-2.0, 6.0, dtype=torch.float64)
    assert value("0 < x <= 3", x=x).tolist() == [float(0 < v <= 3) for v in x.tolist()]
    assert value("3 >= x != 2 < 4", x=x).tolist() == [float(3 >= v != 2) for v in x.tolist()]
    assert value("x == x == 2", x=x).tolist() == [float(v == 2) for v in x.tolist()]


def test_and_or_not_and_conditionals() -> None:
    x = torch.arange(-2.0, 6.0, dtype=torch.float64)
    assert value("x > 0 and x < 3 or x == 5", x=x).tolist() == [0, 0, 0, 1, 1, 0, 0, 1]
    assert value("not x", x=x).tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert value("not x > 1 and x", x=x).tolist() == [1, 1, 0, 1, 0, 0, 0, 0]
    assert value("x if x > 1 else -x", x=x).tolist() == [2, 1, 0, -1, 2, 3, 4, 5]
    assert value("1 if x else 2", x=x).tolist() == [1, 1, 2, 1, 1, 1, 1, 1]


def test_nan_is_unequal_to_everything_and_counts_as_true_as_in_python() -> None:
    assert value("x == x", x=[math.nan]).tolist() == [0]
    assert value("x != x", x=[math.nan]).tolist() == [1]
    assert value("1 if x else 2", x=[math.nan]).tolist() == [1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("(x > 1) + (y > 1)", [1, 1, 2]), ("(x > 1) - (y > 1)", [-1, 1, 0]), ("(x > 1) * (y > 1)", [0, 0, 1]),
     ("-(x > 1)", [0, -1, -1]), ("exp(x > 1)", [1, math.e, math.e]), ("sum(x > 1, y > 1)", [1, 1, 2]),
     ("abs(not x > 1)", [1, 0, 0]), ("where(x > 1, y > 1, x > 2)", [0, 0, 1]), ("2 ** (x > 1 and y > 1)", [1, 1, 2]),
     ("max(x > 1, 0.5)", [0.5, 1, 1]), ("x > 1", [0, 1, 1]), ("(y > 1) / 2", [0.5, 0, 0.5])],
)  # fmt: skip
def test_truth_values_count_as_one_and_zero(text: str, wanted: list[float]) -> None:
    found = value(text, x=[0.5, 2.0, 3.0], y=[5.0, 0.0, 7.0])
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-15)


def test_an_invalid_value_stays_visible() -> None:
    """NaN goes through every function of one number: what is invalid gives likelihood zero, never a silent 0."""
    assert {name: value(f"{name}(x)", x=[math.nan]).isnan().item() for name in UNARY} == dict.fromkeys(UNARY, True)
    assert value("min(x, 1)", x=[math.nan]).isnan().all()
    assert value("clip(x, 0, 1)", x=[math.nan]).isnan().all()


# ---- choices


def test_choices_compare_with_their_options() -> None:
    assert value("enzyme == 'mutant'", enzyme=[0, 1, 2]).tolist() == [0, 1, 0]
    assert value("'mutant' != enzyme", enzyme=[0, 1, 2]).tolist() == [1, 0, 1]
    assert value("where(enzyme == 'wild-type' or enzyme == 'none', 4, 5)", enzyme=[0, 1, 2]).tolist() == [4, 5, 4]


@pytest.mark.parametrize("text", ["enzyme == 'mutnat'", "x == 'mutant'", "'mutant' == 'mutant'"])
def test_a_text_that_is_no_option_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="does not have it as an option"):
        compile_expression(parse(text), Names(OPTIONS))


def test_a_text_alone_is_refused() -> None:
    with pytest.raises(ExpressionError, match="has no value of its own"):
        compile_expression(parse("where(x, 'mutant', 1)"), Names(OPTIONS))


# ---- shapes


def test_parameters_of_particles_meet_designs() -> None:
    """[runs, particles, 1] with [runs, 1, designs] gives [runs, particles, designs], entry by entry."""
    generator = torch.Generator().manual_seed(1)
    k = torch.rand((2, 3, 1), generator=generator, dtype=torch.float64)
    s = torch.rand((2, 1, 4), generator=generator, dtype=torch.float64)
    found = value("where(s > 0.5 and 0 < k <= 1, s / (k + s), -k) + min(s, k, 0.3)", k=k, s=s)
    assert found.shape == (2, 3, 4)
    for run in range(2):
        for particle in range(3):
            for design in range(4):
                a, b = k[run, particle, 0].item(), s[run, 0, design].item()
                wanted = (b / (a + b) if b > 0.5 else -a) + min(b, a, 0.3)
                assert found[run, particle, design].item() == pytest.approx(wanted, rel=1e-14)


def test_a_compiled_expression_keeps_nothing_between_calls() -> None:
    compiled = compile_expression(parse("x * 2 + 1"))
    first = compiled({"x": torch.ones(2, dtype=torch.float64)})
    second = compiled({"x": torch.zeros(3, dtype=torch.float64)})
    assert first.tolist() == [3, 3]
    assert second.tolist() == [1, 1, 1]
