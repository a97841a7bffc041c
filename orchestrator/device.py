"""Where tensors lie: the one place that sets torch's default device, for workers and benchmarks."""

from contextlib import AbstractContextManager, nullcontext

from orchestrator.errors import OrganonError


def placed(name: str) -> AbstractContextManager[object]:
    """Inside, tensors are made on this device: cpu, cuda or cuda:N. On the CPU nothing changes, and nothing costs time.

    OrganonError where torch sees no such device here.
    """
    if name == "cpu":
        return nullcontext()
    import torch

    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise OrganonError(f"the device {name!r} is none that is known here; write cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        raise OrganonError(
            f"the device {name} is not to be had: torch {torch.__version__} sees {count or 'no'} CUDA devices; take "
            "cpu (ORGANON_DEVICE, --device), or install torch with CUDA where there is a GPU"
        )
    device: AbstractContextManager[object] = torch.device(name)
    return device
