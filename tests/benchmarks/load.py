"""Report: what the whole machinery carries, from the queue to the record.

    python -m tests.benchmarks.load                                   # half an hour
    python -m tests.benchmarks.load --seconds 20 --campaigns 100 --experiments 5000 --out load.json

Experiments and decisions a second with one and two worker processes, for a cheap domain and one whose simulator takes
50 ms; many campaigns queued at once; the memory of a worker over many experiments; the size of the record. Each on
SQLite with the embedded broker, and, where ORGANON_TEST_POSTGRES_URL and ORGANON_TEST_REDIS_URL name servers, on those.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from domains import python_domains
from tests import servers
from tests.benchmarks import report
from tests.disturbance import STEPS, document
from tests.homes import ROOT, Home

COLUMNS = ["what", "servers", "value", "unit"]
SIMULATOR_SECONDS = 0.05
CHEAPLY = ("--policy", "random", "--particles", "100", "--moves", "2")
SLOW_MODULE = """
from domains.python_domains import PythonDomain

class Slow(PythonDomain):
    code = ("slow_laws",)
    def simulator(self, domain):
        from slow_laws import Laws
        return Laws()
"""
# It takes its time once an experiment of a block; what checks the laws draws many at once and is let off.
SLOW_LAWS = f"""
import math
import time
import torch
from domains.simulators import Simulator

class Laws(Simulator):
    def sample(self, mechanism, p, designs, uniforms):
        time.sleep({SIMULATOR_SECONDS} * (designs.shape[0] if designs.shape[0] <= 64 else 1))
        return (torch.exp(-p["rate"] * designs[..., 0]) + 0.1 * torch.special.ndtri(uniforms[..., 0, 0]))[..., None]

    def log_likelihood(self, mechanism, p, designs, outcomes):
        z = (outcomes[..., 0] - torch.exp(-p["rate"] * designs[..., 0])) / 0.1
        return torch.where(outcomes[..., 0].isnan(), 0.0, -0.5 * z.square() - math.log(0.1 * math.sqrt(2 * math.pi)))
"""
SLOW_DOCUMENT = """
format: 1
name: slow
designs: {time: {real: [0.1, 4]}}
parameters: {rate: {prior: {lognormal: [0, 0.5]}}}
mechanisms: {decay: {}}
outcomes: {amount: {}}
python: slow
budget: 12
goal: learn
"""


def install_slow(folder: Path) -> Path:
    """The slow domain as a package in ``folder``; its document."""
    metadata = folder / "slow-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{python_domains.GROUP}]\nslow = slow_domain:Slow\n")
    (folder / "slow_domain.py").write_text(SLOW_MODULE)
    (folder / "slow_laws.py").write_text(SLOW_LAWS)
    (folder / "slow.yaml").write_text(SLOW_DOCUMENT)
    return folder / "slow.yaml"


@contextmanager
def home_on(pair: str, **settings: str) -> Iterator[tuple[Home, Path]]:
    """A home on a pair of servers, and the slow domain's document in it."""
    with tempfile.TemporaryDirectory() as folder, servers.pair(pair) as used:
        home = Home(Path(folder) / "home", **used.settings, **settings)
        home.folder.mkdir()
        slow = install_slow(Path(folder) / "package")
        home.environment["PYTHONPATH"] = f"{ROOT}:{slow.parent}"
        try:
            yield home, slow
        finally:
            home.close()


def rate(pair: str, domain: str, processes: int, seconds: float) -> tuple[float, float]:
    """Experiments and decisions (steps of blocks) a second, between the first quarter of the time and its end."""
    with home_on(pair, ORGANON_BLOCK_RUNS="10") as (home, slow):
        path = slow if domain == "slow" else document(home.folder)
        home.start("worker", "--processes", str(processes))
        home.create("--domain", str(path), "--runs", "20000", *CHEAPLY)
        _until(lambda: _count(home)[0] > 0)
        time.sleep(seconds / 4)
        before, begun = _count(home), time.monotonic()
        time.sleep(0.75 * seconds)
        after, taken = _count(home), time.monotonic() - begun
    return (after[0] - before[0]) / taken, (after[1] - before[1]) / taken


