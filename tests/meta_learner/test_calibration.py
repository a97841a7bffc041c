"""Calibration: exact nulls against closed forms, no flags for exact beliefs, flags for beliefs that are broken."""

from dataclasses import replace

import numpy
import pytest
import torch
from scipy import stats

from domains.loading import find, load_text
from domains.worlds import DomainModel, Worlds
from meta_learner.belief import Belief, BeliefSettings
from meta_learner.evaluation.calibration import (
    ROWS,
    JudgedRun,
    Part,
    investigate_and_judge,
    judge,
    parts,
    place,
)
from meta_learner.evaluation.calibration_report import ALPHA, assess
from meta_learner.evaluation.calibration_statistics import calibration_error, of_all, of_one_domain
from meta_learner.evaluation.investigated import domain_seed, investigate
from meta_learner.evaluation.nulls import Term, sum_of
from meta_learner.given import drawn_worlds
from meta_learner.laboratory import Simulation

RUNS = 200
FEW = BeliefSettings(particles=200, moves=3)

COINS = """
format: 1
name: coin
designs: {x: {real: [0, 1]}}
mechanisms:
  fair: {let: {p: 0.5}}
  bent: {let: {p: 0.7}}
outcomes: {head: {bernoulli: {p: p}}}
budget: 5
goal: discriminate
"""


def term(*pairs: tuple[float, float], observed: float = 0.0) -> Term:
    values, probability = zip(*pairs, strict=True)
    return Term(numpy.array(values), numpy.array(probability), observed)


def test_a_sum_of_unequal_coins_is_poisson_binomial() -> None:
    shares = numpy.random.default_rng(0).uniform(0.01, 0.99, 60)
    null = sum_of([term((0, 1 - p), (1, p), observed=float(i < 41)) for i, p in enumerate(shares)], counts=True)
    exact = stats.poisson_binom(shares)
    assert numpy.allclose(null.mass, exact.pmf(numpy.arange(61)), atol=1e-13)
    assert null.value == 41
    assert null.mean == pytest.approx(shares.sum())
    assert null.sd == pytest.approx(numpy.sqrt((shares * (1 - shares)).sum()))
    assert null.p_value == pytest.approx(2 * min(exact.cdf(41), exact.sf(40)), rel=1e-6)


def test_far_tails_and_intervals_are_those_of_the_binomial() -> None:
    """Down to probabilities of 1e-10, where redrawing would need 1e12 redraws."""
    null = sum_of([term((0, 0.1), (1, 0.9), observed=float(i < 120)) for i in range(200)], counts=True)
    assert null.p_value == pytest.approx(2 * stats.binom.cdf(120, 200, 0.9), abs=1e-12)
    null = sum_of([term((0, 0.1), (1, 0.9), observed=float(i < 153)) for i in range(200)], counts=True)
    assert null.p_value == pytest.approx(2 * stats.binom.cdf(153, 200, 0.9), rel=1e-4)
    low, high = null.interval(1e-4)
    inside = [n for n in range(201) if 2 * min(stats.binom.cdf(n, 200, 0.9), stats.binom.sf(n - 1, 200, 0.9)) >= 1e-4]
    assert (low, high) == (inside[0], inside[-1])


def test_a_sum_of_uniforms_is_irwin_hall() -> None:
    u = (numpy.arange(ROWS) + 0.5) / ROWS
    weight = numpy.full(ROWS, 1 / ROWS)
    null = sum_of([Term(u, weight, 0.9), Term(u, weight, 0.8), Term(u, weight, 0.85)])
    assert null.value == pytest.approx(2.55, abs=0.01)
    assert null.p_value == pytest.approx(2 * 0.45**3 / 6, rel=0.08)


def test_a_rare_large_part_does_not_blur_the_rest() -> None:
    """A window that leaves out what never happens, on cells fine enough for what does: −log of probabilities."""
    rare = [term((27.6, 1e-12), (0.2, 1 - 1e-12), observed=0.2)] * 300
    coins = [term((2.0, 0.3), (0.0, 0.7), observed=2.0 * (i < 60)) for i in range(100)]
    null = sum_of([*rare, *coins])
    assert null.step < 0.2
    assert null.p_value == pytest.approx(2 * stats.binom.sf(59, 100, 0.3), rel=1e-3)


def test_the_power_is_the_rejection_rate_under_the_alternative() -> None:
    fair, bent = (sum_of([term((0, 1 - p), (1, p))] * 100, counts=True) for p in (0.5, 0.7))
    low, high = fair.interval(0.01)
    assert fair.power(bent, 0.01) == pytest.approx(stats.binom.sf(high, 100, 0.7) + stats.binom.cdf(low - 1, 100, 0.7))
    assert fair.power(fair, 0.01) <= 0.01


