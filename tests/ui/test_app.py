"""The application as a whole: what it loads, and what it says when it cannot open or read the record."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui

_APP = Path(ui.__file__).parent / "app.py"
_LOADED = """
import os
import sys
from streamlit.testing.v1 import AppTest
from ui import access
access.sent_token = lambda: os.environ["ORGANON_UI_TOKEN"]
page = AppTest.from_file(sys.argv[1], default_timeout=30)
page.run()
page.query_params["new"] = "1"
page.switch_page("views/campaigns.py").run()
assert page.title and page.selectbox("new.domain"), page
del page.query_params["new"]
page.query_params["campaign"] = sys.argv[2]
page.run()
assert page.title and page.metric and page.dataframe, page
assert not page.exception, page.exception
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("torch", "meta_learner")))
"""


def test_the_process_of_the_pages_loads_neither_torch_nor_the_science(write: Any) -> None:
    campaign = write.running(steps=3)

    done = subprocess.run(
        [sys.executable, "-c", _LOADED, str(_APP), campaign], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    cards = {f"meta_learner.agents.{name}" for name in ("card", "standing", "store")}  # which agents there are
    assert set(done.stdout.split()) <= {"meta_learner", "meta_learner.agents", *cards}


def test_a_record_that_cannot_be_opened_is_said_in_words(look: Callable[..., AppTest], home: Path) -> None:
    (home / "organon.db").unlink()
    (home / "organon.db").write_text("this is no database, however long one looks at it " * 50)
    st.cache_resource.clear()

    page = look()

    assert "organon.db" in page.error[0].value
    assert "Traceback" not in page.error[0].value


def test_a_wrong_setting_is_said_in_words(look: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_UI_PORT", "many")

    assert "ORGANON\\_UI\\_PORT='many'" in look().error[0].value


def test_a_record_that_breaks_meanwhile_is_said_in_words(look: Callable[..., AppTest], write: Any) -> None:
    campaign = write.scheduled()
    with write.database.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE finding RENAME TO lost")

    page = look(campaign=campaign)

    assert (
        page.error[0].value
        == "The record could not be read\\: no such table\\: finding. `organon doctor` says what is wrong."
    )
