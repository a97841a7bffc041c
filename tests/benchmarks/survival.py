"""Report: a long campaign whose workers, broker and database are killed again and again loses and doubles nothing.

python -m tests.benchmarks.survival                          # 200 kills, 30,000 experiments, each pair (an hour)
python -m tests.benchmarks.survival --kills 20 --experiments 3000 --pair postgresql-redis --out survival.json
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from tests.benchmarks import report
from tests.disturbance import PAIRS, STEPS, Plan, disturbed_home, run_disturbed, undisturbed

COLUMNS = ["servers", "experiments", "kills", "seconds", "missing", "doubled", "different rows"]


def row(pair: str, plan: Plan, expected: list[dict[str, str]]) -> report.Row:
    """One campaign on private servers of a pair, beside the undisturbed one."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, disturbed_home(Path(folder), pair, plan) as (home, servers):
        found = home.export(run_disturbed(home, servers, plan))
        kills = len(plan.disturbances(servers=bool(servers)))
    places = {(line["run"], line["step"]) for line in found}
    wanted = {(line["run"], line["step"]) for line in expected}
    different = sum(one != other for one, other in zip(found, expected, strict=False))
    seconds = round(time.monotonic() - begun)
    return [pair, len(found), kills, seconds, len(wanted - places), len(found) - len(places), different]


def main() -> None:
    """Print a row a pair."""
    options = report.parser(__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--experiments", type=int, default=30_000)
    options.add_argument("--pair", action="append", choices=list(PAIRS))
    given = options.parse_args()
    torch.set_num_threads(1)
    plan = _plan(given)
    with tempfile.TemporaryDirectory() as folder:
        expected = undisturbed(Path(folder), plan)
    rows = list(report.told(row(pair, plan, expected) for pair in given.pair or PAIRS))
    table = {"kind": "survival", "title": "Survival of kills", "columns": COLUMNS, "rows": rows, "note": ""}
    report.save(given.out, table, processes=2)


def _plan(given: argparse.Namespace) -> Plan:
    """Nine kills in ten are of workers; of the rest, two in three of the broker."""
    others = max(1, given.kills // 10)
    database = max(1, others // 3)
    return Plan(
        runs=-(-given.experiments // STEPS),
        block_runs=25 if given.experiments > 5000 else 10,
        worker_kills=given.kills - others,
        broker_kills=others - database,
        database_restarts=database,
    )


if __name__ == "__main__":
    main()
