"""Designs as tensors: the unit cube, constraints, costs, and names."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from domains.design_space import DesignSpace
from domains.document import Design
from domains.errors import DomainError
from domains.loading import load_text

BELOW_ONE = 1.0 - 2.0**-53
DESIGNS = """\
  dose: {real: [0.05, 20], scale: log}
  angle: {real: [-1.5, 3.25]}
  count: {integer: [-2, 4]}
  size: {integer: [1, 1000], scale: log}
  level: {levels: [0.5, 0.1, 2]}
  enzyme: {choice: [wild-type, mutant, none]}
"""


def space(designs: str, *, constraints: str = "[]", cost: str = "1") -> DesignSpace:
    return DesignSpace(
        load_text(f"""\
format: 1
name: designs
title: A space of designs
designs:
{designs}
constraints: {constraints}
cost: {cost}
parameters: {{theta: {{prior: {{normal: [0, 1]}}}}, limit: 12}}
mechanisms: {{only: {{}}}}
outcomes: {{back: {{normal: {{mean: theta, sd: 1}}}}}}
budget: 3
goal: learn
""")
    )


def alone(design: Design) -> DesignSpace:
    """A space of one design, by hand: what hypothesis draws need not be written as YAML."""
    made = space("  x: {real: [0, 1]}")
    made.designs, made.names = (design,), (design.name,)
    return made


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- the unit cube


@st.composite
def ranges(draw: st.DrawFn) -> Design:
    scale = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.floats(1e-12, 1e6) if scale == "log" else st.floats(-1e6, 1e6))
    width = draw(st.floats(1e-2, 1e30))
    high = low * (1 + width) if scale == "log" else low + min(width, 1e6)
    return Design("x", "real", low, high, scale)


@st.composite
def integers(draw: st.DrawFn) -> Design:
    scale = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.integers(1 if scale == "log" else -1000, 1000))
    return Design("x", "integer", low, low + draw(st.integers(1, 10_000)), scale)


@settings(deadline=None)
@given(ranges(), st.lists(st.floats(0, BELOW_ONE), min_size=1, max_size=20))
def test_reals_go_round(design: Design, unit: list[float]) -> None:
    """encode(decode(u)) = u, decode(encode(x)) = x, inside the range, and on the stated scale."""
    one, u = alone(design), torch.tensor(unit, dtype=torch.float64)[:, None]
    x = one.decode(u)
    assert ((x >= design.low) & (x <= design.high)).all()
    ratio = 1 + max(abs(design.low), abs(design.high)) / (design.high - design.low)  # what rounding of x costs in u
    torch.testing.assert_close(one.encode(x), u, rtol=0, atol=4e-15 * ratio)
    torch.testing.assert_close(one.decode(one.encode(x)), x, rtol=1e-13, atol=1e-13 * (design.high - design.low))
    if design.scale == "log":
        wanted = [math.log(design.low) + v * (math.log(design.high) - math.log(design.low)) for v in unit]
        torch.testing.assert_close(x[:, 0].log(), torch.tensor(wanted, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    else:
        wanted = [design.low + v * (design.high - design.low) for v in unit]
        torch.testing.assert_close(x[:, 0], torch.tensor(wanted, dtype=torch.float64), rtol=1e-12, atol=1e-9)


@settings(deadline=None)
@given(ranges())
def test_bounds_are_hit_exactly(design: Design) -> None:
    one = alone(design)
    ends = torch.tensor([[design.low], [design.high]], dtype=torch.float64)
    assert torch.equal(one.decode(torch.tensor([[0.0], [BELOW_ONE]], dtype=torch.float64)), ends)
    assert torch.equal(one.decode(one.encode(ends)), ends)


@settings(deadline=None)
@given(integers(), st.lists(st.floats(0, BELOW_ONE), min_size=1, max_size=20))
def test_integers_go_round(design: Design, unit: list[float]) -> None:
    one = alone(design)
    x = one.decode(torch.tensor(unit, dtype=torch.float64)[:, None])
    assert ((x == x.round()) & (x >= design.low) & (x <= design.high)).all()
    whole = torch.arange(int(design.low), int(design.high) + 1, dtype=torch.float64)[:, None]
    assert torch.equal(one.decode(one.encode(whole)), whole)


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30, unique=True), st.floats(0, BELOW_ONE))
def test_levels_and_options_go_round(values: list[float], u: float) -> None:
    levels = alone(Design("x", "levels", values=tuple(values)))
    column = torch.tensor(values, dtype=torch.float64)[:, None]
    assert torch.equal(levels.decode(levels.encode(column)), column)
    choice = alone(Design("x", "choice", options=tuple(f"o{i}" for i in range(len(values)))))
    index = torch.arange(len(values), dtype=torch.float64)[:, None]
    assert torch.equal(choice.decode(choice.encode(index)), index)
    point = torch.tensor([[u]], dtype=torch.float64)
    for one in (levels, choice):  # the middle of its cell lies within half a cell of every point of it
        assert (one.encode(one.decode(point)) - point).abs().item() <= 0.5 / len(values) + 1e-12


def test_every_option_level_and_integer_has_an_equal_share_of_the_unit_interval() -> None:
    """On an even grid of 42,000 points, each of 3 options and levels gets 14,000 and each of 7 integers 6,000, ± 1."""
    names = space(DESIGNS)
    u = ((torch.arange(42_000, dtype=torch.float64) + 0.5) / 42_000)[:, None].expand(-1, 6)
    designs = names.decode(u)
    for name, values in (("count", range(-2, 5)), ("level", (0.5, 0.1, 2)), ("enzyme", range(3))):
        column = designs[:, names.names.index(name)]
        counts = [int((column == value).sum()) for value in values]
        assert sum(counts) == 42_000
        assert all(abs(count - 42_000 / len(values)) <= 1 for count in counts), (name, counts)


def test_integers_on_a_log_scale_have_the_share_of_their_cell() -> None:
    """An integer k takes [k − ½, k + ½] on the logarithmic scale: 1 of [1, 4] has log(3) ÷ log(9)."""
    one = alone(Design("x", "integer", 1, 4, "log"))
    u = ((torch.arange(90_000, dtype=torch.float64) + 0.5) / 90_000)[:, None]
    found = [float((one.decode(u) == k).double().mean()) for k in (1, 2, 3, 4)]
    wanted = [math.log((k + 0.5) / (k - 0.5)) / math.log(9) for k in (1, 2, 3, 4)]
    assert found == pytest.approx(wanted, abs=2e-5)


@pytest.mark.statistical
def test_uniform_draws_give_every_cell_its_share() -> None:
    """χ² of 120,000 draws over 3 × 7 cells of (enzyme, count): false alarms α = 1e-6.

    Effect: one option drawn 5 % too often, the two others 2.5 % too seldom, moves χ² by 150: 4 standard deviations
    beyond the limit.
    """
    names = space(DESIGNS)
    designs = names.uniform(120_000, seeded(11))
    cell = designs[:, names.names.index("enzyme")] * 7 + designs[:, names.names.index("count")] + 2
    counts = torch.bincount(cell.long(), minlength=21).to(torch.float64)
    expected = 120_000 / 21
    assert ((counts - expected).square() / expected).sum().item() < stats.chi2.isf(1e-6, 20)


def test_shapes_are_kept() -> None:
    names = space(DESIGNS)
    u = torch.rand((2, 3, 5, 6), generator=seeded(0), dtype=torch.float64)
    designs = names.decode(u)
    assert designs.shape == names.encode(designs).shape == (2, 3, 5, 6)
    assert designs.dtype == names.encode(designs).dtype == torch.float64
    assert names.feasible(designs).shape == names.cost(designs).shape == (2, 3, 5)


# ---- constraints

CONSTRAINED = '["dose + angle <= limit", "enzyme != \'none\' or count > 0"]'


def _satisfied(design: dict[str, float | str]) -> bool:
    dose, angle, count = design["dose"], design["angle"], design["count"]
    assert not isinstance(dose, str)
    assert not isinstance(angle, str)
    assert not isinstance(count, str)
    return dose + angle <= 12 and (design["enzyme"] != "none" or count > 0)


def test_feasible_is_every_constraint() -> None:
    free, bound = space(DESIGNS), space(DESIGNS, constraints=CONSTRAINED)
    designs = free.uniform(500, seeded(1))
    wanted = [_satisfied(free.to_names(design)) for design in designs]
    assert bound.feasible(designs).tolist() == wanted
    assert 0 < sum(wanted) < 500


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_drawn_designs_satisfy_the_constraints(count: int) -> None:
    bound = space(DESIGNS, constraints=CONSTRAINED)
    for designs in (bound.sobol(count, seeded(2)), bound.uniform(count, seeded(2))):
        assert designs.shape == (count, 6)
        assert all(_satisfied(bound.to_names(design)) for design in designs)


def test_draws_are_the_generators_and_fill_the_cube() -> None:
    names = space(DESIGNS)
    for draw in (names.sobol, names.uniform):
        assert torch.equal(draw(64, seeded(3)), draw(64, seeded(3)))
        assert not torch.equal(draw(64, seeded(3)), draw(64, seeded(4)))
    unit = names.encode(names.sobol(64, seeded(3)))[:, :2]
    for column in unit.unbind(-1):  # a Sobol sequence puts one of 64 points into each 64th
        assert sorted((column * 64).floor().tolist()) == list(range(64))


@pytest.mark.parametrize("count", [1, 400])
def test_a_small_feasible_share_is_enough(count: int) -> None:
    """1 in 400 designs is feasible: more than the 0.1 % under which the format refuses a document."""
    bound = space("  x: {real: [0, 1]}\n  y: {real: [0, 1]}", constraints='["x < 0.05", "y < 0.05"]')
    for designs in (bound.sobol(count, seeded(5)), bound.uniform(count, seeded(5))):
        assert designs.shape == (count, 2)
        assert (designs < 0.05).all()


@pytest.mark.parametrize("constraint", ["x + y > 3", "x + y < 0.01"])
def test_hardly_any_feasible_design_is_an_error(constraint: str) -> None:
    """Nothing, or 1 in 20,000."""
    bound = space("  x: {real: [0, 1]}\n  y: {real: [0, 1]}", constraints=f'["{constraint}"]')
    for draw in (bound.sobol, bound.uniform):
        with pytest.raises(DomainError, match=r"constraints: hardly any design .* narrow the ranges"):
            draw(100, seeded(6))


# ---- costs


def test_the_default_cost_is_one() -> None:
    names = space(DESIGNS)
    assert names.cost(names.uniform(5, seeded(0))).tolist() == [1] * 5


def test_cost_is_the_expression() -> None:
    priced = space(DESIGNS, cost="\"limit + where(enzyme == 'mutant', 3, 1) * exp(angle) + (count > 0)\"")
    designs = priced.uniform(200, seeded(7))
    for design, cost in zip(designs, priced.cost(designs).tolist(), strict=True):
        named = priced.to_names(design)
        wanted = 12 + (3 if named["enzyme"] == "mutant" else 1) * math.exp(named["angle"]) + (named["count"] > 0)
        assert cost == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("cost", "worst"), [("angle", "-"), ("0 * level", "0"), ("1 / (level - 0.5)", "inf"), ("log(-1)", "nan")]
)
def test_a_cost_that_is_not_positive_is_an_error(cost: str, worst: str) -> None:
    priced = space(DESIGNS, cost=cost)
    designs = priced.decode(torch.tensor([[0.1] * 6, [0.9] * 6], dtype=torch.float64))
    with pytest.raises(DomainError, match=rf"cost: a design costs {worst}.*; every design must cost a finite amount"):
        priced.cost(designs)


@pytest.mark.parametrize(
    ("designs", "constraints", "cost", "cheapest"),
    [
        ("  x: {real: [0.1, 0.7]}", "[]", "x", 0.1),
        ("  x: {real: [0.1, 0.7]}", "[]", "1 - x", 0.3),
        ("  x: {real: [0.1, 30], scale: log}\n  n: {integer: [1, 9]}", "[]", "2 + x - n / 10", 1.2),
        ("  x: {real: [0, 1]}\n  c: {choice: [a, b, d, f]}", "[]", "x + where(c == 'd', 0.5, 1)", 0.5),
        ("  x: {real: [0, 1]}\n  l: {levels: [5, 1, 3]}\n  y: {real: [1, 2]}", "[]", "x + l * y", 1.0),
        ("  n: {integer: [0, 20]}\n  m: {integer: [0, 20]}", '["n + m >= 7"]', "1 + n + 2 * m", 8.0),
        ("\n".join(f"  x{i}: {{real: [0, 1]}}" for i in range(12)), "[]", "2 + x0 - x11", 1.0),
    ],
)
def test_cheapest_is_the_cheapest(designs: str, constraints: str, cost: str, cheapest: float) -> None:
    priced = space(designs, constraints=constraints, cost=f'"{cost}"')
    assert priced.feasible(priced.cheapest).item()
    assert priced.cost(priced.cheapest).item() == pytest.approx(cheapest, rel=1e-12)


def test_no_design_of_a_grid_is_cheaper_than_the_cheapest() -> None:
    """Integers, levels and options together: all of 9 × 7 × 3 × 5 designs that satisfy the constraints."""
    text = "  n: {integer: [1, 9]}\n  m: {integer: [-3, 3]}\n  l: {levels: [1, 4, 2]}\n  c: {choice: [a, b, d, g, h]}"
    priced = space(text, constraints='["m != 0 or n > 4"]', cost="\"9 - n / 2 + m**2 * l + where(c == 'g', 0, 2)\"")
    grid = itertools.product(range(1, 10), range(-3, 4), (1.0, 4.0, 2.0), range(5))
    designs = torch.tensor(list(grid), dtype=torch.float64)
    lowest = priced.cost(designs[priced.feasible(designs)]).min().item()
    assert priced.cost(priced.cheapest).item() == pytest.approx(lowest, rel=1e-12)


def test_cheapest_among_few_feasible_designs() -> None:
    """1 in 1,600 is feasible, no corner and none of the fixed points among them: one is found all the same."""
    narrow = '["abs(x - 0.1234) < 0.000625", "abs(y - 0.5) < 0.25"]'
    bound = space("  x: {real: [0, 1]}\n  y: {real: [0, 1]}", constraints=narrow, cost="1 + y")
    assert bound.feasible(bound.cheapest).item()
    assert 1.25 < bound.cost(bound.cheapest).item() < 1.75


# ---- names

NAMED = {"dose": 0.05, "angle": 3.25, "count": -2, "size": 1000, "level": 2, "enzyme": "mutant"}


def test_names_go_round() -> None:
    names = space(DESIGNS)
    assert names.from_names(NAMED).tolist() == [0.05, 3.25, -2, 1000, 2, 1]
    assert names.to_names(names.from_names(NAMED)) == NAMED
    assert names.to_names([0.05, 3.25, -2, 1000, 2, 1]) == NAMED
    assert isinstance(names.to_names(names.from_names(NAMED))["count"], int)
    for design in names.uniform(100, seeded(8)):
        assert torch.equal(names.from_names(names.to_names(design)), design)


def test_numbers_may_be_written_as_text() -> None:
    assert space(DESIGNS).from_names({**NAMED, "dose": " 1e1", "count": "3"}).tolist()[:3] == [10, 3.25, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dose": 0.04}, "design dose: 0.04 is not allowed; it must be between 0.05 and 20"),
        ({"dose": 20.1}, "design dose: 20.1 is not allowed; it must be between 0.05 and 20"),
        ({"angle": math.nan}, "design angle: nan is not allowed; it must be between -1.5 and 3.25"),
        ({"angle": math.inf}, "design angle: inf is not allowed; it must be between -1.5 and 3.25"),
        ({"angle": "steep"}, "design angle: 'steep' is not a number"),
        ({"angle": None}, "design angle: None is not a number"),
        ({"angle": [1]}, "design angle: [1] is not a number"),
        ({"angle": 10**400}, "is not a number"),
        ({"count": 0.5}, "design count: 0.5 is not allowed; it must be a whole number between -2 and 4"),
        ({"count": 5}, "design count: 5 is not allowed; it must be a whole number between -2 and 4"),
        ({"count": math.nan}, "design count: nan is not allowed"),
        ({"level": 1}, "design level: 1 is not allowed; it must be one of 0.5, 0.1, 2"),
        ({"enzyme": "Mutant"}, "design enzyme: 'Mutant' is not one of wild-type, mutant, none"),
        ({"enzyme": 1}, "design enzyme: 1 is not one of wild-type, mutant, none"),
        ({"enzyme": []}, "design enzyme: [] is not one of wild-type, mutant, none"),
        ({"speed": 1}, "has the settings dose, angle, count, size, level, enzyme; unknown speed"),
    ],
)
def test_what_is_not_allowed_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DomainError) as caught:
        space(DESIGNS).from_names({**NAMED, **changes})
    assert message in str(caught.value)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(DomainError, match=r"missing dose, size"):
        space(DESIGNS).from_names({k: v for k, v in NAMED.items() if k not in ("dose", "size")})


def test_every_design_of_a_small_space() -> None:
    """Whole numbers, levels and options combined, without what a constraint forbids; none where a setting is real."""
    text = """
format: 1
name: few
title: Few designs
designs: {n: {integer: [2, 4]}, dose: {levels: [0.5, 1]}, arm: {choice: [left, right]}}
constraints: [n * dose <= 3]
parameters: {p: {prior: {uniform: [0, 1]}}}
mechanisms: {coin: {}}
outcomes: {y: {bernoulli: {p: p}}}
budget: 3
goal: learn
"""
    space = DesignSpace(load_text(text))
    assert space.every is not None
    found = {tuple(design) for design in space.every.tolist()}
    assert found == {
        (n, dose, arm) for n in (2.0, 3.0, 4.0) for dose in (0.5, 1.0) for arm in (0.0, 1.0) if n * dose <= 3
    }
    assert DesignSpace(load_text(text.replace("integer: [2, 4]", "real: [2, 4]"))).every is None
    assert DesignSpace(load_text(text.replace("integer: [2, 4]", "integer: [2, 400000000]"))).every is None
