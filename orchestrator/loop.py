"""The scientific loop: hypothesise → design → experiment → update → decide.

Each step is a langchain-core Runnable over a block of runs, so that callbacks carry the record, progress and tracing,
and a step can be replaced by one that a language model or a person drives. The science is in ``meta_learner.rollout``.
"""

from collections.abc import Callable

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable, RunnableLambda

from meta_learner.rollout import BlockState, BlockSteps

Step = Callable[[BlockState], BlockState]
STEPS = ("hypothesise", "design", "experiment", "update", "decide")


def compose(steps: BlockSteps) -> Runnable[BlockState, BlockState]:
    """One turn of the loop for every run of a block."""
    hypothesise, design, experiment, update, decide = (_named(name, getattr(steps, name)) for name in STEPS)
    return (hypothesise | design | experiment | update | decide).with_config(run_name="turn")


def investigate(
    loop: Runnable[BlockState, BlockState],
    state: BlockState,
    callbacks: list[BaseCallbackHandler],
    pause: Callable[[], bool],
) -> BlockState:
    """Turn the loop until every run has ended or ``pause`` says to stop for now."""
    while bool(state.active.any()) and not pause():
        state = loop.invoke(state, {"callbacks": callbacks})
    return state


def _named(name: str, step: Step) -> Runnable[BlockState, BlockState]:
    return RunnableLambda(step).with_config(run_name=name)
