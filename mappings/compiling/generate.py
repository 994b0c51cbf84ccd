"""In: nothing but what is asked of it. Out: the source text of one Python function, its constants and its line map.

Nothing of a mapping file becomes text: names, paths and values are bound as constants (k1, k2 …), so that no file can
say code. A line that may raise is noted with the JSON path it reads, so that the happy path carries no bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mappings.paths import every, pick, steps_of


@dataclass(slots=True)
class Scope:
    """Where paths start: the record, or an item of a list that `each` names. `head` finds what paths share."""

    value: str
    getter: str
    place: str
    depth: int
    head: list[tuple[int, str, str | None]]
    outer: Scope | None = None
    level: int = 0
    getters: dict[tuple[str, ...], str] = field(default_factory=dict)


class Code:
    """A function under construction."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"pick": pick, "every": every, "nothing": {}.get}
        self.depth = 0
        self._body: list[list[tuple[int, str, str | None]]] = [[]]
        self._bound: dict[str, str] = {}
        self._fresh = 0

    def bind(self, value: Any) -> str:
        """The name of a constant; the same text always has the same name."""
        if not isinstance(value, str):
            return "None" if value is None else self._bind(value)
        if value not in self._bound:
            self._bound[value] = self._bind(value)
        return self._bound[value]

    def _bind(self, value: Any) -> str:
        name = self.fresh("k")
        self.names[name] = value
        return name

    def function(self, call: Any) -> str:
        """The name under which the generated code calls a function of ours."""
        self.names[call.__name__] = call
        return str(call.__name__)

    def fresh(self, letter: str = "x") -> str:
        """A variable that is not used yet."""
        self._fresh += 1
        return f"{letter}{self._fresh}"

    def line(self, text: str, place: str | None = None) -> None:
        """One statement; `place` is the JSON path that it reads, `{}` in it for the number of each item around."""
        self._body[-1].append((self.depth, text, place))

    @contextmanager
    def under(self, text: str, place: str | None = None) -> Iterator[None]:
        """What is written inside stands indented under a statement that ends in a colon."""
        self.line(text, place)
        self.depth += 1
        yield
        self.depth -= 1

    @contextmanager
    def loop(self, scope: Scope, path: str, listed: Any) -> Iterator[Scope]:
        """What is written inside runs for each item of the list at a path, by `listed`; its paths start there."""
        level, place = scope.level + 1, self.place(scope, path)
        item, getter = f"e{level}", f"h{level}"
        with self.under(
            f"for i{level}, {item} in enumerate({self.function(listed)}({self.find(scope, path)})):", place
        ):
            self.line(f"{getter} = {item}.get if {item}.__class__ is dict else nothing")
            yield self.scope(item, getter, place + "[{}]", scope)

    def scope(self, value: str, getter: str, place: str, outer: Scope | None = None) -> Scope:
        """A scope that begins here; what its paths share is found here too."""
        head: list[tuple[int, str, str | None]] = []
        self._body += [head, []]
        return Scope(value, getter, place, self.depth, head, outer, 0 if outer is None else outer.level + 1)

    def find(self, scope: Scope, path: str) -> str:
        """The expression of what a path leads to, None where it leads nowhere."""
        scope, steps = self._start(scope, path)
        if "*" in steps:
            star = steps.index("*")
            return f"every({self._found(scope, steps[:star])}, {self.bind(steps[star + 1 :])})"
        return self._found(scope, steps)

    def place(self, scope: Scope, path: str) -> str:
        """The JSON path for a message."""
        scope, steps = self._start(scope, path)
        shown = [f"[{step}]" if step.isdecimal() or step == "*" else _named(step) for step in steps]
        return scope.place + "".join(shown).replace("{", "(").replace("}", ")")

    def _start(self, scope: Scope, path: str) -> tuple[Scope, tuple[str, ...]]:
        steps = steps_of(path)
        while scope.outer is not None and len(steps) > 1 and steps[0] == "parent":
            scope, steps = scope.outer, steps[1:]
        return scope, steps

    def _found(self, scope: Scope, steps: tuple[str, ...]) -> str:
        if not steps:
            return scope.value
        if steps[-1].removeprefix("-").isdecimal():
            return f"pick({self._found(scope, steps[:-1])}, {self.bind(steps[-1])})"
        return f"{self._getter(scope, steps[:-1])}({self.bind(steps[-1])})"

    def _getter(self, scope: Scope, steps: tuple[str, ...]) -> str:
        if not steps:
            return scope.getter
        if steps not in scope.getters:
            found, getter = self._found(scope, steps), self.fresh("p")
            scope.head.append((scope.depth, f"t = {found}", None))
            scope.head.append((scope.depth, f"{getter} = t.get if t.__class__ is dict else nothing", None))
            scope.getters[steps] = getter
        return scope.getters[steps]

    def text(self) -> str:
        """The source text so far."""
        return "\n".join("    " * depth + text for part in self._body for depth, text, _ in part) + "\n"

    def places(self) -> dict[int, str]:
        """Line number in the text to JSON path."""
        lines = [line for part in self._body for line in part]
        return {number: place for number, (_, _, place) in enumerate(lines, 1) if place is not None}


def _named(step: str) -> str:
    return f"['{step}']" if "." in step else f".{step}"
