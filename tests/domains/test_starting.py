"""A new document: what is written loads, says every part, and overwrites nothing."""

import re
from pathlib import Path

import pytest

from domains import catalogue
from domains.errors import DomainError
from domains.loading import load_file
from domains.starting import start
from domains.validation import KEYS
from domains.worlds import DomainModel
from meta_learner.examination import examine


def test_the_example_loads_passes_its_check_and_speaks_of_every_part(tmp_path: Path) -> None:
    started = start("crop-trial", tmp_path)
    domain = load_file(started.document)
    assert (started.document, started.tables) == (tmp_path / "crop-trial.yaml", ())
    assert domain.name == "crop-trial"
    found = examine(DomainModel(domain))
    assert found.ok
    assert found.remarks == ()
    text = started.document.read_text()
    assert "my-question" not in text
    missing = [key for key in KEYS if not re.search(rf"^(# | |#  )*{key}:", text, re.MULTILINE)]
    assert missing == ["exchangeable", "python"]  # for later


@pytest.mark.parametrize("name", ["enzyme-kinetics", "theophylline", "monetary-policy", "source-location"])
def test_a_copy_keeps_its_comments_and_finds_its_tables(tmp_path: Path, name: str) -> None:
    started = start("mine", tmp_path, like=name)
    copy, original = load_file(started.document), load_file(catalogue.path(name))
    assert copy.name == "mine"
    assert {**copy.parsed, "name": name} == original.parsed
    assert copy.text.replace("name: mine", f"name: {name}") == original.text
    assert {table.name for table in started.tables} == {replay.file for replay in original.replays.values()}


@pytest.mark.parametrize("name", catalogue.names())
def test_every_domain_of_the_catalogue_can_be_copied(tmp_path: Path, name: str) -> None:
    assert (
        load_file(start("mine", tmp_path, like=name).document).mechanisms == load_file(catalogue.path(name)).mechanisms
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "taken.yaml").write_text("mine")
    with pytest.raises(DomainError, match=r"taken\.yaml is there already"):
        start("taken", tmp_path)
    assert (tmp_path / "taken.yaml").read_text() == "mine"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "puromycin.csv").write_text("other")
    with pytest.raises(DomainError, match=r"puromycin\.csv is there already with other content"):
        start("free", tmp_path, like="enzyme-kinetics")
    assert (tmp_path / "data" / "puromycin.csv").read_text() == "other"
    assert not (tmp_path / "free.yaml").exists()


def test_two_copies_share_a_table(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert load_file(start(name, tmp_path, like="enzyme-kinetics").document).replays
    assert [table.name for table in (tmp_path / "data").iterdir()] == ["puromycin.csv"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("My Question", "'my-question' would do"),
        ("crop.yaml", "'crop' would do"),
        ("../crop", "'crop' would do"),
        ("ö", "joined by -, at most 64$"),
        ("a" * 65, f"'{'a' * 64}' would do"),
    ],
)
def test_a_name_that_will_not_do(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(DomainError, match=hint):
        start(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_in_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="did you mean 'enzyme-kinetics'"):
        start("mine", tmp_path, like="enzime-kinetics")
