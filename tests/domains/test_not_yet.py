"""Documents of the format that ask for more than this version runs: valid, and refused by name.

They are domains of the catalogue in waiting: each moves there when the last part it needs is run.
"""

from pathlib import Path

import pytest

from domains import catalogue
from domains.errors import DocumentError
from domains.loading import load_text
from domains.reading import read_file
from domains.validation import review

WAITING = sorted(Path(__file__).with_name("not_yet").glob("*.yaml"))
TABLES = catalogue.path("okuns-law").parent / "data"


@pytest.mark.parametrize("path", WAITING, ids=lambda path: path.stem)
def test_a_valid_document_is_refused_for_what_is_not_run_yet_and_nothing_else(path: Path) -> None:
    tables = {table.name: table.read_text() for table in TABLES.glob("*.csv")}
    found = review(read_file(path), tables)
    assert found.problems == ()
    assert found.unsupported
    with pytest.raises(DocumentError, match="part of the format but not run by this version yet"):
        load_text(path.read_text(), attachments=tables)
