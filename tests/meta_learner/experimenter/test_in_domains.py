"""The experimenter in real domains: games made of their decisions hold what the laws say, and choices are legal."""

import math

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.evaluation.investigated import simulated_block
from meta_learner.experimenter.features import GOALS, Table
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.experimenter.policy import ExperimenterPolicy
from meta_learner.games.of_domain import game_of, goal_of
from meta_learner.games.utilities import UTILITIES
from meta_learner.hypotheses import draw_hypotheses
from meta_learner.information import expected_information, pose, stratified
from meta_learner.laboratory import Simulation
from meta_learner.policies import ExpectedInformationGain
from meta_learner.policies.expected_information_gain import Search
from meta_learner.rollout import rollout
from meta_learner.stopping import StoppingRules
from meta_learner.streams import stream

SHAPE = Shape(width=16, heads=2, layers=1)
SEARCH = Search(candidates=32, refined=8, parents=4, climbers=2, coarse=16, coarse_draws=16, final_draws=32)


def shaken() -> Experimenter:
    """A network whose residual says something."""
    torch.manual_seed(0)
    network = Experimenter(SHAPE)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


def decision(name: str, hypotheses: int = 48, draws: int = 16):
    model = DomainModel(find(name))
    belief = prior_belief(model, 2, BeliefSettings(particles=200), stream(3, 0, 0, "prior"))
    rows = draw_hypotheses(model, belief, hypotheses, stream(3, 0, 0, "hypothesise"))
    designs = model.space.sobol(6, stream(3, 0, 0, "design")).expand(2, -1, -1)
    noise = stratified(draws, len(model.outcome_names), stream(3, 0, 0, "score"))
    return model, rows, designs, game_of(model, rows, designs, torch.full((2,), 5.0, dtype=torch.float64), noise)


def test_yes_or_no_is_exact() -> None:
    """Two outcomes are listed: the game's greedy scores are expected information, to single precision."""
    model, rows, designs, game = decision("hyperbolic-discounting")
    assert game.outcomes.shape == (2, 6, 48, 2)
    utility = UTILITIES["information"]
    told = utility.after(game, game.prior[:, None])[:, 0] - utility(game, game.prior[:, None])
    exact = expected_information(model, pose(model, rows, 16), designs, stream(0, 0, 0, "score"))
    torch.testing.assert_close(told.to(torch.float64), exact, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["source-location", "ces", "dose-finding", "epidemic", "structural-causal"])
def test_tables_of_drawn_outcomes_are_probabilities(name: str) -> None:
    """Continuous, censored, count and vector outcomes, dynamics, and laws in Python."""
    model, rows, _, game = decision(name)
    torch.testing.assert_close(game.outcomes.sum(-1), torch.ones(game.outcomes.shape[:-1]))
    assert bool((game.outcomes > 0).all())
    assert game.outcomes.shape[2] == rows.mechanism.shape[1]
    told = UTILITIES[goal_of(model)].after(game, game.prior[:, None])[:, 0]
    assert bool((told >= UTILITIES[goal_of(model)](game, game.prior[:, None]) - 1e-4).all())


@pytest.mark.statistical
def test_drawn_outcomes_rank_designs_as_expected_information_does() -> None:
    """On source-location: 64 outcomes of 64 hypotheses give scores whose rank correlation with expected information by
    512 hypotheses is above 0.8 on average over two runs of 40 designs; by chance it is above 0.5 once in a thousand."""
    model = DomainModel(find("source-location"))
    belief = prior_belief(model, 2, BeliefSettings(particles=600), stream(3, 0, 0, "prior"))
    many = draw_hypotheses(model, belief, 512, stream(3, 0, 0, "hypothesise"))
    designs = model.space.sobol(40, stream(3, 0, 0, "design")).expand(2, -1, -1)
    noise = stratified(64, 1, stream(3, 0, 0, "score"))
    game = game_of(model, many.first(64), designs, torch.ones(2, dtype=torch.float64), noise)
    told = UTILITIES["information"].after(game, game.prior[:, None])[:, 0]
    exact = expected_information(model, pose(model, many, 256), designs, stream(1, 0, 0, "score"))
    ranks = torch.stack([told.argsort(-1).argsort(-1).double(), exact.argsort(-1).argsort(-1).double()])
    centred = ranks - ranks.mean(-1, keepdim=True)
    correlation = centred.prod(0).sum(-1) / centred.square().sum(-1).prod(0).sqrt()
    assert correlation.mean() > 0.8


