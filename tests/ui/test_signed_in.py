"""The sidebar: who looks."""

from collections.abc import Callable

import pytest

from tests.ui.conftest import Look


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("operator", "<strong>ORGANON_UI_TOKEN</strong><br>operator: may look and act"),
        ("viewer", "<strong>ORGANON_UI_VIEWER_TOKEN</strong><br>viewer: may look, not act"),
    ],
)
def test_who_looks_and_the_way_out(look: Look, token: Callable[[str], None], role: str, said: str) -> None:
    token(role)
    (shown,) = look("home").sidebar.get("html")
    assert said in shown.value
    assert '<form method="post" action="/logout">' in shown.value


def test_a_login_that_has_ended(look: Look, token: Callable[[str], None]) -> None:
    token("")
    page = look("campaigns")
    assert "reload this page to log in again" in page.error[0].value
    assert not page.sidebar.get("html")
    assert not page.title