@pytest.mark.statistical
def test_places_are_uniform_for_weighted_particles_and_for_discrete_values() -> None:
    """Truths from the particles' own law, continuous with importance weights, and counts with many equals. Kolmogorov
    and Smirnov at α = 1e-4 with 4,000 runs, which a shift of 0.04 in u would fail."""
    generator = torch.Generator().manual_seed(5)
    spread = torch.randn((4000, 300), generator=generator, dtype=torch.float64) * 1.3
    log_weight = (-(spread**2) / 2 + spread**2 / 2 / 1.3**2).log_softmax(-1)
    counts = torch.poisson(torch.full((4000, 300), 1.5, dtype=torch.float64), generator=generator)
    truth = torch.stack(
        [
            torch.randn(4000, generator=generator, dtype=torch.float64),
            torch.poisson(torch.full((4000,), 1.5, dtype=torch.float64), generator=generator),
        ],
        dim=-1,
    )
    for column, (values, weight) in enumerate([(spread, log_weight), (counts, torch.zeros_like(log_weight))]):
        u = place(values[..., None], weight, truth[:, column, None], generator)[:, 0].numpy()
        assert stats.kstest(u, "uniform").pvalue > ALPHA
    wide = place(spread[..., None], torch.zeros_like(log_weight), truth[:, :1], generator)[:, 0].numpy()
    assert stats.kstest(wide, "uniform").pvalue < ALPHA  # the same particles, their weights forgotten


def gaussian(runs: int, seed: int, *, narrowed: float = 1.0, sharpened: float = 1.0) -> list[JudgedRun]:
    """Exact beliefs of two constants with a correlation of 0.9 under two laws, or the truth off from them as told."""
    generator = numpy.random.default_rng(seed)
    judged = []
    for _ in range(runs):
        p = generator.beta(1, 1)
        odds = (p / (1 - p)) ** (1 / sharpened)
        draws = generator.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], ROWS + 1)
        u = stats.norm.cdf(draws[-1] / narrowed)
        judged.append(
            JudgedRun(
                domain="made-up",
                truth=int(generator.random() > odds / (1 + odds)),
                probability=numpy.array([p, 1 - p]),
                names=("a", "b"),
                continuous=numpy.array([True, True]),
                rank=numpy.minimum(u * ROWS, ROWS - 1).astype(numpy.int16),
                others=draws[:-1].argsort(0).argsort(0).astype(numpy.int16),
                surprised=False,
                trusted=True,
            )
        )
    return judged


@pytest.mark.statistical
def test_p_values_hold_what_they_promise_though_constants_hang_together() -> None:
    """100 times 25 exact runs: no statistic has a p-value below 2 % in more than 11 of 100 (probability 3e-6 each, 22
    statistics, 2 expected)."""
    below: dict[str, int] = {}
    for seed in range(100):
        for statistic in of_one_domain("made-up", gaussian(25, seed)):
            below[statistic.name] = below.get(statistic.name, 0) + (statistic.null.p_value < 0.02)
    assert max(below.values()) <= 11, below
    assert sum(below.values()) > 0


@pytest.mark.statistical
def test_the_power_told_is_the_power_there_is() -> None:
    """The share of 60 beliefs too narrow by 20 % that the statistics flag, beside the share that power promises:
    within 4.5 standard errors (α = 1e-5)."""
    told = next(s for s in of_one_domain("made-up", gaussian(60, 999)) if s.name == "spread of ranks")
    power = told.power(0.01, narrowed=0.8)
    assert 0.3 < power < 0.9
    flagged = 0
    for seed in range(60):
        found = of_one_domain("made-up", gaussian(60, seed, narrowed=0.8))
        flagged += next(s for s in found if s.name == "spread of ranks").null.p_value < 0.01
    assert abs(flagged / 60 - power) < 4.5 * (power * (1 - power) / 60) ** 0.5


@pytest.fixture(scope="module")
def investigated() -> tuple[DomainModel, Belief, Worlds]:
    """Beliefs of random experiments on enzymes: three laws that stay confusable, two to four constants."""
    torch.set_num_threads(1)
    model = DomainModel(find("enzyme-kinetics"))
    done = investigate(model, "random", runs=RUNS, seed=3, settings=FEW)
    truths = drawn_worlds(model, done.state.belief, torch.Generator().manual_seed(8))
    return model, done.state.belief, truths


def judged(model: DomainModel, belief: Belief, worlds: Worlds) -> list[JudgedRun]:
    return judge(model, belief, worlds, torch.Generator().manual_seed(9))


