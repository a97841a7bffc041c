"""Games on tables: Bayes, the optimum against what can be worked out by hand, and play against exact expectations."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from meta_learner.games import (
    UTILITIES,
    Games,
    Greedy,
    Lookahead,
    Uniform,
    action_values,
    best_value,
    expected_utility,
    play,
)
from meta_learner.games.random_tables import KINDS, Kind, Size, random_games

INFORMATION, CORRECT, CERTAIN = UTILITIES["information"], UTILITIES["decision"], UTILITIES["certainty"]


def made(outcomes: list, *, target: list[int] | None = None, budget: float = 3.0, cost: list | None = None) -> Games:
    """One game with an even prior: outcomes [designs][hypotheses] = p(yes)."""
    yes = torch.tensor(outcomes, dtype=torch.float64)[None]
    designs, hypotheses = yes.shape[1:]
    return Games(
        prior=torch.full((1, hypotheses), 1 / hypotheses, dtype=torch.float64),
        outcomes=torch.stack([1 - yes, yes], dim=-1),
        target=torch.tensor([target or list(range(hypotheses))]),
        cost=torch.tensor([cost or [1.0] * designs], dtype=torch.float64),
        budget=torch.tensor([budget], dtype=torch.float64),
    )


def each(games: Games) -> list[Games]:
    return [games.some(slice(index, index + 1)) for index in range(len(games.prior))]


def gain(games: Games, utility: object, value: Tensor) -> Tensor:
    return value - utility(games, games.prior[:, None])[:, 0]  # type: ignore[operator]


def optimum(games: Games, utility: object) -> Tensor:
    left = games.budget[:, None]
    return best_value(games, games.prior[:, None], left, utility, games.horizon)[:, 0]  # type: ignore[arg-type]


def test_three_yes_or_no_questions_tell_one_of_eight() -> None:
    """Noiseless bits: each tells log 2, three tell all."""
    games = made([[float(h >> bit & 1) for h in range(8)] for bit in range(3)])
    assert gain(games, INFORMATION, optimum(games, INFORMATION)).item() == pytest.approx(math.log(8))
    assert optimum(games, CORRECT).item() == pytest.approx(1.0)
    assert expected_utility(games, Greedy(), CORRECT).item() == pytest.approx(1.0)


def test_greedy_misses_two_questions_that_tell_only_together() -> None:
    """The target is a xor b. a and b alone say nothing of it, together all; c is right in 60 of 100 cases. Greedy asks
    c twice (information) and is right with 0.6; the optimum asks a and b."""
    a, b = [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]
    xor = [int(x != y) for x, y in zip(a, b, strict=True)]
    games = made([a, b, [0.6 if x else 0.4 for x in xor]], target=xor, budget=2.0)
    assert optimum(games, CORRECT).item() == pytest.approx(1.0)
    assert expected_utility(games, Greedy(), CORRECT).item() == pytest.approx(0.6)
    assert expected_utility(games, Lookahead(CORRECT, 2), CORRECT).item() == pytest.approx(1.0)


def test_what_the_budget_does_not_pay_for_is_not_done() -> None:
    """The telling design costs 3 of a budget of 2.5; the other tells a little and fits twice."""
    games = made([[0.0, 1.0], [0.3, 0.7]], budget=2.5, cost=[3.0, 1.0])
    assert games.horizon == 2
    values = action_values(games, games.prior[:, None], games.budget[:, None], CORRECT, 1)
    assert values[0, 0].tolist() == [-math.inf, pytest.approx(0.7)]
    assert optimum(games, CORRECT).item() == pytest.approx(0.7)  # two readings of 0.7 that differ cancel
    played = play(games, Greedy(), 50, torch.Generator().manual_seed(0))
    assert (played.design == 1).all()
    assert torch.allclose(played.left, torch.full((1, 50), 0.5, dtype=torch.float64))


def test_games_end_on_their_own_budgets() -> None:
    """One game pays for three experiments, the other for one: its runs stop there."""
    one = made([[0.3, 0.7]], budget=3.0)
    games = Games(*(torch.cat([value, value]) for value in (one.prior, one.outcomes, one.target, one.cost, one.budget)))
    games.budget[1] = 1.0
    played = play(games, Greedy(), 20, torch.Generator().manual_seed(0))
    assert (played.design[1, :, 1:] == -1).all()
    assert (played.design[0] == 0).all()
    assert expected_utility(games, Greedy(), CORRECT)[1].item() == pytest.approx(0.7)
    assert expected_utility(games, Greedy(), CORRECT)[0].item() == pytest.approx(0.7**3 + 3 * 0.7**2 * 0.3)


def least_cost(games: Games, belief: Tensor, left: float, level: float) -> float:
    """Of the first game, by Bellman's equation on beliefs [hypotheses], one after the other: what is paid until a
    target is as probable as asked for, or all that is left where nothing more can be paid."""
    if (belief @ games.member[0]).max() >= level:
        return 0.0
    paid = []
    for design, cost in enumerate(games.cost[0].tolist()):
        if cost <= left:
            joint = belief[:, None] * games.outcomes[0, design]
            chance = joint.sum(0)
            later = [
                float(chance[y]) * least_cost(games, joint[:, y] / chance[y], left - cost, level)
                for y in range(len(chance))
            ]
            paid.append(cost + sum(later))
    return min(paid, default=left)


@pytest.mark.parametrize("targets", [None, 3])
@pytest.mark.parametrize("dear", [0.0, 0.5])
def test_certainty_is_had_at_the_least_cost(targets: int | None, dear: float) -> None:
    """Against Bellman's equation written out once more for costs; greedy never pays less, and somewhere more."""
    size = Size(hypotheses=6, designs=4, experiments=3, targets=targets, dear=dear)
    drawn = random_games("ordered", size, 12, torch.Generator().manual_seed(9))
    games = replace(drawn, level=torch.full_like(drawn.budget, 0.8))
    best = games.budget - optimum(games, CERTAIN)
    exact = [least_cost(one, one.prior[0], float(one.budget[0]), 0.8) for one in each(games)]
    torch.testing.assert_close(best, torch.tensor(exact, dtype=torch.float64))
    ahead = games.budget - expected_utility(games, Lookahead(CERTAIN, games.horizon), CERTAIN)
    torch.testing.assert_close(ahead, best)
    greedy = games.budget - expected_utility(games, Greedy(), CERTAIN)
    assert (greedy >= best - 1e-12).all()
    assert (greedy > best + 1e-3).any()
    assert (best < games.budget).any()


