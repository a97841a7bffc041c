"""``benchmark peers``: Organon beside other people's optimisers and estimators, in the same worlds."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domains.document import Domain
from domains.loading import find
from meta_learner.evaluation import results
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError

if TYPE_CHECKING:
    from meta_learner.peers.comparison import Measured

_PEERS = {"learn": ("pyro", "Pyro"), "maximise": ("botorch", "BoTorch"), "minimise": ("botorch", "BoTorch")}
_NOTE = (
    "Same worlds and noise for every policy; _se is one standard error over runs. Seconds are CPU time of one core, a "
    "run's share of a block: to decide, and to update the belief, which only policies that know laws need. "
)
_NOTES = {
    "learn": "Information: nats gained about the world. organon-estimator and pyro-nmc score one Sobol set of "
    "candidates without refinement, so that only the estimator differs.",
    "maximise": "Regret: what the recommended design falls short of the best, as a share of best less mean. Laws: of "
    "Organon's answer from the exact belief; own: of the maximum of a Gaussian process of designs and outcomes alone.",
}


def peers(
    domain: Annotated[
        str, typer.Argument(help="A name of the catalogue, or the path of a .yaml file.", metavar="DOMAIN")
    ],
    runs: Annotated[int, typer.Option("--runs", min=2, help="Worlds to investigate with each policy.")] = 50,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0.0, help="Of a run; the domain's own unless given.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same worlds.")] = 0,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="Only this one; may be repeated.")] = None,
    json: Json = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the table as JSON to this file, too.")] = None,
) -> None:
    """Compare Organon with BoTorch (maximise, minimise) or Pyro (learn): quality and seconds per decision.

    Needs the extra: pip install -c constraints.txt -e '.\\[peers]' in the checkout.
    """
    found = find(domain)
    check(found)
    budget = found.budget if budget is None else budget
    if not budget > 0:
        raise RequestError(f"--budget {budget:g}: a budget is above 0")
    measured = _measure(found, runs, budget, seed, policy or [])
    report = _report(found, measured, seed, {"runs": runs, "budget": budget, "particles": 2000, "moves": 5})
    if out is not None:
        results.save(out, report)
    if json:
        print_json(results.plain(report))
        return
    console.print(report["title"], markup=False)
    print_table(report["columns"], [[_cell(value) for value in row] for row in report["rows"]])
    console.print(report["note"], markup=False)


def check(domain: Domain) -> None:
    """RequestError where there is no peer for the goal, or the extra is not installed."""
    if domain.goal.kind not in _PEERS:
        raise RequestError(
            f"{domain.name} asks to {domain.goal.kind}; peers are known for goals {', '.join(sorted(_PEERS))}"
        )
    module, name = _PEERS[domain.goal.kind]
    if find_spec(module) is None:
        raise RequestError(
            f"{name} is not installed; get it, in Organon's checkout, by: pip install -c constraints.txt -e '.[peers]'"
        )


def _measure(domain: Domain, runs: int, budget: float, seed: int, only: list[str]) -> "list[Measured]":
    import torch

    from domains.worlds import DomainModel
    from meta_learner.belief import BeliefSettings
    from meta_learner.peers.comparison import Comparison, measure, policies

    torch.set_num_threads(1)
    model = DomainModel(domain)
    known = policies(model)
    unknown = [name for name in only if name not in known]
    if unknown:
        raise RequestError(f"--policy {unknown[0]!r} does not apply to {domain.name}; these do: {', '.join(known)}")
    comparison = Comparison(model, runs, budget, seed, BeliefSettings())
    measured = []
    with progress_bar() as told:
        for name in dict.fromkeys(only or known):
            progress = lambda done, name=name: told(name, done / runs)  # noqa: E731
            measured.append(measure(comparison, name, known[name](), progress))
    return measured


def _report(domain: Domain, measured: "list[Measured]", seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    goal = "learn" if domain.goal.kind == "learn" else "maximise"
    quality = {"information": "quality", "information_se": "quality_se"}
    if goal != "learn":
        quality = {
            "regret_laws": "quality",
            "regret_laws_se": "quality_se",
            "regret_own": "own",
            "regret_own_se": "own_se",
        }
    before, after = ("policy", "runs", "experiments"), ("decision_seconds", "update_seconds")
    columns = {name: name for name in before} | quality | {name: name for name in after}
    rows = [[getattr(policy, field) for field in columns.values()] for policy in measured]
    return {
        "kind": "peers",
        "title": f"Peers on {domain.name}: {domain.title}",
        "columns": list(columns),
        "rows": rows,
        "note": _NOTE + _NOTES[goal],
        **results.provenance(),
        "seed": seed,
        "settings": {**settings, "domain": domain.name, "identity": domain.identity, "libraries": _libraries()},
    }


def _libraries() -> dict[str, str]:
    return {
        name: version(name) for name in ("torch", "scikit-learn", "botorch", "pyro-ppl") if find_spec(_module(name))
    }


def _module(package: str) -> str:
    return {"scikit-learn": "sklearn", "pyro-ppl": "pyro"}.get(package, package)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
