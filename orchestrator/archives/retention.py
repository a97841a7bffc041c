"""Forgetting campaigns: archived first, the archive read back, then deleted, with an event that says so. Torch-free."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experiments_db import queries, retention
from experiments_db.database import Database
from experiments_db.package import file_sha256, open_package
from orchestrator.archives import members
from orchestrator.archives.writing import archive
from orchestrator.errors import RequestError
from orchestrator.opening_agents import imported_agents
from orchestrator.people import Why, words
from orchestrator.settings import Settings


@dataclass(frozen=True)
class Forgotten:
    """A campaign that is no longer here, and where its archive lies."""

    campaign: str
    file: str
    sha256: str
    digest: str


def forget_campaign(
    settings: Settings, database: Database, id_or_prefix: str, path: Path | None = None, why: Why | None = None
) -> Forgotten:
    """Archive a campaign that has ended, then delete it.

    RequestError where it has not ended; RecordError where it was changed meanwhile. Then nothing is deleted.
    """
    with database.read() as session:
        campaign = queries.get_campaign(session, id_or_prefix)
        progress = queries.progress(session, campaign.id)
    if campaign.status not in retention.ENDED:
        raise RequestError(
            f"campaign {campaign.id} is {campaign.status}; only one that has ended can be forgotten (organon campaign "
            "cancel)"
        )
    _, file, digest = archive(settings, database, campaign.id, path)
    with open_package(file, members.KIND, members.LIMITS):  # it can be read back, every checksum of it
        sha256 = file_sha256(file)
    said = {
        "domain": campaign.domain_identity,
        "policy": campaign.policy,
        "status": campaign.status,
        "runs": progress.runs,
        "experiments": progress.experiments,
        "archive": sha256,
        **words(why),
    }
    with database.write() as session:
        retention.forget(session, campaign.id, digest=digest, said=said)
    shutil.rmtree(imported_agents(settings, campaign.id).own, ignore_errors=True)  # the archive has it
    return Forgotten(campaign.id, str(file), sha256, digest)


def to_prune(database: Database, days: float) -> list[str]:
    """The campaigns that ended more than so many days ago."""
    with database.read() as session:
        return retention.ended_before(session, datetime.now(UTC) - timedelta(days=days))


def prune(
    settings: Settings, database: Database, days: float, folder: Path | None = None, why: Why | None = None
) -> Iterator[Forgotten]:
    """Forget every campaign that ended more than so many days ago, one at a time, each archived into the folder."""
    if folder is not None and not folder.is_dir():
        raise RequestError(f"--out {folder}: there is no such folder; make it first")
    for campaign in to_prune(database, days):
        target = None if folder is None else folder / f"{campaign}.organon"
        yield forget_campaign(settings, database, campaign, target, why)
