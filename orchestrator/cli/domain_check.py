"""``organon domain check``: what an examination found, for people and as JSON."""

from dataclasses import asdict
from typing import Any

from domains.document import Domain
from domains.errors import DomainError
from domains.measurements import read_replay
from orchestrator.cli.output import console, print_table
from orchestrator.cli.progress import progress_bar


def examine_all(domains: list[Domain]) -> list[dict[str, Any]]:
    """The report of each domain, with a progress bar on a terminal once it takes longer than a second."""
    from domains.worlds import DomainModel
    from meta_learner.examination import examine

    reports = []
    with progress_bar() as told:
        for number, domain in enumerate(domains):
            told(f"examining {domain.name}", number / len(domains))

            def within(done: int, steps: int, number: int = number, name: str = domain.name) -> None:
                told(f"examining {name}", (number + done / steps) / len(domains))

            replays = {replay: len(read_replay(domain, replay).designs) for replay in domain.replays}
            try:
                found = examine(DomainModel(domain), within)
            except DomainError as error:
                raise DomainError(f"{domain.name}: {error}") from error
            head = {"name": domain.name, "identity": domain.identity, "ok": found.ok}
            reports.append({**head, **asdict(found), "replays": replays})
    return reports


def print_report(report: dict[str, Any]) -> None:
    """Everything that was measured in one domain, then the remarks and the verdict."""
    rows = [[law["law"], f"{law['broken']:.2%}", f"{law['seconds']:.2g} s"] for law in report["laws"]]
    print_table(["law", "values that are not finite", "1,000 simulated experiments take"], rows)
    if report["pairs"]:
        console.print("\nWhich of two laws holds, by the best single experiment found (nats, at most 0.693)")
        rows = [[" or ".join(p["laws"]), _nats(p["single"]), _place(p["design"]), _more(p)] for p in report["pairs"]]
        print_table(["laws", "information", "at", ""], rows)
    for edge in report["edges"]:
        line = f"{edge['outcome']}: {edge['share']:.0%} at the {edge['side']} bound {edge['bound']:g}"
        console.print(line, markup=False)
    for replay, count in report["replays"].items():
        console.print(f"replay {replay}: {count} rows", markup=False)
    if report["remarks"]:
        console.print()
    print_remarks(report)
    console.print("The domain is in order." if report["ok"] else "The domain is not in order.")


def print_line(report: dict[str, Any]) -> None:
    """One domain among several: its verdict and the remarks."""
    console.print(f"{report['name']}: {'in order' if report['ok'] else 'not in order'}", markup=False)
    print_remarks(report, "  ")


def print_remarks(report: dict[str, Any], indent: str = "") -> None:
    for remark in report["remarks"]:
        console.print(f"{indent}{remark['level']}: {remark['about']}: {remark['message']}", markup=False)


def _nats(estimate: dict[str, float]) -> str:
    nats, error = estimate["nats"], estimate["error"]
    return f"{nats:.3f} ± {error:.3f}" if nats > 3 * error else f"none seen (± {error:.3f})"


def _more(pair: dict[str, Any]) -> str:
    return f"eight together: {_nats(pair['together'])}" if pair["together"] else ""


def _place(design: dict[str, float | str]) -> str:
    return ", ".join(f"{n} = {v if isinstance(v, str) else format(v, '.3g')}" for n, v in design.items())
