"""Verification and archives of campaigns whose experiments are answered later: replayed from what their log says."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from domains.loading import find
from experiments_db import queries
from experiments_db.chains import read_chain
from experiments_db.database import Database
from experiments_db.dump import backup
from orchestrator import services
from orchestrator.archives.reading import import_archive
from orchestrator.archives.writing import archive
from orchestrator.settings import Settings
from orchestrator.tokens import create_token
from orchestrator.verification.report import Report
from orchestrator.verification.verify import verify
from tests.orchestrator.at_the_bench import Campaign, create, velocity


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60)


def tampered(database: Database, *statements: str) -> None:
    """Changed behind the log's back."""
    with database.write() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def fields(report: Report) -> set[tuple[str, str]]:
    return {(each.check, each.field) for each in report.found}


def worked(settings: Settings, database: Database) -> Campaign:
    """All that can happen at a bench: two at a time, in another order, one failed, one refused, one at another
    setting, one corrected while it goes on."""
    campaign = create(settings, database, policy="expected-information-gain", budget=6, batch=2, runs=2)
    campaign.advance()
    first, second = (entry["id"] for entry in campaign.waiting()[:2])
    campaign.bench.take(campaign.id)
    campaign.bench.release(first)
    campaign.bench.tell(second, {"velocity": 90.0}, {"substrate": 0.05})
    campaign.advance()
    campaign.bench.fail(first, "the lamp broke")
    campaign.advance()
    campaign.bench.reject(campaign.waiting()[0]["id"], "we have no more of it")
    campaign.bench.correct(second, {"velocity": 95.0}, reason="a digit")
    campaign.to_the_end(velocity)
    return campaign


def test_a_manual_campaign_is_verified_with_all_that_was_said(settings: Settings, database: Database) -> None:
    campaign = worked(settings, database)
    report = verify(settings, database, campaign.id)
    assert report.found == []
    assert report.ok
    assert report.same_kind
    (one, other) = report.blocks
    assert (one.experiments, other.experiments, one.told, one.revisions) == (6, 6, 6, 1)
    found = report.as_dict()
    assert found["decisions"] == found["decisions_alike"] == 13, "the one that was refused, too"
    assert (found["outcomes_as_told"], found["revisions_replayed"]) == (12, 1)
    (line,) = [line for line in report.in_words() if line.startswith("not replayed")]
    assert "the outcomes of 12 experiments, which people or programs told" in line
    with database.read() as session:
        kinds = {event.kind for block in (0, 1) for event in read_chain(session, f"{campaign.id}/{block}")}
    assert kinds >= {
        "suggestions made", "suggestion taken", "suggestion released", "suggestion answered", "suggestion failed",
        "suggestion rejected", "suggestion recorded", "result corrected", "belief revised",
    }  # fmt: skip


def test_a_finished_campaign_that_was_opened_again_is_verified(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, policy="expected-information-gain", budget=3)
    campaign.to_the_end(velocity)
    assert verify(settings, database, campaign.id).ok
    entries = campaign.all()
    campaign.bench.withdraw(entries[0]["id"], reason="the sensor was unplugged")
    assert verify(settings, database, campaign.id).ok, "between what was said and its belief"
    assert campaign.advance() == ["finished"]
    campaign.bench.correct(entries[1]["id"], {"velocity": 11.0}, reason="a digit")
    assert campaign.advance() == ["finished"]
    report = verify(settings, database, campaign.id)
    assert report.found == []
    assert report.ok
    assert sum(block.revisions for block in report.blocks) == 2


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("UPDATE experiment SET belief = json_set(belief, '$.mechanism_probability.hill', 0.5) WHERE step = 1",
         {("tables", "belief"), ("replay", "belief.mechanism_probability.hill")}),
        ("UPDATE experiment SET outcome = json_set(outcome, '$.velocity', 1.5) WHERE step = 1",
         {("tables", "outcome"), ("replay", "outcome.velocity")}),
        ("UPDATE suggestion SET design = json_set(design, '$.substrate', 1.5) WHERE number = 1",
         {("tables", "design"), ("replay", "design.substrate")}),
        ("UPDATE revision SET belief = json_set(belief, '$.mechanism_probability.hill', 0.5)",
         {("tables", "belief"), ("replay", "revision 0: belief.mechanism_probability.hill")}),
    ],
)  # fmt: skip
def test_tampering_is_found(
    settings: Settings, database: Database, statement: str, wanted: set[tuple[str, str]]
) -> None:
    campaign = create(settings, database, budget=3)
    campaign.to_the_end(velocity)
    campaign.bench.correct(campaign.all()[0]["id"], {"velocity": 11.0}, reason="a digit")
    campaign.advance()
    assert verify(settings, database, campaign.id).ok
    tampered(database, statement)
    found = fields(verify(settings, database, campaign.id))
    assert found >= wanted


