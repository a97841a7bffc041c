"""Everything measured by ``organon benchmark adaptation`` as one document: its table, settings, groups and shifts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from meta_learner.evaluation import results
from orchestrator.cli.adaptation_text import interval, number, when

if TYPE_CHECKING:
    from meta_learner.evaluation.adaptation.study import Study

COLUMNS = (
    "shift", "domain", "policy", "worlds", "score", "gap", "area", "cost to 80 %",
    "difference", "P(higher), same world", "experiments saved", "break-even, tasks",
)  # fmt: skip
_SETTINGS = ("baseline", "runs", "budget", "particles", "contrasts", "shifted_by", "resamples")


def as_document(report: dict[str, Any], study: "Study") -> dict[str, Any]:
    """Everything measured, for a file."""
    content = results.plain(report)
    document = {
        "kind": "adaptation",
        "title": "How fast do agents become good at a question?",
        "columns": list(COLUMNS),
        "rows": list(_rows(content)),
        "note": _note(study),
        **results.provenance(processes=study.processes),
        "seed": study.seed,
        "settings": {
            **{name: getattr(study, name) for name in _SETTINGS},
            "policies": list(study.policies),
            "training": dict(study.training),
        },
        **content,
    }
    plain: dict[str, Any] = results.plain(document)
    return plain


def _note(study: "Study") -> str:
    return (
        "Score: interquartile mean; 0 is the mean of random, 1 that of greedy at twice the budget. Gap: what runs fall "
        "short of 1. Area: mean progress while the budget is spent, 0 before any experiment, 1 as greedy at twice the "
        "budget. Cost to 80 % of that progress: median (95 %), runs that reach it; the others are censored. "
        f"Difference, P(higher) and experiments saved (to 80 %): beside {study.baseline} in the same worlds. Shifted "
        f"parameters: truths from a prior whose means are moved by {study.shifted_by:g} of its standard deviations. "
        "Intervals are of 95 %, by bootstrap within domains, and Kaplan and Meier's of medians."
    )


def _rows(report: dict[str, Any]) -> Iterator[list[Any]]:
    for group in report["groups"]:
        for agent in group["agents"]:
            reach = next(reach for reach in agent["reach"] if reach["share"] == 0.8)
            to = when(reach["cost"], group["budget"])
            yield [group["shift"], group["domain"], *_cells(agent["summary"], group["runs"], to)]
    for shift in report["shifts"]:
        worlds = sum(g["runs"] for g in report["groups"] if g["shift"] == shift["shift"] and g["clear"])
        if len(shift["domains"]) > 1:
            for agent in shift["agents"]:
                yield [shift["shift"], "all", *_cells(agent, worlds, None)]


def _cells(summary: dict[str, Any], worlds: int, to: str | None) -> list[Any]:
    against = summary["against"] or {}
    tasks = against.get("break_even")
    return [
        summary["policy"],
        worlds,
        *(interval(summary[name]) for name in ("score", "gap", "area")),
        to,
        *(interval(against.get(name)) for name in ("difference", "paired", "saved")),
        None if tasks is None else number(tasks["value"], missing="never"),
    ]
