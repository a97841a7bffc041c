"""Report: how many experiments does it take to become good in fields that the universal policy has not seen?

Per domain and policy: experiments (their cost, where it differs) until a run has made 90 % of the progress that greedy
makes with twice the domain's budget. Everybody is followed to ``--follow`` times the budget; runs that are not there
by then are censored, and stay in. The policies: a universal agent, by name, as it is (zero-shot) and after so many
``--minutes`` of ``organon adapt``; ``scratch``, trained with as many simulated experiments as the adaptation used, and
with ``--longer`` times as many, as the other families are; random; greedy. Agents lie in ORGANON_HOME, runs in
``--keep``: the same command goes on where it was.

    python -m tests.benchmarks.adaptation_study [DOMAIN …] [--agent experimenter] [--minutes 5] [--longer 10]
        [--families rl2 maml] [--follow 4] [--runs 100] [--particles 2000] [--contrasts 100000]
        [--training-contrasts 2048] [--seed 0] [--processes 1] [--keep FOLDER] [--out FILE.json] [--figure FILE.html]
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from domains.loading import find
from meta_learner.evaluation import results
from meta_learner.evaluation.adaptation.report import report
from meta_learner.evaluation.adaptation.study import Group, GroupRuns, Study, investigate
from meta_learner.evaluation.kept_runs import code_identity
from orchestrator.cli.adaptation_figure import adaptation_figure
from orchestrator.cli.adaptation_text import interval, when
from orchestrator.cli.progress import progress_bar
from orchestrator.settings import load_settings
from tests.benchmarks import kept_groups
from tests.benchmarks.adaptation_agents import ADAPTED, LONGER, SCRATCH, UNIVERSAL, Asked, Contender, contenders
from tests.benchmarks.adaptation_speed import SHARE, Speed, speeds
from tests.benchmarks.report import Row, parser, told

DOMAINS = (
    "enzyme-kinetics", "dose-response", "enzyme-inhibition", "gene-switch",  # molecular biology
    "consumption", "monetary-policy", "okuns-law",  # macroeconomics
)  # fmt: skip
COLUMNS = [
    "domain", "policy", "simulated to learn", "to 90 %: median (95 %), runs", "mean, to the horizon",
    f"÷ {UNIVERSAL}", f"÷ {ADAPTED}", "progress at the budget",
]  # fmt: skip
_TWICE = 2.0


def investigated(given: argparse.Namespace, name: str) -> tuple[GroupRuns, Study, list[Contender]]:
    """Agents made, and all runs on a domain, or what is kept of them."""
    domain, settings = find(name), load_settings()
    asked = Asked(
        given.agent,
        given.minutes,
        given.longer,
        tuple(given.families),
        given.follow,
        given.training_contrasts,
        given.seed,
    )
    with progress_bar() as bar:
        everyone = list(contenders(settings, domain, asked, bar))
        study = Study(
            {each.part: each.make for each in everyone},
            baseline=SCRATCH,
            runs=given.runs,
            budget=given.follow * domain.budget,
            seed=given.seed,
            particles=given.particles,
            contrasts=given.contrasts,
            reference=_TWICE / given.follow,
            processes=given.processes,
            training={each.part: each.experiments for each in everyone if each.weights},
        )
        group = Group(domain, "unseen-domain")
        path = kept_groups.place(given.keep, group, _depends(study, everyone))
        found = kept_groups.kept(path, group)
        if found is None:
            (found,) = investigate([group], study, partial(bar, f"{name}: investigating"))
            kept_groups.keep(path, found)
    return found, study, everyone


def _depends(study: Study, everyone: Sequence[Contender]) -> dict[str, Any]:
    """What a domain's runs depend on."""
    names = ("runs", "budget", "seed", "particles", "contrasts", "reference")
    weights = {each.part: each.weights for each in everyone}
    return {**{name: getattr(study, name) for name in names}, "weights": weights, "code": code_identity()}


