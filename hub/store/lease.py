"""Who pulls a stream. In: a connection in the caller's transaction. Out: rows of lease, one holder a stream at a time.

A holder is a random word of one process. The clock is the wall's: machines that share a database have to agree on the
time to well within LEASE_US.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.holder import is_dead, new_holder
from hub.store.kept import lease

__all__ = ["LEASE_US", "give_back", "held", "keep", "new_holder", "take"]

LEASE_US = 120_000_000
"""How long a stream stays a dead process's. A living one says `keep` several times in that."""
LONGEST_US = 2 * LEASE_US
"""No lease that lasts longer was given by this clock."""


def take(connection: Connection, source: str, stream: str, holder: str, now_us: int, for_us: int = LEASE_US) -> bool:
    """Whether the stream is now the holder's, until `now_us + for_us`; False while another's lease lasts.

    One statement, so of several processes that ask at once one gets it. Taking what one has prolongs it; a lease that a
    dead process of this machine left behind is over, and so is one of a clock that was ahead.
    """
    _free_of_dead(connection, source, stream)
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"source": source, "stream": stream, "holder": holder, "until": now_us + for_us}
    wanted = make(lease).values(row)
    free = or_(lease.c.until <= now_us, lease.c.until > now_us + LONGEST_US, lease.c.holder == holder)
    said = {"holder": wanted.excluded.holder, "until": wanted.excluded.until}
    taken = wanted.on_conflict_do_update(index_elements=["source", "stream"], set_=said, where=free)
    return connection.execute(taken.returning(lease.c.holder)).first() is not None


def _free_of_dead(connection: Connection, source: str, stream: str) -> None:
    this = (lease.c.source == source, lease.c.stream == stream)
    holder = connection.execute(select(lease.c.holder).where(*this)).scalar()
    if holder is not None and is_dead(holder):
        connection.execute(delete(lease).where(*this, lease.c.holder == holder))


def keep(connection: Connection, source: str, stream: str, holder: str, now_us: int, for_us: int = LEASE_US) -> bool:
    """Prolongs what the holder has, also where it was over and nobody took it; False where another has it now.

    In the transaction that lands a page it proves that no other process has landed since.
    """
    this = (lease.c.source == source, lease.c.stream == stream, lease.c.holder == holder)
    return connection.execute(update(lease).where(*this).values(until=now_us + for_us)).rowcount == 1


def give_back(connection: Connection, source: str, stream: str, holder: str) -> None:
    """Ends the holder's lease; another's is left alone."""
    this = (lease.c.source == source, lease.c.stream == stream, lease.c.holder == holder)
    connection.execute(delete(lease).where(*this))


def held(connection: Connection, now_us: int) -> Mapping[tuple[str, str], int]:
    """The streams that somebody pulls at the moment: source and stream to when the lease is over."""
    c = lease.c
    lasting = c.until.between(now_us + 1, now_us + LONGEST_US)
    rows = connection.execute(select(c.source, c.stream, c.until, c.holder).where(lasting))
    return {(source, stream): until for source, stream, until, holder in rows if not is_dead(holder)}
