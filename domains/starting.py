"""A new document to start from: the commented example, or a copy of one of the catalogue. Needs no torch."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from domains import catalogue
from domains.document import Domain
from domains.errors import DomainError
from domains.loading import attachments, load_file, load_text
from domains.validation import is_identifier

_EXAMPLE = Path(__file__).with_name("starting.yaml")
_EXAMPLE_NAME = "my-question"


@dataclass(frozen=True)
class Started:
    """What was written: the document, and the tables of its replays."""

    document: Path
    tables: tuple[Path, ...]


def start(name: str, folder: Path, like: str | None = None) -> Started:
    """Write ``folder/name.yaml``, and the tables of its replays below ``folder/data``.

    Nothing is ever overwritten; a table that is there already with the same content is left. DomainError where the name
    will not do, the catalogue has no such domain, or a file is in the way.
    """
    _check_name(name)
    if like is None:
        text, tables = _EXAMPLE.read_text(encoding="utf-8").replace(_EXAMPLE_NAME, name), {}
    else:
        original = _of_catalogue(like)
        text, tables = _renamed(original, name), attachments(original)
    load_text(text, f"{name}.yaml", tables)
    files = {folder / "data" / file: table for file, table in tables.items()}
    document = folder / f"{name}.yaml"
    _check_free(document, files)
    for file, table in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(table.encode())
    with document.open("x", encoding="utf-8") as opened:
        opened.write(text)
    return Started(document, tuple(files))


def _check_name(name: str) -> None:
    if is_identifier(name):
        return
    near = re.sub(r"[^a-z0-9]+", "-", name.removesuffix(".yaml").lower()).strip("-")[:64].strip("-")
    hint = f"; {near!r} would do" if near else ""
    raise DomainError(f"{name!r} is no name for a domain: small letters and digits, joined by -, at most 64{hint}")


def _of_catalogue(like: str) -> Domain:
    known = catalogue.names()
    if like not in known:
        near = difflib.get_close_matches(like, known, 3, 0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise DomainError(f"the catalogue has no {like!r}; {hint}All of them: organon domain list")
    return load_file(catalogue.path(like))


def _renamed(domain: Domain, name: str) -> str:
    """The document's text, comments and all, under another name."""
    return re.sub(r"(?m)^name:.*$", f"name: {name}", domain.text, count=1)


def _check_free(document: Path, tables: dict[Path, str]) -> None:
    if document.exists():
        raise DomainError(f"{document} is there already, and is not overwritten; choose another name or move it")
    for file, table in tables.items():
        if file.exists() and file.read_bytes() != table.encode():
            raise DomainError(f"{file} is there already with other content, and is not overwritten; move it")
