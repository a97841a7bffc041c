"""Plain values of expressions are the compiler's: on random expressions, and on the constraints of the catalogue."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domains import catalogue, randomness
from domains.compiler import compile_expression
from domains.expressions import parse
from domains.loading import load_file, load_text
from domains.plain_values import broken_constraint, evaluate
from domains.worlds import DomainModel

ATOMS = st.sampled_from(["a", "b", "0.5", "2.0", "3.0"])
ONE = ("exp", "log", "sqrt", "abs", "sign", "floor", "sin", "tanh", "sigmoid", "logit", "normcdf", "erf", "log1p")
SIGNS = ("+", "-", "*", "/", "<", "<=", "==", ">", "//", "%")


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(SIGNS), inner),
        st.builds("{}({})".format, st.sampled_from(ONE), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "atan2"]), inner, inner),
        st.builds("({} if {} > 1 else {})".format, inner, inner, inner),
        st.builds("(({} > 1) {} (not {} < 2))".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("clip({}, 0, 1)".format, inner),
        st.builds("-{}".format, inner),
    )


@given(text=st.recursive(ATOMS, _grow, max_leaves=6), a=st.floats(-3, 3), b=st.floats(0.1, 4))
def test_as_the_compiler_has_it(text: str, a: float, b: float) -> None:
    expression = parse(text)
    plain = evaluate(expression, {"a": a, "b": b})
    compiled = compile_expression(expression)
    names = {"a": torch.tensor(a, dtype=torch.float64), "b": torch.tensor(b, dtype=torch.float64)}
    value = float(compiled(names))
    if math.isfinite(value) and math.isfinite(float(plain)):
        assert float(plain) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_constraints_of_the_catalogue() -> None:
    """Of designs of which some break a constraint, the same ones in plain values and in tensors."""
    seen = 0
    for name in catalogue.names():
        domain = load_file(catalogue.path(name))
        if not domain.constraints:
            continue
        space = DomainModel(domain).space
        designs = space.decode(randomness.uniform((50, len(space.names)), randomness.generator(1)))
        allowed = space.feasible(designs).tolist()
        plain = [broken_constraint(domain, space.to_names(design)) is None for design in designs]
        assert plain == allowed, name
        seen += 1
    assert seen > 0


def test_a_choice_in_a_constraint_is_named() -> None:
    text = catalogue.path("enzyme-kinetics").read_text().split("replays:")[0]
    domain = load_text(text + "constraints: ['substrate < 1 or substrate > 1.5']\n")
    assert broken_constraint(domain, {"substrate": 1.2}) == "substrate < 1 or substrate > 1.5"
    assert broken_constraint(domain, {"substrate": 0.2}) is None
