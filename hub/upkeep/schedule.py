"""When each stream is pulled next. In: the sources' `every`, and what the store knows of their pulls. Out: instants.

A stream is pulled `every` after its last pull began; at once where it never was, or where a run broke off; soon where a
notification asked for it; after a failure ever later, up to `every`. All by the clock, in microseconds.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from hub.run import Hub
from hub.store import due
from hub.store.due import Pulled
from mappings.duration import duration

SOONEST_US = 60_000_000
"""Between the beginnings of two pulls of a stream, whoever asks for the second; less where `every` is."""
SHORTEST_US = 1_000_000

_NEVER = Pulled()


def next_pulls(connection: Connection, hub: Hub, now_us: int) -> dict[tuple[str, str], int]:
    """Every stream of the hub, by source and name, and when it is pulled next; what is due, at or before `now_us`."""
    known = due.pulls(connection, now_us)
    return {
        (source, stream): next_pull(known.get((source, stream), _NEVER), every_us(hub, source), now_us)
        for source, stream in hub.streams()
    }


def every_us(hub: Hub, source: str) -> int:
    """How often the source is pulled: as company.yml says, else as its mapping does."""
    instance = hub.rulebook.company.sources.get(source)
    said = (instance.every if instance else None) or hub.sources[source].system.every
    return max(SHORTEST_US, duration(said) // timedelta(microseconds=1))


def next_pull(known: Pulled, every: int, now_us: int) -> int:
    """When a stream of which this is known is pulled next: while a process pulls it, not before its lease is over.

    A pull that is still to come, since a clock was set back, is none.
    """
    if known.held_until is not None:
        return known.held_until
    if known.pulled_at is None or known.pulled_at > now_us + due.AHEAD_US:
        return now_us
    soonest = known.pulled_at + min(every, SOONEST_US)
    if known.failures:
        return known.pulled_at + min(every, SOONEST_US << min(known.failures - 1, 20))
    if known.broken_off:
        return soonest
    regular = known.pulled_at + every
    return regular if known.due_at is None else min(regular, max(known.due_at, soonest))
