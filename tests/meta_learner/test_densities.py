"""How probable hypotheses make outcomes: the short ways must say what the densities say; gradients; batches."""

import math

import pytest
import torch
from torch import Tensor

from domains.censoring import censored
from domains.loading import load_text
from domains.outcomes import FAMILIES, OutcomeFamily, inside
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.densities import Drawn, Listed, _drawn, _Layout, _listed
from meta_learner.hypotheses import draw_hypotheses, predict
from meta_learner.information import expected_information, pose
from meta_learner.policies import DesignProblem
from meta_learner.policies.expected_information_gain import ExpectedInformationGain, Search, _Scorer
from meta_learner.streams import stream

PLACES, ROWS, DRAWS = 7, 12, 5
LAYOUT = _Layout(runs=1, designs=PLACES, draws=DRAWS, rows=ROWS)
_NEXT_TO_NOTHING = 200.0  # nats below the draw's own hypothesis, from where on all is one
ARGUMENTS = {
    "normal": ((-5.0, 5.0), (0.1, 3.0)),
    "lognormal": ((-2.0, 2.0), (0.1, 1.0)),
    "logitnormal": ((-6.0, 6.0), (0.5, 3.0)),
    "studentt": ((2.5, 9.0), (-3.0, 3.0), (0.5, 2.0)),
    "bernoulli": ((0.0, 1.0),),
    "poisson": ((0.1, 40.0),),
    "negative_binomial": ((0.1, 40.0), (0.5, 5.0)),
    "beta": ((0.05, 0.95), (1.0, 50.0)),
    "gamma": ((0.1, 10.0), (0.5, 9.0)),
    "exponential": ((0.1, 10.0),),
}
CENSORED = {
    "normal": censored(FAMILIES["normal"], -1.0, 1.5),
    "logitnormal": censored(FAMILIES["logitnormal"], 0.01, 0.9),
    "lognormal": censored(FAMILIES["lognormal"], None, 1.0),
}


def arguments(name: str, *, shared: int = 0) -> tuple[Tensor, ...]:
    """Arguments [places, hypotheses] in the ranges above; the last ``shared`` of them the same for all hypotheses."""
    generator = torch.Generator().manual_seed(len(name))
    found = [
        low + (high - low) * torch.rand((PLACES, ROWS), generator=generator, dtype=torch.float64)
        for low, high in ARGUMENTS[name]
    ]
    return tuple(a[:, :1].expand(-1, ROWS) if i >= len(found) - shared else a for i, a in enumerate(found))


def check(family: OutcomeFamily, values: tuple[Tensor, ...], rounding: float = 1e-9) -> None:
    uniforms = inside(torch.rand((DRAWS, 1, 2), generator=torch.Generator().manual_seed(3), dtype=torch.float64))
    y = family.sample(tuple(v[:, :DRAWS] for v in values), uniforms[:, 0].expand(PLACES, DRAWS, 2))
    own = family.log_density(y, tuple(v[:, :DRAWS] for v in values))
    every = family.log_density(y[..., None], tuple(v[:, None] for v in values))
    for dtype, error in ((torch.float64, rounding), (torch.float32, 1e-3)):
        (part,) = _drawn([(family, values)], uniforms, LAYOUT, dtype)
        assert isinstance(part.found, Drawn)
        ratio = (math.log(2) * part.found.bits[0].to(torch.float64)).clamp_min(-_NEXT_TO_NOTHING)
        exact = (every - own[..., None]).clamp_min(-_NEXT_TO_NOTHING)
        torch.testing.assert_close(ratio, exact, atol=error, rtol=error)


@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_ratios_are_differences_of_log_densities(name: str, shared: int) -> None:
    check(FAMILIES[name], arguments(name, shared=shared))


@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize("name", CENSORED)
def test_ratios_of_censored_outcomes_take_the_masses_at_the_bounds(name: str, shared: int) -> None:
    check(CENSORED[name], arguments(name, shared=shared))


