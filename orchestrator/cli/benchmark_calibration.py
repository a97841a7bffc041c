"""``organon benchmark calibration``: are beliefs right as often as they say, over the catalogue?"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domains import catalogue
from domains.loading import find
from meta_learner.evaluation import results
from orchestrator import services
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from meta_learner.evaluation.calibration import JudgedRun
    from meta_learner.evaluation.calibration_report import Calibration, Result

_BLOCK = 10  # runs advanced as one batch; draws depend on it
_COLUMNS = (
    "domain", "laws", "runs", "found", "believed", "50 %", "80 %", "90 %", "95 %", "intervals",
    "worst statistic", "observed", "exact belief", "p", "alarms", "untrusted",
)  # fmt: skip


def calibration(
    domains: Annotated[
        list[str] | None, typer.Argument(metavar="[DOMAIN …]", help="Names or paths. [default: the catalogue]")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Worlds to draw from each domain.")] = 40,
    runs_of: Annotated[
        list[str] | None, typer.Option("--runs-of", metavar="DOMAIN=N", help="Another number for one; repeatable.")
    ] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", help="Leave a domain out; repeatable.")] = None,
    policy: Annotated[
        str, typer.Option("--policy", help=f"How to experiment: {', '.join(services.POLICY_NAMES)}.")
    ] = services.BEST_POLICY,
    particles: Annotated[int, typer.Option("--particles", min=10, help="Particles per mechanism and run.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Fixes every draw: same seed, same result.")] = 0,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Blocks worked on side by side.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Everything measured: FILE.json.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Reliability and rank histograms: FILE.html.")] = None,
    json: Json = False,
) -> None:
    """Draw worlds from the prior, investigate them, and compare what is true with what is believed.

    Every statistic is judged against its exact distribution for a belief that is right.
    """
    _check_file(out, ".json")
    _check_file(plot, ".html")
    counts = wanted(domains or [], runs, runs_of or [], skip or [])
    for name in counts:
        services.check_policy(policy, find(name))
    settings = {"policy": policy, "particles": particles, "block": _BLOCK, "runs": counts}
    from meta_learner.evaluation.calibration_report import assess

    judged = _investigate(counts, policy=policy, seed=seed, particles=particles, processes=processes)
    with errors.status("comparing with exact beliefs"):
        found = assess(judged, seed)
    document = results.plain(as_document(found, seed, settings, processes))
    if out is not None:
        out.write_text(_compact(document) + "\n", encoding="utf-8")
    if plot is not None:
        from orchestrator.cli.calibration_figure import calibration_figure

        plot.write_text(calibration_figure(found).to_html(include_plotlyjs=True), encoding="utf-8")
    if json:
        print_json(document)
    else:
        _print(document, found)


def wanted(domains: Sequence[str], runs: int, runs_of: Sequence[str], skip: Sequence[str]) -> dict[str, int]:
    """Domain → how many worlds. RequestError where an option names a domain that is not asked for."""
    counts = dict.fromkeys(domains or catalogue.names(), runs)
    for entry in runs_of:
        name, _, number = entry.partition("=")
        if name not in counts or not number.isdigit() or int(number) < 1:
            raise RequestError(f"--runs-of {entry}: write DOMAIN=N, one of the domains asked for and N of at least 1")
        counts[name] = int(number)
    for name in skip:
        if name not in counts:
            raise RequestError(f"--skip {name}: not among the domains asked for: {', '.join(counts)}")
        del counts[name]
    if not counts:
        raise RequestError("every domain is skipped; leave one to calibrate")
    return counts


def _check_file(path: Path | None, suffix: str) -> None:
    if path is None:
        return
    if path.suffix != suffix:
        raise RequestError(f"{path}: the file's name must end in {suffix}")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"{path}: there is no folder {path.absolute().parent}; make it first")


def _investigate(
    counts: dict[str, int], *, policy: str, seed: int, particles: int, processes: int
) -> list["JudgedRun"]:
    """All runs, in the order of the domains, whatever the number of processes."""
    from meta_learner.belief import BeliefSettings
    from meta_learner.evaluation.calibration import investigate_and_judge, parts
    from meta_learner.evaluation.processes import work

    job = partial(investigate_and_judge, policy=policy, seed=seed, settings=BeliefSettings(particles=particles))
    with progress_bar() as told:
        what = f"investigating {sum(counts.values())} worlds"
        return list(chain.from_iterable(work(job, parts(counts, _BLOCK), processes, partial(told, what))))


def as_document(found: "Calibration", seed: int, settings: dict[str, Any], processes: int) -> dict[str, Any]:
    """Everything measured, for a file."""
    return {
        "kind": "calibration",
        "title": "Are beliefs right as often as they say?",
        "columns": list(_COLUMNS),
        "rows": _rows(found),
        "note": found.verdict,
        **results.provenance(processes=processes),
        "seed": seed,
        "settings": settings,
        "ok": found.ok,
        "alpha": found.alpha,
        "power": found.power,
        "calibration_error": found.error,
        "results": [{**asdict(result), "outside": result.outside} for result in found.results],
        "runs": [_run(run) for run in found.runs],
    }


def _compact(document: dict[str, Any]) -> str:
    """JSON with an entry of a long list a line."""
    import json

    def text(value: Any) -> str:
        if isinstance(value, list):
            return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value) + "\n]"
        return json.dumps(value, ensure_ascii=False)

    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text(value)}" for key, value in document.items()) + "\n}"


def _run(run: "JudgedRun") -> dict[str, Any]:
    from meta_learner.evaluation.calibration_statistics import place

    return {
        "domain": run.domain,
        "law": run.truth,
        "probability": run.probability[run.truth].item(),
        "leading": run.probability.max().item(),
        "found": run.found,
        "u": dict(zip(run.names, place(run.rank).round(4).tolist(), strict=True)),
    }


def _rows(found: "Calibration") -> list[list[Any]]:
    """A row a domain, and one for all of them."""
    from meta_learner.evaluation.calibration_statistics import EVERYWHERE

    rows = [
        _row(name, [run for run in found.runs if run.domain == name], results)
        for name, results in found.domains.items()
    ]
    return [*rows, _row(EVERYWHERE, found.runs, found.together)]


def _row(name: str, runs: Sequence["JudgedRun"], results: Sequence["Result"]) -> list[Any]:
    by_name = {result.name: result for result in results}
    laws = {len(run.probability) for run in runs}
    covers = [by_name.get(f"coverage {level}") for level in ("50%", "80%", "90%", "95%")]
    worst = min(results, key=lambda result: result.p / result.alpha, default=None)
    return [
        name,
        max(laws) if len(laws) == 1 else None,
        len(runs),
        sum(run.found for run in runs) / len(runs),
        sum(run.probability.max().item() for run in runs) / len(runs),
        *(None if cover is None else cover.observed / cover.of for cover in covers),
        covers[0].of if covers[0] is not None else 0,
        *([None] * 4 if worst is None else [worst.name, worst.observed, [worst.low, worst.high], worst.p]),
        sum(run.surprised for run in runs),
        sum(not run.trusted for run in runs),
    ]


def _print(document: dict[str, Any], found: "Calibration") -> None:
    print_table(_COLUMNS, [[_cell(cell) for cell in row] for row in document["rows"]])
    for result in found.outside:
        console.print(
            f"outside: {result.about}, {result.name}: {result.observed:.4g}, an exact belief gives {result.mean:.4g} "
            f"and stays within {result.low:.4g} … {result.high:.4g} (p = {result.p:.1g})",
            markup=False,
        )
    if found.power:
        console.print("\nThe probability with which a fault would be found, by the best single statistic")
        what, *scopes = found.power[0]
        rows = [[row[what], *(f"{row[scope]:.1%}" for scope in scopes)] for row in found.power]
        print_table(["fault", *scopes], rows)
    console.print(f"\n{document['note']}", markup=False)


def _cell(cell: Any) -> str:
    if isinstance(cell, list):
        return " … ".join(f"{end:.4g}" for end in cell)
    return "" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell)
