"""Pages in a real browser: Debian's chromium, driven by playwright. Without chromium these tests are skipped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.page_tokens import COOKIE

SCREENSHOTS = Path(__file__).with_name("screenshots")
CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")
_AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@contextmanager
def a_browser(address: str, token: str | None, *, width: int = 1400, height: int = 1000) -> Iterator["object"]:
    """A page of a browser that holds a token's cookie, and asks nothing of any host but ours.

    The page has ``strangers``, the addresses elsewhere that were asked for.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        if token is not None:
            context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
        page = context.new_page()
        page.strangers = []
        page.on("request", lambda request: _note_stranger(page.strangers, address, request.url))
        yield page
        browser.close()


def at_rest(page: object, seconds: float = 30) -> None:
    """Wait until the page's script has run to its end and nothing is a grey placeholder any more."""
    page.wait_for_selector(_AT_REST, timeout=1000 * seconds)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=1000 * seconds)


def _note_stranger(strangers: list[str], address: str, url: str) -> None:
    if not url.startswith((address, "data:", "blob:", address.replace("http:", "ws:"))):
        strangers.append(url)
