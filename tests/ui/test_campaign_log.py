"""The log of a campaign on its page, and what can be taken along."""

import csv
import io
from typing import Any

import pytest
from pyarrow import parquet
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import Look
from ui.export_panel import exported


def _captions(page: AppTest) -> list[str]:
    return [entry.value for entry in page.caption]


def _markdown(page: AppTest) -> list[str]:
    return [entry.value for entry in page.markdown]


def test_experiments_are_downloaded_as_csv_and_parquet(write: Any) -> None:
    campaign = write.real(runs=1, budget=2)

    table = list(csv.DictReader(exported(write.database, campaign, ".csv").decode().splitlines()))

    assert [row["step"] for row in table] == ["0", "1"]
    assert parquet.read_table(io.BytesIO(exported(write.database, campaign, ".parquet"))).num_rows == 2


def test_the_part_for_export_offers_files_and_the_archive(look: Look, write: Any) -> None:
    campaign = write.real(runs=1, budget=2)
    page = look(campaign=campaign, part="export")

    page.button("campaign.export.csv").click().run()

    assert not page.exception
    assert page.get("download_button")[0].proto.label == "Download CSV"
    assert f"organon campaign archive {campaign}" in [entry.value for entry in page.code]


def test_the_log_is_told_in_words_and_its_chains_are_checked(look: Look, write: Any) -> None:
    campaign = write.running(steps=2)
    page = look(campaign=campaign, part="log")

    table = page.dataframe[0].value
    assert list(table["what"]) == ["step recorded", "step recorded", "campaign started", "campaign created"]
    assert table["in words"][0] == "experiment 2 of 1 run, cost 1: substrate = 0.2 → velocity = –"
    page.button(f"log.check.{campaign}").click().run()
    assert page.success[0].value.startswith("The chains hold: 4 events in 2 chains.")

    with write.database.write() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE event SET content = '{\"by\":\"me\"}' WHERE kind = 'campaign started'")
    page.button(f"log.check.{campaign}").click().run()
    assert "1 fault" in page.error[0].value


def test_a_long_log_is_checked_again_by_a_worker(look: Look, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found once says nothing of what was changed since."""
    monkeypatch.setattr("ui.log_panel._AT_ONCE", 3)
    campaign = write.running(steps=2)
    page = look(campaign=campaign, part="log")
    page.button(f"log.check.{campaign}.ask").click().run()
    found = {"at": "2026-11-22T12:00:00+00:00", "events": 4, "chains": 2, "digest": "d", "faults": [], "faulty": 0}
    write.finish_jobs(found)
    page.run()
    assert page.success[0].value.startswith("The chains hold: 4 events in 2 chains.")
    assert any(words.startswith("As of 2026-11-22 12:00.") for words in _captions(page))

    page.button(f"log.check.{campaign}.again").click().run()
    write.finish_jobs({**found, "faulty": 1, "faults": ["event 2 was changed"]})
    page.run()
    assert "1 fault" in page.error[0].value
    assert not page.success
