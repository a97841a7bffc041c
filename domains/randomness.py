"""Random draws, all of them: made where their stream is, on the CPU, then moved to torch's default device.

So what a stream gives does not depend on where the tensors that use it lie. On the CPU the draws are torch's own.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor


def generator(seed: int) -> Generator:
    """A stream of its own."""
    return Generator("cpu").manual_seed(seed)


def uniform(shape: Sequence[int], stream: Generator, dtype: torch.dtype = torch.float64) -> Tensor:
    """U(0, 1) [*shape]; 0 can be drawn, 1 cannot."""
    return _placed(torch.rand(shape, generator=stream, dtype=dtype, device=stream.device))


def normal(shape: Sequence[int], stream: Generator) -> Tensor:
    """N(0, 1) [*shape]."""
    return _placed(torch.randn(shape, generator=stream, dtype=torch.float64, device=stream.device))


def integers(below: int, shape: Sequence[int], stream: Generator) -> Tensor:
    """Whole numbers from 0 to below − 1 [*shape], all as likely."""
    return _placed(torch.randint(below, shape, generator=stream, device=stream.device))


def seed(stream: Generator) -> int:
    """A seed for a stream of somebody else's."""
    return int(torch.randint(2**31, (1,), generator=stream, device=stream.device).item())


def order(shape: Sequence[int], stream: Generator, dim: int = -1) -> Tensor:
    """Along one dimension every order of its indices as likely, independently along the others [*shape]."""
    return _placed(torch.rand(shape, generator=stream, device=stream.device).argsort(dim))


def choices(weights: Tensor, count: int, stream: Generator) -> Tensor:
    """Indices with probabilities in proportion to weights [..., options], with replacement: [..., count]."""
    flat = weights.to(stream.device).reshape(-1, weights.shape[-1])
    drawn = torch.multinomial(flat, count, replacement=True, generator=stream)
    return _placed(drawn.reshape(*weights.shape[:-1], count))


def gamma(shapes: Tensor, stream: Generator) -> Tensor:
    """Gamma(shape, 1), one for each of the shapes."""
    return _placed(torch._standard_gamma(shapes.to(stream.device), generator=stream))


def sobol(columns: int, scrambled: int | None = None) -> Callable[[int], Tensor]:
    """How many points of a Sobol sequence → the next so many [points, columns]; scrambled: by this seed, or not."""
    engine = torch.quasirandom.SobolEngine(columns, scramble=scrambled is not None, seed=scrambled)
    return lambda count: _placed(engine.draw(count, dtype=torch.float64))


def _placed(drawn: Tensor) -> Tensor:
    device = torch.empty(0).device  # the default device, in a fifth of the time that asking for it takes
    return drawn if drawn.device == device else drawn.to(device)
