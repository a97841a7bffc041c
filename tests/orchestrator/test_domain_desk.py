"""The desk of domains: who may save what under which name."""

import pytest

from domains.errors import DocumentError, DomainError
from domains.loading import find
from experiments_db import domain_versions
from experiments_db.database import Database
from orchestrator.desk.domains import DomainDesk
from orchestrator.errors import ForbiddenError
from orchestrator.requests import Document
from orchestrator.settings import Settings
from orchestrator.tokens import Holder
from tests.orchestrator.conftest import BENCH, COSTLY

_DOCUMENT = Document(text=COSTLY, attachments={"bench.csv": BENCH, "unused.csv": "a\n1\n"})


@pytest.fixture
def desk(settings: Settings, database: Database) -> DomainDesk:
    return DomainDesk(settings, database, Holder("Ada", "operator"))


def test_the_same_content_is_the_same_version(desk: DomainDesk) -> None:
    first, again = desk.save(_DOCUMENT), desk.save(_DOCUMENT)
    other = desk.save(Document(text=COSTLY.replace("budget: 9", "budget: 8"), attachments={"bench.csv": BENCH}))

    assert (first.new, again.new, other.new) == (True, False, True)
    assert first.identity == again.identity != other.identity
    with desk.database.read() as session:
        kept = domain_versions.find_version(session, "decay", first.identity)
        assert {version.identity for version in domain_versions.versions(session, "decay")} == {
            first.identity,
            other.identity,
        }
    assert (kept.source, kept.text) == ("desk", COSTLY)
    assert kept.attachments == {"bench.csv": BENCH}  # what no replay names is not kept


def test_what_is_not_in_order_is_refused_with_its_problems(desk: DomainDesk) -> None:
    with pytest.raises(DocumentError, match="did you mean 'budget'"):
        desk.save(Document(text=COSTLY.replace("budget:", "budgett:"), attachments={"bench.csv": BENCH}))
    with pytest.raises(DocumentError, match=r"the table 'bench.csv' is not attached"):
        desk.save(Document(text=COSTLY))


def test_a_name_of_the_catalogue_is_refused_with_another(desk: DomainDesk) -> None:
    text = find("death-process").text
    with pytest.raises(DomainError, match="call yours otherwise, such as 'my-death-process'"):
        desk.save(Document(text=text))
    assert desk.save(Document(text=text.replace("name: death", "name: my-death"))).name == "my-death-process"


def test_a_viewer_changes_nothing(settings: Settings, database: Database) -> None:
    desk = DomainDesk(settings, database, Holder("Bob", "viewer"))

    with pytest.raises(ForbiddenError, match="Bob may look and not act"):
        desk.save(_DOCUMENT)
    with database.read() as session:
        assert domain_versions.newest_versions(session) == []
