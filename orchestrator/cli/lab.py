"""``organon lab``: experiments that people answer; what waits, and what is said about it."""

import getpass
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from orchestrator import services, suggestion_lines
from orchestrator.bench import Bench
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.errors import RequestError
from orchestrator.settings import load_settings

app = typer.Typer(help="Experiments that people answer: what is to be run, and what came back.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(help="The suggestion's number, as organon lab pending shows it.", metavar="ID")]
Values = Annotated[list[str], typer.Argument(help="What came back: NAME=VALUE; NAME= where nothing did.")]
Design = Annotated[
    list[str] | None, typer.Option("--design", metavar="NAME=VALUE", help="Set otherwise than suggested; repeatable.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays on record.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so. (default: the name you are logged in with)")]


@app.command()
def pending(
    campaign: Annotated[str | None, typer.Argument(help="Only those of this campaign.", metavar="CAMPAIGN")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are done, too.")] = False,
    json: Json = False,
) -> None:
    """Experiments that wait: for approval, for somebody to run them, or for a worker to take up what came back."""
    found = suggestion_lines.pending(services.open_database(load_settings()), campaign, every=every)
    if json:
        print_json(found)
        return
    rows = [
        [e["id"], e["campaign"], e["run"], _state(e), _values(e["design"]), e["taken_by"] or "", e["due_at"] or ""]
        for e in found
    ]
    print_table(["id", "campaign", "run", "status", "design", "taken by", "due"], rows)
    if not found:
        console.print("Nothing waits. A campaign that asks people: organon campaign create --laboratory manual …")


@app.command()
def show(suggestion: Id, json: Json = False) -> None:
    """One suggestion, what it was chosen from, and what was said of its result."""
    _print(suggestion_lines.show(services.open_database(load_settings()), suggestion), json)


@app.command()
def ask(
    campaign: Annotated[str, typer.Argument(help="The campaign's id, or the beginning of it.", metavar="CAMPAIGN")],
    by: By = None,
    json: Json = False,
) -> None:
    """Take the next experiment to run: nobody else is given it."""
    taken = _bench(by).take(campaign)
    if json:
        print_json(taken)
    elif taken is None:
        console.print("Nothing is to be run now (organon lab pending shows what others have taken)")
    else:
        _print(taken, json)


@app.command()
def release(suggestion: Id, by: By = None, json: Json = False) -> None:
    """Hand back an experiment that was taken, for somebody else to run."""
    _print(_bench(by).release(suggestion), json)


@app.command()
def tell(suggestion: Id, outcome: Values, design: Design = None, by: By = None, json: Json = False) -> None:
    """Say what came back."""
    _print(_bench(by).tell(suggestion, _pairs(outcome, "outcome"), _design(design)), json)


@app.command()
def fail(suggestion: Id, reason: Reason, by: By = None, json: Json = False) -> None:
    """Say that an experiment was run and brought nothing; it counts as made."""
    _print(_bench(by).fail(suggestion, reason), json)


@app.command()
def approve(suggestion: Id, design: Design = None, by: By = None, json: Json = False) -> None:
    """Let a proposed experiment be run (--design: at other settings)."""
    _print(_bench(by).approve(suggestion, _design(design)), json)


@app.command()
def reject(suggestion: Id, reason: Reason, by: By = None, json: Json = False) -> None:
    """Refuse an experiment: it is not run, costs nothing, and another is suggested."""
    _print(_bench(by).reject(suggestion, reason), json)


@app.command()
def correct(
    suggestion: Id, outcome: Values, reason: Reason, design: Design = None, by: By = None, json: Json = False
) -> None:
    """Put a result right that was told before; old and new stay on record, and the belief is computed anew."""
    _print(_bench(by).correct(suggestion, _pairs(outcome, "outcome"), reason=reason, design=_design(design)), json)


@app.command()
def withdraw(suggestion: Id, reason: Reason, by: By = None, json: Json = False) -> None:
    """Let a result count for nothing; it stays on record."""
    _print(_bench(by).withdraw(suggestion, reason=reason), json)


def _bench(by: str | None) -> Bench:
    settings = load_settings()
    return Bench(settings, services.open_database(settings), by or getpass.getuser())


def _design(texts: Sequence[str] | None) -> dict[str, Any] | None:
    return _pairs(texts, "--design") if texts else None


def _pairs(texts: Sequence[str], what: str) -> dict[str, Any]:
    """``velocity=76`` as name → number, text, or None where nothing stands behind the sign."""
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not name or not sign:
            raise RequestError(f"{what} {text}: write NAME=VALUE, such as velocity=76")
        if name in found:
            raise RequestError(f"{what} {text}: {name} was given already")
        found[name] = _value(value)
    return found


def _value(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _print(entry: dict[str, Any], json: bool) -> None:
    if json:
        print_json(entry)
        return
    console.print(
        f"suggestion {entry['id']} of campaign {entry['campaign']}, run {entry['run']}: {_state(entry)}", markup=False
    )
    console.print(f"  design   {_values(entry['design'])}", markup=False)
    if entry["design"] != entry["suggested"]:
        console.print(f"  instead of {_values(entry['suggested'])}", markup=False)
    if entry["outcome"] is not None:
        console.print(f"  outcome  {_values(entry['outcome'])}", markup=False)
    for said in (entry["failure"], entry["reason"]):
        if said:
            console.print(f"  reason   {said}", markup=False)
    for revised in entry.get("revisions", ()):
        now, by = _values(revised["after"]["outcome"]), revised["by"]
        console.print(f"  {revised['kind']} by {by}: now {now} ({revised['reason']})", markup=False)


def _state(entry: dict[str, Any]) -> str:
    return f"{entry['status']}, overdue" if entry["overdue"] else str(entry["status"])


def _values(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={'' if value is None else value}" for name, value in values.items())
