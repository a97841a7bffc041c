"""``organon adapt``: let the universal policy become better at one domain."""

from typing import Annotated, Any

import typer

from domains.loading import find
from orchestrator import agents
from orchestrator.adaptation import Adapted, Asked, adapt
from orchestrator.agents import SHIPPED_DEFAULT
from orchestrator.cli import agent_text
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.cli.train import stopping
from orchestrator.device import placed
from orchestrator.errors import RequestError
from orchestrator.settings import Settings, load_settings

_WHICH = ("all", "head", "low-rank")


def adapt_command(
    domain: Annotated[str, typer.Option("--domain", help="A name of the catalogue or a .yaml file.")],
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="How long to learn.")] = 5.0,
    agent: Annotated[str, typer.Option("--agent", help="An experimenter of organon agent list.")] = SHIPPED_DEFAULT,
    name: Annotated[str | None, typer.Option("--name", help="Of the new agent. (default: AGENT-DOMAIN)")] = None,
    which: Annotated[str, typer.Option("--which", help=f"What may change: {', '.join(_WHICH)}.")] = "all",
    runs: Annotated[int, typer.Option("--runs", help="Worlds for before and after; 0: none.", min=0)] = 50,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same worlds.")] = 2026,
    json: Json = False,
) -> None:
    """Let an experimenter go on learning on one domain, and compare before and after in the same worlds.

    It learns from decisions that may come up there, by the document's laws and priors, and from no world's outcomes.
    What comes of it is another agent, for that domain alone (organon campaign run --policy NAME). Before and after are
    measured beside expected-information-gain, as organon agent evaluate does. Ctrl-C ends the learning early.
    """
    if which not in _WHICH:
        raise RequestError(f"--which {which}: what may change is one of {', '.join(_WHICH)}")
    if runs == 1:
        raise RequestError("--runs 1: two worlds at least, or 0 for no comparison")
    settings, found = load_settings(), find(domain)
    new = name or f"{agent}-{found.name}"
    with progress_bar() as bar, stopping() as stopped:
        which_: Any = which  # looked at above
        done = adapt(
            settings,
            Asked(found, agent, new, 60.0 * minutes, which_, seed),
            stopped=stopped,
            told=lambda share, value: bar(f"{new}: regret {value:.3f}", share),
        )
    results = [] if runs == 0 else [_measured(settings, each, found.name, runs, seed) for each in (agent, new)]
    _tell(done, agent, results, json)


def _tell(done: Adapted, before: str, results: list[Any], json: bool) -> None:
    if json:
        print_json(_plain(done, results))
        return
    console.print(f"{done.steps} steps in {done.seconds:.0f} seconds: regret {done.regret_before:.4f}, then "
                  f"{done.regret_after:.4f}", markup=False)  # fmt: skip
    if results:
        rows = list(zip((before, done.agent.name), map(agent_text.result_row, results), strict=True))
        print_table(["agent", *agent_text.RESULT_COLUMNS], [[who, *row] for who, row in rows])
    console.print(f"the agent: organon agent show {done.agent.name}, in {done.agent.folder}", markup=False)


def _measured(settings: Settings, name: str, domain: str, runs: int, seed: int) -> Any:
    from meta_learner.agents.comparison import Setting, compare

    store = agents.agent_store(settings)
    with progress_bar() as bar, placed(settings.device):
        tell = lambda share: bar(f"{name} on {domain}", share)  # noqa: E731
        return compare(store, store.find(name), Setting(find(domain), runs=runs, seed=seed), tell=tell)


def _plain(done: Adapted, results: list[Any]) -> dict[str, Any]:
    return {
        "agent": done.agent.name,
        "folder": str(done.agent.folder),
        "steps": done.steps,
        "seconds": done.seconds,
        "regret": [done.regret_before, done.regret_after],
        "before_and_after": [each.model_dump(mode="json") for each in results],
    }
