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
    job: Callable[[Part, Tell], Result], parts: Sequence[Part], processes: int, tell: Tell = silent
) -> list[Result]:
    """``job(part, tell)`` of every part, in their order; each counts for as much of the progress.

    With several processes they are new ones: the job, its parts and results are pickled on their way.
    """
    if processes == 1:
        with one_thread():
            return [job(part, partial(_within, tell, index, len(parts))) for index, part in enumerate(parts)]
    with ProcessPoolExecutor(min(processes, len(parts)), get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        futures = [pool.submit(job, part, silent) for part in parts]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                tell(done / len(parts))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


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
