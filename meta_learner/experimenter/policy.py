"""The experimenter's choices: on games, and in any domain."""

import torch
from torch import Tensor

from domains import randomness
from meta_learner.experimenter.features import Known, Table, of_games
from meta_learner.experimenter.network import Experimenter
from meta_learner.games.of_domain import game_of, goal_of
from meta_learner.games.table import Games
from meta_learner.information import stratified
from meta_learner.policies.base import Choice, DesignProblem, Policy
from meta_learner.policies.expected_information_gain import ExpectedInformationGain, Search, best, top

_HYPOTHESES, _DESIGNS, _OUTCOMES = 64, 16, 16  # in the table
_TRUST = 0.75  # in a residual that comes from so few hypotheses


def cautious(network: Experimenter, table: Table) -> Tensor:
    """Logits [rows, designs] of a decision in a domain: greedy's scores and three quarters of the residual. Few drawn
    hypotheses make it noisy, and what looks best by noise is taken too often; shrunk, it was not found to lose on
    greedy for any goal (decision 89)."""
    greedy = network.shape.sharpness * table.gain
    return greedy + _TRUST * (network(table)[0] - greedy)


class Learned:
    """The design with the highest logit."""

    def __init__(self, network: Experimenter, goal: str) -> None:
        self._network, self._goal = network, goal

    @torch.no_grad()
    def __call__(self, games: Games, belief: Tensor, left: Tensor) -> Tensor:
        logits, _ = self._network(of_games(games, belief, left, self._goal))
        return logits.argmax(-1).reshape(left.shape)


class ExperimenterPolicy(Policy):
    """Candidates are those that ``expected-information-gain`` finds; the network, shown what 64 hypotheses say of the
    16 best, decides among them. Scores: logits. Greedy decides alone, and scores are its own, over the later designs of
    a batch, and where some parameters are to be learned and others not, which no utility of a game says: the variance
    of predictions is another thing (on psychometric-function it costs a tenth of the information)."""

    name = "experimenter"
    hypotheses = ExpectedInformationGain.hypotheses

    def __init__(self, network: Experimenter, search: Search | None = None) -> None:
        self._network = network.eval()
        self._greedy = ExpectedInformationGain(search)

    @torch.no_grad()
    def choose(self, problem: DesignProblem) -> Choice:
        designs, gain = top(*self._greedy.finalists(problem), _DESIGNS)
        alone = problem.pending.shape[1] > 0 or problem.model.domain.goal.parameters
        logits = gain if alone else self._logits(problem, designs, gain)
        choice = best(designs, torch.where(gain.isfinite(), logits, -torch.inf))
        if problem.pool is not None:
            return choice
        possible = gain.isfinite().any(-1, keepdim=True)
        return Choice(
            torch.where(possible, choice.designs, problem.model.space.cheapest), choice.leading, choice.scores
        )

    def _logits(self, problem: DesignProblem, designs: Tensor, gain: Tensor) -> Tensor:
        few = problem.hypotheses.first(_HYPOTHESES)
        stream = randomness.generator((problem.scoring + 2) % 2**63)
        noise = stratified(_OUTCOMES, len(problem.model.outcome_names), stream)
        goal = goal_of(problem.model, problem.certain)
        level = torch.full_like(problem.remaining, problem.certain or 0.0) if goal == "certainty" else None
        game = game_of(problem.model, few, designs, problem.remaining, noise, level=level)
        known = Known(gain.nan_to_num(neginf=0.0)[:, None], problem.hypotheses.mechanism.shape[1])
        table = of_games(game, game.prior[:, None], game.budget[:, None], goal, known)
        return cautious(self._network, table).to(torch.float64)
