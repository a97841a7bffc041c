"""Task distributions and the trainings of agents on record."""

import pytest
from sqlalchemy.exc import IntegrityError

from experiments_db import distributions, trainings
from experiments_db.database import Database
from experiments_db.errors import NotFoundError
from experiments_db.models import TaskDistribution, Training


def keep(database: Database, name: str, text: str = "name: x") -> distributions.DistributionRecord:
    with database.write() as session:
        return distributions.add_distribution(session, name, text, {"name": name}, "Ada")


def test_versions_count_from_one_for_each_name(database: Database) -> None:
    assert [keep(database, name).version for name in ("a", "b", "a", "a")] == [1, 1, 2, 3]
    with database.read() as session:
        assert [each.version for each in distributions.distribution_versions(session, "a")] == [3, 2, 1]
        assert distributions.get_distribution(session, "a").version == 3
        assert distributions.get_distribution(session, "a", 2).version == 2
        assert distributions.find_distribution(session, "c") is None
        with pytest.raises(NotFoundError, match="There is no task distribution 'a' of version 9"):
            distributions.get_distribution(session, "a", 9)


def test_the_newest_of_each_name_by_name_and_by_page(database: Database) -> None:
    for name in ("b", "a", "c", "a"):
        keep(database, name)
    with database.read() as session:
        newest = distributions.newest_distributions(session)
        assert [(each.name, each.version) for each in newest] == [("a", 2), ("b", 1), ("c", 1)]
        (last,) = distributions.newest_distributions(session, limit=2, offset=2)
    assert last.name == "c"


def test_the_same_version_twice_is_refused(database: Database) -> None:
    keep(database, "a")
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(TaskDistribution(name="a", version=1, text="", recipe={}, by="Eve"))


def test_the_trainings_of_an_agent(database: Database) -> None:
    with database.write() as session:
        for agent in ("one", "other", "one"):
            trainings.save_training(session, Training(agent=agent, recipe={}, steps=3, hardware={}))
    with database.read() as session:
        found = trainings.trainings_of(session, "one")
        assert [each.agent for each in found] == ["one", "one"]
        assert found[0].created_at >= found[1].created_at
        assert len(trainings.trainings_of(session, "one", limit=1)) == 1
