"""The experimenter on games: it starts as greedy, is equivariant in both axes, keeps to the budget, and learns."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from meta_learner.experimenter.features import GOALS, of_games
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.experimenter.policy import Learned
from meta_learner.games import Games, Greedy, play
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games

SMALL = Shape(width=16, heads=2, layers=1)


def games(kind: Kind = "flat", count: int = 6, **size: object) -> Games:
    made = Size(**{"hypotheses": 7, "designs": 4, "targets": 3, "dear": 0.3, **size})  # type: ignore[arg-type]
    return random_games(kind, made, count, torch.Generator().manual_seed(1))


def start(drawn: Games) -> tuple[Tensor, Tensor]:
    return drawn.prior[:, None], drawn.budget[:, None]


def perturbed() -> Experimenter:
    """A network whose heads say something."""
    torch.manual_seed(0)
    network = Experimenter(SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return network


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("kind", KINDS)
def test_untrained_it_is_greedy(kind: Kind, goal: str) -> None:
    drawn = games(kind, 40, answers=0 if goal in ("information", "certainty") else 3)
    drawn = replace(drawn, level=torch.full_like(drawn.budget, 0.9))
    assert torch.equal(Learned(Experimenter(SMALL), goal)(drawn, *start(drawn)), Greedy()(drawn, *start(drawn)))


def test_it_does_not_matter_in_which_order_hypotheses_and_designs_stand() -> None:
    network, drawn = perturbed(), games()
    rows, columns = torch.tensor([3, 0, 6, 1, 5, 2, 4]), torch.tensor([2, 0, 3, 1])
    turned = Games(
        drawn.prior[:, rows],
        drawn.outcomes[:, columns][:, :, rows],
        drawn.target[:, rows],
        drawn.cost[:, columns],
        drawn.budget,
    )
    logits, value = network(of_games(drawn, *start(drawn), "decision"))
    found, same = network(of_games(turned, *start(turned), "decision"))
    assert (logits.diff(dim=-1).abs() > 1e-3).any()
    torch.testing.assert_close(found, logits[:, columns], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(same, value, atol=1e-4, rtol=1e-4)


def test_names_of_targets_do_not_matter() -> None:
    network, drawn = perturbed(), games()
    renamed = replace(drawn, target=(drawn.target + 1) % 3)
    logits, _ = network(of_games(drawn, *start(drawn), "decision"))
    found, _ = network(of_games(renamed, *start(renamed), "decision"))
    torch.testing.assert_close(found, logits)


def test_what_the_budget_does_not_pay_for_is_never_chosen() -> None:
    drawn = replace(games(dear=0.8, count=30), budget=torch.full((30,), 0.9, dtype=torch.float64))
    drawn = replace(drawn, budget=torch.maximum(drawn.budget, drawn.cost.amin(-1)))
    assert not bool(drawn.affordable(drawn.budget[:, None]).all())
    played = play(drawn, Learned(perturbed(), "decision"), 3, torch.Generator().manual_seed(3))
    assert (played.left >= -1e-9).all()
