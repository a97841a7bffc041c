"""Report: suggestions over HTTP from many clients at once. Is anything lost or doubled, and how long does it take?

A home of its own with a real worker pool and the real HTTP interface; clients in processes of their own take, and tell,
whatever is there, until every run has ended. Printed: how many were told and recorded, medians and 95 % points of the
times that ``ask`` and ``tell`` took, and of the time from an answer until its run had its next suggestion.

    python -m tests.benchmarks.ask_tell --suggestions 1000 --clients 8
"""

import argparse
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from orchestrator.client import Client, ClientError

Lines = Sequence[dict[str, Any]]

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 1800.0  # seconds for all of it


def main() -> None:
    """Run the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suggestions", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--runs", type=int, default=25, help="worlds; each gets its share of the suggestions")
    parser.add_argument("--outstanding", type=int, default=2, help="suggestions of a run at a time")
    parser.add_argument("--processes", type=int, default=2, help="worker processes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="organon-ask-tell-") as folder:
        environment = _environment(Path(folder))
        token = json.loads(_organon(environment, "token", "create", "--name", "report", "--json"))["token"]
        with _running(environment, "worker", "--processes", str(given.processes)), _running(environment, "api"):
            url = f"http://127.0.0.1:{environment['ORGANON_API_PORT']}"
            print(json.dumps(_report(url, token, given), indent=2))


def _report(url: str, token: str, given: argparse.Namespace) -> dict[str, Any]:
    with Client(url, token) as client:
        _await(client)
        campaign = client.create(
            domain="enzyme-kinetics",
            laboratory="manual",
            policy="random",
            runs=given.runs,
            budget=given.suggestions // given.runs,
            batch=given.outstanding,
            particles=50,
            moves=1,
        )
        started = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(given.clients) as pool:
            jobs = [pool.apply_async(_work, (url, token, campaign, f"client {i}")) for i in range(given.clients)]
            done = [job.get(_PATIENCE) for job in jobs]
        seconds = time.monotonic() - started
        status = client.campaign(campaign)
        entries = client.history(campaign)
    return {**_counts(entries, done, status), "seconds": round(seconds, 1), **_times(done, entries)}


def _work(url: str, token: str, campaign: str, name: str) -> dict[str, list[Any]]:
    """One client: what it took, and how long asking and telling took (ms)."""
    taken: list[int] = []
    asked: list[float] = []
    told: list[float] = []
    with Client(url, token, by=name) as client:
        while True:
            before = time.perf_counter()
            suggestion = client.ask(campaign)
            if suggestion is None:
                if client.campaign(campaign)["status"] not in ("scheduled", "running"):
                    return {"taken": taken, "ask": asked, "tell": told}
                time.sleep(0.1)
                continue
            asked.append(1000 * (time.perf_counter() - before))
            taken.append(suggestion.id)
            substrate = float(suggestion.design["substrate"])
            before = time.perf_counter()
            client.tell(suggestion.id, {"velocity": 200 * substrate / (0.06 + substrate)})
            told.append(1000 * (time.perf_counter() - before))


def _counts(
    entries: Sequence[dict[str, Any]], done: Sequence[dict[str, Any]], status: dict[str, Any]
) -> dict[str, Any]:
    taken = [suggestion for client in done for suggestion in client["taken"]]
    right = sum(
        entry["status"] == "recorded" and (entry["answered_by"] or "").startswith(str(entry["taken_by"]).split(" (")[0])
        for entry in entries
    )
    return {
        "status": status["status"],
        "suggestions": len(entries),
        "taken": len(taken),
        "taken twice": len(taken) - len(set(taken)),
        "recorded, by whom took it": right,
        "experiments on record": int(status["progress"]["experiments"]),
        "by client": sorted(Counter(len(client["taken"]) for client in done).elements()),
    }


def _times(done: Lines, entries: Lines) -> dict[str, Any]:
    return {
        "ask, ms": _summary([t for client in done for t in client["ask"]]),
        "tell, ms": _summary([t for client in done for t in client["tell"]]),
        "suggestion open until taken, ms": _summary([_between(e, "asked_at", "taken_at") for e in entries]),
    }


def _between(entry: dict[str, Any], first: str, last: str) -> float:
    return 1000 * (datetime.fromisoformat(entry[last]) - datetime.fromisoformat(entry[first])).total_seconds()


def _summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"median": round(median(ordered), 1), "95 %": round(ordered[int(0.95 * (len(ordered) - 1))], 1)}


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORGANON_")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    given = {name: os.environ[name] for name in ("ORGANON_DATABASE_URL", "ORGANON_BROKER_URL") if name in os.environ}
    return {**kept, **given, "ORGANON_HOME": str(home), "ORGANON_API_PORT": port, "PYTHONPATH": str(_ROOT)}


def _organon(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@contextmanager
def _running(environment: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _await(client: Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.campaigns()
            return
        except ClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
