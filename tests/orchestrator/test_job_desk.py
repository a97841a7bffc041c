"""What people do about work, checked where it is done: a viewer's button that is pressed all the same does nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments_db import attention, queries, record
from experiments_db import jobs as job_record
from experiments_db.database import Database
from orchestrator import jobs, services
from orchestrator.desk.campaigns import CampaignDesk
from orchestrator.desk.first_steps import FirstStepsDesk
from orchestrator.desk.jobs import JobDesk
from orchestrator.errors import ForbiddenError, RequestError
from orchestrator.settings import Settings, load_settings
from orchestrator.tokens import Holder

OPERATOR, VIEWER = Holder("Ada", "operator"), Holder("Bob", "viewer")


@pytest.fixture
def settings() -> Settings:
    return load_settings()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = services.open_database(settings)
    yield opened
    opened.close()


@pytest.fixture
def job(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(jobs.KINDS, "preview", "nowhere:preview")
    return jobs.ask(settings, database, "preview", {}, "Ada").id


def fail(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        claimed = job_record.claim_job(
            session, owner="h/1/1.00", now=now, lease_seconds=9.0, owner_is_alive=lambda _: True
        )
        assert claimed is not None
        job_record.fail_job(session, claimed.job.id, "h/1/1.00", "no", now)


@pytest.mark.parametrize(
    "act",
    [
        lambda settings, database: JobDesk(settings, database, VIEWER).retry("x"),
        lambda settings, database: JobDesk(settings, database, VIEWER).stop("x"),
        lambda settings, database: JobDesk(settings, database, VIEWER).ask("power", {}),
        lambda settings, database: FirstStepsDesk(settings, database, VIEWER).begin(),
    ],
)
def test_a_viewer_changes_nothing(
    settings: Settings, database: Database, act: Callable[[Settings, Database], Any]
) -> None:
    with pytest.raises(ForbiddenError, match="Bob may look and not act: log in with a token of the role operator"):
        act(settings, database)
    with database.read() as session:
        assert attention.campaign_counts(session) == {}


def test_an_operator_stops_and_tries_again(settings: Settings, database: Database, job: str) -> None:
    desk = JobDesk(settings, database, OPERATOR)
    with pytest.raises(RequestError, match="is waiting; only a failed one"):
        desk.retry(job)
    fail(database)
    desk.retry(job)
    desk.stop(job)
    with database.read() as session:
        assert job_record.get_job(session, job).status == "cancelled"


def test_a_job_is_asked_for_once_in_the_holders_name(settings: Settings, database: Database) -> None:
    desk = JobDesk(settings, database, OPERATOR)
    one = desk.ask("log-check", {"campaign": "c"})
    assert desk.ask("log-check", {"campaign": "c"}).id == one.id
    assert one.by == "Ada"


def test_a_failed_campaign_goes_on_in_the_name_of_who_said_so(settings: Settings, database: Database) -> None:
    campaign = FirstStepsDesk(settings, database, OPERATOR).begin()
    with database.write() as session:
        assert record.fail_campaign(session, campaign, "its worker died", datetime.now(UTC))
    CampaignDesk(settings, database, OPERATOR).retry(campaign)
    found = services.campaign_status(database, campaign)
    assert (found["status"], found["laboratory"]) == ("scheduled", "replay:puromycin-treated")
    with database.read() as session:
        events = session.connection().exec_driver_sql("SELECT content FROM event ORDER BY id").scalars().all()
    assert '"Ada"' in str(events[-1])
    with database.read() as session:
        assert queries.get_campaign(session, campaign).settings["asked"]["by"] == "Ada"
