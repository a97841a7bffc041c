"""Laws in Python with an exact belief: the graphs of structural-causal."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from domains.conformance import check_domain
from domains.errors import DocumentError
from domains.loading import find, load_text
from domains.simulators import ExactSimulator
from domains.structural_causal import all_graphs, arrows
from domains.structural_causal.laws import LinearGaussianGraphs
from domains.worlds import DomainModel
from meta_learner.belief import BeliefSettings, prior_belief
from meta_learner.hypotheses import draw_hypotheses
from meta_learner.information import expected_information, pose
from meta_learner.laboratory import Simulation
from meta_learner.policies.random import Random
from meta_learner.rollout import BlockSteps, rollout
from meta_learner.smc import update
from meta_learner.streams import stream
from orchestrator.recording import belief_rows

EXACT_FAULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "predictive_sample and sample": ("predictive_sample", lambda right: 3 * right),
    "of the draws of": ("draw", lambda right: {name: 0.9 * value for name, value in right.items()}),
    "must have the parameters": ("marginals", lambda right: dict(list(right.items())[1:])),
    "not the ratio of the evidences": ("predictive_log_density", lambda right: right + 0.1),
}


@pytest.mark.parametrize("fault", EXACT_FAULTS)
def test_each_part_of_an_exact_belief_is_examined(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed form with one wrong part, everything else as it is."""
    method, wrong = EXACT_FAULTS[fault]
    right = getattr(LinearGaussianGraphs, method)
    monkeypatch.setattr(LinearGaussianGraphs, method, lambda *a: wrong(right(*a)))
    assert any(fault in problem for problem in check_domain(find("structural-causal")))


def test_the_order_of_options_designs_and_outcomes_means_nothing(causal: DomainModel) -> None:
    """A copy with all of them turned round: the same evidence for the same graph from the same experiments."""
    text = causal.domain.text
    for old, new in (
        ("[nothing, a, b, c, d]", "[d, nothing, b, a, c]"),
        ("  a: {}\n  b: {}\n  c: {}\n  d: {}", "  d: {}\n  b: {}\n  c: {}\n  a: {}"),
    ):
        assert old in text
        text = text.replace(old, new)
    lines = text.splitlines()
    first, second = (next(i for i, line in enumerate(lines) if line.startswith(f"  {k}:")) for k in ("force", "value"))
    lines[first], lines[second] = lines[second], lines[first]
    turned = DomainModel(load_text("\n".join(lines)))
    assert turned.space.names == ("value", "force")
    generator = torch.Generator().manual_seed(6)
    worlds = causal.draw_worlds(4, generator)
    designs = causal.space.uniform(40, generator).reshape(4, 10, -1)
    outcomes = torch.stack([causal.simulate(worlds, designs[:, t], generator) for t in range(10)], dim=1)
    again = torch.stack([turned.space.from_names(causal.space.to_names(d)) for d in designs.flatten(0, 1)])
    place = [causal.outcome_names.index(name) for name in turned.outcome_names]
    evidence = {}
    for model, there, what in ((causal, designs, outcomes), (turned, again.reshape(4, 10, -1), outcomes[..., place])):
        assert isinstance(model.simulator, ExactSimulator)
        found = model.simulator.posterior(there, what).log_evidence
        arrows_of = [frozenset(m.name.split("_")) for m in model.domain.mechanisms]
        evidence[model] = dict(zip(arrows_of, found.unbind(-1), strict=True))
    assert len(evidence[causal]) == 543
    for graph, value in evidence[causal].items():
        torch.testing.assert_close(evidence[turned][graph], value)
    assert check_domain(turned.domain) == []


def test_a_belief_without_a_leader_is_reported(causal: DomainModel) -> None:
    """543 laws of equal probability."""
    row = belief_rows(causal, prior_belief(causal, 1, BeliefSettings(), torch.Generator().manual_seed(1)))[0]
    assert row["most_probable"] in row["mechanisms"]


