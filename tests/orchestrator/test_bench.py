"""Experiments that somebody answers later: kept, answered in any order, failed, refused, approved, revised."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.errors import DomainError
from experiments_db import scheduling, suggestions
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from orchestrator import services
from orchestrator.bench import Bench
from orchestrator.errors import RequestError, StateError
from orchestrator.settings import Settings
from orchestrator.suggestion_lines import pending
from tests.orchestrator.at_the_bench import create, velocity


def test_a_manual_campaign_asks_waits_and_goes_on(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, due_hours=24)
    assert campaign.advance() == ["waiting"]
    (entry,) = campaign.waiting()
    assert (entry["status"], entry["run"], entry["number"], entry["overdue"]) == ("open", 0, 0, False)
    assert datetime.fromisoformat(entry["due_at"]) > datetime.now(UTC)
    assert campaign.advance() == ["waiting"], "nothing is suggested twice"
    assert [line["id"] for line in campaign.waiting()] == [entry["id"]]
    told = campaign.bench.tell(entry["id"], {"velocity": 100})
    assert (told["status"], told["outcome"], told["answered_by"]) == ("answered", {"velocity": 100.0}, "Ada")
    campaign.to_the_end(velocity)
    status = campaign.status()
    assert status["status"] == "finished"
    assert status["finding"]["experiments"] == 3
    rows = campaign.experiments()
    assert [row["step"] for row in rows] == [0, 1, 2]
    assert rows[0]["outcome"] == {"velocity": 100.0}
    assert [row["design"] for row in rows] == [line["design"] for line in campaign.all()]
    assert [line["step"] for line in campaign.all()] == [0, 1, 2]


def test_waiting_blocks_are_not_sent_again_until_somebody_answers(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    campaign.advance()

    def waiting() -> list[int]:
        with database.read() as session:
            return scheduling.waiting_blocks(session, datetime.now(UTC), lambda _: True, 0.0)

    assert waiting() == []
    campaign.bench.tell(campaign.waiting()[0]["id"], {"velocity": 90})
    assert waiting() == campaign.blocks


def test_a_manual_campaign_answered_as_simulated_is_the_simulated_campaign(
    settings: Settings, database: Database
) -> None:
    """The same designs, beliefs and finding to the bit: nothing hangs on how an experiment came to be answered."""
    conduct = {"budget": 4, "policy": "expected-information-gain", "seed": 5, "runs": 2}
    by_one = settings.model_copy(update={"block_runs": 1})
    simulated = create(by_one, database, laboratory="simulate", **conduct)
    simulated.advance()
    outcomes = {(row["run_index"], row["step"]): row["outcome"] for row in simulated.experiments()}
    manual = create(settings, database, **conduct)
    manual.to_the_end(lambda entry: outcomes[entry["run"], entry["number"]])
    for row, other in zip(manual.experiments(), simulated.experiments(), strict=True):
        for name in ("run_index", "step", "design", "outcome", "cost", "belief", "candidates"):
            assert row[name] == other[name], name


def test_a_lost_cache_changes_nothing(settings: Settings, database: Database) -> None:
    ends = []
    for forget in (False, True):
        campaign = create(settings, database, batch=2, budget=4, policy="expected-information-gain")
        while "waiting" in campaign.advance():
            entry = campaign.waiting()[-1]  # the newest first: out of order
            campaign.bench.tell(entry["id"], velocity(entry))
            for file in (settings.folder / "cache" / "beliefs").glob("*") if forget else ():
                file.unlink()
        ends.append([(row["design"], row["outcome"], row["belief"]) for row in campaign.experiments()])
    assert ends[0] == ends[1]


def test_several_are_outstanding_and_answers_come_in_any_order(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, batch=3, budget=5, policy="sobol")
    campaign.advance()
    first, second, third = campaign.waiting()
    assert len({line["design"]["substrate"] for line in (first, second, third)}) == 3
    campaign.bench.tell(third["id"], velocity(third))
    campaign.advance()
    assert [line["number"] for line in campaign.waiting()] == [0, 1, 3], "what was answered made room for another"
    assert campaign.experiments()[0]["design"] == third["design"]
    campaign.to_the_end(velocity)
    assert len(campaign.experiments()) == 5
    assert {line["status"] for line in campaign.all()} == {"recorded"}
    assert sorted(line["step"] for line in campaign.all()) == [0, 1, 2, 3, 4]


def test_the_budget_is_set_aside_for_what_is_outstanding(
    settings: Settings, database: Database, costly_file: Path
) -> None:
    campaign = create(settings, database, domain=str(costly_file), budget=8, batch=8)
    campaign.advance()
    waiting = campaign.waiting()
    costs = [line["design"]["time"] + 2 * (line["design"]["method"] == "careful") for line in waiting]
    assert 1 < len(waiting) < 8
    assert sum(costs) <= 8
    campaign.to_the_end(lambda _: {"amount": 0.2})
    assert campaign.status()["progress"]["cost"] <= 8


def test_two_never_take_the_same_suggestion(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, batch=2)
    campaign.advance()
    ada, bob = campaign.bench, Bench(settings, database, "Bob")
    taken = [ada.take(campaign.id), bob.take(campaign.id)]
    assert [line and line["taken_by"] for line in taken] == ["Ada", "Bob"]
    assert taken[0] is not None
    assert taken[1] is not None
    assert taken[0]["id"] != taken[1]["id"]
    assert ada.take(campaign.id) is None
    ada.release(taken[0]["id"])
    again = bob.take(campaign.id)
    assert again is not None
    assert (again["id"], again["taken_by"]) == (taken[0]["id"], "Bob")


def test_another_design_than_suggested_is_what_is_recorded(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, budget=2)
    campaign.advance()
    (entry,) = campaign.waiting()
    told = campaign.bench.tell(entry["id"], {"velocity": 60}, {"substrate": 0.05})
    assert told["design"] == {"substrate": 0.05} != told["suggested"]
    campaign.advance()
    assert campaign.experiments()[0]["design"] == {"substrate": 0.05}


def test_a_failed_experiment_counts_and_the_run_goes_on(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, budget=2)
    campaign.advance()
    campaign.bench.fail(campaign.waiting()[0]["id"], "the cuvette broke")
    assert campaign.advance() == ["waiting"]
    (row,) = campaign.experiments()
    assert row["outcome"] == {"velocity": None}
    assert row["cost"] == 1
    assert campaign.all()[0]["failure"] == "the cuvette broke"
    campaign.to_the_end(velocity)
    assert campaign.status()["status"] == "finished"


@pytest.mark.parametrize("policy", ["random", "sobol", "expected-information-gain"])
def test_a_refused_suggestion_is_replaced_by_another_and_costs_nothing(
    settings: Settings, database: Database, policy: str
) -> None:
    campaign = create(settings, database, budget=2, policy=policy)
    campaign.advance()
    (entry,) = campaign.waiting()
    refused = campaign.bench.reject(entry["id"], "no stock of that")
    assert (refused["status"], refused["reason"], refused["decided_by"]) == ("rejected", "no stock of that", "Ada")
    assert campaign.advance() == ["waiting"]
    (other,) = campaign.waiting()
    assert other["number"] == 1
    assert other["design"] != entry["design"]
    campaign.to_the_end(velocity)
    assert campaign.status()["progress"]["experiments"] == 2


def test_approval_comes_before_a_simulation(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, laboratory="simulate", approval=True, budget=2)
    assert campaign.advance() == ["waiting"]
    (entry,) = campaign.waiting()
    assert entry["status"] == "proposed"
    assert campaign.experiments() == []
    campaign.bench.approve(entry["id"], {"substrate": 0.3})
    assert campaign.advance() == ["waiting"]
    (row,) = campaign.experiments()
    assert row["design"] == {"substrate": 0.3}
    assert row["outcome"]["velocity"] is not None
    assert row["information"] is not None
    campaign.bench.approve(campaign.waiting()[0]["id"])
    assert campaign.advance() == ["finished"]


def test_a_manual_result_waits_for_approval_too(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, approval=True)
    campaign.advance()
    (entry,) = campaign.waiting()
    assert campaign.bench.take(campaign.id) is None
    with pytest.raises(StateError, match=f"suggestion {entry['id']} is proposed; it waits for approval"):
        campaign.bench.tell(entry["id"], {"velocity": 1})
    campaign.bench.approve(entry["id"])
    assert campaign.bench.tell(entry["id"], {"velocity": 1})["status"] == "answered"


def test_a_replay_whose_every_row_is_refused_ends(settings: Settings, database: Database, costly_file: Path) -> None:
    campaign = create(
        settings, database, domain=str(costly_file), laboratory="replay:bench", approval=True, batch=9, budget=100
    )
    campaign.advance()
    for entry in campaign.waiting():
        campaign.bench.reject(entry["id"], "no")
    assert campaign.advance() == ["finished"]
    assert campaign.experiments() == []


def test_precision_reached_asks_for_no_more_but_hears_what_is_under_way(settings: Settings, database: Database) -> None:
    """Two designs are chosen before anything is known; the first answer is enough, the second still counts."""
    campaign = create(settings, database, batch=2, budget=50, stop={"probability": 0.36}, particles=200)
    campaign.advance()
    first, second = campaign.waiting()
    campaign.bench.tell(first["id"], velocity(first))
    assert campaign.advance() == ["waiting"]
    assert [line["id"] for line in campaign.waiting()] == [second["id"]], "no third is asked for"
    campaign.bench.tell(second["id"], velocity(second))
    outcome = campaign.advance()
    assert len(campaign.experiments()) == 2
    leading = max(campaign.experiments()[-1]["belief"]["mechanism_probability"].values())
    assert outcome == (["finished"] if leading >= 0.36 else ["waiting"])


class TestRefusals:
    @pytest.mark.parametrize(
        ("outcome", "design", "message"),
        [
            ({"velocty": 1}, None, "unknown velocty; did you mean 'velocity'"),
            ({}, None, "missing velocity"),
            ({"velocity": float("nan")}, None, "not a finite number"),
            ({"velocity": True}, None, "not a finite number"),
            ({"velocity": "12"}, None, "not a finite number"),
            ({"velocity": 10**400}, None, "not a finite number"),
            ({"velocity": 1}, {"substrate": 1e9}, "outside its range"),
            ({"velocity": 1}, {"substrate": "much"}, "'much' is not a finite number"),
            ({"velocity": 1}, {}, "missing substrate"),
        ],
    )
    def test_what_cannot_be_is_not_recorded(
        self, settings: Settings, database: Database, outcome: dict, design: dict | None, message: str
    ) -> None:
        campaign = create(settings, database)
        campaign.advance()
        (entry,) = campaign.waiting()
        with pytest.raises(DomainError, match=message):
            campaign.bench.tell(entry["id"], outcome, design)
        assert campaign.waiting() == [entry]

    def test_telling_twice_counts_once_and_telling_otherwise_is_refused(
        self, settings: Settings, database: Database
    ) -> None:
        campaign = create(settings, database, budget=1)
        campaign.advance()
        (entry,) = campaign.waiting()
        first = campaign.bench.tell(entry["id"], {"velocity": 5})
        assert campaign.bench.tell(entry["id"], {"velocity": 5}) == first
        with pytest.raises(StateError, match="is answered; correct it, if another is right"):
            campaign.bench.tell(entry["id"], {"velocity": 6})
        campaign.advance()
        assert campaign.bench.tell(entry["id"], {"velocity": 5})["status"] == "recorded"
        assert len(campaign.experiments()) == 1

    def test_an_ended_campaign_hears_nothing_more(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database)
        campaign.advance()
        (entry,) = campaign.waiting()
        services.cancel_campaign(database, campaign.id)
        assert pending(database) == []
        for act in (
            lambda: campaign.bench.tell(entry["id"], {"velocity": 5}),
            lambda: campaign.bench.take(campaign.id),
        ):
            with pytest.raises(StateError, match="is cancelled"):
                act()

    def test_a_paused_campaign_still_hears(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database, budget=1)
        campaign.advance()
        services.pause_campaign(database, campaign.id)
        campaign.bench.tell(campaign.waiting()[0]["id"], {"velocity": 5})
        assert campaign.advance() == ["busy"]
        services.resume_campaign(settings, database, campaign.id)
        assert campaign.advance() == ["finished"]

    def test_who_is_not_there(self, settings: Settings, database: Database) -> None:
        with pytest.raises(NotFoundError, match="There is no suggestion 99"):
            Bench(settings, database, "Ada").tell(99, {})
        with pytest.raises(RequestError, match="the name of who says so: 1 to 200"):
            Bench(settings, database, "")
        simulated = create(settings, database, laboratory="simulate")
        with pytest.raises(RequestError, match="the laboratory simulate answers by itself"):
            simulated.bench.take(simulated.id)

    def test_a_late_decision_is_refused(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database, approval=True)
        campaign.advance()
        (entry,) = campaign.waiting()
        campaign.bench.approve(entry["id"])
        with pytest.raises(StateError, match="is open; it is too late for that"):
            campaign.bench.approve(entry["id"])
        campaign.bench.tell(entry["id"], {"velocity": 5})
        with pytest.raises(StateError, match="is answered; it is too late"):
            campaign.bench.reject(entry["id"], "no")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"laboratory": "none", "approval": True}, "none runs no experiments, so that none can be approved"),
        ({"laboratory": "simulate", "due_hours": 2}, "--due-hours: nobody is waited for by --laboratory simulate"),
        ({"laboratory": "manual", "runs": 5000}, "at most 1000 runs"),
        ({"laboratory": "command:titrator"}, "ORGANON_COMMANDS lists: none"),
        ({"laboratory": "command:"}, "is not one that enzyme-kinetics has"),
    ],
)
def test_requests_that_do_not_fit(settings: Settings, database: Database, values: dict, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        create(settings, database, **values)


def test_what_is_due_becomes_overdue(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, due_hours=1e-9)
    campaign.advance()
    assert campaign.waiting()[0]["overdue"] is True
    with database.read() as session:
        found = suggestions.counts(session, campaign.id, datetime.now(UTC))
    assert found == {"proposed": 0, "open": 1, "overdue": 1}
