"""The fast evaluations give what the law's own log-likelihood gives."""

import pytest
import torch

from domains.loading import find, load_text
from domains.worlds import DomainModel
from meta_learner.belief import History
from meta_learner.evaluation.likelihoods import Likelihoods
from meta_learner.streams import stream

COUNTS = """
format: 1
name: counts
designs: {n: {integer: [1, 4]}, dose: {levels: [0.5, 1, 2]}}
parameters: {a: {prior: {normal: [0, 1]}}}
mechanisms:
  steep: {parameters: {b: {prior: {normal: [0, 1]}}}, let: {p: 1 / (1 + exp(-(a + b * dose)))}}
  flat: {let: {p: 1 / (1 + exp(-a))}}
outcomes:
  hits: {binomial: {n: n, p: p}}
  reading: {normal: {mean: p * n, sd: 0.5}}
budget: 6
goal: learn
"""


def model(name: str) -> DomainModel:
    return DomainModel(load_text(COUNTS) if name == "counts" else find(name))


def experiments(model: DomainModel, runs: int, steps: int) -> History:
    """Random designs; one outcome, and all of one experiment, missing."""
    worlds = model.draw_worlds(runs, stream(5, 0, 0, "world"))
    designs = model.space.uniform(runs * steps, stream(5, 0, 0, "design")).reshape(runs, steps, -1)
    each = [model.simulate(worlds, designs[:, step], stream(5, 0, step, "noise")) for step in range(steps)]
    outcomes = torch.stack(each, dim=1)
    outcomes[0, 0, 0] = torch.nan
    outcomes[1, 1] = torch.nan
    return History(designs, outcomes)


@pytest.mark.parametrize("name", ["counts", "ces", "prey-population", "source-location", "epidemic"])
@pytest.mark.parametrize("grouped", [True, False])
def test_log_sums_are_those_of_the_law(name: str, grouped: bool) -> None:
    domain = model(name)
    history = experiments(domain, 6, 5)
    likelihoods = Likelihoods(domain, history, grouped=grouped)
    for index, law in enumerate(domain.mechanisms):
        z = law.sample_prior((40,), stream(5, 0, 0, "contrast"))
        points = law.parameters(z)
        each = {key: value[:, None] for key, value in points.items()}
        plain = [law.log_likelihood(each, d, y).sum(-1) for d, y in zip(history.designs, history.outcomes, strict=True)]
        expected = torch.stack(plain)
        close = 1e-9 if name != "epidemic" else 1e-5  # other designs beside them change the steps of dynamics
        found = likelihoods.log_sum(index, points)
        torch.testing.assert_close(found, expected.logsumexp(-1), rtol=close, atol=close)
        torch.testing.assert_close(likelihoods.of_run(2, index, points), expected[2], rtol=close, atol=close)


@pytest.mark.parametrize("name", ["source-location", "hyperbolic-discounting", "ces", "counts"])
def test_what_is_left_out_is_certain_to_be_below_the_floor(name: str) -> None:
    domain = model(name)
    history = experiments(domain, 6, 12)
    likelihoods = Likelihoods(domain, history, grouped=False)
    points = domain.mechanisms[0].parameters(domain.mechanisms[0].sample_prior((500,), stream(5, 0, 0, "contrast")))
    terms = torch.stack([likelihoods.of_run(run, 0, points) for run in range(6)])
    floor = terms.quantile(0.8, dim=-1)
    found = likelihoods.log_sum(0, points, floor)
    above = torch.where(terms >= floor[:, None], terms, -torch.inf).logsumexp(-1)
    assert (found >= above - 1e-9).all()
    assert (found <= terms.logsumexp(-1) + 1e-9).all()
    torch.testing.assert_close(likelihoods.log_sum(0, points, floor - 1e6), terms.logsumexp(-1))


def test_unlikely_points_are_left_out() -> None:
    """On a sharp question most points go after a few experiments: the sum is then that of those that are left."""
    domain = model("source-location")
    likelihoods = Likelihoods(domain, experiments(domain, 6, 12), grouped=False)
    points = domain.mechanisms[0].parameters(domain.mechanisms[0].sample_prior((500,), stream(5, 0, 0, "contrast")))
    nothing = likelihoods.log_sum(0, points, torch.full((6,), 1e6, dtype=torch.float64))
    assert (nothing == -torch.inf).all()