def test_a_choice_that_does_not_follow_is_found(settings: Settings, database: Database) -> None:
    """Everything rewritten so that tables and log agree, but for the replay: another seed gives other choices."""
    campaign = create(settings, database, policy="expected-information-gain", budget=2)
    campaign.to_the_end(velocity)
    tampered(database, "UPDATE campaign SET seed = 77")
    assert ("replay", "suggestion 0.design") in fields(verify(settings, database, campaign.id)) or (
        "replay", "suggestion 0.candidates") in fields(verify(settings, database, campaign.id))  # fmt: skip


@pytest.mark.parametrize("laboratory", ["simulate", *(f"replay:{name}" for name in find("enzyme-kinetics").replays)])
def test_what_a_laboratory_of_ours_gives_is_replayed_although_it_was_approved(
    settings: Settings, database: Database, laboratory: str
) -> None:
    campaign = create(settings, database, laboratory=laboratory, approval=True, budget=2)
    while "waiting" in campaign.advance():
        for entry in campaign.waiting():
            campaign.bench.approve(entry["id"])
    report = verify(settings, database, campaign.id)
    assert report.found == []
    assert (report.ok, report.told) == (True, 0)
    tampered(
        database,
        "UPDATE experiment SET outcome = json_set(outcome, '$.velocity', 1.5) WHERE step = 1",
        "UPDATE suggestion SET outcome = json_set(outcome, '$.velocity', 1.5) WHERE number = 1",
    )
    assert ("replay", "outcome.velocity") in fields(verify(settings, database, campaign.id))


def test_an_end_for_want_of_anything_worth_doing_is_replayed(settings: Settings, database: Database) -> None:
    worth = {"information": 1.4}
    campaign = create(settings, database, policy="expected-information-gain", budget=20, particles=200, stop=worth)
    campaign.advance()
    campaign.bench.reject(campaign.waiting()[0]["id"], "too dear")
    campaign.to_the_end(velocity)
    assert campaign.status()["finding"]["run"]["ended"] == "exhausted"
    report = verify(settings, database, campaign.id)
    assert report.found == []
    assert report.ok
    tampered(database, "UPDATE campaign SET settings = json_set(settings, '$.stop', json('null'))")
    assert ("replay", "end of the run") in fields(verify(settings, database, campaign.id))


def test_programs_are_not_started_by_a_verification(
    home: Path, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, program = tmp_path / "seen", tmp_path / "bench.py"
    program.write_text(
        f"import json, sys\nopen({str(seen)!r}, 'a').write('x')\n"
        "design = json.load(sys.stdin)['design']\nprint(json.dumps({'outcome': {'velocity': design['substrate']}}))\n"
    )
    commands = f'{{"bench": {{"run": ["{sys.executable}", "{program}"], "seconds": 60}}}}'
    settings = Settings(home=home, task_seconds=60, commands=commands)
    campaign = create(settings, database, laboratory="command:bench", budget=2)
    assert campaign.advance() == ["finished"]
    assert seen.read_text() == "xx"
    elsewhere = Settings(home=home)  # where the program is not even in the list
    report = verify(elsewhere, database, campaign.id)
    assert report.found == []
    assert (report.ok, report.told) == (True, 2)
    assert seen.read_text() == "xx"


def test_an_archive_takes_suggestions_and_revisions_to_another_installation(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    campaign = worked(settings, database)
    with database.read() as session:
        numbers = session.connection().exec_driver_sql("SELECT count(*) FROM suggestion").scalar_one()
    archive(settings, database, campaign.id, tmp_path / "it.organon")
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    create(other, there).advance()  # so that ids differ
    import_archive(other, there, tmp_path / "it.organon")
    report = verify(other, there, campaign.id)
    assert report.found == []
    assert report.ok
    moved = Campaign(other, there, campaign.id, [])
    here, found = (_by_place(each.all()) for each in (campaign, moved))
    assert found == here
    assert len(found) == numbers
    with there.read() as session:
        assert queries.get_campaign(session, campaign.id).imported is not None
    there.close()


def test_tokens_are_in_no_archive_and_of_secrets_only_hashes_are_backed_up(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    secret = create_token(database, "bench", "operator")
    campaign = create(settings, database)
    archive(settings, database, campaign.id, tmp_path / "it.organon")
    backup(database, tmp_path / "all.backup")
    text = {}
    for name in ("it.organon", "all.backup"):
        with zipfile.ZipFile(tmp_path / name) as file:
            text[name] = {member: file.read(member).decode() for member in file.namelist()}
    assert "bench" in text["all.backup"]["token.jsonl"]
    assert not any("token" in member for member in text["it.organon"])
    everything = "".join(content for members in text.values() for content in members.values())
    assert secret.split("_", 2)[2] not in everything


def _by_place(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By run and number, without the numbers that an installation gives."""
    found = sorted(entries, key=lambda entry: (entry["run"], entry["number"]))
    return [{name: value for name, value in entry.items() if name != "id"} for entry in found]
