"""Who holds a block's lease: a process, told apart from a later one with the same number by its start time."""

import os
import socket

import psutil


def this_process() -> str:
    """``host/pid/start``."""
    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def is_alive(owner: str) -> bool:
    """Whether the process still runs. One on another machine counts as alive until its lease expires."""
    host, pid, start = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return True
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" == start and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
