"""Shifts and noise of what is trained on: where beliefs lie, and that without a shift nothing is drawn for it."""

import torch

from domains.loading import find
from domains.worlds import DomainModel
from meta_learner.streams import stream
from meta_learner.training.decisions import KnownDomains, RandomDomains

MODEL = DomainModel(find("enzyme-kinetics"))


def centres(shift: tuple[float, float], games: int = 400) -> torch.Tensor:
    """Where beliefs of the first law lie, in standard deviations of the prior [games, dims]."""
    task = KnownDomains(known=(MODEL,), particles=64, narrow=20.0, shift=shift)
    belief = task._belief(MODEL, games, stream(1, 0, 0, "training"))
    prior = MODEL.mechanisms[0].sample_prior((4096,), stream(2, 0, 0, "prior"))
    z = belief.populations[0].z.mean(1)
    return (z - prior.mean(0)) / prior.std(0)


def test_shifted_beliefs_lie_further_off() -> None:
    """The mean square of centres at a prior draw plus two standard deviations is near 1 + 4."""
    usual, shifted = (centres(shift).square().mean() for shift in ((0.0, 0.0), (2.0, 2.0)))
    assert usual < 1.3
    assert 4.0 < shifted < 6.0


def test_without_a_shift_no_draw_is_made_for_it() -> None:
    task = KnownDomains(known=(MODEL,), particles=64)
    generators = [stream(1, 0, 0, "training") for _ in range(2)]
    z = MODEL.mechanisms[0].sample_prior((4, 8), generators[0])
    MODEL.mechanisms[0].sample_prior((4, 8), generators[1])
    assert task._moved(z[:, :1], z, generators[0]) is not None
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


def test_noise_is_that_of_the_recipe() -> None:
    """Of domains whose outcomes have a spread of their own; counts have none."""
    spread = []
    for noise in (0.05, 0.5):
        task = RandomDomains(seeds=(0, 40), noise=(noise, noise))
        domains = [task.model(stream(seed, 0, 0, "training")).domain for seed in range(12)]
        spread.append([domain.identity for domain in domains])
    different = sum(one != other for one, other in zip(*spread, strict=True))
    assert different >= 4
    usual = RandomDomains(seeds=(0, 40)).model(stream(0, 0, 0, "training")).domain
    assert (
        usual.identity
        == RandomDomains(seeds=(0, 40), noise=(0.03, 0.4)).model(stream(0, 0, 0, "training")).domain.identity
    )
