"""The allowed design that is nearest to what a network wants."""

import torch
from torch import Tensor

from domains import randomness
from domains.design_space import DesignSpace

_CANDIDATES = 256
_ON_THE_WAY = 16  # points between what is wanted and the cheapest design


def nearest(space: DesignSpace, unit: Tensor, remaining: Tensor) -> Tensor:
    """Designs [rows, columns]: of unit [rows, columns] where constraints and what remains [rows] allow it; else the
    nearest allowed one, in the unit cube, of a fixed Sobol sequence and of points on the way to the cheapest design;
    the cheapest where none is allowed. Gradients pass where nothing had to be moved.
    """
    wanted = space.decode(unit)
    closed = ~space.available(wanted.detach(), remaining)
    rows = closed.nonzero()[:, 0]
    if len(rows) == 0:
        return wanted
    moved = _nearest_of(space, unit.detach()[rows], remaining[rows])
    return wanted.index_copy(0, rows, moved)


def _nearest_of(space: DesignSpace, unit: Tensor, remaining: Tensor) -> Tensor:
    rows, columns = unit.shape
    cheapest = space.encode(space.cheapest)
    share = torch.linspace(0.0, 1.0, _ON_THE_WAY + 1, dtype=torch.float64)[1:, None]
    way = unit[:, None] + share * (cheapest - unit[:, None])
    spread = space.sobol(_CANDIDATES, randomness.generator(0)) if space.every is None else space.every
    designs = torch.cat([spread.expand(rows, -1, -1), space.decode(way), space.cheapest.expand(rows, 1, columns)], 1)
    allowed = space.available(designs, remaining[:, None])
    return _closest(space, unit, designs, allowed, otherwise=space.cheapest)


def nearest_in(space: DesignSpace, unit: Tensor, designs: Tensor, allowed: Tensor) -> Tensor:
    """Of designs [rows, designs, columns] the nearest to unit [rows, columns] that is allowed [rows, designs]; the
    first where none is."""
    return _closest(space, unit, designs, allowed, otherwise=designs[:, 0])


def _closest(space: DesignSpace, unit: Tensor, designs: Tensor, allowed: Tensor, otherwise: Tensor) -> Tensor:
    distance = (space.encode(designs) - unit[:, None]).square().sum(-1)
    pick = torch.where(allowed, distance, torch.inf).argmin(-1)
    found = designs[torch.arange(len(unit)), pick]
    return torch.where(allowed.any(-1, keepdim=True), found, otherwise)
