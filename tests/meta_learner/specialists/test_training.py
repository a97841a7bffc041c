"""Training: experiments counted, resumed to the bit, gradients that are those of sPCE, and every family learns."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save
from scipy import stats
from torch import Tensor

from domains import randomness
from domains.loading import find, load_text
from domains.worlds import DomainModel
from meta_learner.evaluation.benchmark import Estimate, Setup, measure
from meta_learner.policies import Policy
from meta_learner.policies.random import Random
from meta_learner.specialists import SPECIALISTS, Progress, Recipe, Specialised, Specialist, Trainer, build, train
from meta_learner.specialists.contrastive_gradient import loss, way
from meta_learner.specialists.episodes import Episodes
from meta_learner.specialists.play import play
from meta_learner.specialists.policy_gradient import advantages
from tests.meta_learner.specialists.worlds import LINE, both, line, mixed

SHORT = Recipe(experiments=400, episodes=16, contrasts=20, seed=7)


SMALL = {"maml": {"width": 16, "probes": 4, "steps": 1}, "transformer": {"width": 32, "layers": 1}}


def trainer(name: str, model: DomainModel, recipe: Recipe = SHORT) -> Trainer:
    return Trainer(build(name, model, SMALL.get(name), seed=recipe.seed), model, recipe)


def without_time(told: list[Progress]) -> list[Progress]:
    return [replace(progress, seconds=0.0) for progress in told]


@pytest.mark.parametrize("name", SPECIALISTS)
def test_a_resumed_training_is_the_uninterrupted_one_to_the_bit(name: str) -> None:
    """Through a file's bytes, and the second half of the curve."""
    model = both() if name == "deep-adaptive-design" else mixed()
    whole = trainer(name, model)
    curve = [whole.update() for _ in range(4)]
    first = trainer(name, model)
    told = [first.update() for _ in range(2)]
    second = trainer(name, model, SHORT)
    second.restore(load(save(first.state())))
    told += [second.update() for _ in range(2)]
    assert without_time(told) == without_time(curve)
    ends = [each.state() for each in (whole, second)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])
    assert any(not torch.equal(ends[0][key], value) for key, value in first.state().items())


def test_a_state_is_a_copy() -> None:
    going = trainer("scratch", line())
    going.update()
    before = going.state()
    kept = {name: value.clone() for name, value in before.items()}
    going.update()
    assert all(torch.equal(before[name], kept[name]) for name in kept)


def test_it_ends_with_the_update_that_reaches_the_recipes_experiments() -> None:
    """Three experiments an episode, 16 episodes an update: 48, nine updates for 400."""
    told = list(train(trainer("rl2", line())))
    assert [progress.experiments for progress in told] == [48 * (i + 1) for i in range(9)]
    assert told[-1].episodes == 9 * 16
    assert told[-1].updates == 9
    dear = list(train(trainer("rl2", mixed(), replace(SHORT, experiments=100))))
    assert dear[-2].experiments < 100 <= dear[-1].experiments


def test_it_can_be_left_between_updates() -> None:
    going = trainer("rl2", line())
    for progress in train(going):
        if progress.updates == 3:
            break
    assert going.updates == 3
    assert [progress.updates for progress in train(going)] == list(range(4, 10))


def test_a_broken_gradient_changes_nothing_and_is_counted() -> None:
    going = trainer("deep-adaptive-design", line())
    going.update()
    before = going.state()
    going.descend(going.network.log_sd.sum() * torch.nan)
    assert going.skipped == 1
    assert all(torch.equal(value, before[name]) for name, value in going.state().items() if name != "counts")


def test_advantages_are_what_follows_less_what_was_expected() -> None:
    """λ = 1: A_t = Σ_{k ≥ t} r_k − V_t, with nothing after an episode's end."""
    model, generator = mixed(), randomness.generator(2)
    episodes = Episodes(model, episodes=8, contrasts=10, generator=generator)
    found = play(build("scratch", model), episodes, generator)
    assert not found.active.all()
    following = found.reward.flip(1).cumsum(1).flip(1)
    expected = torch.where(found.active, following - found.value, 0.0)
    got = torch.where(found.active, advantages(found, 1.0), 0.0)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_gradients_reach_designs_where_they_can() -> None:
    """Normal outcomes pathwise, counts by their score; not through dynamics, costs, whole numbers, other goals."""
    assert way(line()) == way(both()) == way(DomainModel(find("source-location"))) == "pathwise"
    assert way(DomainModel(find("death-process"))) == way(DomainModel(find("ces"))) == "score"
    for name in ("prey-population", "epidemic", "dose-finding", "fatigue-life", "psychometric-function"):
        assert way(DomainModel(find(name))) is None


