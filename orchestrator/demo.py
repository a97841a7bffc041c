"""``organon demo``: real measurements first, then a simulated campaign, both through the queue like any other."""

from collections.abc import Iterable
from typing import Any

from experiments_db import queries
from experiments_db.database import Database
from orchestrator import services
from orchestrator.cli.campaign import run_to_the_end
from orchestrator.cli.output import console, print_table
from orchestrator.settings import Settings
from orchestrator.worker import default_processes, workers

_RANDOM_ORDERS = 20
_CONSTANTS = ("vmax", "km")


def run_demo(settings: Settings) -> None:
    """Puromycin's kinetics from Treloar's measurements, Hubble's table, and two hidden sources found by simulation."""
    database = services.open_database(settings)
    with workers(settings, processes=default_processes()):
        _puromycin(settings, database)
        _hubble(settings)
        _sources(settings)
    console.print("\nAll of it is on record: organon campaign list, or make start for the pages.")


def _puromycin(settings: Settings, database: Database) -> None:
    _title("1. Real measurements: the kinetics of an enzyme treated with puromycin (Treloar 1974)")
    replay = {"domain": "enzyme-kinetics", "laboratory": "replay:puromycin-treated", "seed": 1}
    planned = _run(settings, "planned order", **replay)
    random = _run(settings, "random orders", **replay, policy="random", runs=_RANDOM_ORDERS)
    _say(planned["finding"]["text"])
    law = planned["finding"]["run"]["mechanisms"]["michaelis-menten"]
    console.print(
        f"\nUnder Michaelis–Menten: vmax {law['vmax']['mean']:.1f} ± {law['vmax']['sd']:.1f}, "
        f"km {law['km']['mean']:.4f} ± {law['km']['sd']:.4f} "
        "(published least squares: 212.7 ± 7.0 and 0.0641 ± 0.0083)"
    )
    _narrowing(database, planned["id"], random["id"])


def _narrowing(database: Database, planned: str, random: str) -> None:
    """The order in which rows were looked up, and how fast the belief narrowed against random order."""
    with database.read() as session:
        looked_up = [entry["design"]["substrate"] for entry in queries.experiments(session, planned)]
        widths = _widths(queries.experiments(session, planned))
        others = _widths(queries.experiments(session, random))
    console.print(
        f"\nThe order of looking up, and the width of the 90 % intervals under Michaelis–Menten (mean of "
        f"{_RANDOM_ORDERS} random orders beside it):"
    )
    rows = [
        [step + 1, f"{substrate:g}", *(f"{table[step][name]:.3g}" for name in _CONSTANTS for table in (widths, others))]
        for step, substrate in enumerate(looked_up)
    ]
    print_table(["step", "substrate (ppm)", "vmax", "random", "km", "random"], rows)


def _widths(experiments: Iterable[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """Per step, the mean over runs of high − low of each constant under Michaelis–Menten."""
    found: dict[int, list[dict[str, float]]] = {}
    for entry in experiments:
        law = entry["belief"]["mechanisms"]["michaelis-menten"]
        found.setdefault(entry["step"], []).append({n: law[n]["high90"] - law[n]["low90"] for n in _CONSTANTS})
    return {
        step: {name: sum(width[name] for width in widths) / len(widths) for name in _CONSTANTS}
        for step, widths in found.items()
    }


def _hubble(settings: Settings) -> None:
    _title("2. Real measurements: does the universe expand? (Hubble 1929)")
    _say(
        _run(settings, "Hubble's table", domain="expanding-universe", laboratory="replay:hubble-1929")["finding"][
            "text"
        ]
    )


def _sources(settings: Settings) -> None:
    _title("3. A simulated campaign: two hidden sources, 30 sensor readings in each of 8 worlds")
    planned = _run(settings, "planned designs", domain="source-location", runs=8, seed=1)
    random = _run(settings, "random designs", domain="source-location", runs=8, seed=1, policy="random")
    _say(planned["finding"]["text"])
    gained = random["finding"]["information"]["mean"]
    console.print(f"With random designs in the same worlds: {gained:.2f} nats per run.")


def _run(settings: Settings, label: str, **request: Any) -> dict[str, Any]:
    return run_to_the_end(settings, services.campaign_request(**request), label)


def _title(text: str) -> None:
    console.print(f"\n{text}\n", style="bold", markup=False)


def _say(text: str) -> None:
    console.print(text, markup=False)
