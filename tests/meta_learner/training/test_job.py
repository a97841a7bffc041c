"""The job for a machine with a GPU, on a CPU: it trains, writes an agent that can be loaded, and needs few packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

from meta_learner.agents.loading import load_network
from meta_learner.agents.store import Store

_OTHERS = ("sklearn", "sqlmodel", "sqlalchemy", "celery", "streamlit", "typer", "rich", "langchain_core", "plotly")
_RUN = f"""
import sys
for name in {_OTHERS!r}:
    sys.modules[name] = None  # to import it is an error
from meta_learner.training.job import main
main(["--smoke", "--device", "cpu", "--out", sys.argv[1]])
"""


_TOGETHER = """
import sys, torch
from torch import distributed
from meta_learner.experimenter.network import Shape
from meta_learner.games.random_tables import Size
from meta_learner.training.ranks import agreed, first, ranks
from meta_learner.training.tasks import Tables
from meta_learner.training.training import Plan, Stage, Training

with ranks("cpu"):
    size = Size(hypotheses=5, designs=3, experiments=2)
    shape = Shape(width=8, heads=2, layers=1)
    training = Training(Plan(((1.0, Tables("flat", size, "decision")),), Stage(4, 4), Stage(2, 4, runs=2), shape=shape))
    for _ in training.run():
        stopping = agreed(first() and training.step == 5)
        if stopping:
            break
    weights = torch.cat([parameter.detach().flatten() for parameter in training.network.parameters()])
    others = [torch.empty_like(weights) for _ in range(2)]
    distributed.all_gather(others, weights)
    assert torch.equal(*others), "the ranks' weights differ"
    told = torch.tensor([float(training.generator.initial_seed() % 2**20)])
    theirs = [torch.empty_like(told) for _ in range(2)]
    distributed.all_gather(theirs, told)
    assert not torch.equal(*theirs), "both ranks drew the same games"
    assert (training.step, training.ranks, training.episodes) == (5, 2, 2 * (4 * 4 * 2 + 4 * 2))
    if first():
        print("together", training.step)
"""


def test_two_processes_share_their_gradients_and_stop_together(tmp_path: Path) -> None:
    """Started as ``torchrun`` starts them, with gloo on the CPU."""
    script = tmp_path / "together.py"
    script.write_text(_TOGETHER, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert "together 5" in done.stdout


def test_smoke_leaves_an_agent_and_a_report(tmp_path: Path) -> None:
    """In a process that can import none of what such a machine lacks."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    agent = Store(tmp_path, tmp_path).find("smoke")
    load_network(agent)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["steps"] == agent.card.training.steps > 0
    assert report["episodes_per_second"] > 0
    assert len(report["gap_closed"]) == 12
    assert report["machine"]["device"] == "cpu"
