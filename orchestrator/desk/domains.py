"""What people do with domains: save versions of their own; and the jobs in which workers simulate and examine them."""

from dataclasses import dataclass

from domains import catalogue
from domains.document import Domain
from domains.errors import DomainError
from domains.loading import attachments, load_text
from experiments_db import domain_versions, record
from experiments_db.errors import NotFoundError
from orchestrator.desk.base import Desk
from orchestrator.domain_rows import domain_row
from orchestrator.own_domains import FROM_DESK
from orchestrator.requests import Document

CHECK, PREDICTION = "domain-check", "domain-prediction"


@dataclass(frozen=True)
class Saved:
    """What a document became on record; ``new``: whether this version was not there yet."""

    name: str
    identity: str
    new: bool


class DomainDesk(Desk):
    """The desk of domains."""

    def save(self, document: Document) -> Saved:
        """Keep a document as a version of its name, for good; one with the same content is the same version.

        DocumentError with all its problems where it is not in order, DomainError where the catalogue has its name.
        """
        self.acting()
        domain = load_text(document.text, attachments=document.attachments)
        if taken := taken_name(domain.name):
            raise DomainError(taken)
        row = domain_row(domain, attachments(domain))
        row.source = FROM_DESK
        with self.database.write() as session:
            try:
                domain_versions.find_version(session, domain.name, domain.identity)
            except NotFoundError:
                record.save_domain(session, row)
                return Saved(domain.name, domain.identity, True)
        return Saved(domain.name, domain.identity, False)


def check_of(domain: Domain) -> tuple[str, dict[str, str]]:
    """The job that examines a domain: its kind and arguments."""
    return CHECK, _about(domain)


def prediction_of(domain: Domain, axis: str) -> tuple[str, dict[str, str]]:
    """The job that simulates what a domain's laws predict over the range of one design."""
    return PREDICTION, {**_about(domain), "axis": axis}


def _about(domain: Domain) -> dict[str, str]:
    """A domain of the catalogue may change with Organon itself: its identity tells the results apart."""
    own = domain.name not in catalogue.names()
    name = f"{domain.name}@{domain.identity}" if own else domain.name
    return {"domain": name, "identity": domain.identity}


def taken_name(name: str) -> str:
    """Why a domain of one's own cannot have this name; empty where it can."""
    if name not in catalogue.names():
        return ""
    return (
        f"{name!r} is a domain of the catalogue, whose names always mean its own documents: call yours otherwise, such "
        f"as 'my-{name}'"
    )
