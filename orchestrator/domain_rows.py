"""A domain document on its way to the record. Torch-free."""

from collections.abc import Mapping
from typing import Any

from domains.document import Domain
from domains.loading import attachments
from experiments_db import models


def domain_row(domain: Domain, tables: dict[str, str] | None = None) -> models.Domain:
    """The row that keeps a document with its tables, which are read from beside it unless they are given."""
    return models.Domain(
        identity=domain.identity,
        name=domain.name,
        title=domain.title,
        field=domain.field,
        text=domain.text,
        document=_plain(domain.parsed),
        source=str(domain.file or ""),
        attachments=attachments(domain) if tables is None else tables,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
