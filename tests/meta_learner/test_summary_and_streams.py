"""Summaries of particles, and random streams."""

import pytest
import torch

from meta_learner.streams import stream
from meta_learner.summary import marginal


def test_weighted_moments_and_quantiles() -> None:
    """Against the definition: the q-quantile is the smallest value whose cumulative weight reaches q."""
    values = torch.tensor([[3.0, 1.0, 2.0, 4.0], [0.0, 0.0, 5.0, 5.0]], dtype=torch.float64)
    weight = torch.tensor([[0.06, 0.04, 0.85, 0.05], [0.25, 0.25, 0.25, 0.25]], dtype=torch.float64)
    found = marginal(values, weight.log())
    assert found.mean.tolist() == pytest.approx([0.18 + 0.04 + 1.7 + 0.2, 2.5])
    assert found.sd[1].item() == pytest.approx(2.5)
    assert found.low90.tolist() == [2.0, 0.0]
    assert found.high90.tolist() == [3.0, 5.0]


def test_streams_differ_by_every_part_of_their_key_and_by_nothing_else() -> None:
    keys = [(1, 0, 0, "noise"), (2, 0, 0, "noise"), (1, 1, 0, "noise"), (1, 0, 1, "noise"), (1, 0, 0, "world")]
    draws = [torch.rand(4, generator=stream(*key)).tolist() for key in keys]  # type: ignore[arg-type]
    assert len({tuple(draw) for draw in draws}) == len(keys)
    assert torch.rand(4, generator=stream(*keys[0])).tolist() == draws[0]  # type: ignore[arg-type]
