"""Adaptation to one domain: only what may change does, what comes out is an experimenter again, and it learns."""

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.training.adaptation import WHICH, Which, adapted, adapting
from meta_learner.training.decisions import OneDomain
from meta_learner.training.training import Stage

SHAPE = Shape(width=16, heads=2, layers=1)


def network() -> Experimenter:
    torch.manual_seed(0)
    return Experimenter(SHAPE)


def small(name: str) -> OneDomain:
    sizes = {"hypotheses": 24, "outcomes": 8, "designs": 8, "tried": 24, "known_hypotheses": 64, "known_outcomes": 16}
    return OneDomain(known=DomainModel(find(name)), **sizes)


@pytest.mark.parametrize("which", WHICH)
def test_only_what_may_change_does(which: Which) -> None:
    before = network()
    session = adapting(before, small("enzyme-kinetics"), which=which, stage=Stage(3, 4, 1e-2))
    assert len(list(session.run())) == 3
    after = adapted(session)
    old, new = before.state_dict(), after.state_dict()
    assert old.keys() == new.keys()
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    head = {name for name in old if name.startswith(("leave", "residual", "worth"))}
    if which == "head":
        assert changed <= head
    assert changed & head
    if which == "low-rank":
        (wide,) = (part for name, part in new.items() if name == "blocks.0.each.1.weight")
        assert torch.linalg.matrix_rank(wide - old["blocks.0.each.1.weight"], atol=1e-6) <= 4
        assert "blocks.0.each.1.bias" not in changed
    assert all(parameter.requires_grad for parameter in after.parameters())
    assert torch.equal(before.state_dict()["cell.weight"], network().state_dict()["cell.weight"])


@pytest.mark.statistical
def test_it_becomes_better_at_the_domain() -> None:
    """On 40 batches of decisions that it did not learn from, its regret is below that of before, greedy's: paired, by
    more than 4 standard errors (false alarms 3e-5). A quarter of the regret goes."""
    before, task = network(), small("psychometric-function")
    session = adapting(before, task, which="all", stage=Stage(120, 16, 5e-3))
    for _ in session.run():
        pass
    old, new = (regrets(learner, task) for learner in (before, adapted(session)))
    less = old - new
    assert less.mean() > 4 * less.std() / 40**0.5


def regrets(learner: Experimenter, task: OneDomain) -> torch.Tensor:
    generator = torch.Generator().manual_seed(77)
    with torch.no_grad():
        return torch.tensor([lesson.told for _ in range(40) for lesson in task.lessons(learner, 16, generator)])
