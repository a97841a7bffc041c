"""Findings in words, side by side, and as files that leave the installation."""

import base64
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdf
import pytest

from experiments_db.database import Database
from orchestrator.desk.findings import FindingsDesk
from orchestrator.finding_comparison import compared_constants, comparison_rows
from orchestrator.finding_html import html_page
from orchestrator.finding_pdf import pdf_file
from orchestrator.finding_report import (
    Considered,
    Constant,
    Judged,
    Law,
    LawStep,
    Report,
    from_json,
    read_report,
    to_json,
)
from orchestrator.finding_words import in_words, odds_rate, rounded
from orchestrator.findings import UNEXPLAINED
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from tests.orchestrator.performed import performed

STRANGE = "<script src='https://evil.example/x.js'>alert(1)</script> & $x_1$ αβ µ²"


def report(probabilities: tuple[float, ...] = (0.5, 0.6, 0.7), *, rivals: int = 1, **changes: Any) -> Report:
    last = probabilities[-1]
    shares = {"hill": last} | {f"rival-{k}": (1 - last) / rivals for k in range(rivals)}
    one = {
        "mechanism": "hill",
        "probability": last,
        "explained": True,
        "mechanism_probability": shares,
        "warnings": [],
        "experiments": 12,
        **changes.pop("one", {}),
    }
    values: dict[str, Any] = {
        "name": "a1b2c3d4e5f6.0",
        "campaign": "a1b2c3d4e5f6",
        "run": 0,
        "question": "Which law?",
        "domain": "enzyme",
        "field": "biology",
        "policy": "experimenter",
        "laboratory": "manual",
        "found_at": datetime(2026, 11, 22, 12, tzinfo=UTC),
        "runs": 1,
        "experiments": 12,
        "cost": 12.0,
        "laws": tuple(Law(name, "", p) for name, p in sorted(shares.items(), key=lambda item: -item[1])),
        "constants": (Constant("km", "half saturation", "ppm", 0.1, 0.02, 0.07, 0.13, 0.01, 1.0),),
        "steps": tuple(LawStep(k + 1, {"hill": p}) for k, p in enumerate(probabilities)),
        "judgements": (),
        "considered": Considered({"substrate": 0.06, "method": "quick"}, 0.503),
        "units": {"substrate": "ppm"},
        "revised": 0,
        "text": "as recorded",
        "content": one,
    }
    return Report(**{**values, **changes})


def test_the_verdict_follows_the_probability() -> None:
    for probability, verdict in (
        (0.97, "is established"),
        (0.8, "is likely"),
        (0.4, "leads without being established"),
    ):
        assert f"the law hill {verdict}" in in_words(report((probability,), rivals=2)).found[0]


def test_what_speaks_against_it_is_told() -> None:
    misfit = {"kind": "design", "law": "hill", "outcome": "velocity", "peak": 20.0, "where": []}
    constants = (
        Constant("loose", "", "", 1.0, 1.0, 0.1, 0.9, 0.05, 1.0),
        Constant("free", "", "", None, None, 0.1, None),
        Constant("off", "", "s", 9.0, 0.1, 8.8, 9.2, 0.1, 2.0),
    )
    judged = (Judged("rejected", "Eve", "the buffer was old", datetime(2026, 11, 22, tzinfo=UTC), True),)
    against = in_words(
        report(
            (0.6,),
            rivals=4,
            one={"misfit": misfit, "warnings": [UNEXPLAINED, "the particles are in poor order"]},
            constants=constants,
            experiments=5,
            laboratory="simulate",
            judgements=judged,
            revised=2,
        )
    ).against
    assert against == (
        "velocity departs from hill in a way that depends on the design. If one of the laws held, evidence as strong "
        "as this would arise in at most 1 run in a million.",
        "The particles are in poor order.",
        *(f"The rival law rival-{k} keeps a probability of 10.0 % (1 in 10)." for k in range(4)),
        "The data are few: 5 experiments for 3 unknown constants.",
        "What is said of loose comes from the prior more than from the data.",
        "The data give no bound for free.",
        "off lies outside the range in which its prior expected it with 90 % (0.1 to 2 s): so does one constant in ten "
        "where the prior is right; else prior or data are off.",
        "Of the data, 2 results were corrected or withdrawn afterwards; the finding rests on what holds now.",
        "The experiments were simulated by the domain's own laws: this is no evidence about nature.",
        "Eve rejected it: the buffer was old",
    )
    assert in_words(report((0.99,))).against == ("Nothing on record does.",)


