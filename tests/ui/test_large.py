"""Every page over a record of 2,000 campaigns: nothing breaks, and no page holds more of them than it shows."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from experiments_db.database import connect
from tests.large_record import fill

CAMPAIGNS = 2000
FINISHED, FAILED, PAUSED = (f"{index:012x}" for index in (CAMPAIGNS - 20, CAMPAIGNS - 4, CAMPAIGNS - 2))
PAGES = [
    ("home", {}),
    ("domains", {}),
    ("domains", {"domain": "enzyme-kinetics"}),
    ("distributions", {}),
    ("agents", {}),
    ("campaigns", {}),
    ("campaigns", {"campaign": FINISHED}),
    ("campaigns", {"campaign": FAILED}),
    ("campaigns", {"campaign": PAUSED}),
    ("campaigns", {"campaign": FINISHED, "part": "runs"}),
    ("campaigns", {"campaign": FINISHED, "part": "log"}),
    ("findings", {}),
    ("findings", {"finding": FINISHED}),
    ("findings", {"finding": f"{FINISHED}.1"}),
    ("database", {}),
    ("database", {"campaign": FINISHED}),
    ("workers", {}),
]
_MOST_ROWS = 100


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of such a record, made once."""
    path = tmp_path_factory.mktemp("large") / "organon.db"
    database = connect(f"sqlite:///{path}")
    fill(database, campaigns=CAMPAIGNS, runs=2, experiments=2)
    database.close()
    return path


@pytest.mark.parametrize(
    ("path", "query"), PAGES, ids=lambda value: "-".join(value) if isinstance(value, dict) else value
)
def test_a_page_over_many_campaigns(
    filled: Path, home: Path, look: Callable[..., AppTest], path: str, query: dict[str, str]
) -> None:
    shutil.copy(filled, home / "organon.db")

    page = look(path, **query)

    assert page.title
    failed = query.get("campaign") == FAILED  # whose page says why
    assert bool(page.error) == failed, [error.value for error in page.error]
    assert all(len(table.value) <= _MOST_ROWS for table in page.dataframe)
