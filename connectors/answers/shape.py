"""The few values that dotted paths name, out of JSON bytes. In: paths. Out: a decoder that builds nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec

from mappings.paths import steps_of

Tree = dict[str, Any]


class Shape:
    """A msgspec struct made of paths: `a.b` and `a.c` become one nested struct, all else is skipped unparsed.

    A number in a path picks from a list. What is at `sliced` has the type `leaf`, made of msgspec.Raw: byte for byte.
    """

    def __init__(self, paths: Iterable[str], sliced: str | None = None, leaf: Any = None) -> None:
        self._tree: Tree = {}
        if sliced is not None:
            _plant(self._tree, sliced, leaf if leaf is msgspec.Raw else leaf | None)
        for path in sorted(set(paths), key=lambda path: len(steps_of(path))):
            _plant(self._tree, path, Any)
        self._decoder = msgspec.json.Decoder(Any if _is_list(self._tree) else _struct(self._tree))

    def decode(self, body: bytes | msgspec.Raw) -> Any:
        """The values of one JSON text, for the readers; msgspec.DecodeError where it has another form or is no JSON."""
        return self._decoder.decode(body)

    def reader(self, path: str) -> Callable[[Any], Any]:
        """A function that takes the value at this path out of what `decode` gave; None where nothing is there."""
        names: list[str] = []
        node, steps = self._tree, list(steps_of(path))
        while steps and isinstance(node, dict) and not _is_list(node):
            names.append(_name(node, steps[0]))
            node = node[steps.pop(0)]
        if len(names) == 1 and not steps:
            return attrgetter(names[0])

        def read(value: Any) -> Any:
            for name in names:
                value = getattr(value, name, None)
            return pick(value, steps)

        return read


def pick(value: Any, steps: Iterable[str]) -> Any:
    """The value at the end of these steps through objects and lists; None where a step leads nowhere."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdecimal():
            value = value[int(step)] if -len(value) <= int(step) < len(value) else None
        else:
            return None
    return value


def _plant(tree: Tree, path: str, leaf: Any) -> None:
    *way, last = steps_of(path)
    for part in way:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):  # a shorter path takes this whole value already
            return
    tree.setdefault(last, leaf)


def _is_list(tree: Tree) -> bool:
    return any(part.lstrip("-").isdecimal() for part in tree)


def _name(tree: Tree, part: str) -> str:
    return f"f{list(tree).index(part)}"


def _struct(tree: Tree) -> type[msgspec.Struct]:
    fields = [(_name(tree, part), _type(node), None) for part, node in tree.items()]
    return msgspec.defstruct("Shape", fields, rename={_name(tree, part): part for part in tree})


def _type(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if _is_list(node):
        return Any
    # Systems send null, "" or [] where an object has nothing in it.
    return _struct(node) | list[Any] | str | int | float | bool | None
