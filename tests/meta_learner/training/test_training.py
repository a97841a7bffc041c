"""Meta-training: one seed gives one curve, interrupted or not; what is imitated and improved is learned."""

import math
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor

from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.experimenter.policy import Learned
from meta_learner.games import UTILITIES, Games, Greedy, action_values, expected_utility
from meta_learner.games.random_tables import Size, random_games
from meta_learner.training.decisions import RandomDomains
from meta_learner.training.lessons import Lesson
from meta_learner.training.tasks import Tables
from meta_learner.training.training import Plan, Stage, Training

SMALL = Shape(width=16, heads=2, layers=1)
TINY = Size(hypotheses=5, designs=3, experiments=2, targets=2)
FEW = RandomDomains(hypotheses=16, outcomes=6, designs=5, tried=16, known_hypotheses=32, known_outcomes=8, seeds=(0, 6))
BOTH = Plan(((1.0, Tables("flat", TINY, "decision")), (1.0, FEW)), Stage(5, 4), Stage(3, 4, runs=3), shape=SMALL)


def start(games: Games) -> tuple[Tensor, Tensor]:
    return games.prior[:, None], games.budget[:, None]


def weights(training: Training) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in training.network.parameters()])


def test_one_seed_gives_one_curve_and_another_seed_another() -> None:
    one, again, other = (Training(replace(BOTH, seed=seed)) for seed in (1, 1, 2))
    curve = list(one.run())
    assert len(curve) == 8
    assert all(math.isfinite(told) for told in curve)
    assert curve == list(again.run())
    assert torch.equal(weights(one), weights(again))
    assert curve != list(other.run())


@pytest.mark.parametrize("steps", [0, 2, 5, 6])
def test_it_goes_on_from_any_checkpoint_to_the_same_bits(steps: int) -> None:
    """Also between the stages."""
    whole = Training(BOTH)
    curve = list(whole.run())
    torch.manual_seed(9)
    begun, later = Training(BOTH), Training(BOTH, Experimenter(SMALL))  # with other weights until it is restored
    first = list(islice(begun.run(), steps))
    later.restore({name: value.clone() for name, value in begun.state().items()})
    assert first + list(later.run()) == curve
    assert torch.equal(weights(later), weights(whole))


def test_a_checkpoint_of_another_network_is_refused() -> None:
    state = Training(BOTH).state()
    with pytest.raises(ValueError, match="does not fit the recipe's network"):
        Training(replace(BOTH, shape=replace(SMALL, width=8))).restore(state)


def test_training_leaves_the_global_stream_alone() -> None:
    before = torch.random.get_rng_state()
    list(islice(Training(BOTH).run(), 2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_regret_is_what_the_best_design_gains_more() -> None:
    """Two designs, one tells which of two hypotheses holds, the other half as much of the chance to be right: a learner
    that prefers the worse by a thousand to one has a regret of a half, the other none."""
    outcomes = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.75, 0.25], [0.25, 0.75]]], dtype=torch.float64)[None]
    ones = torch.ones((1, 2), dtype=torch.float64)
    games = Games(ones / 2, outcomes, torch.tensor([[0, 1]]), ones, torch.ones(1, dtype=torch.float64))
    lesson = Lesson.of(games, *start(games), "decision", 1)
    assert lesson.share.item() == pytest.approx(1.0)
    value = torch.ones((1, 1))
    for logits, regret in ((torch.tensor([[[0.0, 50.0]]]), 0.5), (torch.tensor([[[50.0, 0.0]]]), 0.0)):
        assert lesson.learned(logits, value).told == pytest.approx(regret, abs=1e-6)


@pytest.mark.statistical
def test_imitation_learns_what_greedy_lacks() -> None:
    """One experiment, then a guess at one of two targets: the most information is often not the most right guesses.
    After 120 steps the regret on 600 games it has not seen is less than half of greedy's; a network that learns nothing
    has greedy's, and this one had a tenth."""
    size = Size(hypotheses=8, designs=4, experiments=1, targets=2)
    plan = Plan(((1.0, Tables("flat", size, "decision", ahead=1)),), Stage(120, 32, 1e-2), Stage(0), shape=SMALL)
    training = Training(plan)
    for _ in training.run():
        pass
    unseen = random_games("flat", size, 600, torch.Generator().manual_seed(11))
    values = action_values(unseen, *start(unseen), UTILITIES["decision"], 1)[:, 0]
    chosen = [policy(unseen, *start(unseen)) for policy in (Learned(training.network, "decision"), Greedy())]
    learned, greedy = (values.amax(1) - values.gather(1, design)[:, 0] for design in chosen)
    assert learned.mean() < 0.5 * greedy.mean()


@pytest.mark.statistical
def test_policy_gradient_alone_learns_too() -> None:
    """No teacher: 250 steps on three experiments of three designs raise the chance of a right guess on 400 unseen games
    above greedy's, paired and exactly over all outcomes, by more than four standard errors (false alarms 3e-5)."""
    size = Size(hypotheses=6, designs=4, experiments=2, targets=2)
    plan = Plan(((1.0, Tables("flat", size, "decision")),), Stage(0), Stage(250, 48, 5e-3, runs=6), shape=SMALL)
    training = Training(plan)
    for _ in training.run():
        pass
    unseen = random_games("flat", size, 400, torch.Generator().manual_seed(12))
    utility = UTILITIES["decision"]
    better = expected_utility(unseen, Learned(training.network, "decision"), utility)
    better = better - expected_utility(unseen, Greedy(), utility)
    assert better.mean() > 4 * better.std() / math.sqrt(len(better))
