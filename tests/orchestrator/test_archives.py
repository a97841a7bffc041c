"""Archives: from one installation to another and back, and what strangers may put into them."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from experiments_db.block_rows import campaign_blocks
from experiments_db.canonical import canonical
from experiments_db.chains import read_chain
from experiments_db.database import Database, connect
from experiments_db.errors import RecordError
from experiments_db.events import append, digest_of_heads, first_hash, next_hash
from experiments_db.package import PackageError
from meta_learner.agents.loading import packed
from meta_learner.experimenter.network import Experimenter, Shape
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.agents import agent_store
from orchestrator.archives import members
from orchestrator.archives.reading import import_archive
from orchestrator.archives.writing import archive
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from orchestrator.verification.verify import verify
from tests.orchestrator.performed import performed
from tests.tiny_agents import GOALS, TRAINING

Members = dict[str, bytes]


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60, block_runs=1)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The archive of a finished campaign, its id and digest."""
    made = Settings(home=tmp_path_factory.mktemp("sender") / "home", task_seconds=60, block_runs=1)
    database = services.open_database(made)
    campaign = performed(made, database)
    _, path, found = archive(made, database, campaign, None)
    database.close()
    return path, campaign, found


def counts(database: Database) -> dict[str, int]:
    names = ("domain", "campaign", "block", "run", "experiment", "finding", "measurements", "event")
    with database.read() as session:
        return {n: session.connection().exec_driver_sql(f"SELECT count(*) FROM {n}").scalar_one() for n in names}


