"""The kind of machine that numbers come from: on the same kind a campaign's are the same to the last bit."""

import platform
from importlib.metadata import version
from typing import Any


def machine_kind(device: str) -> dict[str, Any]:
    """Versions, the processor's capability as torch uses it, the device, and torch's threads, as they are now."""
    import torch

    name = "cpu" if device == "cpu" else torch.cuda.get_device_name(device)
    return {
        "organon": version("organon"),
        "torch": str(torch.__version__),
        "machine": platform.machine(),
        "capability": str(torch.backends.cpu.get_cpu_capability()),
        "device": name,
        "threads": torch.get_num_threads(),
    }
