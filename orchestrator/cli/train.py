"""``organon train``: meta-train the universal policy by a recipe."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer

from experiments_db import trainings
from meta_learner.training.recipe import read_recipe, shipped
from orchestrator import services
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.cli.progress import progress_bar
from orchestrator.errors import RequestError
from orchestrator.settings import load_settings

RecipeArgument = Annotated[
    str | None,
    typer.Argument(help=f"A .yaml file, or one that comes with Organon: {', '.join(shipped())}.", metavar="RECIPE"),
]


def train(
    recipe: RecipeArgument = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Stop after so long; the same command goes on later.")
    ] = None,
    past: Annotated[
        bool, typer.Option("--past", help="List the trainings there have been, and train nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Train the universal policy on random tables and random domains, as a recipe says, and keep it as an agent.

    Ctrl-C stops after the step at hand. Whenever it stops there is an agent of the recipe's name (organon agent show
    NAME), and the same command goes on where it was, to the same weights as without a stop. The device is that of
    ORGANON_DEVICE.
    """
    settings = load_settings()
    database = services.open_database(settings)
    if past:
        with database.read() as session:
            _list(trainings.trainings(session), json)
        return
    if recipe is None:
        raise RequestError(f"name a recipe: a .yaml file, or one of {', '.join(shipped())}")
    asked = read_recipe(recipe)
    from orchestrator import training

    total = asked.imitate.steps + asked.improve.steps
    with progress_bar() as bar, stopping() as stopped:
        row, agent = training.train(
            settings,
            database,
            asked,
            seconds=None if minutes is None else 60.0 * minutes,
            stopped=stopped,
            told=lambda step, value: bar(f"{asked.name}: step {step} of {total}, {value:.3f}", step / max(1, total)),
        )
    _tell(row, str(agent.folder), recipe, json)


def _tell(row: Any, folder: str, recipe: str, json: bool) -> None:
    if json:
        print_json({**_plain(row), "folder": folder})
        return
    console.print(f"{row.status} at step {row.step} of {row.steps}, {row.seconds:.0f} seconds", markup=False)
    console.print(f"the agent: organon agent show {row.agent}, in {folder}", markup=False)
    if row.status == "stopped":
        console.print(f"to go on: organon train {recipe}", markup=False)


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, which stops nothing by itself the first time, and as ever the second."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        errors.print("stopping after this step; Ctrl-C again to break off")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _list(found: list[trainings.TrainingRecord], json: bool) -> None:
    if json:
        print_json([_plain(each) for each in found])
        return
    if not found:
        console.print(f"No training yet. organon train {shipped()[0]} begins one.")
        return
    columns = ["agent", "status", "step", "minutes", "last", "begun", "commit"]
    print_table(columns, [_line(each) for each in found])


def _line(each: trainings.TrainingRecord) -> list[object]:
    last = f"{each.curve[-1][1]:.4f}" if each.curve else ""
    step, minutes = f"{each.step} of {each.steps}", f"{each.seconds / 60:.1f}"
    return [each.agent, each.status, step, minutes, last, f"{each.created_at:%Y-%m-%d %H:%M}", each.commit]


def _plain(row: Any) -> dict[str, Any]:
    names = ("id", "agent", "status", "step", "steps", "seconds", "weights", "commit", "hardware", "curve", "recipe")
    return {name: getattr(row, name) for name in names}
