"""Campaigns about domains of one's own, by name."""

from datetime import UTC, datetime, timedelta

import pytest

from domains import catalogue
from domains.loading import find, load_text
from experiments_db import domain_versions, record
from experiments_db.database import Database
from orchestrator import services
from orchestrator.domain_rows import domain_row
from orchestrator.errors import RequestError
from orchestrator.own_domains import campaign_domain, domain_names, find_domain
from orchestrator.requests import Document
from orchestrator.settings import Settings
from tests.orchestrator.conftest import BENCH, COSTLY

_NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def _save(database: Database, text: str, minutes: int = 0, source: str = "desk") -> str:
    tables = {"bench.csv": BENCH}
    row = domain_row(load_text(text, "decay.yaml", tables), tables)
    row.source, row.created_at = source, _NOON + timedelta(minutes=minutes)
    with database.write() as session:
        record.save_domain(session, row)
    return row.identity


def test_the_newest_version_of_an_own_domain_is_asked_for_by_name(database: Database) -> None:
    older = _save(database, COSTLY)
    newer = _save(database, COSTLY.replace("budget: 9", "budget: 7"), 1)

    assert domain_names(database) == [*catalogue.names(), "decay"]
    document = campaign_domain(database, "decay")
    assert isinstance(document, Document)
    assert document.load().identity == newer == find_domain(database, "decay").identity
    assert find_domain(database, f"decay@{older[:8]}").identity == older


def test_a_name_of_the_catalogue_is_the_catalogues_document(database: Database) -> None:
    _save(database, COSTLY.replace("name: decay", "name: enzyme-kinetics"))

    assert domain_names(database) == list(catalogue.names())
    assert campaign_domain(database, "enzyme-kinetics") == "enzyme-kinetics"
    assert find_domain(database, "enzyme-kinetics").identity == find("enzyme-kinetics").identity


@pytest.mark.parametrize("name", ["decoy", "decay@ffff", "%", "decay@"])
def test_a_name_that_is_not_there_is_refused(database: Database, name: str) -> None:
    _save(database, COSTLY)
    if name == "decay@":  # no version named: the newest
        assert find_domain(database, name).name == "decay"
        return
    with pytest.raises(RequestError, match=r"There is no domain '.+' on record"):
        campaign_domain(database, name)


def test_a_campaign_is_run_with_an_own_domain_and_counted_under_its_name(
    settings: Settings, database: Database
) -> None:
    identity = _save(database, COSTLY)
    request = services.campaign_request(
        domain=campaign_domain(database, "decay"), policy="random", laboratory="replay:bench"
    )

    created = services.create_campaign(settings, database, request)

    with database.read() as session:
        assert domain_versions.campaign_counts(session) == {"decay": 1}
        ((campaign, version),) = domain_versions.campaigns_of(session, "decay", limit=10)
        assert [entry.source for entry in domain_versions.versions(session, "decay")] == ["desk"]
    assert (campaign.id, version) == (created.id, identity)