@pytest.mark.statistical
def test_draws_from_the_belief_itself_are_inside(investigated: tuple[DomainModel, Belief, Worlds]) -> None:
    """α = 1e-4, by construction."""
    found = assess(judged(*investigated))
    assert found.ok, found.outside
    assert found.verdict.startswith("Inside: all")
    assert sum(result.alpha for result in found.results) == pytest.approx(ALPHA)


@pytest.mark.statistical
def test_particles_too_narrow_by_a_fifth_are_flagged(investigated: tuple[DomainModel, Belief, Worlds]) -> None:
    """Particles moved towards their means by 20 %: 200 runs of three constants or so, with a told power of 80 %."""
    model, belief, worlds = investigated
    narrow = tuple(
        replace(population, z=mean + 0.8 * (population.z - mean))
        for population in belief.populations
        for mean in [(population.log_weight.exp()[..., None] * population.z).sum(1, keepdim=True)]
    )
    found = assess(judged(model, replace(belief, populations=narrow), worlds))
    assert {result.name for result in found.outside} >= {"spread of ranks"}
    assert "Outside:" in found.verdict
    told = next(row for row in found.power if row["what"] == "standard deviations too small by 20%")
    assert told["one domain"] > 0.75


@pytest.mark.statistical
def test_probabilities_of_laws_too_sharp_are_flagged() -> None:
    """P(law)^1.5, normalised, of two coins whose probabilities are exact. 1,000 runs, with a told power of 90 %."""
    model = DomainModel(load_text(COINS))
    done = investigate(model, "random", runs=1000, seed=1, settings=BeliefSettings(particles=2))
    belief = done.state.belief
    sharp = replace(
        belief,
        log_prior=1.5 * belief.log_prior,
        populations=tuple(replace(p, log_evidence=1.5 * p.log_evidence) for p in belief.populations),
    )
    assert torch.allclose(sharp.log_probability, (1.5 * belief.log_probability).log_softmax(-1))
    assert assess(judged(model, belief, done.worlds)).ok
    found = assess(judged(model, sharp, done.worlds))
    assert {result.name for result in found.outside} >= {"log score"}
    told = next(row for row in found.power if row["what"] == "probabilities of laws to the power 1.5")
    assert told["one domain"] > 0.85
    assert found.error["observed"] > found.error["high95"]


def test_an_exact_belief_is_judged_by_its_laws_alone() -> None:
    (run, other) = investigate_and_judge(Part("structural-causal", 0, 2), policy="random", seed=1, settings=FEW)
    assert run.names == ()
    assert len(run.probability) == 543
    assert {s.name for s in of_all([run, other])} <= {"laws found", "log score", "Brier score"} | {
        f"laws in tenth {which}" for which in range(1, 11)
    }


def test_blocks_are_deterministic_and_domains_have_streams_of_their_own() -> None:
    few = BeliefSettings(particles=50, moves=1)
    once, again = (
        investigate_and_judge(Part("death-process", 1, 3), policy="random", seed=4, settings=few) for _ in range(2)
    )
    assert [run.rank.tolist() for run in once] == [run.rank.tolist() for run in again]
    assert all((a.others == b.others).all() for a, b in zip(once, again, strict=True))
    assert domain_seed("death-process", 4) != domain_seed("ces", 4)
    assert [part.runs for part in parts({"a": 25, "b": 10}, 10)] == [10, 10, 5, 10]


def test_laws_without_unknowns_and_single_laws_are_taken() -> None:
    model = DomainModel(load_text(COINS))
    done = investigate(model, "random", runs=40, seed=2, settings=FEW)
    found = assess(judged(model, done.state.belief, done.worlds))
    assert found.ok
    assert {result.name for result in found.domains["coin"]} == {"laws found", "log score", "Brier score"}


def test_the_expected_calibration_error_of_exact_beliefs_is_like_its_redraws() -> None:
    error = calibration_error(gaussian(400, 1), 500, 0)
    assert 0 < error["mean"] < error["high95"] < 2 * error["mean"]
    assert error["observed"] < 2 * error["high95"]
    assert calibration_error([], 10, 0) == {}


def test_the_laboratory_draws_the_same_worlds_for_every_policy() -> None:
    model = DomainModel(find("death-process"))
    done = investigate(model, "sobol", runs=3, seed=7, block=2, settings=BeliefSettings(particles=50, moves=1))
    expected = Simulation(model, seed=7, block=2, runs=3).worlds
    assert expected is not None
    assert torch.equal(done.worlds.parameters[0]["rate"], expected.parameters[0]["rate"])
    assert done.decisions == 12
