"""Experiments that a campaign is to start from: read, checked and made ready for the record. Torch-free."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from domains.document import Domain
from domains.measurements import (
    Measurements,
    check_data_name,
    decode_table,
    load_data,
    read_data,
    read_replay,
)
from experiments_db import models


class Table(BaseModel):
    """A table handed over as its text, as from an upload; ``file`` is what it was called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    text: str


def uploaded_table(file: str, content: bytes) -> Table:
    """An upload as a table; DomainError where it is no text, or no CSV by its name."""
    check_data_name(file)
    return Table(file=file, text=decode_table(file, content))


@dataclass(frozen=True)
class GivenData:
    """The experiments of a table, and which table it was."""

    file: str
    sha256: str
    measurements: Measurements

    @property
    def count(self) -> int:
        return len(self.measurements.designs)

    def record(self, campaign_id: str) -> models.Measurements:
        """The row that keeps them with their campaign."""
        pairs = zip(self.measurements.designs, self.measurements.outcomes, strict=True)
        rows = [{"design": design, "outcome": outcome} for design, outcome in pairs]
        return models.Measurements(campaign_id=campaign_id, file=self.file, sha256=self.sha256, rows=rows)


def read_given(domain: Domain, data: Path | Table) -> GivenData:
    """The experiments of a file or of an uploaded table; DomainError with line, column and the way out."""
    if isinstance(data, Table):
        check_data_name(data.file)
        name, text, measurements = data.file, data.text, read_data(domain, data.text, data.file)
    else:
        measurements, text = load_data(domain, data)
        name = data.name
    return GivenData(name, hashlib.sha256(text.encode()).hexdigest(), measurements)


def recorded_measurements(rows: Sequence[Mapping[str, Any]]) -> Measurements:
    """The experiments as the record keeps them: a design and an outcome a row."""
    return Measurements(tuple(row["design"] for row in rows), tuple(row["outcome"] for row in rows))


def rows_left(domain: Domain, replay: str, given: GivenData | None) -> int:
    """How many rows of a replay can still be looked up: each given experiment uses up one of its design."""
    left = Counter(tuple(design.values()) for design in read_replay(domain, replay).designs)
    if given is not None:
        left.subtract(tuple(design.values()) for design in given.measurements.designs)
    return sum(count for count in left.values() if count > 0)
