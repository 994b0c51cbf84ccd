"""A run of the write path: what every step of it needs (Hub), and what it did (Report)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from connectors.auth import NoVault, Vault
from hub.store.engine import Store
from mappings.compile import Compiled, compile_stream
from mappings.loader import Source
from mappings.rulebook import Rulebook
from mappings.spec import Stream

Progress = Callable[[str, str, int, int | None], None]  # phase, what, how many more are done, how many are left


@dataclass(frozen=True, slots=True)
class Hub:
    """The store, what the company decides, its sources the most trusted first, and who is told of progress.

    Where `ending` becomes true, a run ends after the page or the chunk at hand; what is left waits for the next.
    `vault` keeps the credentials that systems renew. `mapped_by` is the mapping of each stream that the store had last.
    """

    store: Store
    rulebook: Rulebook
    sources: Mapping[str, Source]
    progress: Progress = lambda phase, what, done, left: None
    ending: Callable[[], bool] = lambda: False
    vault: Vault = field(default_factory=NoVault, repr=False)
    _compiled: dict[tuple[str, str], Compiled] = field(default_factory=dict, repr=False, compare=False)
    mapped_by: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def compiled(self, source: str, stream: str) -> Compiled:
        """The compiled mapping of a stream, compiled when first asked for."""
        names = source, stream
        if names not in self._compiled:
            self._compiled[names] = compile_stream(self.sources[source], stream, self.rulebook)
        return self._compiled[names]

    def spec(self, source: str, stream: str) -> Stream:
        """What the mapping file says of a stream."""
        return self.sources[source].system.streams[stream]

    def streams(self) -> Iterable[tuple[str, str]]:
        """Every stream of every source, in the mapping files' order."""
        return ((name, stream) for name, source in self.sources.items() for stream in source.system.streams)


@dataclass(slots=True)
class Report:
    """Counts and seconds by phase; by stream (`source.stream`) or source one line where it failed or is to be known."""

    run_no: int
    as_of: int
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    decided_at: int | None = None  # by the clock: what another process has begun to pull since is left to it

    @property
    def status(self) -> str:
        """OK, PARTIAL where some stream failed, FAILED where every one did and nothing was mapped either."""
        if not self.errors:
            return "OK"
        return "PARTIAL" if self.counts.get("streams_ok") or self.counts.get("mapped") else "FAILED"

    def add(self, **counts: int) -> None:
        """Add to the counts by name."""
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Adds the seconds of its block to the phase."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + perf_counter() - began