def queued_at_once(pair: str, campaigns: int) -> list[report.Row]:
    """All campaigns recorded, then two processes at work: when each has its first result, and when all is done."""
    with home_on(pair, ORGANON_TASK_SECONDS="2") as (home, _):
        path = document(home.folder)
        for seed in range(campaigns):
            _create(home, path, seed)
        begun = datetime.now().astimezone()
        home.start("worker", "--processes", "2")
        _until(lambda: _one(home, "SELECT count(*) FROM campaign WHERE status <> 'finished'") == 0, 3600)
        with home.record() as database, database.read() as session:
            query = text(
                "SELECT min(experiment.created_at) FROM experiment JOIN run ON run.id = experiment.run_id "
                "GROUP BY run.campaign_id"
            )
            firsts = sorted(_seconds(value, begun) for (value,) in session.execute(query))
            last = _seconds(session.execute(text("SELECT max(created_at) FROM experiment")).scalar(), begun)
    name = f"{campaigns} campaigns queued at once"
    return [
        [f"{name}: first result, median", pair, round(statistics.median(firsts), 1), "s"],
        [f"{name}: first result of the last", pair, round(firsts[-1], 1), "s"],
        [f"{name}: last result of all", pair, round(last, 1), "s"],
    ]


def memory(pair: str, experiments: int) -> list[report.Row]:
    """The resident memory of the one worker process, after a tenth and after all of so many experiments."""
    sizes = []
    with home_on(pair, ORGANON_BLOCK_RUNS="50") as (home, _):
        home.start("worker", "--processes", "1")
        path, runs = document(home.folder), str(-(-experiments // STEPS))
        home.create("--domain", str(path), "--runs", runs, *CHEAPLY)
        for share in (0.1, 0.4, 0.7, 0.97):
            _until(lambda share=share: _count(home)[0] >= share * experiments, 7200)
            (pool,) = home.pools()
            sizes.append((share, max(child.memory_info().rss for child in pool.children()) / 2**20))
        stored = _stored_bytes(home) / max(1, _count(home)[0])
    rows: list[report.Row] = [
        [f"worker's memory after {share:.0%} of {experiments} experiments", pair, round(size), "MiB"]
        for share, size in sizes
    ]
    return [*rows, ["record's size", pair, round(stored), "bytes an experiment"]]


def measurements(pair: str, given: Any) -> Iterator[report.Row]:
    for domain in ("cheap", "slow"):
        rates = {processes: rate(pair, domain, processes, given.seconds) for processes in (1, 2)}
        for processes, (experiments, decisions) in rates.items():
            yield [f"{domain}, {processes} processes", pair, round(experiments, 1), "experiments/s"]
            yield [f"{domain}, {processes} processes", pair, round(decisions, 1), "decisions/s"]
        yield [f"{domain}, two processes beside one", pair, round(rates[2][0] / rates[1][0], 2), "times"]
    yield from queued_at_once(pair, given.campaigns)
    yield from memory(pair, given.experiments)


def main() -> None:
    """Print a row as it is measured."""
    options = report.parser(__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--campaigns", type=int, default=500)
    options.add_argument("--experiments", type=int, default=100_000)
    options.add_argument("--pair", action="append", choices=list(servers.PAIRS))
    given = options.parse_args()
    pairs = given.pair or (servers.PAIRS[:2] if os.environ.get("ORGANON_TEST_POSTGRES_URL") else servers.PAIRS[:1])
    rows = list(report.told(row for pair in pairs for row in measurements(pair, given)))
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    note = f"{os.cpu_count()} cores; load averages at the end: {load}."
    table = {"kind": "load", "title": "Load", "columns": COLUMNS, "rows": rows, "note": note}
    report.save(given.out, table, processes=2)


def _create(home: Home, path: Path, seed: int) -> None:
    """As ``organon campaign create`` does it, without the second that starting a command takes."""
    from orchestrator import services
    from orchestrator.settings import Settings

    ours = {name: value for name, value in home.environment.items() if name.startswith("ORGANON_")}
    settings = Settings(**{name.removeprefix("ORGANON_").lower(): value for name, value in ours.items()})
    request = services.campaign_request(domain=str(path), policy="random", runs=2, particles=100, moves=2, seed=seed)
    with home.record() as database:
        services.create_campaign(settings, database, request)


def _count(home: Home) -> tuple[int, int]:
    """Experiments, and steps of blocks."""
    return _one(home, "SELECT count(*) FROM experiment"), _one(home, "SELECT coalesce(sum(step), 0) FROM block")


def _one(home: Home, query: str) -> int:
    with home.record() as database, database.read() as session:
        return int(session.execute(text(query)).scalar() or 0)


def _stored_bytes(home: Home) -> int:
    """What database and cache keep on disk; of SQLite the file, of PostgreSQL the database."""
    if "ORGANON_DATABASE_URL" in home.environment:
        return _one(home, "SELECT pg_database_size(current_database())")
    return (home.folder / "organon.db").stat().st_size


def _seconds(value: Any, begun: datetime) -> float:
    moment = datetime.fromisoformat(value + "+00:00") if isinstance(value, str) else value
    return float((moment - begun).total_seconds())


def _until(holds: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not get so far")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
