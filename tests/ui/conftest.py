"""Pages over a record of their own, filled through `experiments_db.record` as the workers fill it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import insert
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

import ui
from experiments_db import jobs, record
from experiments_db.database import Database
from experiments_db.models import CAMPAIGN_STATUSES, Block, Campaign, Domain, Run
from orchestrator.settings import load_settings
from tests.orchestrator.at_the_bench import create
from ui import access
from ui.opening import open_database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TITLE = "How fast does *this* enzyme work?"
Look = Callable[..., AppTest]
FINDING = "The law hill leads, no more, with probability 65.0 %:\n  vmax = 213 ± 11 (90 %: 195 to 231) counts/min²"
TOKENS = {"operator": "a-token-of-an-operator-here", "viewer": "a-token-of-a-viewer-here"}
_OWNER = "host/1/0.00"
_LAWS = ("michaelis-menten", "hill")
_UNIT = {"vmax": "counts/min²", "km": "ppm"}


def _parameter(name: str) -> dict[str, Any]:
    return {"prior": {"lognormal": [5.0, 1.0]}, "unit": _UNIT[name], "label": f"the {name}"}


DOMAIN = {
    "identity": "d" * 64,
    "name": "enzyme-kinetics",
    "title": TITLE,
    "text": "format: 1",
    "document": {
        "designs": {"substrate": {"real": [0.01, 2.0], "unit": "ppm"}},
        "parameters": {"vmax": _parameter("vmax"), "km": _parameter("km")},
        "mechanisms": {
            "michaelis-menten": {"let": {}},
            "hill": {"parameters": {"n": {"prior": {"lognormal": [0.0, 0.5]}, "label": "Hill coefficient"}}},
        },
        "outcomes": {"velocity": {"normal": {}, "unit": "counts/min²"}},
    },
}


def experiment(row: int, step: int, *, given: bool = False) -> record.NewExperiment:
    """An experiment as the loop records it; `hill` takes the lead at step 2, and one interval has no bound."""
    hill = 0.4 if step < 2 else 0.65
    names = ("vmax", "km") if step < 2 else ("vmax", "km", "n")
    parameters: dict[str, Any] = {
        name: {"mean": 200.0 + step, "sd": 11.0, "low90": 180.0 + step, "high90": 230.0 - step} for name in names
    }
    if step == 0:
        parameters["km"] = {"mean": None, "sd": None, "low90": 0.01, "high90": None}
    return record.NewExperiment(
        row=row,
        design={"substrate": 0.1 * (step + 1)},
        outcome={"velocity": None if step == 1 else 76.54321 + step},
        cost=1.0,
        information=0.5,
        decision_ms=14.0,
        belief={
            "mechanism_probability": dict(zip(_LAWS, (1 - hill, hill), strict=True)),
            "most_probable": _LAWS[hill > 0.5],
            "parameters": parameters,
            "mechanisms": {},
            "diagnostics": {"trusted": True, "explained": True},
        },
        candidates=[{"design": {"substrate": 0.1 * (step + k)}, "score": 2.0 - k} for k in (1, 2, 3)],
        given=given,
    )


@dataclass(frozen=True)
class Writer:
    """Writes campaigns into the record that the pages read."""

    database: Database

    def scheduled(self, number: int = 0, *, runs: int = 1, title: str = TITLE) -> str:
        """A campaign created `number` minutes after noon, with four experiments to a run."""
        campaign = Campaign(
            domain_identity=f"{title} {'d' * 64}"[:64],
            policy="expected-information-gain",
            laboratory="replay:puromycin-treated",
            runs=runs,
            budget=4.0,
            settings={"expected_cost": 4.0, "expected_experiments": 4},
            created_at=NOON + timedelta(minutes=number),
        )
        campaign_id = campaign.id
        domain = Domain(**{**DOMAIN, "title": title, "identity": campaign.domain_identity})
        with self.database.write() as session:
            record.save_domain(session, domain)
            record.create_campaign(session, campaign, [runs])
        return campaign_id

    def running(self, steps: int = 2, given: int = 0, **campaign: Any) -> str:
        """A campaign that has done some steps of each of its runs, the first of them given."""
        campaign_id = self.scheduled(**campaign)
        runs = campaign.get("runs", 1)
        with self.database.write() as session:
            block = self._block(campaign_id)
            alive = {"owner_is_alive": lambda _: True}
            assert record.claim_block(session, block, owner=_OWNER, now=NOON, lease_seconds=300.0, **alive)
            for step in range(steps):
                experiments = [experiment(row, step, given=step < given) for row in range(runs)]
                about = {"step": step, "experiments": experiments, "now": NOON, "lease_seconds": 300.0}
                record.record_step(session, block, owner=_OWNER, **about)
        return campaign_id

    def step(self, campaign_id: str, step: int, *, runs: int = 1, diagnostics: dict[str, Any] | None = None) -> None:
        """One more step of a running campaign; diagnostics: of the belief after it."""
        made = [experiment(row, step) for row in range(runs)]
        if diagnostics is not None:
            made = [replace(entry, belief={**entry.belief, "diagnostics": diagnostics}) for entry in made]
        about = {"step": step, "experiments": made, "now": NOON, "lease_seconds": 300.0}
        with self.database.write() as session:
            record.record_step(session, self._block(campaign_id), owner=_OWNER, **about)

    def many(self, count: int) -> None:
        """Campaigns by the thousand, each of a question of its own, written as rows."""
        ids = [f"{number:012x}" for number in range(count)]
        domains = [
            {**DOMAIN, "identity": f"{number:064x}", "title": f"question {number}", "field": "", "source": "",
             "attachments": {}, "created_at": NOON}
            for number in range(count)
        ]  # fmt: skip
        campaigns = [
            {"id": ids[number], "domain_identity": f"{number:064x}", "policy": "sobol", "laboratory": "simulate",
             "runs": 1, "budget": 4.0, "seed": number, "status": CAMPAIGN_STATUSES[number % 6], "message": "",
             "settings": {"expected_cost": 4.0, "expected_experiments": 4}, "versions": {}, "priority": 0,
             "served": 0.0, "created_at": NOON + timedelta(seconds=number)}
            for number in range(count)
        ]  # fmt: skip
        blocks = [
            {"id": number + 1, "campaign_id": ids[number], "index": 0, "first_run": 0, "runs": 1, "step": 0,
             "status": "scheduled", "waiting": False, "wakes": 0, "attempts": 0, "fault": ""}
            for number in range(count)
        ]  # fmt: skip
        runs = [
            {"campaign_id": ids[number], "block_id": number + 1, "index": 0, "status": "scheduled", "steps": 0,
             "cost": 0.0}
            for number in range(count)
        ]  # fmt: skip
        with self.database.write() as session:
            for table, rows in ((Domain, domains), (Campaign, campaigns), (Block, blocks), (Run, runs)):
                session.execute(insert(table), rows)

    def real(self, **values: Any) -> str:
        """A small campaign of a domain that is in the catalogue, seen through to its end."""
        campaign = create(load_settings(), self.database, **{"laboratory": "simulate", **values})
        assert campaign.advance() == ["finished"] * len(campaign.blocks)
        return campaign.id

    def job(self, kind: str, arguments: dict[str, Any], result: dict[str, Any]) -> None:
        """A job that a worker has done."""
        with self.database.write() as session:
            job = jobs.add_job(session, kind, arguments, "somebody")
            self._claim(session)
            jobs.finish_job(session, job.id, _OWNER, result, NOON)

    def finish_jobs(self, result: dict[str, Any]) -> None:
        """The job that waits is done."""
        with self.database.write() as session:
            jobs.finish_job(session, self._claim(session), _OWNER, result, NOON)

    def fail_jobs(self, message: str) -> None:
        """The job that waits fails."""
        with self.database.write() as session:
            jobs.fail_job(session, self._claim(session), _OWNER, message, NOON)

    def _claim(self, session: Session) -> str:
        alive = {"owner_is_alive": lambda _: True}
        claimed = jobs.claim_job(session, owner=_OWNER, now=NOON, lease_seconds=60.0, **alive)
        assert claimed is not None
        return claimed.job.id

    def finish(self, campaign_id: str) -> None:
        """End a campaign with its finding."""
        with self.database.write() as session:
            record.finish_block(session, self._block(campaign_id), _OWNER, NOON)
            record.save_finding(session, campaign_id, None, {"runs": 1}, FINDING, NOON)
            assert record.finish_campaign(session, campaign_id, NOON + timedelta(minutes=5))

    def fail(self, campaign_id: str, message: str) -> None:
        """Let a campaign fail."""
        with self.database.write() as session:
            assert record.fail_campaign(session, campaign_id, message, NOON)

    def _block(self, campaign_id: str) -> int:
        with self.database.read() as session:
            query = "SELECT id FROM block WHERE campaign_id = ?"
            return int(session.connection().exec_driver_sql(query, (campaign_id,)).scalar_one())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that Organon knows of."""
    monkeypatch.setenv("ORGANON_HOME", str(tmp_path))
    monkeypatch.delenv("ORGANON_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def write(home: Path) -> Iterator[Writer]:
    """A writer to the record of this home, which the pages open too."""
    database = open_database()
    yield Writer(database)
    database.close()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Whoever looks holds the token of an operator, until a test says ``token("viewer")`` or ``token("")``."""
    monkeypatch.setenv("ORGANON_UI_TOKEN", TOKENS["operator"])
    monkeypatch.setenv("ORGANON_UI_VIEWER_TOKEN", TOKENS["viewer"])
    sent = dict(token=TOKENS["operator"])
    monkeypatch.setattr(access, "sent_token", lambda: sent["token"])  # AppTest has no browser and no cookies

    def hold(role: str) -> None:
        sent["token"] = TOKENS.get(role, "")

    return hold


@pytest.fixture
def look(write: Writer) -> Look:
    """Opens the address `/PATH?name=value…` and returns what is on the page; an exception on it is a failure."""

    def open_page(path: str = "campaigns", **query: str) -> AppTest:
        page = AppTest.from_file(str(Path(ui.__file__).parent / "app.py"), default_timeout=20)
        page.run()
        for name, value in query.items():
            page.query_params[name] = value
        page.switch_page(f"views/{path}.py").run()
        assert not page.exception
        return page

    return open_page