def test_a_reading_far_off_surprises_to_the_end(causal: DomainModel) -> None:
    """One reading of a million at experiment 5 of 80, with 320 outcomes in all."""
    laboratory = Simulation(causal, seed=4, block=0, runs=2)
    assert laboratory.worlds is not None
    designs = causal.space.from_names({"force": "nothing", "value": 0.0}).expand(2, -1)
    belief = prior_belief(causal, 2, BeliefSettings(), stream(4, 0, 0, "prior"))
    for step in range(80):
        outcomes = causal.simulate(laboratory.worlds, designs, stream(4, 0, step, "noise"))
        outcomes[0, 0] = 1e6 if step == 4 else outcomes[0, 0]
        belief = update(
            causal, belief, designs, outcomes, settings=BeliefSettings(), generator=stream(4, 0, step, "update")
        )
    assert belief.surprised.tolist() == [True, False]


@pytest.fixture(scope="module")
def causal() -> DomainModel:
    return DomainModel(find("structural-causal"))


def test_structural_causal_passes_the_conformance_suite(causal: DomainModel) -> None:
    assert check_domain(causal.domain) == []


def test_every_graph_is_there_once() -> None:
    """Robinson's numbers of labelled acyclic digraphs, and no more arrows than pairs."""
    assert [len(all_graphs(count)) for count in (1, 2, 3, 4)] == [1, 3, 25, 543]
    assert len(set(all_graphs(4))) == 543
    assert max(len(list(arrows(graph))) for graph in all_graphs(4)) == 6


def test_the_exact_belief_does_not_depend_on_the_order_of_experiments(causal: DomainModel) -> None:
    simulator = causal.simulator
    assert isinstance(simulator, ExactSimulator)
    generator = torch.Generator().manual_seed(0)
    worlds = causal.draw_worlds(5, generator)
    designs = causal.space.uniform(50, generator).reshape(5, 10, -1)
    outcomes = torch.stack([causal.simulate(worlds, designs[:, t], generator) for t in range(10)], dim=1)
    order = torch.randperm(10, generator=generator)
    forward = simulator.posterior(designs, outcomes).log_evidence
    torch.testing.assert_close(simulator.posterior(designs[:, order], outcomes[:, order]).log_evidence, forward)


def test_a_missing_outcome_leaves_the_exact_belief_as_it_was(causal: DomainModel) -> None:
    generator = torch.Generator().manual_seed(0)
    before = prior_belief(causal, 2, BeliefSettings(), generator)
    missing = torch.full((2, 4), torch.nan, dtype=torch.float64)
    designs = causal.space.uniform(2, generator)
    after = update(causal, before, designs, missing, settings=BeliefSettings(), generator=generator)
    torch.testing.assert_close(after.log_probability, before.log_probability)


def test_expected_information_is_the_mean_drop_of_entropy(causal: DomainModel) -> None:
    """Of the belief about the graph, over 4,000 simulated next experiments; agreement within 5 standard errors."""
    runs = 4000
    settings = BeliefSettings()
    generator = torch.Generator().manual_seed(5)
    worlds = causal.draw_worlds(1, generator)
    belief = prior_belief(causal, 1, settings, generator)
    for design in causal.space.uniform(6, generator):
        outcomes = causal.simulate(worlds, design[None], generator)
        belief = update(causal, belief, design[None], outcomes, settings=settings, generator=generator)
    design = causal.space.from_names({"force": "b", "value": 2.0})[None]
    rows = draw_hypotheses(causal, belief, 2048, generator)
    expected = expected_information(causal, pose(causal, rows, 2048), design[None], generator)[0, 0]
    simulator, posterior = causal.simulator, belief.posterior
    assert isinstance(simulator, ExactSimulator)
    assert posterior is not None
    mechanism = torch.multinomial(belief.log_probability.exp(), runs, replacement=True, generator=generator)
    uniforms = torch.rand((runs, 4, 2), generator=generator, dtype=torch.float64)
    y = simulator.predictive_sample(posterior.statistics, mechanism, design[None], uniforms)
    everything = torch.arange(len(causal.mechanisms))[None]
    density = simulator.predictive_log_density(posterior.statistics, everything, design[None], y)[0, ..., 0]
    after = (belief.log_probability + density).log_softmax(-1)
    drop = entropy(belief.log_probability[0]) - entropy(after)
    assert (drop.mean() - expected).abs() < 5 * drop.std() / runs**0.5 + 0.01


