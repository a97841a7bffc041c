"""``organon agent``: learned policies as files: which there are, how good they are, and which is the default."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domains.loading import find
from meta_learner.agents.card import GREEDY, AgentError, HeldOut
from meta_learner.agents.store import Stored, read_folder
from orchestrator import agents, services
from orchestrator.cli import agent_text
from orchestrator.cli.output import Json, console, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.device import placed
from orchestrator.errors import EXPECTED
from orchestrator.people import Why, this_person
from orchestrator.retirement import Retired, retired_agents
from orchestrator.settings import Settings, load_settings

if TYPE_CHECKING:
    from meta_learner.agents.comparison import Setting

app = typer.Typer(help="Agents: learned policies, with their weights and their record.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="An agent of organon agent list.", metavar="NAME")]


@app.command("list")
def list_agents(json: Json = False) -> None:
    """The agents there are, and which policy is the default."""
    settings = load_settings()
    default, problem = _default(settings)
    retired = retired_agents(settings)
    lines = [_line(settings, name, default) for name in agents.agent_store(settings).names()]
    rows = [_with_retired(line, retired.get(line["name"])) for line in lines]
    if json:
        print_json({"default": default, "problem": problem, "agents": rows})
        return
    shown = [[row["name"], row["family"], row["size"], row["from"], row["problem"] or row["standing"]] for row in rows]
    if shown:
        print_table(["name", "family", "size", "from", "standing"], shown)
    else:
        console.print("No agent yet. One comes from training, or from a folder: organon agent import FOLDER")
    console.print(problem or f"the default policy is {default}", markup=False)


@app.command()
def show(name: NameArgument, json: Json = False) -> None:
    """An agent's card: how it was made, what it was trained on, how it does on what it has not seen, its limits."""
    stored = agents.agent_store(load_settings()).find(name)
    stored.weights()
    if json:
        print_json(_plain(stored))
        return
    for line in agent_text.heading(stored):
        console.print(line, markup=False)
    if stored.card.held_out:
        print_table(agent_text.RESULT_COLUMNS, [agent_text.result_row(each) for each in stored.card.held_out])
    for line in agent_text.standing(stored.card):
        console.print(line, markup=False)


@app.command()
def evaluate(
    name: NameArgument,
    domain: Annotated[list[str], typer.Option("--domain", help="A name of the catalogue or a .yaml file; repeatable.")],
    runs: Annotated[int, typer.Option("--runs", min=2, help="Worlds to investigate, by both.")] = 100,
    against: Annotated[str, typer.Option("--against", help=", ".join(services.POLICY_NAMES))] = GREEDY,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same worlds.")] = 2026,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, help="What a run may cost. (default: the domain's)")
    ] = None,
    particles: Annotated[int, typer.Option("--particles", min=50, help="Particles per mechanism and run.")] = 2000,
    processes: Annotated[int, typer.Option("--processes", min=1, max=256, help="Processes to share the work.")] = 1,
    record: Annotated[bool, typer.Option("--record", help="Write the results into the agent's card.")] = False,
    json: Json = False,
) -> None:
    """Compare an agent with a classical policy in the same simulated worlds, with the same noise and budget.

    A gain is, by the domain's goal: nats about the hypothesis (learn), nats about the true law (discriminate), or the
    share of what there was to gain (predict, maximise, minimise). Differences are of the same run.
    """
    settings = load_settings()
    stored = agents.agent_store(settings).find(name)
    chosen = [find(each) for each in domain]
    for each in chosen:
        services.check_policy(against, each)
        agents.find_policy(settings, name, each)
    from meta_learner.agents.comparison import Setting

    asked = [Setting(each, against, runs, seed=seed, budget=budget, particles=particles) for each in chosen]
    with placed(settings.device):
        results = [_measured(settings, stored, each, processes, record) for each in asked]
    if json:
        print_json({"agent": name, "recorded": record, "results": [each.model_dump(mode="json") for each in results]})
        return
    print_table(agent_text.RESULT_COLUMNS, [agent_text.result_row(each) for each in results])
    for result in results:
        console.print(f"{result.domain.name}: {agent_text.gain_in_words(result)}", markup=False)
    if record:
        console.print(f"written into {stored.folder / 'card.json'}", markup=False)


@app.command()
def promote(name: NameArgument, json: Json = False) -> None:
    """Make an agent the default policy of campaigns, if its card shows that it is at least as good as the best
    classical one."""
    card = agents.promote(load_settings(), name)
    _told({"default": name, "weights": card.weights.sha256}, f"the default policy is {name}", json)


@app.command()
def demote(json: Json = False) -> None:
    """Make the best classical policy the default again."""
    default = agents.demote(load_settings())
    _told({"default": default}, f"the default policy is {default}", json)


