"""Random streams: one per (seed, block, step, purpose), so that a step's draws depend on nothing else."""

import hashlib
from typing import Literal

import torch

from domains import randomness

Purpose = Literal[
    "world", "noise", "prior", "hypothesise", "design", "update", "check", "answer", "score", "sequence",
    "contrast", "proposal", "training",
]  # fmt: skip


def streams_of(seed: int, block: int, step: int) -> str:
    """The name that all streams of a step begin with; the purpose follows."""
    return f"organon/1/{seed}/{block}/{step}"


def stream(seed: int, block: int, step: int, purpose: Purpose) -> torch.Generator:
    """A generator fixed by its key alone. Streams for worlds and noise carry no policy: all policies share them."""
    key = f"{streams_of(seed, block, step)}/{purpose}".encode()
    return randomness.generator(int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1)
