"""A campaign whose workers, broker and database are killed at random moments: for tests and for the long report."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from experiments_db import queries
from experiments_db.database import connect
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.export import export
from orchestrator.lease import AWAY
from orchestrator.settings import Settings
from tests.homes import Home, rows_of
from tests.private_servers import PrivateServer, private_server

# One unknown, one law, a formula: what is tried here is the record, not the science.
DOMAIN = """
format: 1
name: survival
title: What is left after so much time?
designs: {time: {real: [0.1, 4]}}
parameters: {rate: {prior: {lognormal: [0, 0.5]}}}
mechanisms: {decay: {let: {left: exp(-rate * time)}}}
outcomes: {amount: {normal: {mean: left, sd: 0.1}}}
budget: 12
goal: learn
"""
STEPS = 12
PAIRS = {
    "sqlite-embedded": (),
    "postgresql-redis": ("postgresql", "redis"),
    "postgresql-rabbitmq": ("postgresql", "rabbitmq"),
}
_PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Plan:
    """So many runs of ``STEPS`` experiments, in blocks of so many, and how often what is killed. All from one seed."""

    runs: int
    block_runs: int = 10
    worker_kills: int = 20
    broker_kills: int = 2
    database_restarts: int = 1
    seed: int = 7

    @property
    def experiments(self) -> int:
        return self.runs * STEPS

    def disturbances(self, servers: bool) -> list[str]:
        """What is killed, in an order drawn from the seed. A database that is a file is not restarted."""
        drawn = ["worker"] * self.worker_kills + ["broker"] * self.broker_kills
        drawn += ["database"] * self.database_restarts * servers
        random.Random(self.seed).shuffle(drawn)
        return drawn


def document(folder: Path) -> Path:
    """The domain as a file."""
    path = folder / "survival.yaml"
    path.write_text(DOMAIN)
    return path


def undisturbed(folder: Path, plan: Plan) -> list[dict[str, str]]:
    """The export of the campaign, advanced in this process without a queue or anybody to disturb it."""
    settings = Settings(home=folder, block_runs=plan.block_runs, task_seconds=60)
    database = services.open_database(settings)
    request = services.campaign_request(
        domain=str(document(folder)), policy="random", runs=plan.runs, particles=50, moves=2, seed=plan.seed
    )
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        blocks = queries.unfinished_blocks(session, campaign)
    for block in blocks:
        while advance(database, settings, block) == "again":
            pass
    export(database, campaign, folder / "undisturbed.csv")
    database.close()
    return rows_of(folder / "undisturbed.csv")


@contextmanager
def disturbed_home(folder: Path, pair: str, plan: Plan) -> Iterator[tuple[Home, list[PrivateServer]]]:
    """A home on private servers of a pair; everything ends with the context."""
    with ExitStack() as stack:
        servers = [stack.enter_context(private_server(kind)) for kind in PAIRS[pair]]
        own = dict(
            zip(("ORGANON_DATABASE_URL", "ORGANON_BROKER_URL"), (server.url for server in servers), strict=False)
        )
        settings = {
            "ORGANON_BLOCK_RUNS": str(plan.block_runs),
            "ORGANON_TASK_SECONDS": "0.3",
            "ORGANON_RETRY_SECONDS": "0.1",
        }
        home = Home(folder / "home", **settings, **own)
        stack.callback(home.close)
        home.folder.mkdir(parents=True)
        yield home, servers


def run_disturbed(home: Home, servers: list[PrivateServer], plan: Plan, processes: int = 2) -> str:
    """Create the campaign, kill what the plan says while it is under way, and see it finished; returns its id."""
    draw = random.Random(plan.seed + 1)
    home.start("worker", "--processes", str(processes))
    campaign = home.create(
        "--domain", str(document(home.folder)), "--policy", "random", "--runs", str(plan.runs), "--particles", "50",
        "--moves", "2", "--seed", str(plan.seed),
    )  # fmt: skip
    drawn = plan.disturbances(servers=bool(servers))
    for number, what in enumerate(drawn):
        _wait_for(home, campaign, plan.experiments * number / (len(drawn) + 1))
        time.sleep(draw.uniform(0.0, 0.2))
        _disturb(home, servers, what, draw)
    _wait_for(home, campaign, plan.experiments, finished=True)
    return campaign


def _disturb(home: Home, servers: list[PrivateServer], what: str, draw: random.Random) -> None:
    if what == "worker":
        _kill_worker(home, draw)
    elif what == "database":
        servers[0].restart()
    elif servers:
        servers[1].restart()
    else:
        home.broker().kill()


def _kill_worker(home: Home, draw: random.Random) -> None:
    """kill -9 of one process of the pool, now and then of the pool as a whole."""
    with suppress(psutil.Error, ValueError):
        (pool,) = home.pools()
        children = pool.children()
        if draw.random() < 0.05:
            for process in [pool, *children]:
                process.kill()
        elif children:
            draw.choice(children).kill()


def _wait_for(home: Home, campaign: str, experiments: float, finished: bool = False) -> None:
    """Until so much is recorded, or all is finished."""
    address = home.environment.get("ORGANON_DATABASE_URL") or f"sqlite:///{home.folder / 'organon.db'}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    database = connect(address)
    try:
        while time.monotonic() < deadline:
            with suppress(*AWAY):
                found = services.campaign_progress(database, campaign)
                assert found["status"] in ("scheduled", "running", "finished"), found
                if found["status"] == "finished" or (not finished and found["experiments"] >= experiments):
                    return
            time.sleep(0.05)
        raise AssertionError(f"after {_PATIENCE_SECONDS} s: {found}\n{home.logs()}")
    finally:
        database.close()