@app.command()
def retire(
    name: NameArgument,
    by: Annotated[str | None, typer.Option("--by", help="Who retires it. (default: this user)")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    json: Json = False,
) -> None:
    """Offer an agent for no new campaign. Campaigns begun with it go on, and it can be put back."""
    agents.retire(load_settings(), name, Why(by or this_person(), reason))
    _told({"retired": name}, f"{name} is retired; organon agent restore {name} puts it back", json)


@app.command()
def restore(name: NameArgument, json: Json = False) -> None:
    """Offer a retired agent again."""
    agents.restore(load_settings(), name)
    _told({"restored": name}, f"{name} is offered again", json)


@app.command()
def export(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(help="FILE.onnx.", metavar="FILE", dir_okay=False)],
    json: Json = False,
) -> None:
    """Write an agent's network as ONNX: a table of designs and hypotheses in, logits and value out.

    Needs the extra: pip install -c constraints.txt -e '.\\[onnx]' in the checkout. The outputs are held to torch's.
    """
    if file.suffix != ".onnx":
        raise AgentError(f"{file}: name a file that ends in .onnx")
    stored = agents.agent_store(load_settings()).find(name)
    from dataclasses import asdict

    from meta_learner.agents.onnx_export import EXTRA, TIMED
    from meta_learner.agents.onnx_export import export as exported

    done = exported(stored, file)
    size = f"{TIMED} designs × {TIMED} hypotheses on one thread"
    if done.milliseconds is None:
        outputs = f"onnxruntime is not installed, so that its outputs were not held to torch's; get it by: {EXTRA}"
    else:
        outputs = (
            f"outputs within {done.difference:.1e} of torch's; {size}: {done.milliseconds:.1f} ms, and "
            f"{done.torch_milliseconds:.1f} ms by torch"
        )
    _told(asdict(done), f"{name} written to {file} ({agent_text.size(done.bytes)}); {outputs}", json)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A folder with agent.safetensors and card.json.", metavar="FOLDER")],
    replace: Annotated[bool, typer.Option("--replace", help="Instead of an agent of your own of this name.")] = False,
    json: Json = False,
) -> None:
    """Copy an agent from a folder into the home, under the name on its card."""
    settings = load_settings()
    card, weights = read_folder(folder)
    settings.make_home()
    stored = agents.agent_store(settings).save(card, weights, replace=replace)
    _told({"name": stored.name, "folder": str(stored.folder)}, f"{stored.name} lies in {stored.folder}", json)


def _default(settings: Settings) -> tuple[str | None, str | None]:
    """The default policy, or what is wrong with it."""
    try:
        return agents.default_policy(settings), None
    except EXPECTED as error:
        return None, str(error)


def _line(settings: Settings, name: str, default: str | None) -> dict[str, Any]:
    """An agent in a list; one that cannot be used says why."""
    line: dict[str, Any] = {"name": name, "default": name == default, "problem": None}
    try:
        stored = agents.agent_store(settings).find(name)
    except AgentError as error:
        return {**line, "problem": str(error), "family": None, "size": None, "from": None, "standing": None}
    card = stored.card
    good = f"as good as {GREEDY}" if card.as_good_as_greedy else f"{len(card.held_out)} held-out results"
    return {
        **line,
        "family": card.family,
        "size": agent_text.size(card.weights.bytes),
        "bytes": card.weights.bytes,
        "weights": card.weights.sha256,
        "from": "shipped" if stored.shipped else str(stored.folder),
        "goals": list(card.goals),
        "domains": [document.name for document in card.domains],
        "as_good_as_greedy": card.as_good_as_greedy,
        "standing": ("default, " if name == default else "") + good,
    }


def _with_retired(line: dict[str, Any], retired: Retired | None) -> dict[str, Any]:
    standing = line["standing"]
    if retired is not None and standing is not None:
        standing = f"retired, {standing}"
    return {**line, "retired": None if retired is None else retired.model_dump(mode="json"), "standing": standing}


def _plain(stored: Stored) -> dict[str, Any]:
    from meta_learner.agents.standing import shortfalls

    lacking = shortfalls(stored.card)
    return {
        "folder": str(stored.folder),
        "shipped": stored.shipped,
        "as_good_as_greedy": not lacking,
        "shortfalls": lacking,
        "card": stored.card.model_dump(mode="json"),
    }


def _measured(settings: Settings, stored: Stored, setting: "Setting", processes: int, record: bool) -> HeldOut:
    """One result, written into the card as soon as it is there."""
    from meta_learner.agents.comparison import compare

    store = agents.agent_store(settings)
    with progress_bar() as told:
        title = f"{stored.name} on {setting.domain.name}"
        result = compare(store, stored, setting, processes=processes, tell=lambda share: told(title, share))
    if record:
        store.record(stored, result)
    return result


def _told(values: dict[str, Any], words: str, json: bool) -> None:
    if json:
        print_json(values)
    else:
        console.print(words, markup=False)
