"""A new user's first hour, in a real browser over real workers: from a blank form to a finding that is accepted.

Each step leaves a picture under ``tests/ui/screenshots``: they are to be looked at.
"""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.homes import Home
from tests.ui.browser import SCREENSHOTS, a_browser, at_rest, needs_chromium

pytestmark = [pytest.mark.integration, needs_chromium, pytest.mark.timeout(600)]
TOKEN = "a-token-of-the-new-user-alone"
SECONDS = 120_000  # milliseconds that a step may take on a machine with other things to do
QUESTION = "How does this inhibitor slow the enzyme?"
LAWS = {
    "competitive": "vmax * substrate / (km * (1 + inhibitor / ki) + substrate)",
    "uncompetitive": "vmax * substrate / (km + substrate * (1 + inhibitor / ki))",
    "noncompetitive": "vmax * substrate / ((1 + inhibitor / ki) * (km + substrate))",
}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Organon, started as a new user starts it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    home = Home(tmp_path / "home", ORGANON_UI_TOKEN=TOKEN)
    home.start("start", "--port", str(port), "--processes", "1")
    try:
        _await_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        print(home.logs())
        home.close()


def _await_port(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the pages did not answer")


class User:
    """Somebody at the browser: fills in what has a label, presses what has a name, and looks."""

    def __init__(self, page: Any) -> None:
        self.page, self.pictures = page, 0
        page.set_default_timeout(SECONDS)

    def fill(self, label: str, text: str) -> None:
        """Type into a field and leave it."""
        field = self.page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")
        at_rest(self.page)

    def choose(self, label: str, option: str) -> None:
        """Choose in a list."""
        self.page.get_by_role("combobox", name=re.compile(f"{re.escape(label)}$")).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        at_rest(self.page)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()
        at_rest(self.page)

    def follow(self, name: str) -> None:
        """A link of the sidebar or of the page."""
        self.page.get_by_role("link", name=name).first.click()
        at_rest(self.page)

    def sees(self, text: str | re.Pattern[str], seconds: float = 60) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=1000 * seconds)

    def look(self, name: str) -> None:
        """Keep a picture, and see that nothing on it is a stack trace."""
        at_rest(self.page)
        self.page.wait_for_timeout(700)  # figures fade in
        self.pictures += 1
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.pictures:02}-{name}.png", full_page=True)
        assert not self.page.get_by_test_id("stException").count(), name
        assert "Traceback" not in self.page.inner_text("body")


def test_from_a_blank_form_to_an_accepted_finding(address: str) -> None:
    with a_browser(address, None, height=1800) as page:
        user = User(page)
        _log_in(user, address)
        _define(user)
        _check(user)
        _schedule(user)
        _watch(user)
        _accept(user)
        rows = _find_experiments(user)
        assert len(rows) == 1 + 12, "a heading and the experiments"
        assert "substrate" in rows[0]
        assert page.strangers == [], "something elsewhere was asked for"


def _log_in(user: User, address: str) -> None:
    user.page.goto(address)
    user.page.get_by_label("Token").fill("not the token, but long enough")
    user.page.get_by_role("button", name="Log in").click()
    user.page.get_by_role("alert").wait_for()
    SCREENSHOTS.mkdir(exist_ok=True)
    user.page.screenshot(path=SCREENSHOTS / "00-login.png")
    user.page.get_by_label("Token").fill(TOKEN)
    user.page.get_by_role("button", name="Log in").click()
    user.page.wait_for_selector("h1")
    user.look("home")


def _define(user: User) -> None:
    user.follow("Define a question")
    user.sees("Begun from a blank document")
    user.fill("Name", "enzyme-inhibition-of-mine")
    user.fill("Title", QUESTION)
    user.fill("Field", "biochemistry")
    for number, (name, low, high) in enumerate((("substrate", "0.1", "10"), ("inhibitor", "0", "5")), 1):
        if number > 1:
            user.press("Add a design")
        user.fill(f"Design {number}: name", name)
        user.fill(f"Design {number}: lowest", low)
        user.fill(f"Design {number}: highest", high)
        user.fill(f"Design {number}: unit", "mM")
    user.fill("Unknown 1: name", "vmax")
    user.fill("Unknown 1: unit", "mM/min")
    for number, name in ((3, "km"), (4, "ki")):
        user.press("Add an unknown")
        user.fill(f"Unknown {number}: name", name)
        user.fill(f"Unknown {number}: unit", "mM")
    user.look("half-defined")
    _define_laws(user)
    user.fill("Outcome 1: name", "rate")
    user.fill("Outcome 1: unit", "mM/min")
    user.fill("Budget of one run", "12")
    user.choose("Goal", "find out which law holds")
    user.sees("In order: 3 laws, budget 12.")
    user.look("defined")
    user.press("Save")


def _define_laws(user: User) -> None:
    for number, (name, formula) in enumerate(LAWS.items(), 1):
        if number > 1:
            user.press("Add a law")
        user.fill(f"Law {number}: name", name)
        user.fill(f"Law {number}: formula 1", "vmax * substrate / (km + substrat)" if number == 1 else formula)
        if number == 1:
            user.sees(re.compile("substrat"))
            user.look("an-error-at-its-field")
            user.fill(f"Law {number}: formula 1", formula)


def _check(user: User) -> None:
    user.sees(QUESTION)
    user.press("Check this domain")
    user.sees("The domain is in order.", 120)
    user.look("checked")


def _schedule(user: User) -> None:
    user.press("New campaign")
    user.page.get_by_role("heading", name="New campaign").wait_for()
    user.look("wizard")
    user.press("Start")
    user.page.wait_for_url(re.compile("campaign="))
    user.look("campaign-begun")


def _watch(user: User) -> None:
    user.sees("● finished", 180)
    user.look("campaign-finished")


def _accept(user: User) -> None:
    user.follow("What speaks for and against it")
    user.sees("Judgements")
    user.look("finding")
    user.page.get_by_text("Accept", exact=True).click()
    user.fill("Reason", "Twelve experiments, and the rivals are far behind.")
    user.fill("Your name", "Maud Menten")
    user.press("Record the judgement")
    user.sees(re.compile("Maud Menten"))
    user.sees("holds")
    user.look("finding-accepted")


def _find_experiments(user: User) -> list[str]:
    user.follow("Its experiments")
    user.press("Run")
    user.sees("12 rows")
    user.look("experiments-in-sql")
    with user.page.expect_download() as download:
        user.page.get_by_role("button", name="Download CSV").click()
    return Path(download.value.path()).read_text(encoding="utf-8").splitlines()
