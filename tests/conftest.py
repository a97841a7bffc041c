"""For all tests: one thread for torch, as in a worker, so that tests side by side do not wait for each other."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
