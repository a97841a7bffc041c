"""``organon train``: meta-train the universal policy by a recipe, or a specialist on one domain."""

import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from experiments_db import trainings
from meta_learner.agents.families import SPECIALISTS
from meta_learner.training.recipe import read_recipe, shipped
from orchestrator import services
from orchestrator.cli import train_options as options
from orchestrator.cli.output import Json, console, errors, print_json, print_table
from orchestrator.cli.progress import Told, progress_bar
from orchestrator.cli.train_specialist import again, check, planned
from orchestrator.settings import load_settings


def train(
    what: options.WhatArgument = None,
    minutes: options.MinutesOption = None,
    past: options.PastOption = False,
    domain: options.DomainOption = None,
    experiments: options.ExperimentsOption = None,
    name: options.NameOption = None,
    seed: options.SeedOption = None,
    budget: options.BudgetOption = None,
    contrasts: options.ContrastsOption = None,
    option: options.OptionOption = None,
    json: Json = False,
) -> None:
    """Train the universal policy by a recipe, or a specialist on one domain, and keep it as an agent.

    A recipe says on which random tables and random domains the universal policy learns. A specialist learns from
    simulated runs of its domain alone, and serves no other: a meta-RL family, or scratch, the baseline. Ctrl-C stops
    after the step at hand. Whenever it stops there is an agent (organon agent show NAME), and the same command goes on
    where it was, to the same weights as without a stop. The device is that of ORGANON_DEVICE.
    """
    settings = load_settings()
    database = services.open_database(settings)
    if past:
        with database.read() as session:
            _list(trainings.trainings(session), json)
        return
    given = {
        "domain": domain, "experiments": experiments, "name": name, "seed": seed, "budget": budget,
        "contrasts": contrasts, "option": option,
    }  # fmt: skip
    what = check(what, given)
    asked = planned(what, given) if what in SPECIALISTS else read_recipe(what)
    from orchestrator import training

    with progress_bar() as bar, stopping() as stopped:
        row, agent = training.train(
            settings,
            database,
            asked,
            seconds=None if minutes is None else 60.0 * minutes,
            stopped=stopped,
            told=partial(_told, bar, asked.name, "experiments" if what in SPECIALISTS else "steps"),
        )
    _tell(row, str(agent.folder), again(what, given), json)


def _told(bar: Told, name: str, unit: str, step: int, steps: int, value: float) -> None:
    bar(f"{name}: {step:,} of {steps:,} {unit}, {value:.3f}", min(1.0, step / max(1, steps)))


def _tell(row: Any, folder: str, command: list[str], json: bool) -> None:
    if json:
        print_json({**_plain(row), "folder": folder})
        return
    unit = "experiment" if command[0] in SPECIALISTS else "step"
    console.print(f"{row.status} at {unit} {row.step} of {row.steps}, {row.seconds:.0f} seconds", markup=False)
    console.print(f"the agent: organon agent show {row.agent}, in {folder}", markup=False)
    if row.status == "stopped":
        console.print(f"to go on: organon train {shlex.join(command)}", markup=False)


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