def test_certainty_that_is_there_already_costs_nothing() -> None:
    games = replace(made([[0.3, 0.7]]), level=torch.tensor([0.4], dtype=torch.float64))
    assert optimum(games, CERTAIN).item() == pytest.approx(3.0)
    assert expected_utility(games, Greedy(), CERTAIN).item() == pytest.approx(3.0)


def test_a_game_without_a_level_is_not_played_for_certainty() -> None:
    games = made([[0.3, 0.7]])
    with pytest.raises(ValueError, match="have a level"):
        CERTAIN(games, games.prior[:, None], games.budget[:, None])


def test_an_update_is_bayes() -> None:
    games = random_games("flat", Size(outcomes=3), 4, torch.Generator().manual_seed(1))
    belief = games.prior[:, None].expand(-1, 2, -1)
    design, outcome = torch.tensor([[0, 4], [1, 1], [2, 0], [3, 2]]), torch.tensor([[0, 2], [1, 0], [2, 2], [0, 1]])
    after = games.updated(belief, design, outcome)
    every = games.every_update(belief)
    for game, run in itertools.product(range(4), range(2)):
        d, y = int(design[game, run]), int(outcome[game, run])
        joint = games.prior[game] * games.outcomes[game, d, :, y]
        torch.testing.assert_close(after[game, run], joint / joint.sum())
        torch.testing.assert_close(every[1][game, run, d, y], joint / joint.sum())
        torch.testing.assert_close(every[0][game, run, d, y], joint.sum())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_beats_the_optimum_and_greedy_beats_chance(kind: Kind) -> None:
    """Exactly, over all outcomes of 40 games of each kind, with costs that differ."""
    generator = torch.Generator().manual_seed(3)
    games = random_games(kind, Size(hypotheses=8, designs=4, experiments=2, targets=3, dear=0.5), 40, generator)
    for utility in (INFORMATION, CORRECT):
        best = optimum(games, utility)
        greedy = expected_utility(games, Greedy(), utility)
        ahead = expected_utility(games, Lookahead(utility, games.horizon), utility)
        chance = expected_utility(games, Uniform(generator), utility)
        assert (greedy <= best + 1e-12).all()
        torch.testing.assert_close(ahead, best)
        assert greedy.mean() > chance.mean()
        assert (best >= utility(games, games.prior[:, None])[:, 0] - 1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_probabilities_and_every_target_is_there(kind: Kind) -> None:
    games = random_games(kind, Size(outcomes=4, targets=5), 50, torch.Generator().manual_seed(4))
    torch.testing.assert_close(games.outcomes.sum(-1), torch.ones((50, 5, 12), dtype=torch.float64))
    assert (games.outcomes > 0).all()
    assert all(set(row) == set(range(5)) for row in games.target.tolist())


@pytest.mark.statistical
def test_play_has_the_exact_expectation() -> None:
    """4,000 runs of each of 5 games under greedy. The mean of the end's probability of being right is that of all
    outcomes, and so is the share of runs in which the most probable target holds: within 4.5 standard errors
    (false alarms: 1e-4 over the ten), which sees a bias of 0.04."""
    games = random_games("flat", Size(hypotheses=6, targets=3), 5, torch.Generator().manual_seed(5))
    played = play(games, Greedy(), 4000, torch.Generator().manual_seed(6))
    exact = expected_utility(games, Greedy(), CORRECT)
    said = CORRECT(games, played.belief)
    member = torch.nn.functional.one_hot(games.target, 3).to(torch.float64)
    guess = torch.einsum("grh,ght->grt", played.belief, member).argmax(-1)
    right = (guess == games.target.gather(1, played.truth)).to(torch.float64)
    for values in (said, right):
        error = values.std(1) / math.sqrt(4000)
        assert ((values.mean(1) - exact).abs() < 4.5 * error + 1e-9).all()


def test_the_same_seed_plays_the_same() -> None:
    games = random_games("ordered", Size(), 3, torch.Generator().manual_seed(7))
    once, again = (play(games, Greedy(), 10, torch.Generator().manual_seed(8)) for _ in range(2))
    assert torch.equal(once.design, again.design)
    assert torch.equal(once.belief, again.belief)
