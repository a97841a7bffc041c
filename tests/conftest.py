"""For all tests: one thread for torch, as in a worker, so that tests side by side do not wait for each other.

Property tests try the same examples every time; to look for new ones: ORGANON_TEST_EXAMPLES=new make test
"""

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ["OMP_NUM_THREADS"] = "1"
# How long it takes to make an example depends on what else the machine does; no test is judged by that.
_BUSY = [HealthCheck.too_slow]
settings.register_profile("same", derandomize=True, suppress_health_check=_BUSY)
settings.register_profile("new", derandomize=False, suppress_health_check=_BUSY)
settings.load_profile(os.environ.get("ORGANON_TEST_EXAMPLES", "same"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run whole processes come first, dealt to the processes of the test run: they mostly wait, and whoever
    has none left helps with the many small ones, so that all end at about the same time."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("integration")]
    short = [item for item in items if not item.get_closest_marker("integration")]
    # xdist hands out contiguous parts of equal size.
    size = -(-len(items) // processes)
    dealt = list[pytest.Item]()
    for process in range(processes):
        first = long[process::processes]
        rest = max(0, size - len(first))
        dealt += [*first, *short[:rest]]
        short = short[rest:]
    items[:] = [*dealt, *short]
