"""The domains that the pages show: those of the catalogue, and one's own as the record has them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from domains import catalogue
from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find
from experiments_db import domain_versions
from experiments_db.database import Database
from experiments_db.domain_versions import DomainVersion
from orchestrator.errors import RequestError
from orchestrator.own_domains import load_recorded


@dataclass(frozen=True)
class DomainLine:
    """One line of the list: what is asked, where it comes from, and how many campaigns asked it."""

    name: str
    title: str
    field: str
    own: bool
    saved_at: datetime | None
    campaigns: int

    def matches(self, words: str) -> bool:
        """Whether every word stands in the name, the question or the field."""
        text = f"{self.name} {self.title} {self.field}".lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class DomainView:
    """A version of a domain; the catalogue's current one has no moment of saving.

    versions: all on record, newest first. domain: None where this version of Organon cannot read it; fault says why.
    """

    name: str
    title: str
    text: str
    identity: str
    own: bool
    saved_at: datetime | None
    source: str
    versions: list[DomainVersion]
    domain: Domain | None
    fault: str = ""

    @property
    def current(self) -> bool:
        """Whether a campaign that names the domain asks this version."""
        return self.saved_at is None if not self.own else self.identity == self.versions[0].identity


def read_lines(database: Database) -> list[DomainLine]:
    """Every domain by field and name, one's own first."""
    known = catalogue.names()
    with database.read() as session:
        own = domain_versions.newest_versions(session, known)
        counts = domain_versions.campaign_counts(session)
    lines = [DomainLine(v.name, v.title, v.field, True, v.created_at, counts.get(v.name, 0)) for v in own]
    lines += [DomainLine(d.name, d.title, d.field, False, None, counts.get(d.name, 0)) for d in map(_known, known)]
    return sorted(lines, key=lambda line: (not line.own, line.field, line.name))


def read_domain(database: Database, name: str, version: str = "") -> DomainView:
    """A domain by its name, and by the beginning of a version's identity where an older one is wanted.

    RequestError where there is none such.
    """
    own = name not in catalogue.names()
    with database.read() as session:
        versions = domain_versions.versions(session, name)
        if own and not versions:
            raise RequestError(f"There is no domain '{name}': the list of all domains has them by field.")
        if not own and (not version or _known(name).identity.startswith(version)):
            domain = _known(name)
            return DomainView(name, domain.title, domain.text, domain.identity, False, None, "", versions, domain)
        recorded = domain_versions.find_version(session, name, version)
    found, fault = None, ""
    try:
        found = load_recorded(recorded)
    except DomainError as error:
        fault = str(error)
    return DomainView(
        name,
        recorded.title or name,
        recorded.text,
        recorded.identity,
        own,
        recorded.created_at,
        recorded.source,
        versions,
        found,
        fault,
    )


@cache
def _known(name: str) -> Domain:
    """A document of the catalogue, which does not change while the pages are served."""
    return find(name)
