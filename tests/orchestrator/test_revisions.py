"""Results that are corrected or withdrawn: the belief is folded anew, and the record keeps both."""

from pathlib import Path

import pandas
import pytest

from experiments_db import queries, revisions
from experiments_db.database import Database
from orchestrator import services
from orchestrator.errors import RequestError, StateError
from orchestrator.export import export
from orchestrator.settings import Settings
from orchestrator.suggestion_lines import show
from tests.orchestrator.at_the_bench import create, velocity


class TestRevisions:
    def test_a_correction_is_a_fold_over_what_holds_now(self, settings: Settings, database: Database) -> None:
        wrong = create(settings, database, seed=3)
        right = create(settings, database, seed=3)
        values = [70.0, 120.0, 160.0]
        for campaign, told in ((wrong, [7.0, *values[1:]]), (right, values)):
            for value in told[:2]:
                campaign.advance()
                campaign.bench.tell(campaign.waiting()[0]["id"], {"velocity": value})
        first = wrong.all()[0]["id"]
        wrong.advance()
        before = wrong.experiments()
        shown = wrong.bench.correct(first, {"velocity": 70}, reason="a digit was lost")
        (line,) = shown["revisions"]
        assert line["before"]["outcome"] == {"velocity": 7.0}
        assert line["after"]["outcome"] == {"velocity": 70.0}
        assert (line["by"], line["reason"], line["kind"]) == ("Ada", "a digit was lost", "corrected")
        for campaign in (wrong, right):
            campaign.to_the_end(lambda _: {"velocity": values[2]})
        assert wrong.experiments()[:2] == before, "what was recorded stays as it was"
        assert wrong.experiments()[-1]["belief"] == right.experiments()[-1]["belief"]
        (revised,) = self.revised(database, wrong.id)
        assert (revised.known, revised.belief) == (2, right.experiments()[1]["belief"])

    def test_a_finished_campaign_is_opened_again_and_keeps_its_old_finding(
        self, settings: Settings, database: Database
    ) -> None:
        campaign = create(settings, database, runs=2)
        campaign.to_the_end(velocity)
        old, runs = campaign.status()["finding"], self.run_findings(database, campaign.id)
        entry = campaign.all()[0]
        campaign.bench.withdraw(entry["id"], reason="the sensor was unplugged")
        assert campaign.status()["status"] == "running"
        assert campaign.status()["finding"] is None
        assert campaign.advance() == ["finished", "busy"]
        assert campaign.status()["status"] == "finished"
        assert campaign.status()["finding"] is not None
        now = self.run_findings(database, campaign.id)
        assert now[0] != runs[0]
        assert now[1] == runs[1], "the other run is none of its business"
        (revised,) = self.revised(database, campaign.id)
        assert [kept["text"] for kept in revised.superseded] == [runs[0], old["text"]]
        assert revised.outcome == {"velocity": None}
        assert len(campaign.experiments()) == 6

    def test_a_withdrawn_result_may_be_put_in_place_again(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database, budget=1)
        campaign.to_the_end(velocity)
        finding = campaign.status()["finding"]["text"]
        (entry,) = campaign.all()
        campaign.bench.withdraw(entry["id"], reason="in doubt")
        campaign.bench.correct(entry["id"], velocity(entry), reason="no doubt after all")
        assert campaign.advance() == ["finished"]
        assert campaign.status()["finding"]["text"] == finding
        assert [line["kind"] for line in show(database, entry["id"])["revisions"]] == ["withdrawn", "corrected"]

    def test_one_that_is_told_and_not_yet_taken_up(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database, budget=1)
        campaign.advance()
        (entry,) = campaign.waiting()
        campaign.bench.tell(entry["id"], {"velocity": 1})
        campaign.bench.correct(entry["id"], {"velocity": 100}, reason="the unit")
        assert campaign.advance() == ["finished"]
        assert campaign.experiments()[0]["outcome"] == {"velocity": 1.0}
        with database.read() as session:
            assert revisions.effective_history(session, campaign.blocks[0])[0].outcome == {"velocity": 100.0}

    def test_a_corrected_design_corrects_the_cost(
        self, settings: Settings, database: Database, costly_file: Path
    ) -> None:
        campaign = create(settings, database, domain=str(costly_file), budget=9)
        campaign.advance()
        (entry,) = campaign.waiting()
        campaign.bench.tell(entry["id"], {"amount": 0.1}, {"time": 1.0, "method": "quick"})
        campaign.advance()
        design = {"time": 2.0, "method": "careful"}
        campaign.bench.correct(entry["id"], {"amount": 0.1}, reason="the other method", design=design)
        campaign.advance()
        assert campaign.status()["progress"]["cost"] == 4.0

    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_the_export_shows_what_holds_now(
        self, settings: Settings, database: Database, tmp_path: Path, suffix: str
    ) -> None:
        campaign = create(settings, database, budget=4)
        answers = iter([lambda bench, e: bench.fail(e, "dark"), *[lambda bench, e: bench.tell(e, {"velocity": 9})] * 3])
        while "waiting" in campaign.advance():
            next(answers)(campaign.bench, campaign.waiting()[0]["id"])
        entries = campaign.all()
        campaign.bench.correct(entries[1]["id"], {"velocity": 90}, reason="a digit")
        campaign.bench.withdraw(entries[2]["id"], reason="dirty")
        campaign.advance()
        path = tmp_path / f"out{suffix}"
        assert export(database, campaign.id, path) == 4
        table = pandas.read_csv(path) if suffix == ".csv" else pandas.read_parquet(path)
        assert table["result"].tolist() == ["failed", "corrected", "withdrawn", "told"]
        assert table["outcome.velocity"].fillna(-1).tolist() == [-1, 90, -1, 9]
        law = campaign.status()["finding"]["run"]["mechanism_probability"]["hill"]
        assert table["mechanism_probability.hill"].iloc[-1] == law

    def test_what_cannot_be_revised(self, settings: Settings, database: Database) -> None:
        campaign = create(settings, database)
        campaign.advance()
        (entry,) = campaign.waiting()
        with pytest.raises(StateError, match="is open: it has no result that could be revised"):
            campaign.bench.correct(entry["id"], {"velocity": 1}, reason="x")
        campaign.bench.tell(entry["id"], {"velocity": 1})
        with pytest.raises(RequestError, match="what is on record already; nothing was changed"):
            campaign.bench.correct(entry["id"], {"velocity": 1}, reason="x")
        with pytest.raises(RequestError, match="the reason: 1 to 2000 characters are needed; found 0"):
            campaign.bench.withdraw(entry["id"], reason=" ")
        services.cancel_campaign(database, campaign.id)
        with pytest.raises(StateError, match="is cancelled: its record is closed"):
            campaign.bench.withdraw(entry["id"], reason="x")
        simulated = create(settings, database, laboratory="simulate", approval=True)
        simulated.advance()
        simulated.bench.approve(simulated.waiting()[0]["id"])
        simulated.advance()
        with pytest.raises(RequestError, match="what the laboratory simulate gives is computed"):
            simulated.bench.withdraw(simulated.all()[0]["id"], reason="x")

    @staticmethod
    def run_findings(database: Database, campaign: str) -> list[str]:
        with database.read() as session:
            return [finding.text for finding in queries.findings(session, campaign)]

    @staticmethod
    def revised(database: Database, campaign: str) -> list[revisions.RevisionRecord]:
        with database.read() as session:
            return revisions.revisions(session, campaign_id=campaign)
