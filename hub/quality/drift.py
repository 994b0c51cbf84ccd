"""Drift: the shape of a stream's records against what it was. In: the parsed records of a run, chunk by chunk.

Out: paths that are new, that vanished, or whose values are of another kind; a line where one that the mapping reads
is gone from a whole run. The first run learns. Some records of every chunk are looked at whole; whether a path that
the mapping reads is there at all is asked of every record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.clock import show
from hub.store.drift import RECORD, Change, Held, add_changes, held_paths, keep_paths, vanished_paths

SAMPLE = 100  # records of a chunk that are looked at whole
ITEMS = 20  # of a list
DEPTH = 8
PATHS = 2_000  # of a stream
NAMES = 50  # in one object, unless a single record has half as many; more are keys of data and count as one path
MANY_NAMES = 1_000  # in one object within one run, whatever a record has
CHANCE = 1e-6  # how likely it may be that the records that lack a path are no more than that
LEAST = 5  # records that may lack a path together for a reason of their own

NULL = "null"
KINDS = {str: "text", int: "number", float: "number", bool: "flag", dict: "object", list: "list", type(None): NULL}
_NAME = re.compile(r"[@$_]?[^\W\d][\w :$/#()-]{0,63}")  # anything else, as an address, is somebody's data

Steps = tuple[str, ...]


@dataclass(slots=True)
class Node:
    """A path: what is known of it, and what this run has seen of it so far."""

    before: Held | None = None
    mapped: bool = False
    kept: bool = False  # the mapping reads it, or something below it: never counted together with others
    kinds: set[type] = field(default_factory=set)
    count: int = 0
    last: int = 0
    widest: int = 0
    children: dict[str, Node] = field(default_factory=dict)

    def seen(self) -> set[str]:
        """The kinds of value that stood there in this run."""
        return {KINDS.get(kind, "text") for kind in self.kinds}


class Watch:
    """One stream in one run."""

    def __init__(self, held: dict[str, Held], mapped: Iterable[str], vanished: Iterable[str] = ()) -> None:
        self.root = Node(held.get(RECORD))
        self.learns = not held
        self.looked = self.total = 0
        self._held, self._vanished = held, frozenset(vanished)
        for path, before in held.items():
            if path != RECORD:
                self._node(path).before = before
        for path in mapped:
            self._node(path, kept=True).mapped = True
        self._unseen = {path: tuple(path.split(".")) for path in sorted(mapped) if path in held}

    @classmethod
    def of(cls, connection: Connection, source: str, stream: str, mapped: Iterable[str]) -> Watch:
        """The watch over a stream whose mapping reads these paths, with what the store knows of it."""
        return cls(held_paths(connection, source, stream), tuple(mapped), vanished_paths(connection, source, stream))

    def _node(self, path: str, kept: bool = False) -> Node:
        node = self.root
        for step in path.split("."):
            node = node.children.setdefault(step, Node())
            node.kept = node.kept or kept
        return node

    def look(self, records: Sequence[Any]) -> None:
        """Look at the records of a chunk."""
        for record in records[:: max(1, len(records) // SAMPLE)][:SAMPLE]:
            self.looked += 1
            self._visit(self.root, record, 0)
        self.total += len(records)
        self._unseen = {
            path: steps for path, steps in self._unseen.items() if not any(stands(record, steps) for record in records)
        }

    def _visit(self, node: Node, value: Any, depth: int) -> None:
        node.kinds.add(value.__class__)
        if node.last != self.looked:
            node.last = self.looked
            node.count += 1
        if depth == DEPTH:
            return
        if value.__class__ is dict:
            node.widest = max(node.widest, len(value))
            for name, inner in value.items():
                self._visit(node.children.get(name) or _named(node, name), inner, depth + 1)
        elif value.__class__ is list and value:
            child = node.children.get("*") or node.children.setdefault("*", Node())
            for item in value[:ITEMS]:
                self._visit(child, item, depth + 1)

    def conclude(self, connection: Connection, source: str, stream: str, as_of: int) -> str | None:
        """Keep what the run saw; the line that says which mapped paths are gone, None where none is.

        `as_of` in microseconds. A path that vanished stays so, and is said again, until it is back or not mapped.
        """
        if not self.total:
            return None
        _gather(self.root)
        nodes = dict(_bounded(self.root, PATHS - len(self._held)))
        changes = [] if self.learns else [*self._new(nodes), *self._retyped(nodes), *self._gone(nodes)]
        add_changes(connection, source, stream, changes, as_of)
        seen = ((path, _held(node, as_of)) for path, node in nodes.items() if self._stood(path, node))
        keep_paths(connection, source, stream, seen, self._held.keys() - nodes.keys())
        return self._complaint(changes)

    def _stood(self, path: str, node: Node) -> bool:
        return bool(node.count) or (node.mapped and node.before is not None and path not in self._unseen)

    def _new(self, nodes: dict[str, Node]) -> Iterator[Change]:
        """Only the topmost: what is below something new is new with it."""
        new = {
            path
            for path, node in nodes.items()
            if self._stood(path, node) and (node.before is None or path in self._vanished)
        }
        for path in new:
            if _above(path) not in new:
                yield Change(path, "NEW", (), _kinds(nodes[path].seen()), nodes[path].mapped)

    def _retyped(self, nodes: dict[str, Node]) -> Iterator[Change]:
        for path, node in nodes.items():
            was = set(node.before.kinds if node.before else ()) - {NULL}
            now = node.seen() - {NULL}
            if was and now - was:
                yield Change(path, "RETYPED", _kinds(was), _kinds(now), node.mapped)

    def _gone(self, nodes: dict[str, Node]) -> Iterator[Change]:
        looked = self.root.before.records if self.root.before else 0
        gone = {
            path: node.before
            for path, node in nodes.items()
            if node.before and path not in self._vanished and self._is_gone(path, node, looked)
        }
        for path, before in gone.items():
            if nodes[path].mapped or _above(path) not in gone:
                yield Change(path, "VANISHED", before.kinds, (), nodes[path].mapped)

    def _is_gone(self, path: str, node: Node, looked: int) -> bool:
        if node.before is None or self._stood(path, node):
            return False
        lacking = self.total if node.mapped else self.looked
        lacked = 1 - node.before.records / (looked + 2)  # Laplace: what always stood there may still be lacking once
        return lacking >= LEAST and lacked**lacking < CHANCE

    def _complaint(self, changes: Sequence[Change]) -> str | None:
        now = [change.path for change in changes if change.change == "VANISHED" and change.mapped]
        before = [path for path in self._unseen if path in self._vanished]
        gone = sorted({*now, *before})
        if not gone:
            return None
        since = max(self._held[path].last_seen_at for path in gone)
        more = f" and {len(gone) - 3:,} more" if len(gone) > 3 else ""
        return (
            f"{', '.join(f'`{path}`' for path in gone[:3])}{more}, which the mapping reads, stood in none of "
            f"{self.total:,} records (last seen {show(since)}); the records are kept: see what the source sends now "
            "with `hub check --sample`, and mend the mapping"
        )


def stands(value: Any, steps: Steps) -> bool:
    """Whether something, be it null, stands where the steps lead; of a list, in any of its items."""
    for at, step in enumerate(steps):
        if step == "*":
            inner = value if value.__class__ is list else value.values() if value.__class__ is dict else ()
            return any(stands(item, steps[at + 1 :]) for item in inner)
        if value.__class__ is not dict or step not in value:
            return False
        value = value[step]
    return True


def _named(node: Node, name: str) -> Node:
    """The child for a name that is not known yet; what is no name, and what is one too many, is counted as one."""
    one = "*" if not _NAME.fullmatch(name) or len(node.children) >= MANY_NAMES or _gathered(node) else name
    return node.children.setdefault(one, Node())


def _gathered(node: Node) -> bool:
    """Whether an earlier run counted the names of this object as one."""
    before = node.before is not None and "object" in node.before.kinds
    return before and "*" in node.children and not any(_single(node))


def _single(node: Node) -> Iterator[str]:
    return (name for name, child in node.children.items() if name != "*" and not child.kept)


def _gather(node: Node) -> None:
    """Counts the names of an object as one path where they are so many that they are keys of data."""
    names = list(_single(node))
    known = sum(node.children[name].before is not None for name in names)
    if len(names) > max(NAMES, 2 * node.widest, 2 * known if known > NAMES else 0) or len(names) >= MANY_NAMES:
        one = node.children.setdefault("*", Node())
        for name in names:
            _merge(one, node.children.pop(name))
    for child in node.children.values():
        _gather(child)


def _merge(one: Node, other: Node) -> None:
    one.kinds |= other.kinds
    one.count = max(one.count, other.count)
    one.widest = max(one.widest, other.widest)
    one.before = _most(one.before, other.before)
    for name, child in other.children.items():
        _merge(one.children.setdefault(name, Node()), child)


def _most(one: Held | None, other: Held | None) -> Held | None:
    if one is None or other is None:
        return one or other
    kinds = tuple(sorted({*one.kinds, *other.kinds}))
    first, last = min(one.first_seen_at, other.first_seen_at), max(one.last_seen_at, other.last_seen_at)
    return Held(kinds, max(one.records, other.records), first, last)


def _bounded(root: Node, room: int) -> Iterator[tuple[str, Node]]:
    """Every path and its node, level by level: those known, those mapped, and as many more as there is room for."""
    level = [(RECORD, root)]
    while level:
        below = []
        for path, node in level:
            if node.before is None and not node.kept:
                if room <= 0:
                    continue
                room -= 1
            yield path, node
            prefix = "" if path == RECORD else f"{path}."
            below += [(f"{prefix}{name}", child) for name, child in node.children.items()]
        level = below


def _above(path: str) -> str:
    return path.rpartition(".")[0] or RECORD


def _held(node: Node, as_of: int) -> Held:
    before = node.before or Held((), 0, as_of, as_of)
    kinds = _kinds({*before.kinds, *node.seen()})
    return Held(kinds, before.records + node.count, before.first_seen_at, as_of)


def _kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(kinds))
