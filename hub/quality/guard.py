"""What the mapping of a stream is watched for in one run. In: its records and their problems, chunk by chunk.

Out: whether it is to stop, because more cannot be mapped than the mapping file bears; one line for the report where
that is so, or where the records have lost what the mapping reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.quality.drift import Watch
from mappings.reads import paths_of
from mappings.spec import Stream

LEAST = 50  # records that are mapped before a share of them says anything
_NUMBER = re.compile(r"\[\d+\]")

Problem = tuple[int, str, str]  # landing_no, JSON path, reason


@dataclass(slots=True)
class Guard:
    """One stream in one run."""

    source: str
    stream: str
    max_bad: float | None
    watch: Watch | None
    mapped: int = 0
    bad: int = 0
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def over(cls, connection: Connection, source: str, stream: str, spec: Stream, again: bool) -> Guard:
        """The guard over a stream. `again`: its records are mapped again, which says nothing new of their shape."""
        watch = Watch.of(connection, source, stream, paths_of(spec))
        return cls(source, stream, spec.max_bad, watch if watch.learns or not again else None)

    @property
    def stops(self) -> bool:
        """Whether more of at least 50 records cannot be mapped than `max_bad` bears."""
        return self.max_bad is not None and self.mapped >= LEAST and self.bad > self.max_bad * self.mapped

    def look(self, records: Sequence[Any], problems: Sequence[Problem]) -> None:
        """Look at the records of a chunk, None where one cannot be read, and at what is wrong with them."""
        first: dict[int, tuple[str, str]] = {}
        for landing_no, path, reason in problems:
            first.setdefault(landing_no, (any_item(path), reason))
        self.mapped += len(records)
        self.bad += len(first)
        self.faults.update(first.values())
        if self.watch is not None:
            self.watch.look([record for record in records if record is not None])

    def conclude(self, connection: Connection, left: int, as_of: int) -> str | None:
        """Keep the shape that the records had; the line for the report, None where all is well.

        `left` is how many records wait, `as_of` the run's instant in microseconds.
        """
        gone = self.watch.conclude(connection, self.source, self.stream, as_of) if self.watch else None
        lines = [line for line in (gone, self._stopped(left)) if line is not None]
        return f"{self.source}.{self.stream}: {'; '.join(lines)}" if lines else None

    def _stopped(self, left: int) -> str | None:
        if not self.stops:
            return None
        ((path, reason), count), *_ = self.faults.most_common(1)
        return (
            f"mapping stopped, as {self.bad:,} of {self.mapped:,} records cannot be mapped (max_bad is "
            f"{self.max_bad:g}), {count:,} of them at `{path}`: {reason}; {max(left, 0):,} wait; see `hub dead-letters "
            f"list {self.source}.{self.stream}`, mend the mapping, and try it with `hub remap --dry-run`"
        )


def any_item(path: str) -> str:
    """A JSON path with `[*]` for the numbers of list items, so that the same fault is counted together."""
    return _NUMBER.sub("[*]", path)
