"""Report: how fast the pages are over a large record.

    python -m tests.benchmarks.pages                                    # some minutes; needs chromium
    python -m tests.benchmarks.pages --campaigns 200 --out pages.json

2,000 campaigns, 20,000 runs and 600,000 experiments. Of each page the server's time to draw it first and again
(Streamlit's AppTest, in one process, caches empty and then warm), and the seconds until a browser that opens its
address shows its heading, and until it is at rest.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from experiments_db.database import connect
from tests.benchmarks import report
from tests.homes import Home
from tests.large_record import fill
from tests.ui.browser import a_browser, at_rest

COLUMNS = ["page", "drawn first, ms", "drawn again, ms", "heading, s", "at rest, s"]
TOKEN = "a-token-for-this-report-alone"
REPEATS = 5


def addresses(made: list[str]) -> list[tuple[str, str, str]]:
    """Name, path and query of each page that is measured."""
    finished, paused = made[-20], made[-2]
    return [
        ("home", "", ""),
        ("domains", "domains", ""),
        ("a domain", "domains", "domain=enzyme-kinetics"),
        ("task distributions", "distributions", ""),
        ("agents", "agents", ""),
        ("campaigns", "campaigns", ""),
        ("a finished campaign", "campaigns", f"campaign={finished}"),
        ("a paused campaign", "campaigns", f"campaign={paused}"),
        ("findings", "findings", ""),
        ("a finding", "findings", f"finding={finished}"),
        ("database", "database", ""),
        ("workers", "workers", ""),
    ]


def server_times(path: str, query: str) -> tuple[float, float]:
    """Milliseconds to draw a page first and again; the median of the latter."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from ui import access

    access.sent_token = lambda: TOKEN  # AppTest sends no cookies
    st.cache_data.clear()
    page = AppTest.from_file(str(Path(access.__file__).with_name("app.py")), default_timeout=60)
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        page.query_params[name] = value
    if path:
        page.switch_page(f"views/{path}.py")
    times = []
    for _ in range(1 + REPEATS):
        begun = time.perf_counter()
        page.run()
        times.append(1000 * (time.perf_counter() - begun))
        assert not page.exception, page.exception
    return times[0], statistics.median(times[1:])


def browser_times(address: str, path: str, query: str) -> tuple[float, float]:
    """Seconds until the heading of a page is there, and until it is at rest, in a browser that knows our scripts."""
    with a_browser(address, TOKEN) as page:
        page.goto(address)
        at_rest(page)
        begun = time.perf_counter()
        page.goto(f"{address}/{path}{'?' if query else ''}{query}")
        page.wait_for_selector("h1")
        heading = time.perf_counter() - begun
        at_rest(page)
        return heading, time.perf_counter() - begun


def rows(home: Home, address: str, made: list[str]) -> Iterator[report.Row]:
    del home
    for name, path, query in addresses(made):
        first, again = server_times(path, query)
        heading, rest = browser_times(address, path, query)
        yield [name, round(first), round(again), round(heading, 2), round(rest, 2)]


def main() -> None:
    """Print a row a page."""
    options = report.parser(__doc__)
    options.add_argument("--campaigns", type=int, default=2000)
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--experiments", type=int, default=30)
    options.add_argument("--port", type=int, default=18501)
    options.add_argument("--home", type=Path, help="where such a record is, or is to be kept")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(given.home or Path(folder) / "home", ORGANON_UI_TOKEN=TOKEN)
        made = _filled(home, given.campaigns, given.runs, given.experiments)
        os.environ.update(ORGANON_HOME=str(home.folder), ORGANON_UI_TOKEN=TOKEN)
        try:
            home.start("start", "--port", str(given.port), "--processes", "1")
            time.sleep(10)
            found = list(report.told(rows(home, f"http://127.0.0.1:{given.port}", made)))
        finally:
            home.close()
    size = given.campaigns * given.runs * given.experiments
    note = f"{given.campaigns:,} campaigns, {given.campaigns * given.runs:,} runs, {size:,} experiments on SQLite."
    table = {"kind": "pages", "title": "Pages over a large record", "columns": COLUMNS, "rows": found, "note": note}
    report.save(given.out, table, processes=2)


def _filled(home: Home, campaigns: int, runs: int, experiments: int) -> list[str]:
    path = home.folder / "organon.db"
    there = path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    database = connect(f"sqlite:///{path}")
    if there:
        made = [f"{index:012x}" for index in range(campaigns)]
    else:
        made = fill(database, campaigns=campaigns, runs=runs, experiments=experiments)
    database.close()
    return made


if __name__ == "__main__":
    main()
