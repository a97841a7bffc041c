"""Training by several processes at once, as ``torchrun`` starts them: each on games of its own, gradients shared.

torch's DistributedDataParallel averages the gradients of all ranks, so that one step learns from that many times the
batch, and all hold the same weights throughout (Li et al. 2020, PyTorch Distributed).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from meta_learner.experimenter.network import Experimenter, Judge


@contextmanager
def ranks(device: str) -> Iterator[str]:
    """Join the others that ``torchrun`` started, for as long as it lasts; the device of this one. Alone, nothing is
    joined."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    own = f"cuda:{os.environ['LOCAL_RANK']}" if device.startswith("cuda") else device
    if own.startswith("cuda"):
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if own.startswith("cuda") else "gloo")
    try:
        yield own
        dist.barrier()  # who leaves first takes the connections of the others with it, which their threads die of
    finally:
        dist.destroy_process_group()


def distributed(network: Experimenter) -> tuple[Judge, int, int]:
    """What to call in the network's place while it learns, this process's rank, and how many there are."""
    if not joined():
        return network, 0, 1
    return DistributedDataParallel(network), dist.get_rank(), dist.get_world_size()


def joined() -> bool:
    """Whether there are others."""
    return dist.is_available() and dist.is_initialized()


def first() -> bool:
    """Whether this is the process that writes."""
    return not joined() or dist.get_rank() == 0


def agreed(stop: bool) -> bool:
    """Whether the first process wants to stop; they stop together, or some would wait for ever."""
    if not joined():
        return stop
    said = torch.tensor([float(stop)])
    dist.broadcast(said, 0)
    return bool(said.item())
