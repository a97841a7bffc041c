"""Evidence against all laws: how often it is wrong, what it sees, and that it is a martingale, outcome by outcome."""

import math
from collections.abc import Callable

import pytest
import torch
from scipy import stats
from torch import Tensor

from meta_learner.alternatives import kinds
from meta_learner.criticism import FALSE_ALARMS, Criticism, criticise, no_criticism
from meta_learner.normal_scores import intervals, log_normal_mass

RUNS, STEPS = 1000, 30
ONE_LAW = torch.zeros((RUNS, 1), dtype=torch.float64)


def tails_of(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.special.ndtr(z), torch.special.ndtr(-z)


def distances_of(unit: Tensor) -> Tensor:
    """Squared, of designs [runs, steps] in the unit interval."""
    return (unit[:, :, None] - unit[:, None]).square()


def judge(z: Tensor, unit: Tensor) -> Criticism:
    """One law, whose normal scores are z [runs, steps, outcomes] at designs unit [runs, steps]."""
    runs, steps, outcomes = z.shape
    criticism = no_criticism(runs, 1, outcomes)
    law = torch.zeros((runs, 1), dtype=torch.float64)
    for step in range(steps):
        distances = distances_of(unit[:, : step + 1])
        criticism = criticise(criticism, distances, tails_of(z[:, step, None]), law)
    return criticism


def drawn(seed: int, runs: int = RUNS, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """Scores of a true law [runs, steps, 1], and designs [runs, steps]."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn((runs, steps, 1), generator=generator, dtype=torch.float64)
    return z, torch.rand((runs, steps), generator=generator, dtype=torch.float64)


def at_most(share: float, runs: int) -> float:
    """The share of hits that a probability of ``share`` exceeds once in 10,000 tests."""
    return float(stats.binom.isf(1e-4, runs, share)) / runs


@pytest.mark.statistical
def test_a_true_law_raises_the_alarm_in_at_most_5_percent_of_runs_ever() -> None:
    """1,000 runs of 30 experiments, two outcomes that are the same (the worst dependence): Ville's bound at 1 in 20 and
    at 1 in 5. False-alarm rate 1e-4; a true rate of 10 % instead of 5 % is seen with a probability above 99 %."""
    z, unit = drawn(1)
    criticism = judge(z.expand(-1, -1, 2), unit)
    for share in (FALSE_ALARMS, 0.2):
        assert (criticism.peak >= -math.log(share)).double().mean() <= at_most(share, RUNS)
    assert criticism.alarm.equal(criticism.peak >= math.log(20))


@pytest.mark.statistical
def test_designs_may_follow_the_residuals() -> None:
    """Each next design lies where the residuals were largest: the bound holds for designs that look at the outcomes."""
    z, _ = drawn(2, 500)
    unit = torch.rand((500, STEPS), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for step in range(2, STEPS):
        unit[:, step] = unit[:, :step].gather(1, z[:, :step, 0].argmax(1, keepdim=True))[:, 0]
    assert judge(z, unit).alarm.double().mean() <= at_most(FALSE_ALARMS, 500)


@pytest.mark.statistical
def test_rival_laws_with_known_mixture() -> None:
    """N(−1, 1) against N(1, 1), one of which is true: E averages over the laws by their exact posterior."""
    generator = torch.Generator().manual_seed(4)
    mean = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    truth = mean[torch.randint(2, (RUNS,), generator=generator)]
    criticism, log_joint = no_criticism(RUNS, 2, 1), torch.full((RUNS, 2), math.log(0.5), dtype=torch.float64)
    unit = torch.rand((RUNS, 12), generator=generator, dtype=torch.float64)
    for step in range(12):
        y = truth + torch.randn(RUNS, generator=generator, dtype=torch.float64)
        z = y[:, None] - mean
        log_joint = log_joint - 0.5 * z.square()
        tails = tails_of(z[..., None])
        criticism = criticise(criticism, distances_of(unit[:, : step + 1]), tails, log_joint.log_softmax(-1))
    assert criticism.alarm.double().mean() <= at_most(FALSE_ALARMS, RUNS)


def biased(z: Tensor, unit: Tensor) -> Tensor:
    return z + (unit < 0.5).double()[..., None]


def drifting(z: Tensor, unit: Tensor) -> Tensor:
    return z + torch.linspace(0, 2, z.shape[1], dtype=torch.float64)[:, None]


def contaminated(z: Tensor, unit: Tensor) -> Tensor:
    """Not where the design says: by another run's designs."""
    return z + 5.0 * (unit > 0.9).double().roll(1, 0)[..., None]


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("wrong", "steps"),
    [
        pytest.param(biased, 60, id="a bias of 1 sd in half of the designs, 60 experiments"),
        pytest.param(lambda z, _: 2 * z, 30, id="noise twice as large"),
        pytest.param(lambda z, _: z / 2, 30, id="noise half as large"),
        pytest.param(drifting, 30, id="a drift of 2 sd over the run"),
        pytest.param(contaminated, 30, id="one reading in ten off by 5 sd"),
    ],
)
def test_what_is_wrong_is_seen(wrong: Callable[[Tensor, Tensor], Tensor], steps: int) -> None:
    """In more than 75 of 100 runs. 400 runs of another seed give 90 % (half the noise) to 99 %: chance alone fails this
    with a probability below 1e-4, and a power that fell to 60 % is seen with one above 99.9 %."""
    z, unit = drawn(5, 100, steps=steps)
    assert judge(wrong(z, unit), unit).alarm.double().mean().item() > 0.75


LAWS = {
    "poisson": stats.poisson(3.2),
    "binomial": stats.binom(6, 0.3),
    "bernoulli": stats.bernoulli(0.05),
    "negative binomial": stats.nbinom(2, 0.2),
}


@pytest.mark.parametrize("law", LAWS)
def test_over_all_outcomes_of_a_count_the_next_factor_has_mean_1(law: str) -> None:
    """Σ_y P(y) E_t(y) ÷ E_{t−1} = 1 for every alternative, whatever came before: enumerated. Counts without end have
    outcomes beyond the finest tail, which are one outcome of at most its probability: a mean below 1, by little."""
    counts = torch.arange(0, 200, dtype=torch.float64)
    below, above = (
        torch.from_numpy(tail) for tail in (LAWS[law].cdf(counts), LAWS[law].sf(counts - 1))
    )  # fmt: skip
    probability = torch.from_numpy(LAWS[law].pmf(counts))
    z, unit = drawn(6, 1)
    before = judge(z[:, :5], unit[:, :5])
    every = {name: getattr(before, name).expand(200, *getattr(before, name).shape[1:]) for name in vars(before)}
    tails = below[:, None, None], above[:, None, None]
    after = criticise(
        Criticism(**every), distances_of(unit[:, :6]).expand(200, 6, 6), tails, torch.zeros((200, 1)).double()
    )
    factor = (after.log_ratio - before.log_ratio).exp()[:, 0, 0]
    total = (probability[:, None] * factor).sum(0)
    assert total.max() <= 1 + 1e-6
    assert total.min() > (1 - 1e-6 if LAWS[law].support()[1] < math.inf else 0.9)


def test_an_interval_that_narrows_to_a_point_tends_to_its_density() -> None:
    """The ratio N(z; 1, 4) ÷ N(z; 0, 1) over an interval of probability 1e-6, against the closed form at the point."""
    u = torch.tensor([1e-3, 0.2, 0.5, 0.9, 0.999], dtype=torch.float64)
    wide, narrow = intervals(u + 5e-7, 1 - u + 5e-7), intervals(u, 1 - u)
    assert narrow.point.all()
    assert not wide.point.any()
    ratios = [z.log_mass(1.0, 2.0) - z.log_mass(0.0, 1.0) for z in (wide, narrow)]
    assert torch.allclose(*ratios, atol=1e-3)
    exact = -0.5 * ((narrow.low - 1) / 2).square() - math.log(2) + 0.5 * narrow.low.square()
    assert torch.allclose(ratios[1], exact)
    assert torch.allclose(wide.information, torch.ones_like(u), atol=1e-3)


def test_moments_of_an_interval_are_those_of_a_truncated_normal() -> None:
    below = torch.tensor([0.3, 0.7, 1.0, 1.0], dtype=torch.float64)
    above = torch.tensor([1.0, 0.6, 0.4, 1.0], dtype=torch.float64)
    z = intervals(below, above)
    for index, (low, high) in enumerate(zip(1 - above.numpy(), below.numpy(), strict=True)):
        law = stats.truncnorm(stats.norm.ppf(low), stats.norm.ppf(high))
        assert z.mean[index].item() == pytest.approx(law.mean(), abs=1e-9)
        assert 1 - z.information[index].item() == pytest.approx(law.var(), abs=1e-9)
    assert z.log_mass(0.3, 2.0)[3] == 0  # nothing came back: nothing is learned


def test_masses_far_out_keep_their_precision() -> None:
    low, high = torch.tensor([-30.0, 29.0, -math.inf, 8.0]).double(), torch.tensor([-29.0, 30.0, -35.0, 8.5]).double()
    exact = [stats.norm.logcdf(-29), stats.norm.logcdf(-29), stats.norm.logcdf(-35), math.log(6.22e-16 - 9.48e-18)]
    assert log_normal_mass(low, high).tolist() == pytest.approx(exact, abs=2e-3)


def test_what_did_not_come_back_changes_nothing() -> None:
    z, unit = drawn(7, 3)
    before = judge(z[:, :6], unit[:, :6])
    nothing = torch.ones((3, 1, 1), dtype=torch.float64)
    after = criticise(before, distances_of(unit[:, :7]), (nothing, nothing), ONE_LAW[:3])
    assert torch.allclose(after.log_ratio, before.log_ratio)
    assert torch.equal(after.peak, torch.maximum(before.peak, after.log_evidence))
    one_more = tails_of(z[:, 6, None])
    skipped = criticise(after, distances_of(unit[:, [*range(7), 6]]), one_more, ONE_LAW[:3])
    at_once = criticise(before, distances_of(unit[:, :7]), one_more, ONE_LAW[:3])
    free = [index for index, kind in enumerate(kinds()) if kind != "order"]
    assert torch.allclose(skipped.log_ratio[..., free], at_once.log_ratio[..., free])


def test_one_impossible_reading_is_enough() -> None:
    """Seven standard deviations out once, after twenty outcomes as they should be."""
    z, unit = drawn(8, 50)
    z = z[:, :21]
    z[:, 20] = 7.0
    assert judge(z, unit[:, :21]).alarm.all()
