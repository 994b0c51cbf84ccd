"""Holders of leases. In: a process. Out: a word of it, by which another on the same machine sees that it is dead.

A dead process cannot give back what it holds; who comes after it need not wait then until the lease is over.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def new_holder() -> str:
    """A word that no other process has, nor this one a second time."""
    return f"{_machine()}:{os.getpid()}:{_began(os.getpid())}:{secrets.token_hex(8)}"


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that has ended; False where that cannot be known."""
    machine, *said = holder.split(":")
    if machine != _machine() or len(said) != 3 or os.name != "posix":
        return False
    pid, began = int(said[0]), said[1]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _began(pid) != began


@cache
def _machine() -> str:
    """What the processes have in common that see each other's numbers: the machine since its start, or a container."""
    start, numbers = _PROC / "sys" / "kernel" / "random" / "boot_id", _PROC / "self" / "ns" / "pid"
    said = [socket.gethostname()]
    said += [start.read_text().strip()] if start.is_file() else []
    said += [str(numbers.stat().st_ino)] if numbers.exists() else []
    return hashlib.blake2b("\n".join(said).encode(), digest_size=8).hexdigest()


def _began(pid: int) -> str:
    """When the process began, in the kernel's ticks, as another may have its number since; empty where nobody says.

    Also empty of a process that has ended and is only remembered until somebody asks how.
    """
    try:
        state, *fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else fields[18]