def test_how_many_experiments_are_left_follows_from_the_recent_odds() -> None:
    """From odds of 1 to odds of 3 in two experiments: each multiplies by √3, and 19 takes 3.4 more."""
    rate, over = odds_rate(report((0.5, 0.634, 0.75)))
    assert over == 2
    assert rate == pytest.approx(0.5493, abs=1e-4)
    assert "about 4 more would bring it to 95.0 %" in in_words(report((0.5, 0.634, 0.75))).rest[0]
    assert "the odds for it did not grow" in in_words(report((0.8, 0.7, 0.6))).rest[0]
    assert "the odds for it hardly grew" in in_words(report((0.6, 0.60001, 0.60002))).rest[0]
    assert "is not known: there were too few so far" in in_words(report((0.6,))).rest[0]
    assert "counts as settled" in in_words(report((0.5, 0.97))).rest[0]


def test_what_is_left_of_a_prior_over_decades_is_a_matter_of_factors() -> None:
    """An interval of 40 to 120 is nearly all of 0.01 to 100 by difference; by factors it is an eighth."""
    wide = Constant("rate", "", "", 75.0, 20.0, 40.0, 120.0, 0.01, 100.0)
    assert wide.left == pytest.approx(0.119, abs=1e-3)
    said = in_words(report(constants=(wide,)))
    assert not any("comes from the prior" in sentence for sentence in said.against)
    assert any("rate 12 %. Of rate, which may lie decades apart, factors are compared." in line for line in said.sure)
    near = Constant("level", "", "", 3.0, 0.5, 2.0, 4.0, -5.0, 5.0)
    assert near.left == pytest.approx(0.2)
    assert not any("factors" in line for line in in_words(report(constants=(near,))).sure)


@pytest.mark.parametrize(
    ("constant", "says"),
    [
        # Precision 4 of the prior's 1: the data gave 3 of it in 12 experiments, and 16 takes 12 more, that is 48.
        (Constant("a", "", "", 10.0, 1.0, 5.0, 15.0, 0.0, 20.0), "known least, to ±50 %. Half of that takes about 48 "),
        (Constant("a", "", "", 10.0, 1.0, 5.0, 15.0), "known least, to ±50 %. Half of that takes about 36 "),
        (Constant("a", "", "", 10.0, 1.0, 5.0, 15.0, 5.0, 15.0), "is not known: those so far tell next to nothing"),
    ],
)
def test_how_many_experiments_halve_an_interval(constant: Constant, says: str) -> None:
    assert says in in_words(report((0.97,), constants=(constant,))).rest[1]


def test_of_a_constant_that_may_be_zero_no_percentage_is_said() -> None:
    either = Constant("slope", "", "", 0.001, 1.0, -1.0, 1.0, -5.0, 5.0)
    assert not any("known least" in sentence for sentence in in_words(report(constants=(either,))).rest)


def test_runs_in_worlds_of_their_own_do_not_disagree() -> None:
    of_many: dict[str, Any] = {"run": None, "runs": 3, "constants": (), "steps": ()}
    tally = {"most_probable": {"hill": 2, "rival-0": 1}}
    same_world = in_words(report(**of_many, content=tally)).against
    own_worlds = in_words(report(**of_many, content={**tally, "identified": 3})).against
    assert "The runs disagree about the law." in same_world
    assert "The runs disagree about the law." not in own_worlds


def test_what_would_settle_the_rest_is_on_record_or_said_not_to_be() -> None:
    assert in_words(report()).rest[1:] == (
        "Of the constants km is known least, to ±30 %. Half of that takes about 37 more experiments, if they tell as "
        "much as those so far.",
        "The best experiment on record that was not done, from before the last outcome was known: substrate = 0.06 "
        "ppm, method = quick (score 0.503, by experimenter).",
    )
    assert "is not on record" in in_words(report(considered=None)).rest[-1]
    assert "needs another law" in in_words(report(one={"explained": False})).rest[0]


@pytest.mark.parametrize(
    ("values", "width", "shown"),
    [
        ([212.68, 195.2, 231.4], 36.2, ["213", "195", "231"]),
        ([0.1001, 0.04537, 0.1976], 0.152, ["0.100", "0.045", "0.198"]),
        ([-3.14159, -3.2, -3.1], 0.1, ["−3.142", "−3.200", "−3.100"]),
        ([1234567.0, 1234000.0, 1235000.0], 1000.0, ["1.23457e+06", "1.234e+06", "1.235e+06"]),
        ([1.0, 1.0, 1.0], 0.0, ["1", "1", "1"]),
    ],
)
def test_numbers_have_the_digits_that_their_interval_gives_sense_to(
    values: list[float], width: float, shown: list[str]
) -> None:
    assert rounded(values, width) == shown


@pytest.fixture
def reports(settings: Settings, database: Database) -> list[Report]:
    """Of real measurements, of a simulation of two runs, and of one of its runs, judged."""
    real = performed(settings, database, runs=1, budget=3, laboratory="replay:puromycin-treated")
    simulated = performed(settings, database)
    FindingsDesk(settings, database, Holder("Ada", "operator")).judge(f"{simulated}.1", "rejected", STRANGE)
    return [read_report(database, name) for name in (real, simulated, f"{simulated}.1")]


