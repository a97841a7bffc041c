"""Judgements of findings: who may, what is kept, and that log, table, archive and verification agree on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments_db.chains import read_chain
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from experiments_db.judgements import JUDGED, finding_of, judgements, standing
from experiments_db.retention import forget
from orchestrator import services
from orchestrator.archives import members
from orchestrator.archives.reading import import_archive
from orchestrator.archives.writing import archive
from orchestrator.desk.findings import FindingsDesk
from orchestrator.errors import ForbiddenError, RequestError
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from orchestrator.verification.verify import verify
from tests.orchestrator.performed import performed
from tests.orchestrator.test_archives import changed

ADA, EVE = Holder("Ada", "operator"), Holder("Eve", "viewer")


@pytest.fixture
def campaign(settings: Settings, database: Database) -> str:
    return performed(settings, database)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[Settings, Database]]:
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    yield other, there
    there.close()


def said(database: Database, campaign: str) -> list[tuple[int | None, str, str, str]]:
    with database.read() as session:
        return [(j.run_index, j.verdict, j.by, j.reason) for j in judgements(session, campaign)]


def test_a_judgement_is_kept_with_its_reason_and_its_event(
    settings: Settings, database: Database, campaign: str
) -> None:
    desk = FindingsDesk(settings, database, ADA)
    desk.judge(campaign[:6], "noted", "  a look at the pipette first ")
    desk.judge(f"{campaign}.1", "rejected", "the buffer was old", by="Grace")
    desk.judge(campaign, "accepted", "repeated by hand")

    assert said(database, campaign) == [
        (None, "noted", "Ada", "a look at the pipette first"),
        (1, "rejected", "Grace (Ada)", "the buffer was old"),
        (None, "accepted", "Ada", "repeated by hand"),
    ]
    with database.read() as session:
        events = [event for event in read_chain(session, campaign) if event.kind == JUDGED]
        whole, run = finding_of(session, campaign, None), finding_of(session, campaign, 1)
        known = judgements(session, campaign)
    assert [event.said["verdict"] for event in events] == ["noted", "rejected", "accepted"]
    assert events[0].said["finding"] == events[2].said["finding"] != events[1].said["finding"]
    held, refused = standing(known, whole), standing(known, run)
    assert held is not None
    assert refused is not None
    assert (held.verdict, refused.verdict) == ("accepted", "rejected")
    assert verify(settings, database, campaign).ok


def test_whoever_may_only_look_judges_nothing(settings: Settings, database: Database, campaign: str) -> None:
    with pytest.raises(ForbiddenError, match="Eve may look and not act"):
        FindingsDesk(settings, database, EVE).judge(campaign, "accepted", "I like it")
    assert said(database, campaign) == []


@pytest.mark.parametrize(
    ("name", "verdict", "reason", "by", "says"),
    [
        ("", "accepted", "so", "", "names no finding"),
        ("not an id", "accepted", "so", "", "names no finding"),
        ("{}", "loved", "so", "", "no verdict on a finding; they are accepted, rejected, noted"),
        ("{}", "accepted", "  ", "", "needs its reason"),
        ("{}", "accepted", "x" * 10_001, "", "at most 10,000"),
        ("{}", "accepted", "a\0b", "", "printable"),
        (
            "{}",
            "accepted",
            "so",
            "y" * 195,
            "at most 200 printable characters; found 201",
        ),  # an archive takes no longer one
    ],
)
def test_what_is_no_judgement_is_refused(  # noqa: PLR0917
    settings: Settings, database: Database, campaign: str, name: str, verdict: str, reason: str, by: str, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        FindingsDesk(settings, database, ADA).judge(name.format(campaign), verdict, reason, by)
    assert said(database, campaign) == []


def test_only_a_finding_is_judged(settings: Settings, database: Database) -> None:
    campaign = performed(settings, database, to_the_end=False, runs=1)
    FindingsDesk(settings, database, ADA).judge(f"{campaign}.0", "accepted", "it ended")
    with pytest.raises(NotFoundError, match="There is no finding of run 7"):
        FindingsDesk(settings, database, ADA).judge(f"{campaign}.7", "accepted", "so")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE judgement SET verdict = 'rejected'",
        "UPDATE judgement SET by = 'Mallory'",
        "UPDATE judgement SET reason = 'another'",
        "UPDATE judgement SET run_index = 0",
        "DELETE FROM judgement",
        "INSERT INTO judgement SELECT 99, campaign_id, run_index, verdict, by, reason, created_at FROM judgement",
    ],
)
def test_verification_finds_a_judgement_that_was_changed(
    settings: Settings, database: Database, campaign: str, change: str
) -> None:
    FindingsDesk(settings, database, ADA).judge(campaign, "accepted", "repeated by hand")
    with database.write() as session:
        session.connection().exec_driver_sql(change)

    found = verify(settings, database, campaign).differences

    assert found
    assert all(difference.place.startswith("judgement") for difference in found)


def test_judgements_travel_with_the_archive(
    settings: Settings, database: Database, campaign: str, elsewhere: tuple[Settings, Database], tmp_path: Path
) -> None:
    desk = FindingsDesk(settings, database, ADA)
    desk.judge(campaign, "accepted", "repeated by hand")
    desk.judge(f"{campaign}.0", "noted", "at 21 °C")
    _, path, _ = archive(settings, database, campaign, tmp_path / "it.organon")
    other, there = elsewhere

    import_archive(other, there, path)

    assert said(there, campaign) == said(database, campaign)
    assert verify(other, there, campaign).found == []
    FindingsDesk(other, there, ADA).judge(campaign, "rejected", "not here")  # and is judged anew where it came to
    assert verify(other, there, campaign).found == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"accepted"', b'"adored"', "verdict"),
        (b'"run":null', b'"run":5', "a run 5, which it does not have"),
        (b'"by":"Ada"', b'"by":"Bob"', "disagree"),
        (b'"reason"', b'"because"', "reason: Field required"),
        (b"repeated by hand", b"x" * 10_001, "at most 10000"),
    ],
)
def test_what_a_stranger_put_into_an_archive_is_found_out(  # noqa: PLR0917
    settings: Settings,
    database: Database,
    campaign: str,
    elsewhere: tuple[Settings, Database],
    tmp_path: Path,
    old: bytes,
    new: bytes,
    says: str,
) -> None:
    FindingsDesk(settings, database, ADA).judge(campaign, "accepted", "repeated by hand")
    _, path, _ = archive(settings, database, campaign, tmp_path / "it.organon")

    def strange(parts: dict[str, bytes]) -> None:
        assert old in parts[members.JUDGEMENTS]
        parts[members.JUDGEMENTS] = parts[members.JUDGEMENTS].replace(old, new)

    def without(parts: dict[str, bytes]) -> None:
        del parts[members.JUDGEMENTS]

    other, there = elsewhere
    with pytest.raises(Exception, match=says):
        import_archive(other, there, changed(path, tmp_path, strange))
    with pytest.raises(Exception, match="disagree"):
        import_archive(other, there, changed(path, tmp_path, without))
    assert services.list_campaigns(there) == []


def test_forgetting_a_campaign_takes_its_judgements_along(
    settings: Settings, database: Database, campaign: str
) -> None:
    FindingsDesk(settings, database, ADA).judge(campaign, "accepted", "repeated by hand")
    _, _, digest = archive(settings, database, campaign, None)
    with database.write() as session:
        forget(session, campaign, digest=digest, said={})
    assert said(database, campaign) == []
