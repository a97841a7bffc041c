"""Domains from files, texts and the catalogue, and back to text."""

import difflib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from domains import catalogue
from domains.document import Domain
from domains.errors import DomainError
from domains.measurements import Tables
from domains.reading import core_scalar, read_file, read_text
from domains.validation import validate

_WIDTH = 110


def load_file(path: Path | str) -> Domain:
    """The domain in a file; DocumentError with every problem."""
    return validate(read_file(Path(path).resolve()))


def load_text(text: str, file: str = "<text>", attachments: Mapping[str, str] | None = None) -> Domain:
    """The domain in a text; ``attachments`` (file name → text) hold the tables of its replays."""
    return validate(read_text(text, file), attachments or {})


def find(name_or_path: str) -> Domain:
    """The domain in a file, or of this name in the catalogue."""
    path = Path(name_or_path)
    looks_like_path = "/" in name_or_path or path.suffix in (".yaml", ".yml")
    if looks_like_path or path.is_file():
        return load_file(path)
    known = catalogue.names()
    if name_or_path not in known:
        near = difflib.get_close_matches(name_or_path, known, 3, 0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise DomainError(f"no domain {name_or_path!r}; {hint}All of them: organon domain list")
    return load_file(catalogue.path(name_or_path))


def attachments(domain: Domain) -> dict[str, str]:
    """The texts of a domain's tables by file name, for storing beside the document."""
    tables = Tables(domain.file, domain.attached)
    return {replay.file: tables.text(replay.file) for replay in domain.replays.values()}


def dump(domain: Domain) -> str:
    """The document as YAML, from what was parsed: loading it again gives the same data and the same identity."""
    return as_yaml(domain.parsed)


def as_yaml(document: Mapping[str, Any]) -> str:
    """Plain data as YAML that reads as the same data: a line a key, and what is small below the second level in
    brackets on one line, as people write it."""
    node = _Dumper(io.StringIO(), sort_keys=False, default_flow_style=False).represent_data(document)
    _lay_out(node, 0)
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_WIDTH))


def _lay_out(node: Any, depth: int) -> int:
    """Put brackets around what fits on a line; the characters that a node then takes."""
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 2 + (_WIDTH if "\n" in node.value else 0)
    inner = [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]
    size = 2 + sum(2 + _lay_out(part, depth + 1) for part in inner)
    node.flow_style = size < _WIDTH - 2 * depth and (depth > 1 or isinstance(node, yaml.SequenceNode) or not inner)
    return size


class _Dumper(yaml.SafeDumper):
    """Writes texts so that YAML 1.2's core schema reads them back as texts."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if _needs_quotes(text) else None)


def _needs_quotes(text: str) -> bool:
    if text.count("(") > text.count(")"):  # plain, it would look like an expression that a comma has cut
        return True
    try:
        return not isinstance(core_scalar(text), str)
    except DomainError:
        return True


_Dumper.add_representer(str, _represent_text)
