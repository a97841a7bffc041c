"""Everything measured by ``organon benchmark calibration`` as one document: its table, results and runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from meta_learner.evaluation import results

if TYPE_CHECKING:
    from meta_learner.evaluation.calibration import JudgedRun
    from meta_learner.evaluation.calibration_report import Calibration, Result
    from meta_learner.evaluation.kept_runs import Setting

COLUMNS = (
    "domain", "laws", "runs", "found", "believed", "50 %", "80 %", "90 %", "95 %", "intervals",
    "worst statistic", "observed", "exact belief", "p", "alarms", "untrusted",
)  # fmt: skip


def as_document(found: "Calibration", setting: "Setting", *, processes: int, seconds: float) -> dict[str, Any]:
    """Everything measured, for a file. seconds: of CPU, of all investigations."""
    return {
        "kind": "calibration",
        "title": "Are beliefs right as often as they say?",
        "columns": list(COLUMNS),
        "rows": _rows(found),
        "note": found.verdict,
        **results.provenance(processes=processes),
        "seconds": seconds,
        "seed": setting.seed,
        "settings": {**asdict(setting), "runs": Counter(run.domain for run in found.runs)},
        "ok": found.ok,
        "alpha": found.alpha,
        "power": found.power,
        "calibration_error": found.error,
        "results": [{**asdict(result), "outside": result.outside} for result in found.results],
        "runs": [_run(run) for run in found.runs],
    }


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