def test_another_installation_imports_and_verifies(
    settings: Settings, database: Database, sent: tuple[Path, str, str]
) -> None:
    path, campaign, origin = sent
    done = import_archive(settings, database, path, services.Why("Ada", "to check it"))
    assert (done.campaign, done.digest, done.experiments) == (campaign, origin, 4)
    report = verify(settings, database, campaign)
    assert report.found == []
    assert report.ok
    status = services.campaign_status(database, campaign)
    assert (status["status"], status["imported"], status["progress"]["experiments"]) == ("finished", True, 4)
    assert status["finding"]["runs"] == 2
    with database.read() as session:
        last = read_chain(session, campaign)[-1]
    assert (last.kind, last.said["by"], last.said["reason"]) == ("campaign imported", "Ada", "to check it")
    assert last.said["archive"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive_holds_json_and_no_place_of_the_senders_machine(sent: tuple[Path, str, str]) -> None:
    with zipfile.ZipFile(sent[0]) as file:
        names = set(file.namelist())
        everything = b"".join(file.read(name) for name in names)
    assert names == members.REQUIRED | {"manifest.json"}
    assert str(Path(__file__).parents[2]).encode() not in everything
    assert b"/home" not in everything
    assert sent[0].stat().st_mode & 0o077 == 0


def test_nothing_is_imported_over_what_is_there(
    settings: Settings, database: Database, sent: tuple[Path, str, str]
) -> None:
    import_archive(settings, database, sent[0])
    before = counts(database)
    with pytest.raises(RecordError, match="is here already"):
        import_archive(settings, database, sent[0])
    assert counts(database) == before


def test_a_campaign_under_way_is_imported_as_one_that_ended(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    campaign = performed(settings, database, to_the_end=False)
    archive(settings, database, campaign, tmp_path / "it.organon")
    assert services.campaign_status(database, campaign)["status"] == "running"
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    import_archive(other, there, tmp_path / "it.organon")
    status = services.campaign_status(there, campaign)
    assert (status["status"], status["message"]) == (
        "cancelled",
        "it was under way where it was archived, and never runs here",
    )
    assert verify(other, there, campaign).found == []
    with there.read() as session:
        blocks = campaign_blocks(session, campaign)
    assert [advance(there, other, block) for block in blocks] == ["busy", "busy"]
    with pytest.raises(RequestError, match="cannot be resumed"):
        services.resume_campaign(other, there, campaign)
    archive(other, there, campaign, tmp_path / "again.organon")  # and on to a third
    third = connect(f"sqlite:///{tmp_path}/third.db")
    import_archive(Settings(home=tmp_path / "third"), third, tmp_path / "again.organon")
    assert verify(Settings(home=tmp_path / "third"), third, campaign).found == []
    third.close()
    there.close()


def test_data_and_tables_travel_along(
    settings: Settings, database: Database, costly_file: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.csv"
    made.write_text("design.time,design.method,outcome.amount\n1.0,quick,0.4\n")
    campaign = performed(settings, database, domain=str(costly_file), data=made, laboratory="replay:bench", budget=4)
    archive(settings, database, campaign, tmp_path / "it.organon")
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    import_archive(other, there, tmp_path / "it.organon")
    assert verify(other, there, campaign).found == []
    assert services.campaign_status(there, campaign)["data"]["experiments"] == 1
    there.close()


def test_an_agent_travels_along_and_stays_apart(settings: Settings, database: Database, tmp_path: Path) -> None:
    options = {"width": 8, "heads": 2, "layers": 1}
    about = {"name": "small-one", "family": "experimenter", "goals": GOALS, "training": TRAINING, "options": options}
    settings.make_home()
    stored = agent_store(settings).save(*packed(Experimenter(Shape(**options)), **about))
    campaign = performed(settings, database, policy=stored.name, budget=1, runs=1)
    archive(settings, database, campaign, tmp_path / "it.organon")
    other = Settings(home=tmp_path / "other")
    there = services.open_database(other)
    assert import_archive(other, there, tmp_path / "it.organon").agent == stored.name
    assert stored.name not in agent_store(other).names()
    assert verify(other, there, campaign).found == []

    def heavier(parts: Members) -> None:
        card = json.loads(parts[members.CARD])
        parts[members.CARD] = json.dumps({**card, "options": {**card["options"], "width": 4000}}).encode()

    def enormous(parts: Members) -> None:
        card = json.loads(parts[members.CARD])
        parts[members.CARD] = json.dumps({**card, "options": {**card["options"], "layers": 10**9}}).encode()

    def another(parts: Members) -> None:
        parts[members.WEIGHTS] = parts[members.WEIGHTS][:-1] + b"\x01"

    def without(parts: Members) -> None:
        del parts[members.WEIGHTS]

    third = connect(f"sqlite:///{tmp_path}/third.db")
    for change, says in (
        (enormous, "or one above 4096"),
        (heavier, "parameters, and its weights|do not make a network"),
        (another, "agent is another than"),
        (without, "lacks the one"),
    ):
        with pytest.raises(PackageError, match=says):
            import_archive(settings, third, changed(tmp_path / "it.organon", tmp_path, change))
    assert not any(counts(third).values())
    third.close()
    there.close()


def changed(path: Path, folder: Path, change: Callable[[Members], None], *, manifest: bool = True) -> Path:
    """A copy with other members, and, unless it is to be found out by that, a manifest to match."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    if manifest and "manifest.json" in parts:
        said = json.loads(parts["manifest.json"])
        said["members"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in parts.items()
            if name != "manifest.json"
        }
        parts["manifest.json"] = json.dumps(said).encode()
    target = folder / f"{uuid4().hex}.organon"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return target


def replaced(member: str, old: str, new: str) -> Callable[[Members], None]:
    def change(parts: Members) -> None:
        assert old.encode() in parts[member], parts[member][:500]
        parts[member] = parts[member].replace(old.encode(), new.encode(), 1)

    return change


def field(member: str, new: Any, *path: Any) -> Callable[[Members], None]:
    """The value at a path of a member's document, or of its first line's, is another."""

    def change(parts: Members) -> None:
        first, separator, rest = parts[member].partition(b"\n")
        document = place = json.loads(first)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = new
        parts[member] = json.dumps(document).encode() + separator + rest

    return change


def added(name: str, content: bytes = b"x") -> Callable[[Members], None]:
    return lambda parts: parts.update({name: content})


def dropped(name: str) -> Callable[[Members], None]:
    def change(parts: Members) -> None:
        del parts[name]

    return change


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        (added("../../home/evil.json"), "which no package of this kind has"),
        (added("/etc/passwd"), "which no package of this kind has"),
        (added("domain.py"), "which no package of this kind has"),
        (added("agent/card.json"), "an agent that its campaign does not name, or lacks"),
        (dropped("events.jsonl"), "it lacks events.jsonl"),
        (dropped("manifest.json"), "it has no manifest"),
        (field("manifest.json", "organon-backup", "kind"), "of another kind"),
        (field("manifest.json", 2, "format"), "of another kind or of a newer format"),
        (field("manifest.json", "0" * 64, "digest"), "another digest"),
        (field("manifest.json", "f" * 12, "campaign"), "its manifest names the campaign ffff"),
        (field("campaign.json", "../../etc", "id"), "campaign.json: id"),
        (field("campaign.json", 10**9, "runs"), "campaign.json: runs"),
        (field("campaign.json", 10**12, "settings", "belief", "particles"), "settings.belief.particles"),
        (field("campaign.json", 999, "settings", "batch"), "settings.batch"),
        (field("campaign.json", "immortal", "status"), "campaign.json: status"),
        (field("campaign.json", "yesterday", "created_at"), "campaign.json: created_at"),
        (field("campaign.json", "2026-11-22T12:00:00", "created_at"), "campaign.json: created_at"),
        (field("campaign.json", 1, "admin"), "campaign.json: admin"),
        (field("campaign.json", "evil-agent", "policy"), "an agent that its campaign does not name, or lacks"),
        (field("campaign.json", 2**63, "seed"), "too large"),
        (replaced("campaign.json", '"budget":2.0', '"budget":NaN'), "NaN is no number"),
        (replaced("campaign.json", '"budget":2.0', '"budget":1e999'), "too large"),
        (replaced("campaign.json", '"budget":2.0', '"budget":' + "9" * 5000), "is not JSON"),
        (field("campaign.json", "a\0b", "message"), "NUL"),
        (field("campaign.json", "\ud800", "message"), "is not JSON"),
        (added("campaign.json", DEEP), "is not JSON"),
        (added("campaign.json", b"\xff\xfe"), "is not JSON"),
        (added("experiments.jsonl", b'"' + os.urandom(8_500_000).hex().encode() + b'"'), "longer than"),
        (added("blocks.jsonl", b""), "not numbered from 0"),
        (field("blocks.jsonl", 10_000, "runs"), "disagree"),
        (field("blocks.jsonl", 10**9, "step"), "blocks.jsonl line 1: step"),
        (field("runs.jsonl", 7, "block"), "run 0 is out of order"),
        (field("runs.jsonl", -1.0, "cost"), "runs.jsonl line 1: cost"),
        (field("experiments.jsonl", 5, "run"), "none of its domain"),
        (field("experiments.jsonl", {"x'; DROP TABLE run; --": 1.0}, "design"), "none of its domain"),
        (field("experiments.jsonl", {"velocity": "<script>"}, "outcome"), "outcome"),
        (field("experiments.jsonl", {}, "belief"), "belief"),
        (field("experiments.jsonl", {"velocity": 1.0}, "outcome"), "disagree: .*run 0, step 0, outcome"),
        (field("experiments.jsonl", 0.5, "cost"), "disagree"),
        (lambda parts: parts.update({"experiments.jsonl": parts["experiments.jsonl"] * 2}), "does not take it"),
        (lambda parts: parts.update({"runs.jsonl": parts["runs.jsonl"] * 2}), "out of order"),
        (field("findings.jsonl", 3, "run"), "a finding of a run 3"),
        (field("events.jsonl", "retention", "chain"), "an event of another chain"),
        (field("events.jsonl", "step forged", "kind"), "disagree"),
        (field("events.jsonl", "{}", "content"), "disagree"),
        (field("domain.json", "x: [" * 1000, "text"), "domain cannot be read"),
        (field("domain.json", "0" * 64, "identity"), "domain is another"),
        (replaced("domain.json", "budget: 12", "budget: 13"), "domain is another"),
        (field("domain.json", {"../../x.csv": "a"}, "attachments"), "cannot be read|is another"),
    ],
)  # fmt: skip
def test_a_strangers_archive_does_no_harm(
    settings: Settings, database: Database, sent: tuple[Path, str, str], *,
    tmp_path: Path, attack: Callable[[Members], None], says: str,
) -> None:  # fmt: skip
    before = sorted(path for path in tmp_path.rglob("*") if "organon.db" not in path.name)
    path = changed(sent[0], tmp_path, attack)
    with pytest.raises(PackageError, match=says) as caught:
        import_archive(settings, database, path)
    assert "Nothing was written" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert not any(counts(database).values())
    after = sorted(found for found in tmp_path.rglob("*") if "organon.db" not in found.name)
    assert after == sorted([*before, path])


def test_what_was_changed_on_the_way_is_refused(
    settings: Settings, database: Database, sent: tuple[Path, str, str], tmp_path: Path
) -> None:
    path = changed(sent[0], tmp_path, replaced("campaign.json", '"runs":2', '"runs":3'), manifest=False)
    with pytest.raises(PackageError, match="is not what its manifest says"):
        import_archive(settings, database, path)
    (tmp_path / "no.organon").write_bytes(b"not a zip at all")
    for wrong in (tmp_path / "no.organon", tmp_path / "nowhere.organon", tmp_path):
        with pytest.raises(PackageError):
            import_archive(settings, database, wrong)


def test_a_tampered_import_is_found_by_its_digest(
    settings: Settings, database: Database, sent: tuple[Path, str, str]
) -> None:
    import_archive(settings, database, sent[0])
    with database.write() as session:
        append(session, sent[1], "truths recorded", {"truths": []}, block=0)
    assert "digest it was imported with" in {each.field for each in verify(settings, database, sent[1]).found}


def relogged(member_of: str, kind: str, content: Any) -> Callable[[Members], None]:
    """The first event of a kind says something else, its chain is hashed anew, and the digest is made to match."""

    def change(parts: Members) -> None:
        log = [json.loads(line) for line in parts[members.EVENTS].splitlines()]
        heads: dict[str, str] = {}
        done = False
        for event in log:
            if event["kind"] == kind and event["chain"].endswith(member_of) and not done:
                event["content"], done = canonical(content), True
            previous = heads.get(event["chain"]) or first_hash(event["chain"])
            event["hash"] = heads[event["chain"]] = next_hash(previous, event["index"], event["kind"], event["content"])
        assert done
        parts[members.EVENTS] = b"".join(json.dumps(event).encode() + b"\n" for event in log)
        said = json.loads(parts["manifest.json"])
        chains = [said["campaign"], f"{said['campaign']}/0", f"{said['campaign']}/1"]
        said["digest"] = digest_of_heads([heads[chain] for chain in chains])
        parts["manifest.json"] = json.dumps(said).encode()

    return change


@pytest.mark.parametrize(
    ("where", "kind", "content"),
    [
        ("", "campaign created", {}),
        ("", "campaign created", {"blocks": "many"}),
        ("", "campaign finished", []),
        ("", "finding recorded", {"run": []}),
        ("/0", "truths recorded", {"truths": 7}),
        ("/0", "step recorded", {"step": [], "experiments": {}, "made": 1}),
        ("/0", "step recorded", {"step": 0, "experiments": [{"row": "0"}], "made": {}}),
        ("/0", "step recorded", {"step": 0, "experiments": [{"row": 0}], "made": {}}),
        ("/0", "step recorded", {"step": 0, "experiments": [], "made": []}),
        ("/1", "block ended", {"runs": [{"run": 1, "steps": None, "cost": 2.0}]}),
        ("/1", "finding recorded", {"run": 10**6, "content": 1, "text": 2}),
    ],
)
def test_a_sound_chain_of_nonsense_is_refused(
    settings: Settings, database: Database, sent: tuple[Path, str, str], *,
    tmp_path: Path, where: str, kind: str, content: Any,
) -> None:  # fmt: skip
    path = changed(sent[0], tmp_path, relogged(where or sent[1], kind, content))
    with pytest.raises(PackageError, match="its log and its tables disagree"):
        import_archive(settings, database, path)
    assert not any(counts(database).values())