def entropy(log_probability: torch.Tensor) -> torch.Tensor:
    return -(log_probability.exp() * log_probability).nan_to_num().sum(-1)


def test_worlds_drawn_from_the_posterior_have_its_marginals(causal: DomainModel) -> None:
    """4,000 draws under one graph against the closed-form quantiles: 5 % and 95 %, within 5 standard errors."""
    simulator = causal.simulator
    assert isinstance(simulator, ExactSimulator)
    generator = torch.Generator().manual_seed(8)
    worlds = causal.draw_worlds(1, generator)
    designs = causal.space.uniform(12, generator)[None]
    outcomes = torch.stack([causal.simulate(worlds, designs[:, t], generator) for t in range(12)], dim=1)
    statistics = simulator.posterior(designs.expand(4000, -1, -1), outcomes.expand(4000, -1, -1)).statistics
    drawn = simulator.draw(statistics, 500, generator)
    marginals = simulator.marginals(statistics[:1], 500)
    assert drawn.keys() == marginals.keys()
    for name, marginal in marginals.items():
        for quantile, share in ((marginal.low90, 0.05), (marginal.high90, 0.95)):
            below = (drawn[name] <= quantile).to(torch.float64).mean()
            assert (below - share).abs() < 5 * (0.05 * 0.95 / 4000) ** 0.5, name


def test_probabilities_of_graphs_are_calibrated(causal: DomainModel) -> None:
    """Of 300 worlds after 15 random experiments, as many have their graph on top as the beliefs say (within 4.5 sd)."""
    runs = 300
    laboratory = Simulation(causal, seed=9, block=0, runs=runs)
    assert laboratory.worlds is not None
    designs = causal.space.uniform(runs * 15, stream(9, 0, 0, "design")).reshape(runs, 15, -1)
    outcomes = [causal.simulate(laboratory.worlds, designs[:, t], stream(9, 0, t, "noise")) for t in range(15)]
    simulator = causal.simulator
    assert isinstance(simulator, ExactSimulator)
    evidence = simulator.posterior(designs, torch.stack(outcomes, dim=1)).log_evidence
    top, best = (causal.log_weights + evidence).softmax(-1).max(-1)
    identified = (best == laboratory.worlds.mechanism).sum()
    assert (identified - top.sum()).abs() < 4.5 * (top * (1 - top)).sum().sqrt()
    assert top.mean() < 0.9  # else the test would tell nothing


def test_a_run_of_random_experiments_finds_weights(causal: DomainModel) -> None:
    """The closed-form marginals hold the true weight of an arrow that the belief is sure of."""
    laboratory = Simulation(causal, seed=2, block=0, runs=6)
    steps = BlockSteps(causal, Random(), laboratory, budget=40, seed=2, block=0)
    *_, state = rollout(steps, 6)
    worlds, posterior = laboratory.worlds, state.belief.posterior
    assert worlds is not None
    assert posterior is not None
    assert isinstance(causal.simulator, ExactSimulator)
    inside = []
    for run, law in enumerate(worlds.mechanism.tolist()):
        found = causal.simulator.marginals(posterior.statistics, law)
        truth = worlds.parameters[law]
        assert found.keys() == truth.keys()
        inside += [bool(m.low90[run] <= truth[name][run] <= m.high90[run]) for name, m in found.items()]
    assert sum(inside) >= 0.75 * len(inside)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[nothing, a, b, c, d]", "[nothing, a, b, c]", "a choice of a, b, c, d, nothing, and a number"),
        ("spread: 2", "spread: 0", "spread must be a constant above 0"),
        (
            "precision_a: {prior: {gamma: [4, 2]}}",
            "precision_a: {prior: {lognormal: [0, 1]}}",
            "must have the prior gamma",
        ),
    ],
)
def test_a_changed_copy_that_the_laws_do_not_fit_is_refused(before: str, after: str, message: str) -> None:
    text = find("structural-causal").text
    assert before in text
    with pytest.raises(DocumentError, match=message):
        load_text(text.replace(before, after))
