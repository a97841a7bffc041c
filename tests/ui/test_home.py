"""The first page: how to begin, what runs, what needs a person, what was found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from experiments_db import jobs, scheduling
from experiments_db.queries import list_campaigns
from orchestrator.settings import load_settings
from tests.orchestrator.at_the_bench import create
from tests.ui.conftest import NOON, TITLE
from ui.roll import roll_call

Look = Callable[..., AppTest]
SAID = "How fast does \\*this\\* enzyme work?"


def links(page: AppTest) -> list[tuple[str, str, str]]:
    """Every link of the page itself: label, page, query."""
    found = [element.proto for element in page.main.get("page_link")]
    return [(proto.label, proto.page, proto.query_string) for proto in found]


def words(page: AppTest) -> str:
    return "\n".join(element.value for element in (*page.caption, *page.markdown))


def test_an_empty_installation_offers_three_ways_to_start(look: Look, write: Any) -> None:
    page = look("home")
    assert [heading.value for heading in page.subheader] == [
        "A finding in one click",
        "A question of your own",
        "Measurements you have",
    ]
    assert ("Define a question", "domains", "new=1") in links(page)
    page.button(key="first.begin").click().run()
    assert not page.exception
    with write.database.read() as session:
        (begun,) = list_campaigns(session)
    assert (begun.domain_name, begun.campaign.laboratory) == ("enzyme-kinetics", "replay:puromycin-treated")


def test_a_viewer_begins_nothing(look: Look, token: Callable[[str], None]) -> None:
    token("viewer")
    page = look("home")
    assert page.button(key="first.begin").disabled
    assert "role operator can begin it" in words(page)


def test_without_workers_it_says_what_to_do(look: Look, write: Any) -> None:
    write.scheduled()
    roll_call().wait(20)
    page = look("home")
    assert "`organon start`" in page.warning[0].value
    assert any("1 waiting for workers" in label for label, _, _ in links(page))


def test_what_runs_and_what_was_found(look: Look, write: Any) -> None:
    done = write.running(steps=4)
    write.finish(done)
    running = write.running(number=1)
    page = look("home")
    assert "Nothing now: no decision, answer or alarm" in words(page)
    assert (SAID, "campaigns", f"campaign={running}") in links(page)
    assert (SAID, "findings", f"finding={done}") in links(page)
    assert "The law hill leads, no more, with probability 65.0 %" in words(page)
    assert TITLE not in words(page).replace("\\", ""), "said once, by the link"
    assert page.get("progress")


def test_what_failed_and_what_paused_at_a_cap(look: Look, write: Any) -> None:
    failed, capped, paused = write.running(), write.running(number=1), write.running(number=2)
    write.fail(failed, "its worker *died*")
    with write.database.write() as session:
        scheduling.pause_because(session, capped, "4 experiments are recorded: the campaign's cap is 4")
        session.execute(text("UPDATE campaign SET status = 'paused' WHERE id = :id"), {"id": paused})
        job = jobs.add_job(session, "preview", {}, "Ada")
        about = {"owner": "h/1/1", "now": datetime.now(UTC), "lease_seconds": 9.0, "owner_is_alive": lambda _: True}
        assert jobs.claim_job(session, **about) is not None
        jobs.fail_job(session, job.id, "h/1/1", "no", datetime.now(UTC))
    page = look("home")
    assert (SAID, "campaigns", f"campaign={failed}") in links(page)
    assert "failed\\: its worker \\*died\\*" in words(page)
    assert (SAID, "campaigns", f"campaign={capped}") in links(page)
    assert "the campaign's cap is 4" in words(page)
    assert not any(query == f"campaign={paused}" for _, _, query in links(page)), "whoever paused it knows"
    assert any(label.startswith("1 job failed") for label, _, _ in links(page))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "1 experiment to run and report"),
        ({"laboratory": "simulate", "approval": True}, "1 suggestion to approve"),
        ({"due_hours": 1.0}, "1 experiment overdue, 1 experiment to run and report"),
    ],
)
def test_suggestions_that_wait_for_people(look: Look, write: Any, values: dict[str, Any], said: str) -> None:
    campaign = create(load_settings(), write.database, budget=2, **values)
    campaign.advance()
    if "due_hours" in values:
        with write.database.write() as session:
            session.execute(text("UPDATE suggestion SET due_at = :due"), {"due": NOON - timedelta(days=900)})
    page = look("home")
    assert said in words(page)
    assert any(query == f"campaign={campaign.id}" for _, _, query in links(page))


def test_alarms_of_runs_that_go_on_and_of_findings(look: Look, write: Any) -> None:
    calm, alarmed = write.running(runs=2), write.running(number=1, runs=3)
    found = write.running(number=2)
    write.finish(found)
    one_run = 'run_id IN (SELECT id FROM run WHERE campaign_id = :id AND "index" < 2)'
    changed = "UPDATE experiment SET belief = json_set(belief, '$.diagnostics.surprised', json('true')) WHERE step = 1"
    with write.database.write() as session:
        session.execute(text(f"{changed} AND {one_run}"), {"id": alarmed})
        session.execute(
            text(
                "INSERT INTO finding (campaign_id, run_id, content, text, created_at) SELECT campaign_id, id, "
                """'{"explained": false}', 'x', '2026-11-22 12:00:00' FROM run WHERE campaign_id = :id"""
            ),
            {"id": found},
        )
    page = look("home")
    led = [query.removeprefix("campaign=") for _, _, query in links(page)]
    assert (led.count(alarmed), led.count(found), led.count(calm)) == (2, 1, 1), "once as what runs"
    assert any(query == f"finding={found}" for _, _, query in links(page)), "and what was found leads to the finding"
    assert "2 runs met outcomes that no law explains" in words(page)


def test_many(look: Look, write: Any) -> None:
    for number in range(12):
        write.running(number=number)
        write.fail(write.scheduled(100 + number), "x" * 1000)
    page = look("home")
    labels = [label for label, _, _ in links(page)]
    assert labels.count(SAID) == 5 + 6
    assert "7 more campaigns failed" in labels
    assert "All campaigns (6 more running)" in labels
    assert max(len(caption.value) for caption in page.caption) < 300
