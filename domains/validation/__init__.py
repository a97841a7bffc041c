"""Validation: plain data → Domain, or all problems at once, each with its line, what was found and what is allowed."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domains import python_domains
from domains.document import Domain, Goal
from domains.errors import DocumentError, DomainError
from domains.hints import for_name
from domains.measurements import Tables, read_replay
from domains.reading import Source
from domains.validation.aims import read_constraints, read_cost, read_exchangeable, read_goal
from domains.validation.designs import known_designs, read_designs
from domains.validation.laws import Laws, read_laws
from domains.validation.outcomes import read_measured, read_outcomes
from domains.validation.replays import read_replays
from domains.validation.report import Part, Report, clipped, describe
from domains.validation.scope import Scope

__all__ = ["KEYS", "content_hash", "is_identifier", "validate"]

FORMAT = 1
KEYS = (
    "format", "name", "title", "field", "summary", "references", "designs", "constraints", "parameters", "let",
    "dynamics", "mechanisms", "outcomes", "cost", "budget", "goal", "exchangeable", "replays", "python",
)  # fmt: skip
_REQUIRED = ("format", "name", "designs", "mechanisms", "outcomes", "budget", "goal")
_IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COMMON_RULE = "outcomes and goals see shared names and those that every mechanism defines, with one length in all"


def validate(source: Source, attachments: Mapping[str, str] | None = None) -> Domain:
    """The domain of a valid document; DocumentError with all its problems.

    ``attachments``: texts of the replays' tables by file name, instead of the disk.
    """
    report = Report(source)
    tables = Tables(source.path, attachments)
    top = Part(report, (), source.data).fields(KEYS, _REQUIRED)
    domain = _read(top, source, tables)
    if not report.problems:
        domain = replace(domain, identity=content_hash(domain, tables), attached=attachments)
        if domain.python:
            domain = replace(domain, identity=python_domains.identity(domain))
        _check_tables(domain, report, tables)
    if report.problems:
        raise DocumentError(source.file, tuple(report.problems))
    return domain


def content_hash(domain: Domain, tables: Tables) -> str:
    """SHA-256 over the parsed document as canonical JSON and its tables' SHA-256, whatever the order of keys."""
    files = {replay.file for replay in domain.replays.values()}
    sums = [f"{file} {hashlib.sha256(tables.text(file).encode()).hexdigest()}" for file in sorted(files)]
    canonical = json.dumps(domain.parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256("\n".join((canonical, *sums)).encode()).hexdigest()


def _read(top: dict[str, Part], source: Source, tables: Tables) -> Domain:
    """The domain as far as it can be read; it counts only if no problem was reported."""
    _check_head(top)
    taken: dict[str, str] = {}
    designs = read_designs(top["designs"], taken) if "designs" in top else {}
    laws = read_laws(top, known_designs(designs), taken)
    common = Scope(laws.common or laws.shared, laws.declared, _COMMON_RULE)
    read = read_measured if "python" in top else read_outcomes
    outcomes, vectors = read(top["outcomes"], common, designs) if "outcomes" in top else ((), frozenset())
    texts = {key: top[key].text() for key in ("name", "title", "field", "summary", "python") if key in top}
    budget = top["budget"].number(above=0) if "budget" in top else None
    draft = Domain(
        name=texts.get("name", ""),
        title=texts.get("title", texts.get("name", "")),
        designs=tuple(designs.values()),
        mechanisms=laws.mechanisms,
        outcomes=outcomes,
        budget=budget or 1.0,
        goal=Goal("learn"),
        identity="",
        parsed=source.data,
        text=source.text,
        file=source.path,
        field=texts.get("field", ""),
        summary=texts.get("summary", ""),
        python=texts.get("python", ""),
        references=tuple(item.text() for item in top["references"].items("texts", least=0))
        if "references" in top
        else (),
        **_optional(top, laws),
    )
    if draft.python:
        draft = _with_python(draft, top["python"])
    shapes = {outcome.name: outcome.name in vectors for outcome in outcomes}
    return replace(
        draft,
        goal=read_goal(top["goal"], common, designs, draft) if "goal" in top else draft.goal,
        replays=read_replays(top["replays"], designs, shapes, tables) if "replays" in top else {},
    )


def _optional(top: dict[str, Part], laws: Laws) -> dict[str, Any]:
    """Constraints, cost and exchangeable groups, where written."""
    paid = {name: known for name, known in laws.shared.items() if known.kind in ("design", "constant")}
    optional: dict[str, Any] = {}
    if "constraints" in top:
        scope = Scope(paid, laws.declared, "constraints see designs and shared constants only")
        optional["constraints"] = read_constraints(top["constraints"], scope)
    if "cost" in top:
        optional["cost"] = read_cost(
            top["cost"], Scope(paid, laws.declared, "cost sees designs and shared constants only")
        )
    if "exchangeable" in top:
        optional["exchangeable"] = read_exchangeable(top["exchangeable"], laws.mechanisms)
    return optional


def _with_python(draft: Domain, part: Part) -> Domain:
    """The draft with what its Python class adds; its document holds no laws."""
    for law in draft.mechanisms:
        if law.let or law.dynamics:
            part.report.problem(("mechanisms", law.name), "let and dynamics have no use where the laws are Python")
    try:
        return python_domains.completed(draft)
    except DomainError as error:
        part.problem(str(error))
        return draft


def is_identifier(name: str) -> bool:
    """Whether a domain may have this name: kebab-case, at most 64 characters."""
    return len(name) <= 64 and _IDENTIFIER.fullmatch(name) is not None


def _check_head(top: dict[str, Part]) -> None:
    if "format" in top and (top["format"].value is True or top["format"].value != FORMAT):
        top["format"].problem(f"found {describe(top['format'].value)}; this version reads format {FORMAT}")
    name = top["name"].value if "name" in top else None
    if isinstance(name, str) and not is_identifier(name):
        near = for_name(name.lower(), "-")
        top["name"].problem(
            f"{clipped(name)!r} is not kebab-case: small letters and digits, joined by -, at most 64{near}"
        )


def _check_tables(domain: Domain, report: Report, tables: Tables) -> None:
    """Read every replay once, so that a table that does not fit is known before a run needs it."""
    for name, replay in domain.replays.items():
        try:
            read_replay(domain, name, text=tables.text(replay.file))
        except DomainError as error:
            report.problem(("replays", name), str(error))