def test_a_report_holds_what_is_recorded(reports: list[Report]) -> None:
    real, whole, run = reports
    assert (real.runs, whole.runs, run.run) == (1, 2, 1)
    assert [step.experiments for step in real.steps] == [1, 2, 3]
    assert real.considered is None  # a random policy considers none
    assert [constant.name for constant in real.constants][:3] == ["vmax", "km", "noise"]
    vmax = real.constants[0]
    assert (vmax.unit, vmax.label) == ("counts/min²", "maximal velocity")
    assert vmax.prior_low == pytest.approx(28.65, rel=1e-3)  # exp(5 − 1.645)
    assert sum(law.probability for law in whole.laws) == pytest.approx(1)
    assert run.verdict is not None
    assert (run.verdict.verdict, run.verdict.reason) == ("rejected", STRANGE)
    assert real.text == real.text.strip()


def test_json_comes_back_as_it_was(reports: list[Report]) -> None:
    assert from_json(to_json(reports)) == reports


def test_findings_compare_by_constants_of_one_name_and_unit(reports: list[Report]) -> None:
    rows = comparison_rows(reports)
    assert [row["finding"] for row in rows] == [entry.name for entry in reports]
    assert len({tuple(row) for row in rows}) == 1
    other = report(constants=(Constant("km", "", "mM", 1.0, 0.1, 0.8, 1.2),))
    shared = {entry.heading: len(entry.entries) for entry in compared_constants([report(), report(), other])}
    assert shared == {"km (ppm)": 2, "km (mM)": 1}


class _Page(HTMLParser):
    """Reads a page strictly: every tag closed in its turn, every attribute that could lead elsewhere kept."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.leads, self.tags = list[str](), list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open += [] if tag in ("meta", "img") else [tag]
        self.leads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_needs_nothing_else_and_runs_nothing(settings: Settings, reports: list[Report]) -> None:
    text = html_page(settings.home, reports)
    page = _Page()
    page.feed(text)
    page.close()

    assert page.open == []
    assert not page.tags & {"script", "iframe", "object", "link", "svg", "a", "form"}
    assert page.leads
    assert all(lead.startswith("data:image/svg+xml;base64,") for lead in page.leads)
    without_images = re.sub(r'src="data:[^"]*"', "", text)
    assert "<script" not in without_images
    assert "&lt;script src=&#x27;https://evil.example" in without_images
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", without_images)
    assert "default-src 'none'" in text
    assert reports[0].question in text
    for lead in page.leads:
        drawn = base64.b64decode(lead.partition(",")[2]).decode()
        root = ElementTree.fromstring(drawn.partition("<svg")[1] + drawn.partition("<svg")[2])
        links = [v for e in root.iter() for n, v in e.attrib.items() if n.rpartition("}")[2] == "href"]
        assert all(link.startswith("#") for link in links)


def test_pdf_has_its_pages_and_its_words(settings: Settings, reports: list[Report]) -> None:
    file = pdf_file(settings.home, reports)
    assert file.startswith(b"%PDF-1.")
    assert file.rstrip().endswith(b"%%EOF")
    read = pypdf.PdfReader(BytesIO(file))
    pages = [page.extract_text() for page in read.pages]
    assert f"page {len(pages)} of {len(pages)}" in pages[-1]
    assert "3 findings, side by side" in pages[0]
    titled = [page for page in pages if "What was found" in page]
    assert len(titled) == 3  # each finding begins on a page of its own
    whole = " ".join(" ".join(pages).split())
    for words in ("What speaks against it", "probability of the law", "experiments done", "km (ppm)", "counts/min²"):
        assert words in whole
    assert "https://evil.example/x.js" in whole  # as words, not as a link
    assert not any(len(page.get("/Annots", pypdf.generic.ArrayObject()).get_object()) for page in read.pages)
    assert not any(page.images for page in read.pages)  # figures are vectors


def test_a_long_pdf_goes_on_over_pages(settings: Settings) -> None:
    text = "\n".join(f"line {number} of the record {'x' * 150}" for number in range(200))
    pages = [
        page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf_file(settings.home, [report(text=text)]))).pages
    ]
    whole = "\n".join(pages)
    assert len(pages) > 4
    assert all(f"line {number} of the record" in whole for number in range(200))


def test_a_finding_of_a_domain_that_cannot_be_read_here_says_so(settings: Settings, database: Database) -> None:
    campaign = performed(settings, database, runs=1, budget=1)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE domain SET text = 'format: 1'")
    found = read_report(database, campaign)
    assert found.unread
    assert found.constants[0].prior_low is None


def test_what_the_drawing_keeps_lies_in_the_home(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from orchestrator import finding_figures as f; "
        "f.svg(Path(sys.argv[1]), 1.0, lambda area: area.axes(0, 0, 1, 1))"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MPL", "XDG"))} | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "organon")], env=environment, check=False)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["organon"]
