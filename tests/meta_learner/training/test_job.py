"""The job for a machine with a GPU, on a CPU: it trains, writes an agent that can be loaded, and needs few packages."""

import json
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
    assert len(report["gap_closed"]) == 9
    assert report["machine"]["device"] == "cpu"