def rows(speed: Sequence[Speed], experiments: dict[str, dict[str, int]]) -> Iterator[Row]:
    """A row a domain and policy, then of all domains together. experiments: domain → part → simulated to learn."""
    for one in speed:
        learned = experiments.get(one.domain, {}).get(one.part)
        reached = None if one.passage is None else when(one.passage, one.horizon)
        ratios = (interval(one.ratios.get(part)) for part in (UNIVERSAL, ADAPTED))
        counted = f"{learned:,}" if learned else ""
        yield [one.domain, one.part, counted, reached, interval(one.mean), *ratios, interval(one.progress)]


def main() -> None:
    """Print the rows, or write them, with everything measured, to a file."""
    given = _options().parse_args()
    torch.set_num_threads(1)
    found, studies, learned = [], [], {}
    for name in given.domains:
        runs, study, everyone = investigated(given, name)
        found.append(runs)
        studies.append(study)
        learned[runs.group.domain.name] = {each.part: each.experiments for each in everyone}
    listed = list(told(rows(list(speeds(found, studies[0])), learned)))
    document = _document(given, found, studies[0], listed)
    if given.out is not None:
        results.save(given.out, document)
    if given.figure is not None:
        given.figure.write_text(adaptation_figure(document).to_html(include_plotlyjs=True), encoding="utf-8")


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("domains", nargs="*", default=list(DOMAINS))
    options.add_argument("--agent", default="experimenter")
    for name, value in (("minutes", 5.0), ("longer", 10.0), ("follow", 4.0)):
        options.add_argument(f"--{name}", type=float, default=value)
    options.add_argument("--families", nargs="*", default=["rl2", "maml"])
    for name, number in (
        ("runs", 100), ("particles", 2000), ("contrasts", 100_000), ("training-contrasts", 2048), ("seed", 0),
        ("processes", 1),
    ):  # fmt: skip
        options.add_argument(f"--{name}", type=int, default=number)
    options.add_argument("--keep", type=Path, default=Path("adaptation-study"))
    options.add_argument("--figure", type=Path)
    return options


def _note(given: argparse.Namespace) -> str:
    return (
        f"Experiments (cost, where it differs) to {100 * SHARE:.0f} % of the progress of greedy expected information "
        "gain at twice the domain's budget, in the goal's own score: median over runs with its interval, and how many "
        f"get there; the others are censored at {given.follow:g} times the budget. Mean: restricted to that horizon; "
        "ratios are of these means, in the same worlds, and censoring draws them towards 1. "
        "Progress at the budget: interquartile mean, 0 before any experiment, 1 as greedy at twice the budget. All "
        f"domains: geometric mean of ratios. {given.runs} worlds a domain, seed {given.seed}, {given.particles} "
        f"particles. {UNIVERSAL}: the agent {given.agent}, zero-shot; {ADAPTED}: after {given.minutes:g} minutes of "
        f"organon adapt; {SCRATCH}: trained with as many simulated experiments as the adaptation decided on; {LONGER} "
        f"and other families: {given.longer:g} times as many; all by episodes of {given.follow:g} budgets, "
        f"{given.training_contrasts} contrasts; drawn: designs from their distribution, instead of the most likely. "
        "Intervals are of 95 %, by bootstrap within domains; Kaplan and Meier's of medians."
    )


def _document(given: argparse.Namespace, found: Sequence[GroupRuns], study: Study, listed: list[Row]) -> dict[str, Any]:
    document = {
        "kind": "adaptation-study",
        "title": "How many experiments to become good in a field not seen before?",
        "columns": COLUMNS,
        "rows": listed,
        "note": _note(given),
        **results.provenance(processes=given.processes),
        "settings": {name: str(value) for name, value in sorted(vars(given).items())},
        **_concise(report(study, found).to_dict()),
    }
    plain: dict[str, Any] = results.plain(document)
    return plain


def _concise(found: dict[str, Any]) -> dict[str, Any]:
    """Without what every run gave, which is kept elsewhere."""
    for agent in (agent for group in found["groups"] for agent in group["agents"]):
        del agent["finals"], agent["times"], agent["summary"]["profile"]
    return found


if __name__ == "__main__":
    main()
