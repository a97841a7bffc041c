"""Tokens of the pages: which are refused, whose one is, and the one that the first start makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments_db.database import Database
from orchestrator.errors import RequestError
from orchestrator.page_tokens import check_page_tokens, page_holder, pages_address, way_in
from orchestrator.services import open_database
from orchestrator.settings import Settings
from orchestrator.tokens import Holder, create_token, list_tokens, revoke_token

LONG = "0b6f7e1c58a94f2f8e21"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, ui_token="", ui_viewer_token="", api_token="")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = open_database(settings)
    yield opened
    opened.close()


def with_tokens(settings: Settings, operator: str = "", viewer: str = "") -> Settings:
    return Settings(home=settings.home, ui_token=operator, ui_viewer_token=viewer, api_token="")


@pytest.mark.parametrize(
    ("operator", "viewer", "said"),
    [
        ("short", "", "ORGANON_UI_TOKEN has 5 characters; at least 20"),
        (LONG, "x" * 19, "ORGANON_UI_VIEWER_TOKEN has 19 characters"),
        (LONG, LONG, "are the same"),
        (LONG + ";", "", "ORGANON_UI_TOKEN has characters that no cookie can hold"),
        (LONG, LONG + "ключ", "ORGANON_UI_VIEWER_TOKEN has characters"),
    ],
)
def test_tokens_that_will_not_do(settings: Settings, operator: str, viewer: str, said: str) -> None:
    with pytest.raises(RequestError, match=said) as refusal:
        check_page_tokens(with_tokens(settings, operator, viewer))
    assert LONG not in str(refusal.value)


def test_tokens_that_will_do(settings: Settings) -> None:
    check_page_tokens(settings)
    check_page_tokens(with_tokens(settings, viewer=LONG))
    check_page_tokens(with_tokens(settings, LONG, LONG[::-1] + "-_.~+/="))


def test_whose_a_token_is(settings: Settings, database: Database) -> None:
    own = with_tokens(settings, LONG, LONG[::-1])
    assert page_holder(own, database, LONG) == Holder("ORGANON_UI_TOKEN", "operator")
    assert page_holder(own, database, LONG[::-1]) == Holder("ORGANON_UI_VIEWER_TOKEN", "viewer")
    assert page_holder(own, database, create_token(database, "Ada", "viewer")) == Holder("Ada", "viewer")
    for wrong in ("", LONG[:-1], "ключ", "\ud800", "organon__", "organon_1234_5"):
        assert page_holder(own, database, wrong) is None
    assert page_holder(settings, database, "") is None, "no token is no token"


def test_the_first_start_makes_a_token_and_says_it_once(settings: Settings, database: Database) -> None:
    first = way_in(settings)
    token = first.partition("http://127.0.0.1:8501/login#")[2].partition(" ")[0]
    assert page_holder(settings, database, token) == Holder("pages", "operator")
    second = way_in(settings)
    assert "#" not in second
    assert "organon token create --name NAME --role operator" in second
    (made,) = list_tokens(database)
    revoke_token(database, made["id"])
    assert "/login#organon_" in way_in(settings), "whoever locked everybody out gets in again"


def test_no_token_is_made_where_the_settings_have_one(settings: Settings, database: Database) -> None:
    assert way_in(with_tokens(settings, LONG)) == (
        "Log in at http://127.0.0.1:8501/login with the token in ORGANON_UI_TOKEN"
    )
    assert list_tokens(database) == []


@pytest.mark.parametrize(
    ("address", "found"), [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7"), ("::", "127.0.0.1")]
)
def test_where_a_browser_finds_the_pages(settings: Settings, address: str, found: str) -> None:
    listening = settings.model_copy(update={"ui_address": address})
    assert pages_address(listening) == f"http://{found}:8501"
