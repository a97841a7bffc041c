"""Episodes: rewards against the benchmark's bounds and closed forms; designs that may be had; budgets that are kept."""

import math

import pytest
import torch
from torch import Tensor

from domains import randomness
from domains.loading import find
from domains.worlds import DomainModel, Worlds
from meta_learner.evaluation.bounds import contrastive, truth_terms
from meta_learner.evaluation.likelihoods import Likelihoods
from meta_learner.evaluation.truths import Truths
from meta_learner.specialists import build
from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.legal import nearest
from meta_learner.specialists.play import Played, play
from tests.meta_learner import linear_gaussian
from tests.meta_learner.specialists.worlds import both, line, mixed

FEW = 12


def experimented(
    model: DomainModel, episodes: int, contrasts: int, x: Tensor, seed: int = 3
) -> tuple[Episodes, Tensor]:
    """Episodes at fixed designs x [steps], with their rewards [episodes, steps]."""
    found = Episodes(model, episodes=episodes, contrasts=contrasts, generator=randomness.generator(seed))
    return found, torch.stack([found.step(each.expand(episodes, 1)) for each in x], dim=1)


def again(model: DomainModel, episodes: int, contrasts: int, seed: int = 3) -> tuple[Worlds, Worlds]:
    """The truths and the contrasts that ``experimented`` drew."""
    drawn = model.draw_worlds(episodes + contrasts, randomness.generator(seed))
    cut = (slice(0, episodes), slice(episodes, None))
    truths, rest = (
        Worlds(drawn.mechanism[part], tuple({n: v[part] for n, v in each.items()} for each in drawn.parameters))
        for part in cut
    )
    return truths, rest


X = torch.tensor([-2.0, 0.5, 2.0], dtype=torch.float64)


