"""For all tests: one thread for torch, as in a worker, so that tests side by side do not wait for each other.

Property tests try the same examples every time; to look for new ones: ORGANON_TEST_EXAMPLES=new make test
"""

import os

from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"
settings.register_profile("same", derandomize=True)
settings.register_profile("new", derandomize=False)
settings.load_profile(os.environ.get("ORGANON_TEST_EXAMPLES", "same"))
