"""The tests of ``on_pretend_device``, in a process of their own: torch learns of the device before it takes a gradient,
and this process never does."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(900)
def test_nothing_needs_the_cpu() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-p",
        "no:cacheprovider",
        "tests/meta_learner/on_pretend_device.py",
    ]
    told = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-5000:] + told.stderr[-1000:]
