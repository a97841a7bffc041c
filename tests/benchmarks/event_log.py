"""Report: what does the event log cost, and how long does it take to verify a campaign?

Steps of a real campaign (enzyme-kinetics, expected-information-gain, 2,000 particles) are recorded anew, each in a
transaction of its own, once with the log and once without, turn about; medians of wall time and of this process's CPU
time. Bytes: what the tables take on the disk with all their indexes. PostgreSQL where ORGANON_TEST_POSTGRES_URL names a
server; a database of its own is made there and dropped.

    python -m tests.benchmarks.event_log [--steps 200] [--out FILE.json]
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import uuid4

import psycopg
import torch
from sqlalchemy import make_url

from experiments_db import record
from experiments_db.block_rows import block_experiments, campaign_blocks
from experiments_db.database import Database, connect
from experiments_db.models import Campaign, Domain
from experiments_db.record import NewExperiment
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.settings import Settings
from orchestrator.verification.verify import verify
from tests.benchmarks.report import Row, parser, save, told

BLOCKS = (25, 1)  # runs that advance together: the default, and one alone
COLUMNS = [
    "database", "runs a step", "ms a step", "with the log", "CPU ms a step", "with the log", "bytes an experiment",
    "of the log",
]  # fmt: skip
MADE = {"streams": "organon/1/0/0/0", "organon": "0", "torch": "0", "machine": "m", "capability": "c", "device": "d"}


def investigated(home: Path) -> tuple[list[list[NewExperiment]], str]:
    """The steps of a block of 25 runs, carried out and verified; and how long each took, in words."""
    settings = Settings(home=home, task_seconds=60)
    database = services.open_database(settings)
    request = services.campaign_request(domain="enzyme-kinetics", runs=25, seed=1, policy="expected-information-gain")
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        (block,) = campaign_blocks(session, campaign)
    started = time.thread_time()
    while advance(database, settings, block) == "again":
        pass
    worked = time.thread_time()
    report = verify(settings, database, campaign)
    verified = time.thread_time()
    assert report.ok
    assert report.experiments == 300
    each = [1000 * seconds / report.experiments for seconds in (worked - started, verified - worked)]
    with database.read() as session:
        found = block_experiments(session, block)
    names = ("row", "design", "outcome", "cost", "information", "belief", "candidates", "given")
    rows = [(e.step, NewExperiment(decision_ms=1.0, **{name: getattr(e, name) for name in names})) for e in found]
    database.close()
    steps = [[entry for step, entry in rows if step == wanted] for wanted in sorted({step for step, _ in rows})]
    return steps, f"A worker took {each[0]:.2f} ms of CPU an experiment, verifying it {each[1]:.2f} ms"


def measured(name: str, database: Database, steps: list[list[NewExperiment]], runs: int, count: int) -> Row:
    """One row: steps of a block of so many runs, with and without the log, turn about."""
    blocks = {logged: _block(database, runs) for logged in (True, False)}
    wall: dict[bool, list[float]] = {True: [], False: []}
    cpu: dict[bool, list[float]] = {True: [], False: []}
    for number in range(count):
        for logged in (True, False):
            with patch.object(record, "append", record.append if logged else lambda *_, **__: ""):
                began, worked = time.perf_counter(), time.process_time()
                with database.write() as session:
                    record.record_step(
                        session, blocks[logged], owner="me", step=number, experiments=steps[number % len(steps)][:runs],
                        now=datetime.now(UTC), lease_seconds=60, made=MADE,
                    )  # fmt: skip
                wall[logged].append(1000 * (time.perf_counter() - began))
                cpu[logged].append(1000 * (time.process_time() - worked))
    sizes = _bytes(database)
    medians = [f"{median(times[logged]):.2f}" for times in (wall, cpu) for logged in (False, True)]
    return [
        name,
        runs,
        *medians,
        round(sizes["experiment"] / (2 * count * runs)),
        round(sizes["event"] / (count * runs)),
    ]


def _block(database: Database, runs: int) -> int:
    domain = Domain(identity="d" * 64, name="d", text="", document={})
    campaign = Campaign(domain_identity=domain.identity, policy="random", runs=runs, budget=1.0)
    with database.write() as session:
        record.save_domain(session, domain)
        (block,) = record.create_campaign(session, campaign, [runs])
        record.claim_block(
            session, block, owner="me", now=datetime.now(UTC), lease_seconds=60, owner_is_alive=lambda _owner: True
        )
    return block


def _bytes(database: Database) -> dict[str, int]:
    """Of the tables of experiments and of events, indexes included."""
    found = {}
    for table in ("experiment", "event"):
        if database.engine.dialect.name == "sqlite":
            query = f"SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%{table}%'"
        else:
            query = f"SELECT pg_total_relation_size('{table}')"
        with database.read() as session:
            found[table] = int(session.connection().exec_driver_sql(query.replace("%", "%%")).scalar_one())
    return found


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Name → address of an empty database for each measurement."""
    found = {"SQLite": f"sqlite:///{folder}/{{}}.db"}
    server = os.environ.get("ORGANON_TEST_POSTGRES_URL")
    if not server:
        yield found
        return
    stem = f"organon_log_{uuid4().hex[:8]}"
    names = {runs: f"{stem}_{runs}" for runs in BLOCKS}
    with psycopg.connect(server, autocommit=True) as administrator:
        for name in names.values():
            administrator.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield {**found, "PostgreSQL": make_url(server).set(database=stem).render_as_string(False) + "_{}"}
        finally:
            for name in names.values():
                administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def measure(steps: list[list[NewExperiment]], folder: Path, count: int) -> Iterator[Row]:
    """A row for each database and size of block."""
    with databases(folder) as addresses:
        for name, address in addresses.items():
            for runs in BLOCKS:
                opened = connect(address.format(runs))
                yield measured(name, opened, steps, runs, count)
                opened.close()


def main() -> None:
    """Print the rows, or write them to a file."""
    options = parser(__doc__)
    options.add_argument("--steps", type=int, default=200)
    given = options.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        steps, words = investigated(Path(folder) / "home")
        print(words, flush=True)
        rows = list(told(measure(steps, Path(folder), given.steps)))
    note = f"Medians over {given.steps} steps, with and without the log turn about. {words} (300 experiments)."
    title = "What does the event log cost?"
    save(given.out, {"kind": "event-log", "title": title, "columns": COLUMNS, "rows": rows, "note": note})


if __name__ == "__main__":
    main()
