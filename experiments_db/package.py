"""Files that leave an installation: a zip of JSON, JSON lines and weights, with a manifest of sizes and checksums.

Reading trusts nothing: not the number of members, their names, sizes, compression or content. Nothing is unpacked to
the disk; members are read by name, as streams, and no further than they may go.
"""

import hashlib
import json
import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from experiments_db.database import to_json  # keys stay in their order, which words are made in
from experiments_db.errors import RecordError

MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every member, so that the same content gives the same file
_CHUNK = 1 << 20
_MOST_RATIO = 200  # uncompressed ÷ compressed, of members above _SMALL; lines of the record come to 5 to 15
_SMALL = 1 << 22
_LONGEST_LINE = 1 << 24
_DEEPEST = 64


class PackageError(RecordError):
    """A file that is no package of Organon's, was changed on its way, or asks for more than it may."""


@dataclass(frozen=True)
class Limits:
    """What a package may hold. members: name → the most bytes of it, uncompressed."""

    members: dict[str, int]
    file: int = 1 << 36


class Writer:
    """Writes a package member by member; the manifest, with what ``about`` says, comes last."""

    def __init__(self, target: IO[bytes], about: dict[str, Any]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._about, self._members = about, dict[str, dict[str, Any]]()

    def json(self, name: str, value: Any) -> None:
        """A member of one JSON document."""
        self.data(name, [to_json(value).encode()])

    def lines(self, name: str, values: Iterable[Any]) -> int:
        """A member of one JSON document a line; returns how many."""
        count = 0

        def encoded() -> Iterator[bytes]:
            nonlocal count
            for count, value in enumerate(values, 1):  # noqa: B007
                yield to_json(value).encode() + b"\n"

        self.data(name, encoded())
        return count

    def data(self, name: str, parts: Iterable[bytes]) -> None:
        """A member of bytes."""
        sha256, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                sha256.update(part)
                size += len(part)
        self._members[name] = {"sha256": sha256.hexdigest(), "bytes": size}

    def close(self, **about: Any) -> None:
        """Write the manifest and end the package."""
        manifest = {**self._about, **about, "members": self._members}
        self._zip.writestr(zipfile.ZipInfo(MANIFEST, _EPOCH), to_json(manifest))
        self._zip.close()


class Reader:
    """An open package whose members have the sizes and checksums of its manifest."""

    def __init__(self, file: zipfile.ZipFile, manifest: dict[str, Any], where: str) -> None:
        self._zip, self.manifest, self._where = file, manifest, where

    @property
    def names(self) -> set[str]:
        """The members, the manifest aside."""
        return set(self.manifest["members"])

    def data(self, name: str) -> bytes:
        """A member's bytes; it was seen to be of the size that the manifest says."""
        with self._zip.open(name) as member:
            return member.read()

    def json(self, name: str) -> Any:
        """A member of one JSON document."""
        return self._parsed(name, self.data(name), "")

    def lines(self, name: str) -> Iterator[Any]:
        """A member's JSON documents, one a line."""
        with self._zip.open(name) as member:
            number = 0
            while line := member.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise self.refused(f"line {number} of {name} is longer than {_LONGEST_LINE:,} bytes")
                yield self._parsed(name, line, f" line {number}")

    def refused(self, why: str) -> PackageError:
        """The error that says what is wrong with this package."""
        return PackageError(f"{self._where} cannot be taken: {why}. Nothing was written; ask for it anew.")

    def _parsed(self, name: str, text: bytes, place: str) -> Any:
        return parse_json(text, lambda why: self.refused(f"{name}{place} {why}"))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_json(text: bytes, refused: Any) -> Any:
    """A JSON document from a stranger: finite numbers, text that any database takes, and no more than 64 levels."""
    try:
        value = json.loads(text.decode(), parse_constant=_no_constant)
        _check_value(value, 0)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, JSONDecodeError and too long numbers among them
        raise refused(f"is not JSON as Organon writes it ({str(error)[:200]})") from None
    return value


@contextmanager
def open_package(path: Path, kind: str, limits: Limits) -> Iterator[Reader]:
    """A package of a kind, checked as a whole before anything of it is used.

    Raises:
        PackageError: not a package, not of this kind, damaged, or beyond the limits.
    """
    where = str(path)
    broken = PackageError(f"{where} is not a file that Organon wrote, or it was damaged on its way: ask for it anew.")
    try:
        size = path.stat().st_size
        if size > limits.file:
            raise PackageError(f"{where} has {size:,} bytes, and {limits.file:,} are the most that it may have.")
        with zipfile.ZipFile(path) as file:
            reader = Reader(file, {"members": {}}, where)
            _check_directory(file, limits, reader)
            manifest = reader.json(MANIFEST)
            if not isinstance(manifest, dict) or manifest.get("kind") != kind or manifest.get("format") != 1:
                found = manifest.get("kind") if isinstance(manifest, dict) else None
                raise reader.refused(f"it is a package of another kind or of a newer format ({found}), not a {kind}")
            reader.manifest = manifest
            _check_members(file, limits, reader)
            yield reader
    except OSError as error:
        raise PackageError(f"{where} cannot be read ({error.strerror or error}); check the path.") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise broken from error


def _check_directory(file: zipfile.ZipFile, limits: Limits, reader: Reader) -> None:
    """The zip's own list of members, before any of it is read: names, number, sizes and how they are packed."""
    entries = file.infolist()
    names = [entry.filename for entry in entries]
    if len(names) > len(limits.members) + 1:
        raise reader.refused(f"it has {len(names)} members, and at most {len(limits.members) + 1} are known")
    for entry in entries:
        if names.count(entry.filename) > 1:
            raise reader.refused(f"it has {entry.filename} twice")
        _check_entry(entry, _SMALL if entry.filename == MANIFEST else limits.members.get(entry.filename), reader)
    if MANIFEST not in names:
        raise reader.refused("it has no manifest")


def _check_entry(entry: zipfile.ZipInfo, most: int | None, reader: Reader) -> None:
    name, unpacked = entry.filename[:100], entry.file_size / max(1, entry.compress_size)
    if most is None:
        raise reader.refused(f"it has a member {name!r}, which no package of this kind has")
    if entry.file_size > most:
        raise reader.refused(f"{name} has {entry.file_size:,} bytes, and {most:,} are the most")
    if entry.file_size > _SMALL and unpacked > _MOST_RATIO:
        raise reader.refused(f"{name} unpacks to {unpacked:,.0f} times its size, and {_MOST_RATIO} times is the most")
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        raise reader.refused(f"{name} is encrypted, or packed by another method than deflate")


def _check_members(file: zipfile.ZipFile, limits: Limits, reader: Reader) -> None:
    """Every member against the manifest's size and checksum, read in parts."""
    said = reader.manifest.get("members")
    present = {entry.filename for entry in file.infolist()} - {MANIFEST}
    if not isinstance(said, dict) or said.keys() != present:
        raise reader.refused("its manifest does not name exactly the members that it has")
    for name, about in said.items():
        sha256, size = hashlib.sha256(), 0
        with file.open(name) as member:
            while part := member.read(_CHUNK):
                size += len(part)
                if size > limits.members[name]:
                    raise reader.refused(f"{name} is longer than {limits.members[name]:,} bytes")
                sha256.update(part)
        if about != {"sha256": sha256.hexdigest(), "bytes": size}:
            raise reader.refused(
                f"{name} is not what its manifest says (SHA-256 {sha256.hexdigest()[:12]}, {size} bytes)"
            )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _check_value(value: Any, depth: int) -> None:
    """ValueError for what JSON can say and a database cannot keep."""
    if depth > _DEEPEST:
        raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict | list):
        for entry in value:
            _check_value(entry, depth + 1)
            if isinstance(value, dict):
                _check_value(value[entry], depth + 1)
    elif isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text holds the character NUL, which no database keeps")
        value.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
    elif isinstance(value, int | float) and not -(2.0**63) < value < 2.0**63 and not _finite_float(value):
        raise ValueError("a number is too large")


def _finite_float(value: int | float) -> bool:
    return isinstance(value, float) and math.isfinite(value)