@pytest.mark.parametrize("name", ["both", "death-process", "hyperbolic-discounting"])
def test_rewards_add_up_to_the_spce_of_the_benchmark(name: str) -> None:
    model = both() if name == "both" else DomainModel(find(name))
    designs = model.space.uniform(3, randomness.generator(1))
    found = Episodes(model, episodes=FEW, contrasts=40, generator=randomness.generator(3))
    told = torch.stack([found.step(each.expand(FEW, -1)) for each in designs]).sum(0)
    truths, rest = again(model, FEW, 40)
    likelihoods = Likelihoods(model, found.history)
    terms = []
    for index in range(len(model.mechanisms)):
        rows = rest.mechanism == index
        points = {name: value[rows] for name, value in rest.parameters[index].items()}
        terms.append(likelihoods.log_sum(index, points))
    own = truth_terms(likelihoods, Truths(truths, ()))
    bound = contrastive(own, torch.stack(terms).logsumexp(0), 40).lower
    torch.testing.assert_close(told, bound, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(told, found.score)
    assert found.experiments == 3 * FEW


def log_probability_of_laws(found: Episodes, run: int) -> Tensor:
    """Closed form, for the line and the constant [laws]."""
    y = found.history.outcomes[run, :, 0]
    evidence = torch.stack([linear_gaussian.log_evidence(law, X, y) for law in ("line", "constant")])
    return evidence.log_softmax(0)


def test_learning_the_law_is_scored_by_its_probability() -> None:
    model = both("discriminate")
    found, rewards = experimented(model, FEW, 40_000, X)
    torch.testing.assert_close(found.start.exp(), torch.full((FEW,), 0.5).double(), atol=0.01, rtol=0)
    exact = torch.stack([log_probability_of_laws(found, run)[found.truths.mechanism[run]] for run in range(FEW)])
    torch.testing.assert_close(found.score, exact, atol=0.1, rtol=0)
    torch.testing.assert_close(rewards.sum(1) + found.start, found.score)


def test_predictions_are_scored_by_their_error_over_the_priors_variance() -> None:
    found, _ = experimented(line("{predict: {y: [{x: 3}, {x: 0}]}}"), FEW, 40_000, X)
    for run in range(FEW):
        mean, _ = linear_gaussian.posterior("line", X, found.history.outcomes[run, :, 0])
        a, b = (found.truths.parameters[0][name][run] for name in ("a", "b"))
        far, near = (mean[0] + 3 * mean[1] - a - 3 * b).square() / 37, (mean[0] - a).square() / 1
        assert found.score[run].item() == pytest.approx(-0.5 * (far + near).item(), abs=0.03)
    assert found.start.mean().item() == pytest.approx(-1, abs=0.8)


def test_recommendations_are_scored_by_their_regret() -> None:
    """E[−(x − a)²] is largest at x = E[a | h], as near as the grid of 256 designs has it."""
    found, _ = experimented(line('{maximise: "-(x - a)**2"}'), FEW, 40_000, X)
    x = torch.linspace(-2, 2, 4001, dtype=torch.float64)
    for run in range(FEW):
        mean, _ = linear_gaussian.posterior("line", X, found.history.outcomes[run, :, 0])
        a = found.truths.parameters[0]["a"][run]
        value = -(x - a).square()
        regret = value.max() + (mean[0].clamp(-2, 2) - a).square()
        assert found.score[run].item() == pytest.approx(-(regret / (value.max() - value.mean())).item(), abs=0.02)


def test_named_parameters_are_scored_by_the_information_about_them() -> None:
    """log p(a | h) − log p(a), a's marginal posterior being normal; the fit has a floor and a share of the prior."""
    found, _ = experimented(line("{learn: [a]}"), FEW, 200_000, X)
    torch.testing.assert_close(found.start, torch.zeros(FEW).double(), atol=0.02, rtol=0)
    for run in range(FEW):
        mean, covariance = linear_gaussian.posterior("line", X, found.history.outcomes[run, :, 0])
        a = found.truths.parameters[0]["a"][run]
        variance = covariance[0, 0] + 0.05**2
        gained = -0.5 * (a - mean[0]).square() / variance - 0.5 * variance.log() + 0.5 * a.square()
        expected = math.log(0.95 * math.exp(gained.item()) + 0.05)
        assert found.score[run].item() == pytest.approx(expected, abs=0.1)


def played(model: DomainModel, seed: int = 0) -> tuple[Episodes, Played]:
    generator = randomness.generator(seed)
    episodes = Episodes(model, episodes=FEW, contrasts=20, generator=generator)
    return episodes, play(build("scratch", model), episodes, generator)


CATALOGUE = (
    "enzyme-inhibition", "dose-finding", "inventory-demand", "fatigue-life", "reaction-yield", "psychometric-function",
)  # fmt: skip


@pytest.mark.parametrize("name", [*CATALOGUE, "mixed"])
def test_designs_are_legal_and_paid_for_and_nobody_stops_early(name: str) -> None:
    model = mixed() if name == "mixed" else DomainModel(find(name))
    episodes, steps = played(model)
    designs = episodes.history.designs[steps.active]
    assert model.space.feasible(designs).all()
    for design in designs[::7]:
        torch.testing.assert_close(model.space.from_names(model.space.to_names(design)), design)
    assert (episodes.remaining >= -1e-6).all()
    assert (episodes.remaining[:, -1] < model.space.cost(model.space.cheapest)).all()
    assert episodes.experiments == int(steps.active.sum())
    assert (steps.reward[~steps.active] == 0).all()
    assert steps.reward.isfinite().all()
    torch.testing.assert_close(steps.reward.sum(1).double() + episodes.start, episodes.score, atol=1e-4, rtol=1e-4)
    assert len(designs.unique(dim=0)) > FEW


def test_what_is_not_allowed_moves_to_the_nearest_that_is() -> None:
    """dose + count ≤ 9 and cost: of what is left, 2.2 pays for three."""
    space = mixed().space
    wanted = space.encode(torch.tensor([[9.9, 6, 40, 1], [1.0, 6, 10, 0], [1.0, 2, 20, 1]], dtype=torch.float64))
    found = nearest(space, wanted, torch.tensor([7.0, 2.2, 7.0], dtype=torch.float64))
    assert space.available(found, torch.tensor([7.0, 2.2, 7.0], dtype=torch.float64)).all()
    assert (space.encode(found) - wanted).norm(dim=-1)[0] < 0.35
    assert found[1, 1] == 3
    assert torch.equal(found[2], torch.tensor([1.0, 2, 20, 1], dtype=torch.float64))


def test_noise_does_not_depend_on_what_was_designed() -> None:
    """y − E[y] is the same at any design of the same step."""
    ends = []
    for x in (X, -X):
        found, _ = experimented(line(), FEW, 5, x)
        a, b = (found.truths.parameters[0][name][:, None] for name in ("a", "b"))
        ends.append(found.history.outcomes[..., 0] - a - b * x)
    torch.testing.assert_close(*ends)
