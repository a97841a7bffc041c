"""Campaigns that have found something, written into the record as the workers write it."""

from datetime import timedelta
from typing import Any

from experiments_db import queries, record
from experiments_db.block_rows import campaign_blocks
from tests.ui.conftest import FINDING, NOON


def content(law: str = "hill", probability: float = 0.65, vmax: float = 213.0, **more: Any) -> dict[str, Any]:
    """What a run concludes."""
    other = "michaelis-menten" if law == "hill" else "hill"
    return {
        "mechanism": law,
        "probability": probability,
        "explained": True,
        "mechanism_probability": {law: probability, other: 1 - probability},
        "parameters": {
            "vmax": {"mean": vmax, "sd": 11.0, "low90": vmax - 18, "high90": vmax + 18},
            "km": {"mean": None, "sd": None, "low90": 0.01, "high90": None},
        },
        "units": {"vmax": "counts/min²", "km": "ppm"},
        "experiments": 4,
        "given": 0,
        "cost": 4.0,
        "ended": "budget",
        "stop": None,
        "warnings": [],
        **more,
    }


def concluded(write: Any, number: int = 0, runs: int = 1, *, text: str = FINDING, **of_run: Any) -> str:
    """A campaign, finished `number` minutes after noon, with the findings of its runs and its own."""
    title = of_run.pop("title", None)
    campaign: str = write.running(number=number, steps=4, runs=runs, **({"title": title} if title else {}))
    when, of_one = NOON + timedelta(minutes=number), content(**of_run)
    whole = {"runs": runs, "experiments": 4 * runs, "most_probable": {of_one["mechanism"]: runs}, "cost": 4.0 * runs}
    with write.database.write() as session:
        for run in queries.campaign_runs(session, campaign):
            record.save_finding(session, campaign, run.id, of_one, text, when)
        record.finish_block(session, campaign_blocks(session, campaign)[0], "host/1/0.00", when)
        record.save_finding(session, campaign, None, whole | ({"run": of_one} if runs == 1 else {}), text, when)
        assert record.finish_campaign(session, campaign, when)
    return campaign
