"""The desk of campaigns and the bench's: who may act, and in whose name it stands in the log."""

from collections.abc import Callable
from typing import Any

import pytest

from experiments_db import chains, events, queries
from experiments_db.database import Database
from orchestrator import services
from orchestrator.desk.bench import BenchDesk
from orchestrator.desk.campaigns import CampaignDesk
from orchestrator.errors import ForbiddenError, RequestError, StateError
from orchestrator.requests import Document, campaign_request
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from tests.orchestrator.at_the_bench import create, velocity
from tests.orchestrator.conftest import BENCH, COSTLY

ADA, BOB = Holder("Ada", "operator"), Holder("Bob", "viewer")
SMALL = {"domain": "enzyme-kinetics", "budget": 2, "particles": 100, "policy": "random"}
TABLE = "design.substrate,outcome.velocity\n0.02,76.25\n1.1,\n"


@pytest.fixture
def desk(settings: Settings, database: Database) -> CampaignDesk:
    return CampaignDesk(settings, database, ADA)


def _last(database: Database, campaign: str) -> chains.EventRecord:
    with database.read() as session:
        return chains.read_chain(session, events.chain_of(campaign))[-1]


def _campaign(database: Database, campaign: str) -> queries.CampaignRecord:
    with database.read() as session:
        return queries.get_campaign(session, campaign)


ACTS: dict[str, Callable[[CampaignDesk], object]] = {
    "create": lambda desk: desk.create(campaign_request(**SMALL)),
    "clone": lambda desk: desk.clone("c"),
    "pause": lambda desk: desk.pause("c"),
    "resume": lambda desk: desk.resume("c"),
    "cancel": lambda desk: desk.cancel("c"),
    "retry": lambda desk: desk.retry("c"),
    "extend": lambda desk: desk.extend("c", runs=1),
    "stop_repeating": lambda desk: desk.stop_repeating("c"),
}
SAYINGS: dict[str, Callable[[BenchDesk], object]] = {
    "take": lambda desk: desk.take(1),
    "release": lambda desk: desk.release(1),
    "approve": lambda desk: desk.approve(1),
    "reject": lambda desk: desk.reject(1, "no"),
    "tell": lambda desk: desk.tell(1, {}),
    "fail": lambda desk: desk.fail(1, "no"),
    "correct": lambda desk: desk.correct(1, {}, reason="no"),
    "withdraw": lambda desk: desk.withdraw(1, reason="no"),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_may_only_look_is_refused_by_the_service(settings: Settings, database: Database, act: str) -> None:
    with pytest.raises(ForbiddenError, match="Bob may look and not act"):
        ACTS[act](CampaignDesk(settings, database, BOB))
    assert services.list_campaigns(database) == []


@pytest.mark.parametrize("saying", SAYINGS)
def test_who_may_only_look_says_nothing_at_the_bench(settings: Settings, database: Database, saying: str) -> None:
    with pytest.raises(ForbiddenError, match="Bob may look and not act"):
        SAYINGS[saying](BenchDesk(settings, database, BOB))


def test_every_public_method_is_among_those_refused() -> None:
    for kind, known in ((CampaignDesk, ACTS), (BenchDesk, SAYINGS)):
        assert {name for name in vars(kind) if not name.startswith("_") and callable(getattr(kind, name))} == set(known)


def test_acts_stand_in_the_log_with_name_and_reason(desk: CampaignDesk, database: Database) -> None:
    campaign = desk.create(campaign_request(**SMALL), "to see")
    assert _campaign(database, campaign).settings["asked"] == {"by": "Ada", "reason": "to see"}
    for act, kind in (("pause", "campaign paused"), ("resume", "campaign resumed"), ("cancel", "campaign cancelled")):
        getattr(desk, act)(campaign, f"{act}d by hand")
        event = _last(database, campaign)
        assert (event.kind, event.said) == (kind, {"by": "Ada", "reason": f"{act}d by hand"})
    with pytest.raises(RequestError, match="cannot be paused"):
        desk.pause(campaign)


def test_a_campaign_is_extended_and_one_that_failed_tried_again(desk: CampaignDesk, database: Database) -> None:
    from experiments_db import record
    from experiments_db.models import now_utc

    campaign = desk.create(campaign_request(**SMALL))
    assert desk.extend(campaign, runs=2, reason="more worlds").runs == 3
    assert _last(database, campaign).said["reason"] == "more worlds"
    with database.write() as session:
        record.fail_campaign(session, campaign, "no", now_utc())
    assert desk.retry(campaign) == campaign
    assert _campaign(database, campaign).status == "scheduled"


def test_a_clone_asks_the_same_of_other_worlds(desk: CampaignDesk, database: Database) -> None:
    stop = {"probability": 0.9, "widths": {"rate": 0.1}, "information": None}
    asked: dict[str, Any] = {
        "domain": Document(text=COSTLY, attachments={"bench.csv": BENCH}),
        "laboratory": "replay:bench",
        "policy": "sobol",
        "runs": 3,
        "budget": 7.5,
        "seed": 41,
        "particles": 60,
        "moves": 2,
        "batch": 2,
        "stop": stop,
        "approval": True,
        "due_hours": 4.0,
        "timetable": {"priority": 3, "max_experiments": 50, "max_cost": 80.0},
    }
    first = desk.create(campaign_request(**asked))

    clone = _campaign(database, desk.clone(first))

    one = _campaign(database, first)
    same = ("domain_identity", "policy", "laboratory", "runs", "budget", "priority", "max_experiments", "max_cost")
    assert [getattr(clone, name) for name in same] == [getattr(one, name) for name in same]
    assert clone.seed == 42
    assert {**clone.settings, "asked": None} == {**one.settings, "asked": None}
    assert clone.settings["asked"]["reason"] == f"clone of {first}"


def test_a_clone_starts_from_the_same_measurements(desk: CampaignDesk, database: Database) -> None:
    data = {"file": "made.csv", "text": TABLE}
    first = desk.create(campaign_request(**{**SMALL, "laboratory": "none", "data": data}))
    clone = desk.clone(first)
    with database.read() as session:
        assert queries.given_measurements(session, clone) == queries.given_measurements(session, first)
        assert queries.data_source(session, clone).rows == 2  # type: ignore[union-attr]


def test_what_is_said_at_the_bench_stands_with_both_names(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    campaign.advance()
    (waiting,) = campaign.waiting()
    eve = BenchDesk(settings, database, ADA, " Eve ")
    assert eve.take(waiting["id"])["taken_by"] == "Eve (Ada)"
    with pytest.raises(StateError, match=r"was taken by Eve \(Ada\) already"):
        BenchDesk(settings, database, ADA).take(waiting["id"])
    assert BenchDesk(settings, database, ADA).release(waiting["id"])["taken_by"] is None

    assert eve.tell(waiting["id"], velocity(waiting))["answered_by"] == "Eve (Ada)"

    with pytest.raises(StateError, match="nobody can take it"):
        eve.take(waiting["id"])
    campaign.advance()
    revised = BenchDesk(settings, database, ADA).correct(waiting["id"], {"velocity": 1.5}, reason="a slip")
    assert (revised["revisions"][0]["by"], revised["revisions"][0]["reason"]) == ("Ada", "a slip")
