"""``organon benchmark adaptation``: how fast do agents become good at a question, and how far from what they know?"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.document import Domain
from domains.errors import DomainError
from domains.loading import find
from meta_learner.agents.store import Store
from orchestrator import agents, services
from orchestrator.cli import adaptation_text
from orchestrator.cli import benchmark_options as options
from orchestrator.cli.output import Json, print_json
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError
from orchestrator.settings import load_settings

if TYPE_CHECKING:
    from meta_learner.evaluation.adaptation.study import Group, Study
    from meta_learner.policies import Policy

_LEVELS = ("in-distribution", "shifted-parameters")  # unseen domains are named one by one


HELP = """How fast does an agent become good at a question? Curves of its score, and what can be read off them.

The score is the goal's own: nats learned (sPCE), minus the Brier score of the laws, minus the error of predictions,
minus the regret. All policies meet the same worlds and noise; greedy is expected information gain.

score: interquartile mean of the runs at the end of the budget; 0 is the mean of random, 1 that of greedy at twice
the budget.

gap: the mean of what runs fall short of 1.

area: the mean progress while the budget is spent, 0 before any experiment and 1 as greedy at twice the budget.

to 80 %: when half of the runs have come to 80 % of that progress (Kaplan and Meier), its interval, and how many
come to it within the budget; the others are censored.

difference, P(higher): of the score beside the baseline, in the same world and in another.

jump-start: the difference of progress after one experiment. transfer: the ratio of areas, less 1.

saved: experiments less than the baseline on the way to 80 %, a task; cost saved: the share of their cost.

break-even: the tasks after which these experiments have made up for --training.

Shifted parameters: truths from a prior whose means are moved by one standard deviation in every constant, while
agents keep the document. Intervals are of 95 %, from a bootstrap within each domain.
"""


def adaptation(
    domains: options.AdaptedDomainsArgument,
    policy: options.AgentsOption = None,
    baseline: options.BaselineOption = services.BEST_POLICY,
    runs: options.BasicRunsOption = 100,
    budget: options.BudgetOption = None,
    seed: options.SeedOption = 0,
    particles: options.ParticlesOption = 2000,
    contrasts: options.ScoreContrastsOption = 10_000,
    shift: options.ShiftOption = None,
    unseen: options.UnseenOption = None,
    shifted_by: options.ShiftedByOption = 1.0,
    training: options.TrainingOption = None,
    processes: options.ProcessesOption = 1,
    out: options.OutOption = None,
    figure: options.FigureOption = None,
    json: Json = False,
) -> None:
    """How fast does an agent become good at a question? Curves of its score, and what can be read off them."""
    found = [find(name) for name in domains]
    names = _policies(found, policy, baseline)
    _check(out, ".json", "--out")
    _check(figure, ".html", "--figure")
    from meta_learner.evaluation.adaptation.study import Study

    study = Study(
        policies=_makers(names, found),
        baseline=baseline,
        runs=runs,
        budget=budget,
        seed=seed,
        particles=particles,
        contrasts=contrasts,
        shifted_by=shifted_by,
        processes=processes,
        training=dict(_training(entry) for entry in training or []),
    )
    document = _measure(_groups(found, shift, unseen or []), study)
    _write(document, out, figure)
    (print_json if json else adaptation_text.print_report)(document)


def _policies(domains: Sequence[Domain], wanted: list[str] | None, baseline: str) -> list[str]:
    """Those asked for, else all classical ones that serve every domain. RequestError where one of them does not."""
    settings = load_settings()
    for domain in domains:
        services.check_policy(baseline, domain)
        for name in wanted or []:
            agents.find_policy(settings, name, domain)
    return list(dict.fromkeys(wanted or [n for n in services.POLICY_NAMES if all(_serves(n, d) for d in domains)]))


def _serves(policy: str, domain: Domain) -> bool:
    try:
        services.check_policy(policy, domain)
    except RequestError:
        return False
    return True


def _makers(names: Sequence[str], domains: Sequence[Domain]) -> "dict[str, Callable[[], Policy]]":
    """What makes each policy, in whichever process: of the registry, or an agent with the weights that it has now."""
    from meta_learner.policies import POLICIES

    store = agents.agent_store(load_settings())
    return {
        name: POLICIES.get(name) or partial(_agent, store, name, store.find(name).card.weights.sha256, domains[0])
        for name in names
    }


def _agent(store: Store, name: str, weights: str, domain: Domain) -> "Policy":
    """An agent that serves this domain; one that serves others, too, does so in the same way."""
    from domains.worlds import DomainModel
    from meta_learner.agents.loading import load_policy

    return load_policy(store.find(name, weights), DomainModel(domain))


def _training(entry: str) -> tuple[str, float]:
    """``POLICY=N`` → both; RequestError where it is not written so."""
    name, _, number = entry.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise RequestError(f"--training {entry}: write POLICY=N, N the experiments it was trained with") from None


def _check(path: Path | None, suffix: str, option: str) -> None:
    """RequestError unless a file can be written there."""
    if path is None:
        return
    folder = path.absolute().parent
    if path.suffix != suffix:
        raise RequestError(f"{option} {path}: the name must end in {suffix}")
    if not folder.is_dir():
        raise RequestError(f"{option} {path}: there is no folder {folder}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise RequestError(f"{option} {path}: it cannot be written; choose another place")


def _groups(domains: Sequence[Domain], shifts: list[str] | None, unseen: Sequence[str]) -> "list[Group]":
    """Every domain at every level of shift asked for. Without any asked for, domains whose laws have no parameters are
    not shifted."""
    from meta_learner.evaluation.adaptation.study import Group

    new = {find(name).name for name in unseen}
    for name in new - {domain.name for domain in domains}:
        raise RequestError(f"--unseen {name}: not among the domains asked for")
    for level in shifts or []:
        if level not in _LEVELS:
            raise RequestError(f"--shift {level}: it is one of {', '.join(_LEVELS)}; unseen domains: --unseen DOMAIN")
    groups = []
    for domain in domains:
        if domain.name in new:
            groups.append(Group(domain, "unseen-domain"))
        elif "in-distribution" in (shifts or _LEVELS):
            groups.append(Group(domain, "in-distribution"))
        if "shifted-parameters" in (shifts or [level for level in _LEVELS if _can_shift(domain)]):
            groups.append(Group(domain, "shifted-parameters"))
    return groups


def _can_shift(domain: Domain) -> bool:
    from domains.worlds import DomainModel
    from meta_learner.evaluation.adaptation.shift import check_shift

    try:
        check_shift(DomainModel(domain))
    except DomainError:
        return False
    return True


def _measure(groups: "Sequence[Group]", study: "Study") -> dict[str, Any]:
    """The report as one document."""
    from meta_learner.evaluation.adaptation.report import report
    from meta_learner.evaluation.adaptation.study import investigate
    from orchestrator.cli.adaptation_document import as_document

    with progress_bar() as told:
        found = investigate(groups, study, partial(told, "investigating"))
        told("reading off the curves", 1.0)
        return as_document(report(study, found).to_dict(), study)


def _write(document: dict[str, Any], out: Path | None, figure: Path | None) -> None:
    if out is not None:
        from meta_learner.evaluation import results

        results.save(out, document)
    if figure is not None:
        from orchestrator.cli.adaptation_figure import adaptation_figure

        figure.write_text(adaptation_figure(document).to_html(include_plotlyjs=True), encoding="utf-8")
