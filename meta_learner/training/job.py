"""One job from nothing to an agent: train, see how much of the gap to the optimum it closes, write all to a folder.

    python -m meta_learner.training.job [--recipe experimenter] [--seconds 420] [--device cuda] [--smoke] [--out FOLDER]
    torchrun --nproc-per-node=4 -m meta_learner.training.job …        (one process a GPU, gradients shared)

For a machine with a GPU and little else: it needs torch, numpy, scipy, pyyaml, pydantic and safetensors. In the folder
(``$OUT`` unless named) it leaves an agent, ``NAME/agent.safetensors`` with ``NAME/card.json``, which ``organon agent
import`` takes in, and ``report.json``: throughput, machine, and the gap closed on tables that are solved exactly.
``--smoke``: a few seconds on a CPU.
"""

import argparse
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from meta_learner.agents.store import Store
from meta_learner.evaluation import results
from meta_learner.experimenter.policy import Learned
from meta_learner.games import UTILITIES, Greedy, best_value, expected_utility
from meta_learner.games.random_tables import KINDS, Size, random_games
from meta_learner.streams import stream
from meta_learner.training.agent import as_agent
from meta_learner.training.planned import planned
from meta_learner.training.ranks import agreed, first, ranks
from meta_learner.training.recipe import TrainingRecipe, read_recipe
from meta_learner.training.session import Session
from meta_learner.training.training import Training

_SMOKE_SECONDS, _SMOKE_GAMES, _GAMES = 3.0, 4, 200
_TOLD_EVERY = 50  # steps
_CERTAIN = 0.9  # the probability of a target that tables for certainty ask for


def main(arguments: list[str] | None = None) -> None:
    """The job."""
    given = _options().parse_args(arguments)
    recipe = read_recipe("smoke" if given.smoke else given.recipe)
    seconds, games = (_SMOKE_SECONDS, _SMOKE_GAMES) if given.smoke else (given.seconds, _GAMES)
    with ranks(given.device) as device, nullcontext() if device == "cpu" else torch.device(device):
        session = trained(recipe, seconds)
        if first():
            _write(given.out, recipe, session, games, device)


def _write(out: Path, recipe: TrainingRecipe, session: Session, games: int, device: str) -> None:
    about = results.provenance(device)
    card, weights = as_agent(recipe, session.training, session.seconds, session.curve, about)
    Store(out, out).save(card, weights, replace=True)
    results.save(out / "report.json", {**report(session, games), **about})


def trained(recipe: TrainingRecipe, seconds: float) -> Session:
    """As far as the time goes; a line now and then."""
    session = Session(Training(planned(recipe)))
    for value in session.run():
        if session.training.step % _TOLD_EVERY == 0 and first():
            print(f"step {session.training.step}: {value:.4f}, {session.seconds:.0f} s", flush=True)
        if agreed(session.seconds >= seconds):
            break
    return session


def report(session: Session, games: int) -> dict[str, Any]:
    """Throughput, and shares of the gap between greedy and the optimum, by kind of table and goal."""
    training, seconds = session.training, max(session.seconds, 1e-9)
    counts = {"steps": training.step, "episodes": training.episodes, "experiments": training.experiments}
    return {
        "kind": "training-job",
        **counts,
        "seconds": session.seconds,
        "ranks": training.ranks,
        **{f"{name}_per_second": count / seconds for name, count in counts.items()},
        "gap_closed": {f"{kind}, {goal}": _closed(session, kind, goal, games) for kind in KINDS for goal in UTILITIES},
    }


def _closed(session: Session, kind: Any, goal: str, games: int) -> float | None:
    """None where greedy is the optimum."""
    size, utility = Size(answers=4 if goal == "prediction" else 0), UTILITIES[goal]
    drawn = random_games(kind, size, games, stream(2027, 0, 0, "world"))
    if goal == "certainty":
        drawn = replace(drawn, level=torch.full_like(drawn.budget, _CERTAIN))
    best = best_value(drawn, drawn.prior[:, None], drawn.budget[:, None], utility, drawn.horizon)[:, 0]
    greedy = expected_utility(drawn, Greedy(), utility)
    gap = (best - greedy).mean().item()
    gained = (expected_utility(drawn, Learned(session.training.network, goal), utility) - greedy).mean().item()
    return gained / gap if gap > 0 else None


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--recipe", default="experimenter")
    options.add_argument("--seconds", type=float, default=420.0)
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--smoke", action="store_true")
    options.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "out")))
    return options


if __name__ == "__main__":
    main()