def test_the_pathwise_gradient_is_that_of_differences() -> None:
    """Same worlds and noise; along a random direction of all weights."""
    model = both()
    network = build("deep-adaptive-design", model, {"width": 8})
    weights = [
        each for name, each in network.named_parameters() if name not in ("log_sd", "value.weight", "value.bias")
    ]
    ways = [randomness.normal(w.shape, randomness.generator(i)).to(w.dtype) for i, w in enumerate(weights)]
    with torch.no_grad():
        for weight, direction in zip(weights, ways, strict=True):
            weight.add_(0.1 * direction.flip(0))

    def value() -> Tensor:
        return loss(network, Episodes(model, episodes=64, contrasts=50, generator=randomness.generator(9)), "pathwise")

    slopes = torch.autograd.grad(value(), weights)
    slope = sum((each * direction).sum().item() for each, direction in zip(slopes, ways, strict=True))
    ends = []
    for size in (2e-3, -4e-3):
        with torch.no_grad():
            for weight, direction in zip(weights, ways, strict=True):
                weight.add_(size * direction)
            ends.append(value().item())
    assert slope == pytest.approx((ends[0] - ends[1]) / 4e-3, rel=0.02)
    assert abs(slope) > 0.05


@pytest.mark.statistical
def test_the_score_gradient_has_the_pathwise_ones_mean() -> None:
    """Of the head's bias, over 40 batches of 512 episodes: both are unbiased. Normal test at α = 1e-4; the error is a
    tenth of the gradient (-0.97), so that two thirds of it are found missing. Without the score's term all of it is."""
    model = line()
    network = build("deep-adaptive-design", model, {"width": 8})
    with torch.no_grad():
        network.design.bias.fill_(0.6)
    found: dict[str, list[float]] = {"pathwise": [], "score": []}
    for how, slopes in found.items():
        for batch in range(40):
            episodes = Episodes(model, episodes=512, contrasts=50, generator=randomness.generator(batch))
            lost = loss(network, episodes, how)  # type: ignore[arg-type]
            slopes.append(torch.autograd.grad(lost, network.design.bias)[0].item())
    pathwise, score = (torch.tensor(slopes) for slopes in found.values())
    error = (score - pathwise).std().item() / math.sqrt(40)
    assert abs((score - pathwise).mean().item()) < stats.norm.isf(0.5e-4) * error
    assert pathwise.mean().item() < -8 * error  # there is something to be found: more at the ends


def told(policy: Policy) -> Estimate:
    setup = Setup(line().domain, policy, runs=600, contrasts=400, seed=2, block_runs=600, blind=True)
    return measure(setup).spce


@pytest.fixture(scope="module")
def at_random() -> Estimate:
    return told(Random())


@pytest.mark.statistical
@pytest.mark.parametrize("name", SPECIALISTS)
def test_every_family_learns_where_a_line_is_measured_best(name: str, at_random: Estimate) -> None:
    """At the ends: 3.74 nats from three experiments against 2.98 at random. Better than random on 600 worlds that it
    has not seen, one-sided at α = 1e-4: by more than 3.7 standard errors of the difference, 0.27 nats."""
    going = trainer(name, line(), Recipe(experiments=5000, episodes=32, contrasts=64, rate=1e-2, seed=1))
    for _ in train(going):
        pass
    found = told(Specialised(going.network))
    assert going.skipped == 0
    assert found.mean - at_random.mean > stats.norm.isf(1e-4) * math.hypot(found.se, at_random.se)


GOALS = {
    "predict": line("{predict: {y: [{x: 3}]}}"),
    "named": line("{learn: [b]}"),
    "discriminate": both("discriminate"),
    "maximise": DomainModel(
        load_text(LINE.replace("b * x", "b * (x - 1.5)").replace(": learn", ': {maximise: "-(x - a)**2"}'))
    ),
}


def scores(network: Specialist, model: DomainModel, log_sd: float) -> Tensor:
    """Of 1,500 episodes with designs drawn with this scale of the latents."""
    generator = randomness.generator(77)
    episodes = Episodes(model, episodes=1500, contrasts=1000, generator=generator)
    with torch.no_grad():
        network.log_sd.fill_(log_sd)
    play(network, episodes, generator)
    return episodes.score


@pytest.mark.statistical
@pytest.mark.parametrize("goal", GOALS)
def test_every_goal_can_be_learned(goal: str) -> None:
    """The slope, a prediction and the law want the ends, the largest −(x − a)² wants x = 1.5, where a is read alone.
    Better than uniform designs, one-sided at α = 1e-4: by more than 3.7 standard errors of the difference."""
    model = GOALS[goal]
    going = trainer("scratch", model, Recipe(experiments=8000, episodes=32, contrasts=256, rate=1e-2, seed=1))
    at_random = scores(trainer("scratch", model).network, model, 0.0)
    for _ in train(going):
        pass
    found = scores(going.network, model, -9.0)
    error = math.sqrt((found.var() + at_random.var()).item() / len(found))
    assert (found.mean() - at_random.mean()).item() > stats.norm.isf(1e-4) * error
