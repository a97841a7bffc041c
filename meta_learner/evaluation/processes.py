"""Work in parts that processes share. What comes out does not depend on how many there are: one thread works on each
part, and results come in the parts' order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")
Tell = Callable[[float], None]  # told the share that is done


def silent(share: float) -> None:
    """Tells nobody."""
    del share


def work(
    job: Callable[[Part, Tell], Result],
    parts: Sequence[Part],
    processes: int,
    tell: Tell = silent,
    take: Callable[[int, Result], None] = lambda _index, _result: None,
) -> list[Result]:
    """``job(part, tell)`` of every part, in their order; each counts for as much of the progress.

    take: given each result with its part's index, in this process, as soon as it is there, in whatever order. With
    several processes they are new ones, on the same device: the job, its parts and results are pickled on their way, so
    tensors among them are the CPU's.
    """
    if processes == 1:
        return _in_turn(job, parts, tell, take)
    device = str(torch.get_default_device())
    with ProcessPoolExecutor(min(processes, len(parts)), get_context("spawn"), _begin, (device,)) as pool:
        futures = {pool.submit(job, part, silent): index for index, part in enumerate(parts)}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                take(futures[future], future.result())
                tell(done / len(parts))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _begin(device: str) -> None:
    """A new process: one thread, and the default device of the one that started it."""
    torch.set_num_threads(1)
    if device != "cpu":  # setting it costs time at every operation
        torch.set_default_device(device)


def _in_turn(
    job: Callable[[Part, Tell], Result], parts: Sequence[Part], tell: Tell, take: Callable[[int, Result], None]
) -> list[Result]:
    results = []
    with one_thread():
        for index, part in enumerate(parts):
            results.append(job(part, partial(_within, tell, index, len(parts))))
            take(index, results[-1])
    return results


def _within(tell: Tell, part: int, parts: int, share: float) -> None:
    tell((part + share) / parts)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch works on one thread inside, and on as many as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
