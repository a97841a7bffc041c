"""What one normal outcome tells, where all hypotheses share its noise: the entropy of its predictive density on a grid.

I(hypothesis; y) = H(Σ_k w_k N(m_k, 1)) − ½ log 2πe, means m_k in units of the noise. The means are spread over the
cells of a grid (linear binning), blurred by a Fourier transform (Silverman 1982, Appl. Statist. 31, 93), and −Σ p log p
is added up: no outcome is drawn, and the cost is in proportion to hypotheses and cells, not to outcomes × hypotheses.
Where the means lie further apart than the grid resolves, the outcome is taken to be read with more noise, the least
that it does resolve: it then tells less (data processing), so that what is found is a lower bound.
"""

import math

import torch
from torch import Tensor

_CELLS = 128
_TAIL = 6.0  # standard deviations kept beyond the outermost means
_FINEST = 1.6  # cells in a standard deviation, below which the sum is not exact
WIDEST = (_CELLS - 2) / _FINEST - 2 * _TAIL  # between the outermost means, in units of the noise, without more noise
_NOISE = 0.5 * math.log(2 * math.pi * math.e)


def information_on_grid(mean: Tensor, bounds: tuple[Tensor, Tensor], sd: Tensor, weight: Tensor) -> Tensor:
    """I(hypothesis; y) [...] in nats: mean [..., hypotheses], finite; the least and the most of these, and the noise
    sd [..., 1]; weight, adding up to 1 over hypotheses, of the mean's shape once broadcast. With gradients in mean and
    sd."""
    least, most = bounds
    room = _CELLS - 2
    range_, unit = most - least, sd.detach()
    cell = torch.maximum((range_ + 2 * _TAIL * unit) / room, range_ / (room - 2 * _TAIL * _FINEST))
    noise = (sd / cell).clamp_min(_FINEST)  # in cells
    origin = (_TAIL * noise.detach()).to(torch.float32)
    place = torch.addcmul(origin, (mean - least).to(torch.float32), (1 / cell).to(torch.float32))
    mass, added = _binned(place, weight.expand(place.shape))
    density = _blurred(mass, noise.to(torch.float32).square() - added).clamp_min(1e-30)
    entropy = -(density * density.log2()).sum(-1).to(torch.float64) * math.log(2)
    return torch.where(range_[..., 0] > 0, entropy - noise[..., 0].log() - _NOISE, 0.0)


def _binned(place: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [..., hypotheses] at places in cells, shared between the two nearest: [..., cells]; and the variance
    [..., 1] that this adds. Single precision."""
    left = place.detach().floor()
    share = place - left
    right = weight * share
    index = left.long()
    cells = torch.zeros((*place.shape[:-1], _CELLS), dtype=torch.float32)
    mass = cells.scatter_add(-1, index, weight - right).scatter_add_(-1, index + 1, right)
    return mass, (right * (1 - share)).sum(-1, keepdim=True)


def _blurred(mass: Tensor, variance: Tensor) -> Tensor:
    """Convolved with a normal density of this variance [..., 1], in cells."""
    frequency = torch.arange(_CELLS // 2 + 1, dtype=torch.float32) * (2 * math.pi / _CELLS)
    transfer = torch.exp2(-variance * (0.5 / math.log(2) * frequency.square()))
    return torch.fft.irfft(torch.fft.rfft(mass) * transfer, n=_CELLS)
