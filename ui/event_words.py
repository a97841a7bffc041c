"""Events of the log in words."""

from collections.abc import Mapping
from typing import Any

from experiments_db import event_kinds, suggestion_log
from ui.wording import counted, number


def event_words(kind: str, said: Mapping[str, Any]) -> str:
    """One line: what happened, by whom and why where that was said."""
    words = _SAID[kind](said) if kind in _SAID else ""
    by = next((said[name] for name in ("by", "taken_by", "answered_by", "decided_by") if said.get(name)), None)
    reason = said.get("reason")
    return "; ".join(part for part in (words, f"by {by}" if by else "", f"“{reason}”" if reason else "") if part)


def _created(said: Mapping[str, Any]) -> str:
    runs = f"{counted(said['runs'], 'run')} in {counted(len(said['blocks']), 'block')}"
    asked = (said.get("settings") or {}).get("asked") or {}
    by = f", asked for by {asked['by']}" if asked else ""
    return f"{runs}, {said['policy']}, {said['laboratory']}, budget {number(said['budget'])}, seed {said['seed']}{by}"


def _step(said: Mapping[str, Any]) -> str:
    made = said.get("experiments") or []
    cost = sum(entry["cost"] for entry in made)
    first = f": {_values(made[0]['design'])} → {_values(made[0]['outcome'])}" if len(made) == 1 else ""
    return f"experiment {said['step'] + 1} of {counted(len(made), 'run')}, cost {number(cost)}{first}"


def _suggested(said: Mapping[str, Any]) -> str:
    return "; ".join(f"no. {entry['number'] + 1}: {_values(entry['design'])}" for entry in said.get("suggestions", []))


def _changed(said: Mapping[str, Any]) -> str:
    parts = [f"no. {said['number'] + 1}"] if "number" in said else []
    for name in ("used", "outcome", "design"):
        if isinstance(said.get(name), Mapping):
            parts.append(_values(said[name]))
    return ": ".join(parts[:2]) + (f" → {parts[2]}" if len(parts) > 2 else "") + _failure(said)


def _failure(said: Mapping[str, Any]) -> str:
    return f" nothing came back: {said['failure']}" if said.get("failure") else ""


def _extended(said: Mapping[str, Any]) -> str:
    caps = [f"{name.replace('_', ' ')} {number(value)}" for name, value in said["caps"].items() if value is not None]
    more = f"{counted(sum(said['blocks']), 'run')} more" if said.get("blocks") else ""
    return ", ".join(part for part in (more, *caps) if part)


def _ended(said: Mapping[str, Any]) -> str:
    runs = said.get("runs", [])
    return f"{counted(len(runs), 'run')}, {counted(sum(run['steps'] for run in runs), 'experiment')}"


def _finding(said: Mapping[str, Any]) -> str:
    of = "of the campaign" if said.get("run") is None else f"of run {said['run'] + 1}"
    return of + (f", which ended: {said['ended']}" if said.get("ended") else "")


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value if isinstance(value, str) else number(value)}" for name, value in values.items())


_SAID = {
    event_kinds.CREATED: _created,
    event_kinds.STEP: _step,
    event_kinds.EXTENDED: _extended,
    event_kinds.BLOCK_ENDED: _ended,
    event_kinds.FINDING: _finding,
    event_kinds.GIVEN: lambda said: f"from {said['file']}",
    event_kinds.TRUTHS: lambda said: f"of {counted(len(said['truths']), 'run')}",
    suggestion_log.SUGGESTED: _suggested,
    **dict.fromkeys(
        (
            suggestion_log.TAKEN, suggestion_log.RELEASED, suggestion_log.APPROVED, suggestion_log.REJECTED,
            suggestion_log.ANSWERED, suggestion_log.FAILED, suggestion_log.RECORDED, suggestion_log.CORRECTED,
            suggestion_log.WITHDRAWN,
        ),
        _changed,
    ),
}  # fmt: skip