def test_ratios_of_binomial_outcomes_with_certain_probabilities() -> None:
    p = torch.rand((PLACES, ROWS), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p[:, 0], p[:, 1] = 0.0, 1.0
    check(FAMILIES["binomial"], (torch.full_like(p, 20.0), p))


def test_ratios_where_the_number_of_trials_is_unknown() -> None:
    """C(n, y) differs between hypotheses then, and what is above n is impossible."""
    generator = torch.Generator().manual_seed(4)
    n = torch.randint(80, 100, (PLACES, ROWS), generator=generator).double()
    check(FAMILIES["binomial"], (n, 0.6 + 0.4 * torch.rand((PLACES, ROWS), generator=generator, dtype=torch.float64)))


@pytest.mark.parametrize("name", ["poisson", "binomial"])
def test_large_counts_keep_their_digits_in_single_precision(name: str) -> None:
    """A million counts: slope · y is 1e7, where single precision knows whole nats only."""
    share = 1 + 2e-3 * (arguments("bernoulli")[0] - 0.5)
    few = (1e6 * share,) if name == "poisson" else (torch.full_like(share, 2e6), 0.5 * share)
    check(FAMILIES[name], few, rounding=1e-7)  # of the densities themselves, which are millions


def test_far_from_zero_single_precision_still_ranks() -> None:
    """A reading near 300 with noise of 1e-4: six digits would not hold it; centred they do."""
    mean, sd = arguments("normal")
    check(FAMILIES["normal"], (300.0 + 1e-4 * mean, 1e-4 * sd))


def test_a_broken_hypothesis_makes_nothing_probable_and_gives_nothing() -> None:
    mean, sd = arguments("normal")
    mean[:, 2], sd[:, 7] = torch.nan, -1.0
    uniforms = torch.full((DRAWS, 1, 2), 0.3, dtype=torch.float64)
    (part,) = _drawn([(FAMILIES["normal"], (mean, sd))], uniforms, LAYOUT, torch.float64)
    assert isinstance(part.found, Drawn)
    bits = part.found.bits[0]
    alive = [i for i in range(ROWS) if i not in (2, 7)]
    assert bits[:, 2].isnan().any(-1).all()
    assert (bits[:, 0][:, [2, 7]] == -torch.inf).all()
    assert bits[:, 0][:, alive].isfinite().all()


def test_listed_outcomes_have_probabilities_that_add_up() -> None:
    """A yes-or-no outcome beside a count of five: twelve combinations, each hypothesis's probabilities sum to 1."""
    p = arguments("bernoulli")[0]
    n = torch.full_like(p, 5.0)
    table = [(FAMILIES["bernoulli"], (p,)), (FAMILIES["binomial"], (n, 1 - p))]
    (part,) = _listed(table, [2, 6], LAYOUT, torch.float64)
    assert isinstance(part.found, Listed)
    log_probability = part.found.log_probability[0]
    assert log_probability.shape == (PLACES, 12, ROWS)
    torch.testing.assert_close(log_probability.exp().sum(1), torch.ones_like(p))
    both = p.log() + FAMILIES["binomial"].log_density(torch.tensor(2.0, dtype=torch.float64), (n, 1 - p))
    torch.testing.assert_close(log_probability[:, 6 + 2], both)


CHOICES = """
format: 1
name: choices
title: Yes or no
designs: {x: {real: [-3, 3]}, dose: {integer: [1, 9]}}
parameters: {a: {prior: {normal: [0, 1]}}, b: {prior: {lognormal: [0, 0.5]}}}
mechanisms: {logistic: {let: {p: sigmoid(b * (x - a))}}}
outcomes: {yes: {bernoulli: {p: p}}}
budget: 8
goal: GOAL
"""
LINE = """
format: 1
name: line
title: Through the origin
designs: {x: {real: [-2, 2]}}
parameters: {b: {prior: {normal: [0, 1]}}}
mechanisms: {line: {}}
outcomes: {y: {normal: {mean: b * x, sd: 1}}}
budget: 8
goal: learn
"""


def problem(text: str, *, runs: int = 2, rows: int = 512, pending: Tensor | None = None) -> DesignProblem:
    model = DomainModel(load_text(text))
    belief = prior_belief(model, runs, BeliefSettings(particles=2000), stream(1, 0, 0, "prior"))
    width = len(model.space.names)
    return DesignProblem(
        model=model,
        belief=belief,
        hypotheses=draw_hypotheses(model, belief, rows, stream(1, 0, 0, "hypothesise")),
        remaining=torch.full((runs,), 8.0, dtype=torch.float64),
        step=0,
        pool=None,
        generator=stream(1, 0, 0, "design"),
        scoring=7,
        sequence=stream(1, 0, 0, "sequence"),
        pending=torch.empty((runs, 0, width), dtype=torch.float64) if pending is None else pending,
    )


def scores(asked: DesignProblem, designs: Tensor, *, draws: int) -> Tensor:
    return _Scorer(asked, asked.hypotheses, draws, Search(single=False))(designs)


def test_information_of_listed_outcomes_is_exact_for_its_hypotheses() -> None:
    """H(E p) − E H(p) of the hypotheses' own probabilities, to rounding."""
    asked = problem(CHOICES.replace("GOAL", "learn"))
    designs = asked.model.space.sobol(20, stream(0, 0, 0, "design")).expand(2, -1, -1)
    p = predict(asked.model, asked.hypotheses, designs)[0][0]

    def entropy(q: Tensor) -> Tensor:
        return -(torch.xlogy(q, q) + torch.xlogy(1 - q, 1 - q))

    found = expected_information(asked.model, pose(asked.model, asked.hypotheses, 8), designs, stream(0, 0, 0, "score"))
    torch.testing.assert_close(found, entropy(p.mean(1)) - entropy(p).mean(1))


@pytest.mark.parametrize("goal", ["learn", "{learn: [a]}", "{predict: {yes: [{x: 0, dose: 3}, {x: 1, dose: 3}]}}"])
def test_gradients_are_the_slopes_of_the_scores(goal: str) -> None:
    """Against central differences, through listed outcomes; the whole-number setting has none."""
    asked = problem(CHOICES.replace("GOAL", goal), rows=64)
    scorer = _Scorer(asked, asked.hypotheses, 32, Search(single=False))
    unit = 0.05 + 0.9 * torch.rand((2, 6, 2), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    slope = scorer.gradient(unit)
    step = torch.tensor([1e-5, 0.0], dtype=torch.float64)
    rise = scorer(asked.model.space.decode(unit + step)) - scorer(asked.model.space.decode(unit - step))
    assert torch.equal(slope[..., 0].sign(), rise.sign())
    assert (slope[..., 1] == 0).all()


def test_gradients_through_drawn_outcomes() -> None:
    asked = problem(LINE, rows=256)
    scorer = _Scorer(asked, asked.hypotheses, 256, Search(single=False))
    unit = torch.tensor([0.1, 0.3, 0.7, 0.9], dtype=torch.float64).expand(2, -1)[..., None]
    scores, slope = scorer(asked.model.space.decode(unit)), scorer.gradient(unit)
    assert torch.equal(slope[..., 0], torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.float64).expand(2, -1))
    assert (scores[:, 0] > scores[:, 1]).all()


@pytest.mark.statistical
def test_a_second_design_counts_for_what_it_adds() -> None:
    """I(b; y₂ | y₁) = ½ log (1 + x₁² + x₂²)/(1 + x₁²). 512 draws err by about 0.03 nats; the bound of 0.12 sees a
    design scored as if it were the first, which is 0.3 nats off."""
    first = torch.full((2, 1, 1), 1.5, dtype=torch.float64)
    asked = problem(LINE, rows=1024, pending=first)
    designs = torch.tensor([-2.0, -0.5, 0.0, 1.0, 2.0], dtype=torch.float64).expand(2, -1)[..., None]
    found = scores(asked, designs, draws=512).mean(0)
    for x, gain in zip(designs[0, :, 0].tolist(), found.tolist(), strict=True):
        assert abs(gain - 0.5 * math.log((1 + 1.5**2 + x * x) / (1 + 1.5**2))) < 0.12


def test_a_pending_experiment_that_gives_nothing_changes_nothing() -> None:
    """Beyond 1.5 the law breaks under every hypothesis: what is scored next is scored as if first. The noise differs
    between hypotheses a little, so that outcomes are drawn in both cases."""
    text = LINE.replace("sd: 1", "sd: 'where(x > 1.5, -1, 1 + 1e-9 * b * b)'")
    designs = torch.tensor([-1.0, 0.5, 1.0], dtype=torch.float64).expand(2, -1)[..., None]
    alone = scores(problem(text), designs, draws=128)
    after = scores(problem(text, pending=torch.full((2, 1, 1), 1.9, dtype=torch.float64)), designs, draws=128)
    assert (alone > 0.01).all()
    torch.testing.assert_close(after, alone)


@pytest.mark.parametrize(
    "outcome", ["{studentt: {df: 5, mean: b * x, scale: 1}}", "{studentt: {df: 5, mean: x, scale: 1}}"]
)
def test_a_design_at_which_all_hypotheses_say_the_same_tells_nothing(outcome: str) -> None:
    """Drawn outcomes, at 0 or everywhere the same under every hypothesis."""
    text = LINE.replace("{normal: {mean: b * x, sd: 1}}", outcome)
    zero = torch.zeros((2, 1, 1), dtype=torch.float64)
    assert scores(problem(text), zero, draws=128).abs().max() < 1e-6


def test_a_batch_spreads_over_what_is_unknown() -> None:
    """Two unknowns, each seen at its own end: the second design of a batch goes to the other end than the first."""
    text = LINE.replace(
        "{b: {prior: {normal: [0, 1]}}}", "{b: {prior: {normal: [0, 2]}}, c: {prior: {normal: [0, 2]}}}"
    )
    text = text.replace("mean: b * x", "mean: 'where(x > 0, b * x, c * x)'")
    alone = ExpectedInformationGain(Search(candidates=64)).choose(problem(text)).designs
    after = ExpectedInformationGain(Search(candidates=64)).choose(problem(text, pending=alone[:, None])).designs
    assert (alone.sign() == -after.sign()).all()


def test_listed_counts_have_their_densities_by_the_short_way_too() -> None:
    """Of 20 trials, with certain failures and successes among the hypotheses: log p as the family has it."""
    p = torch.rand((PLACES, ROWS), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p[:, 0], p[:, 1] = 0.0, 1.0
    n = torch.full_like(p, 20.0)
    (part,) = _listed([(FAMILIES["binomial"], (n, p))], [21], LAYOUT, torch.float64)
    assert isinstance(part.found, Listed)
    y = torch.arange(21, dtype=torch.float64)[:, None]
    exact = FAMILIES["binomial"].log_density(y, (n[:, None], p[:, None]))
    found = part.found.log_probability[0]
    torch.testing.assert_close(found.clamp_min(-_NEXT_TO_NOTHING), exact.clamp_min(-_NEXT_TO_NOTHING))


def test_an_impossible_count_has_no_density() -> None:
    """More than n, and fewer than none, also where p is 0 or 1."""
    n, p = torch.full((3,), 5.0, dtype=torch.float64), torch.tensor([0.0, 0.4, 1.0], dtype=torch.float64)
    for y in (-1.0, 2.5, 6.0):
        assert (FAMILIES["binomial"].log_density(torch.full_like(n, y), (n, p)) == -torch.inf).all()
