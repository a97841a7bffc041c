"""Advancing blocks in this process: how campaigns end, well or badly, and how they are steered."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from experiments_db import models, queries, record
from experiments_db.database import Database
from orchestrator import advance as advancing
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from tests.orchestrator.conftest import BENCH, COSTLY


def created(settings: Settings, database: Database, **values: object) -> tuple[str, int]:
    """A small campaign of one block: its id, and the block's."""
    request = services.campaign_request(**{"domain": "enzyme-kinetics", "budget": 2, "particles": 100, **values})
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        block = session.scalars(select(models.Block.id).where(models.Block.campaign_id == campaign)).one()  # type: ignore[call-overload]
    return campaign, block


def status(database: Database, campaign: str) -> dict[str, object]:
    return services.campaign_status(database, campaign)


def test_a_block_advances_to_its_end_and_ends_its_campaign(settings: Settings, database: Database) -> None:
    campaign, block = created(settings, database)
    assert advance(database, settings, block) == "finished"
    ended = status(database, campaign)
    assert ended["status"] == "finished"
    assert ended["finding"]
    assert advance(database, settings, block) == "busy"


def test_a_document_handed_over_as_text_replays_the_table_that_came_with_it(
    settings: Settings, database: Database
) -> None:
    """On any machine: the table goes into the record with the document."""
    document = {"text": COSTLY, "attachments": {"bench.csv": BENCH}}
    campaign, block = created(settings, database, domain=document, laboratory="replay:bench", budget=9)
    assert advance(database, settings, block) == "finished"
    ended = status(database, campaign)
    assert ended["status"] == "finished"
    assert ended["progress"]["experiments"] > 0  # type: ignore[index]


def test_a_campaign_whose_last_worker_died_before_the_end_is_concluded_by_the_watchdog(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, block = created(settings, database)

    def die(*arguments: object) -> None:
        del arguments

    with monkeypatch.context() as patch:
        patch.setattr(services, "conclude", die)
        assert advance(database, settings, block) == "finished"
    assert status(database, campaign)["status"] == "running"
    services.send_orphans(settings, database)
    assert status(database, campaign)["status"] == "finished"
    assert status(database, campaign)["finding"]


def test_whatever_goes_wrong_in_the_science_ends_the_campaign_with_the_reason(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, block = created(settings, database)

    def broken(*arguments: object) -> None:
        raise MemoryError("too many particles")

    monkeypatch.setattr(advancing, "compose", broken)
    assert advance(database, settings, block) == "finished"
    failed = status(database, campaign)
    assert failed["status"] == "failed"
    assert "MemoryError: too many particles" in str(failed["message"])


def test_a_budget_that_pays_for_nothing_fails_with_the_cheapest_cost(
    settings: Settings, database: Database, costly_file: Path
) -> None:
    campaign, block = created(settings, database, domain=str(costly_file), budget=0.25)
    advance(database, settings, block)
    failed = status(database, campaign)
    assert failed["status"] == "failed"
    assert "the cheapest costs 0.5" in str(failed["message"])


def test_paused_resumed_and_cancelled(settings: Settings, database: Database) -> None:
    campaign, block = created(settings, database)
    services.pause_campaign(database, campaign[:8])
    assert advance(database, settings, block) == "busy"
    assert status(database, campaign)["status"] == "paused"
    with pytest.raises(RequestError, match="is paused; it cannot be paused"):
        services.pause_campaign(database, campaign)
    services.resume_campaign(settings, database, campaign)
    services.cancel_campaign(database, campaign)
    assert status(database, campaign)["status"] == "cancelled"
    assert advance(database, settings, block) == "busy"
    with pytest.raises(RequestError, match="is cancelled; it cannot be resumed"):
        services.resume_campaign(settings, database, campaign)


def test_a_campaign_paused_in_its_last_step_ends_when_resumed(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, block = created(settings, database)
    genuine = services.conclude

    def pause_first(session: Session, campaign_id: str) -> None:
        record.pause_campaign(session, campaign_id)
        genuine(session, campaign_id)

    with monkeypatch.context() as patch:
        patch.setattr(services, "conclude", pause_first)
        assert advance(database, settings, block) == "finished"
    assert status(database, campaign)["status"] == "paused"
    services.resume_campaign(settings, database, campaign)
    assert status(database, campaign)["status"] == "finished"


def test_a_home_is_its_owners_alone(settings: Settings, database: Database) -> None:
    del database
    fresh = Settings(home=settings.folder.parent / "other")
    opened = services.open_database(fresh)
    opened.close()
    assert (fresh.home.stat().st_mode & 0o777) == 0o700


def test_swapping_two_tables_makes_another_domain(costly_file: Path) -> None:
    from domains.loading import load_text

    text = costly_file.read_text().replace(
        "source: made up for this test", "source: made up\n  other:\n    file: other.csv\n"
        "    columns: {time: t, method: how, amount: a}",
    )  # fmt: skip
    one, two = "t,how,a\n1.0,quick,0.4\n", "t,how,a\n2.0,quick,0.1\n"
    first = load_text(text, attachments={"bench.csv": one, "other.csv": two})
    second = load_text(text, attachments={"bench.csv": two, "other.csv": one})
    assert first.identity != second.identity


def test_information_of_a_run_with_an_unknown_step_is_unknown(settings: Settings, database: Database) -> None:
    campaign, block = created(settings, database)
    advance(database, settings, block)
    with database.read() as session:
        (known,) = queries.information_by_run(session, campaign)
    assert known is not None
    with database.write() as session:
        experiment = session.scalars(select(models.Experiment)).first()
        assert experiment is not None
        experiment.information = None
    with database.read() as session:
        assert queries.information_by_run(session, campaign) == [None]
