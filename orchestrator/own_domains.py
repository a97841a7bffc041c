"""The domains that a campaign may ask: those of the catalogue, and one's own, which the record keeps. Torch-free.

An own domain is one on record whose name the catalogue does not have: it was saved at the desk, or came with a
campaign. ``NAME`` is its newest version, ``NAME@BEGINNING`` the one whose identity begins so. A name of the catalogue
is always the catalogue's document.
"""

from domains import catalogue
from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find, load_text
from experiments_db import domain_versions
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from experiments_db.queries import DomainRecord
from orchestrator.errors import RequestError
from orchestrator.requests import Document

FROM_DESK = "desk"  # the source of what was saved through the pages


def domain_names(database: Database) -> list[str]:
    """Every domain that a campaign may ask, the catalogue's first."""
    known = catalogue.names()
    with database.read() as session:
        own = domain_versions.newest_versions(session, known)
    return [*known, *(version.name for version in own)]


def campaign_domain(database: Database, name: str) -> str | Document:
    """A domain as a campaign is asked for with it: a catalogue name as it is, an own domain as its document.

    RequestError where there is none of this name.
    """
    if name in catalogue.names():
        return name
    recorded = own_domain(database, name)
    return Document(text=recorded.text, attachments=recorded.attachments)


def find_domain(database: Database, name: str) -> Domain:
    """The domain itself; RequestError where there is none, DomainError where this version cannot read it."""
    if name in catalogue.names():
        return find(name)
    return load_recorded(own_domain(database, name))


def own_domain(database: Database, name: str) -> DomainRecord:
    """What the record keeps of an own domain: its newest version, or the one asked for; RequestError where none."""
    plain, _, prefix = name.partition("@")
    try:
        with database.read() as session:
            return domain_versions.find_version(session, plain, prefix)
    except NotFoundError as error:
        raise RequestError(str(error)) from None


def load_recorded(recorded: DomainRecord) -> Domain:
    """A recorded domain with its tables; DomainError where this version of Organon cannot read it (any more)."""
    try:
        return load_text(recorded.text, f"{recorded.name}.yaml", recorded.attachments)
    except DomainError as error:
        raise DomainError(
            f"{recorded.name}, version {recorded.identity[:8]}, cannot be read by this version: {error}"
        ) from error
