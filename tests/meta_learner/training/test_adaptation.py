"""Adaptation to one domain: only what may change does, what comes out is an experimenter again, and it learns."""

import pytest
import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.experimenter.network import Experimenter, Shape
from meta_learner.training.adaptation import WHICH, Which, adapted, adapting
from meta_learner.training.decisions import KnownDomains
from meta_learner.training.training import Stage

SHAPE = Shape(width=16, heads=2, layers=1)


def network() -> Experimenter:
    torch.manual_seed(0)
    return Experimenter(SHAPE)


def small(name: str) -> KnownDomains:
    table = {"hypotheses": 16, "outcomes": 6, "designs": 6, "tried": 12}
    teacher = {"particles": 256, "known_hypotheses": 64, "known_outcomes": 12}
    return KnownDomains(known=(DomainModel(find(name)),), **table, **teacher)


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
    more than 4 standard errors (false alarms 3e-5). Two fifths of the regret go, which is 10 standard errors."""
    before, task = network(), small("dose-finding")
    session = adapting(before, task, which="all", stage=Stage(100, 16, 5e-3))
    for _ in session.run():
        pass
    old, new = (regrets(learner, task) for learner in (before, adapted(session)))
    less = old - new
    assert less.mean() > 4 * less.std() / 40**0.5


def regrets(learner: Experimenter, task: KnownDomains) -> torch.Tensor:
    generator = torch.Generator().manual_seed(77)
    with torch.no_grad():
        return torch.tensor([lesson.told for _ in range(40) for lesson in task.lessons(learner, 32, generator)])
