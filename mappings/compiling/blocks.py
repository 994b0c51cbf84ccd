"""In: the entity blocks of a stream. Out: the generated statements that append their rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from mappings.compiling.fields import KEY, Surroundings, Values
from mappings.compiling.generate import Code, Scope
from mappings.model import ENTITIES
from mappings.paths import lists_of
from mappings.spec import Reference, Stream
from mappings.values import UnfitError, joined_key, kind_of, short

PARTIES = ("profile", "contact_point", "identifier", "membership")
FACTS = tuple(sorted((e.name for e in ENTITIES.values() if not e.party), key=lambda name: name != "interaction"))


class Rows:
    """Writes what a stream's blocks mean, interactions first, into one function."""

    def __init__(self, stream: Stream, record: Scope, code: Code, around: Surroundings) -> None:
        self.stream, self.record, self.code = stream, record, code
        self.values = Values(code, around)
        self.counted = {name for name in FACTS if self._several(name)}
        self.owner = "None"

    def _several(self, entity: str) -> bool:
        blocks = self.stream.blocks(entity)
        return len(blocks) > 1 or any(block.each or block.when for block in blocks)

    def deleted(self) -> None:
        """A record that says that it is gone means nothing further."""
        gone = self.stream.deleted
        if gone is not None and gone.when:
            with self.code.under(f"if {self.values.holds(self.record, gone.when)}:"):
                self.code.line("deleted(no)")
                self.code.line("continue")

    def facts(self) -> None:
        """Every block of every entity that is no party."""
        if self.stream.belongs_to is not None:
            self.owner = self.reference(self.record, self.stream.belongs_to)
        for entity in FACTS:
            if entity in self.counted:
                self.code.line(f"n_{entity} = 0")
            for block in self.stream.blocks(entity):
                with self.each(block) as scope:
                    self._fact(scope, entity, block)

    @contextmanager
    def each(self, block: Any) -> Iterator[Scope]:
        """The scope of a block: the record, or each item of its list (of its lists, one within the other); and only
        where its `when` holds."""
        with ExitStack() as inside:
            scope = self.record
            for path in lists_of(block.each):
                scope = inside.enter_context(self.code.loop(scope, path, items))
            if block.when:
                inside.enter_context(self.code.under(f"if {self.values.holds(scope, block.when)}:"))
            yield scope

    def reference(self, scope: Scope, said: Reference | list[Reference]) -> str:
        """The variable of the (stream, key) that the first of the references finds, None where none does."""
        variable, first, *further = (self.code.fresh(), *(said if isinstance(said, list) else [said]))
        self._refer(variable, scope, first)
        for reference in further:
            with self.code.under(f"if {variable} is None:"):
                self._refer(variable, scope, reference)
        return variable

    def _refer(self, variable: str, scope: Scope, reference: Reference) -> None:
        key = self.values.put(scope, reference.key, "key", KEY)
        self.code.line(f"{variable} = None if {key} is None else ({self.code.bind(reference.stream)}, {key})")

    def _fact(self, scope: Scope, entity: str, block: Any) -> None:
        self.values.language = "None"
        owner = self.owner if block.profile is None else self.reference(scope, block.profile)
        row = [owner]
        for name, field in list(ENTITIES[entity].fields.items())[1:]:
            said = getattr(block, name)
            if said is None:
                row.append(self._unsaid(entity, name))
            else:
                row.append(self.values.put(scope, said, name, field, field.required))
            if name == "language":
                self.values.language = row[-1]
        item = f"n_{entity}" if entity in self.counted else "0"
        self.code.line(f"add_{entity}((no, {item}, {', '.join(row)}))")
        if entity in self.counted:
            self.code.line(f"n_{entity} += 1")

    def _unsaid(self, entity: str, name: str) -> str:
        if name == "basis":
            return self.code.bind("ACTUAL")
        if name == "object_key" and entity == "interaction":
            return "key"
        if name == "interaction_item" and self.stream.blocks("interaction"):
            return "0 if n_interaction else None" if "interaction" in self.counted else "0"
        return "None"

    def key(self, scope: Scope, said: Any, name: str = "key") -> str:
        """The variable of a key that the record has to have."""
        return self.values.put(scope, said, name, KEY, required=True)

    def compound_key(self) -> str:
        """The variable of the record's own key, several parts joined by `/`."""
        said = self.stream.key
        parts = [self.key(self.record, path) for path in ([said] if isinstance(said, str) else said)]
        if len(parts) == 1:
            return parts[0]
        joined = f"{self.code.function(joined_key)}(({', '.join(parts)}))"
        return f"{self.code.function(short)}({joined}, {self.code.bind(KEY.most)})"


def items(found: Any) -> list[Any]:
    """The list that `each` names; none for nothing. Raises UnfitError for anything else."""
    if found is None:
        return []
    if found.__class__ is not list:
        raise UnfitError(f"{kind_of(found)} where a list is expected")
    return list(found)
