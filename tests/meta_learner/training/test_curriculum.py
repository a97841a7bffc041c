"""A curriculum draws more of what is being learned now, and a training with one goes on to the same bits."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from meta_learner.experimenter.network import Shape
from meta_learner.games.random_tables import Size
from meta_learner.training.curriculum import Curriculum
from meta_learner.training.tasks import Tables
from meta_learner.training.training import Plan, Stage, Training

SHORT, LONG = Size(5, 3, experiments=1), Size(5, 3, experiments=2)
TASKS = [(1.0, Tables("flat", SHORT, "decision")), (2.0, Tables("flat", SHORT, "information")),
         (3.0, Tables("flat", LONG, "decision"))]  # fmt: skip


def shares(curriculum: Curriculum) -> list[float]:
    chance = curriculum.chance
    return (chance / chance.sum()).tolist()


def test_before_anything_is_known_weights_decide() -> None:
    assert shares(Curriculum(TASKS, 0.8)) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_what_is_being_learned_comes_more_often_and_what_stands_still_less() -> None:
    """Goals of one size share their progress: only horizon, size and noise tell groups apart."""
    curriculum = Curriculum(TASKS, 0.8)
    for step in range(10):
        curriculum.learned(2, 1.0 - 0.1 * step)
        curriculum.learned(0, 0.5)
    assert curriculum.progress.tolist() == pytest.approx([0.0, 2.0])  # of which the mean is 1
    assert shares(curriculum) == pytest.approx([weight / 6 for weight in (0.2, 0.4, 5.4)])
    assert shares(Curriculum(TASKS, 0.0)) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_draws_follow_the_chances() -> None:
    """Of 2,000 draws, within 5 standard deviations."""
    curriculum, generator = Curriculum(TASKS, 0.5), torch.Generator().manual_seed(3)
    drawn = [curriculum.draw(generator) for _ in range(2000)]
    assert abs(drawn.count(2) - 1000) < 5 * 500**0.5


@pytest.mark.parametrize("steps", [1, 7])
def test_it_goes_on_to_the_same_bits(steps: int) -> None:
    plan = Plan(tuple(TASKS), Stage(12, 4), Stage(0), shape=Shape(width=8, heads=2, layers=1), curriculum=0.9)
    whole, begun, later = Training(plan), Training(plan), Training(replace(plan, seed=plan.seed))
    curve = list(whole.run())
    first = list(islice(begun.run(), steps))
    later.restore({name: value.clone() for name, value in begun.state().items()})
    assert first + list(later.run()) == curve
    assert torch.equal(later.curriculum.seen, whole.curriculum.seen)
    assert int(whole.curriculum.seen[:, 0].sum()) == 12


def test_mixed_precision_learns_in_bfloat16_and_keeps_its_weights_single() -> None:
    plan = Plan(tuple(TASKS), Stage(3, 8), Stage(0), shape=Shape(width=8, heads=2, layers=1))
    single, mixed = Training(plan), Training(replace(plan, mixed=True))
    one, other = list(single.run()), list(mixed.run())
    assert other == pytest.approx(one, abs=0.05)
    weights = [
        torch.cat([parameter.detach().flatten() for parameter in training.network.parameters()])
        for training in (single, mixed)
    ]
    assert weights[1].dtype == torch.float32
    assert not torch.equal(*weights)
    assert torch.allclose(*weights, atol=0.02)