@pytest.mark.parametrize("name", ["source-location-unit", "dose-finding", "memory-decay"])
def test_untrained_it_chooses_as_greedy_does(name: str) -> None:
    model = DomainModel(find(name))
    chosen = []
    for policy in (ExpectedInformationGain(SEARCH), ExperimenterPolicy(Experimenter(SHAPE), SEARCH)):
        steps, _ = simulated_block(model, policy, runs=2, seed=4, settings=BeliefSettings(particles=200))
        steps.policy.hypotheses = 64
        state = steps.begin(2)
        for _ in range(2):
            state = steps.turn(state)
        chosen.append(state.belief.history.designs)
    assert torch.equal(*chosen)


@pytest.mark.parametrize("name", ["enzyme-inhibition", "reaction-yield", "inventory-demand", "psychometric-function"])
def test_whatever_the_network_says_designs_are_allowed(name: str) -> None:
    """Costs, constraints, choices and whole numbers, for four goals; all runs spend what they may and no more."""
    model = DomainModel(find(name))
    budget = 3.0 * float(model.space.cost(model.space.cheapest))
    policy = ExperimenterPolicy(shaken(), SEARCH)
    steps, _ = simulated_block(model, policy, runs=2, seed=5, budget=budget, settings=BeliefSettings(particles=200))
    for state in rollout(steps, 2):
        assert bool((state.spent <= budget * (1 + 1e-9)).all())
    assert bool(model.space.feasible(state.belief.history.designs).all())


def test_where_some_parameters_are_to_be_learned_greedy_decides() -> None:
    """To the bit, whatever the network says."""
    model = DomainModel(find("psychometric-function"))
    chosen = []
    for policy in (ExperimenterPolicy(shaken(), SEARCH), ExpectedInformationGain(SEARCH)):
        steps, _ = simulated_block(model, policy, runs=3, seed=6, settings=BeliefSettings(particles=100))
        chosen.append(steps.turn(steps.turn(steps.begin(3))).belief.history.designs)
    assert torch.equal(*chosen)


def test_it_never_sees_the_truth() -> None:
    """The same beliefs over other worlds give the same choices."""
    model = DomainModel(find("enzyme-kinetics"))
    chosen = []
    for worlds in (1, 2):
        steps, _ = simulated_block(
            model, ExperimenterPolicy(shaken(), SEARCH), runs=3, seed=6, settings=BeliefSettings(particles=100)
        )
        steps.laboratory = Simulation(model, seed=worlds, block=0, runs=3)
        chosen.append(steps.design(steps.hypothesise(steps.begin(3))).choice.designs)
    assert torch.equal(*chosen)


class Watched(Experimenter):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.seen: list[Table] = []

    def forward(self, table: Table) -> tuple[torch.Tensor, torch.Tensor]:
        self.seen.append(table)
        return super().forward(table)


@pytest.mark.parametrize(
    ("name", "certain", "goal"),
    [
        ("memory-decay", None, "decision"),
        ("memory-decay", 0.95, "certainty"),
        ("enzyme-kinetics", 0.95, "information"),  # what ends the run is not what is asked
    ],
)
def test_where_a_run_ends_with_certainty_that_is_what_it_is_played_for(
    name: str, certain: float | None, goal: str
) -> None:
    """The goal, and how sure it is to be, stand in the table."""
    model, network = DomainModel(find(name)), Watched()
    steps, _ = simulated_block(
        model,
        ExperimenterPolicy(network, SEARCH),
        runs=2,
        seed=5,
        settings=BeliefSettings(particles=100),
        stop=StoppingRules(probability=certain),
    )
    steps.turn(steps.begin(2))
    (table,) = network.seen
    asked = dict(zip(GOALS, table.whole[0, -len(GOALS) :].tolist(), strict=True))
    assert asked == {each: float(each == goal) for each in GOALS}
    level = table.whole[:, -len(GOALS) - 1]
    said = -math.log(1 - certain) if goal == "certainty" and certain else 0.0
    torch.testing.assert_close(level, torch.full_like(level, said))
