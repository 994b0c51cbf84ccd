"""In: a stream of a source and the rulebook. Out: Compiled: records in, canonical rows, controls and problems out.

One Python function is generated for each stream: paths become dictionary look-ups, converters direct calls, and a
value that cannot be converted is traced to its JSON path by the line that raised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import msgspec
import phonenumbers

from mappings.compiling import searching
from mappings.compiling.blocks import FACTS, PARTIES, Rows
from mappings.compiling.control import Control, controlled
from mappings.compiling.fields import Surroundings
from mappings.compiling.filling import filled
from mappings.compiling.generate import Code
from mappings.compiling.parties import parties
from mappings.converting.lexicon import read_lexicon
from mappings.loader import Source
from mappings.model import ENTITIES
from mappings.paths import steps_of, without
from mappings.rulebook import Rulebook
from mappings.spec import Scalar, Stream
from mappings.values import UnfitError

CODE_VERSION = 2  # to be raised with every change of what converters or generated code make of the same record
_FETCHING = {
    "get", "post", "about", "base_url", "auth", "params", "headers", "body", "format", "csv", "error", "records",
    "map_key", "columns", "pages", "since", "parent", "webhook", "max_bad", "fresh",
}  # fmt: skip  # changes no row
_ENCODER = msgspec.json.Encoder(order="sorted")
_FILE = "<mapping>"

Record = tuple[int, Any]
Run = Callable[..., None]


@dataclass(slots=True)
class Mapped:
    """What a batch of records means.

    `rows` by entity, in the order of `row_columns`; `controls` as (landing_no, item, currency, thousandths of the
    minor unit), where item numbers the stream's `reconcile` blocks; `problems` as (landing_no, JSON path, reason);
    `gone` as (landing_no, stream, key): such a record says that the record of that key in that stream is no more.
    """

    rows: dict[str, list[tuple[Any, ...]]]
    controls: list[tuple[int, int, str, int]]
    problems: list[tuple[int, str, str]]
    gone: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Compiled:
    """One stream's mapping as functions. `version` changes with everything that may change what `map` returns."""

    version: str
    entities: tuple[str, ...]
    control_kinds: tuple[tuple[str, ...], ...]
    _run: Run = field(repr=False)
    _places: dict[int, str] = field(repr=False)
    _controls: tuple[Control, ...] = field(repr=False)
    _dropped: frozenset[str] = field(repr=False)
    _volatile: tuple[tuple[str, ...], ...] = field(repr=False)

    def content(self, record: Any) -> bytes:
        """The record as canonical JSON, keys sorted, without its volatile paths: equal bytes are no change."""
        if self._dropped and record.__class__ is dict:
            record = {name: value for name, value in record.items() if name not in self._dropped}
        for steps in self._volatile:
            record = without(record, steps)
        return _ENCODER.encode(record)

    def map(self, records: Sequence[Record]) -> Mapped:
        """Rows, controls and problems of (landing_no, parsed record) pairs. Raises nothing for any record.

        A record with a problem yields no rows at all; its control is read all the same where it can be. One of which
        the stream's `deleted.when` holds yields nothing at all.
        """
        rows: dict[str, list[tuple[Any, ...]]] = {entity: [] for entity in self.entities}
        problems: list[tuple[int, str, str]] = []

        def failed(landing_no: int, error: Exception) -> None:
            problems.append((landing_no, self._place(error.__traceback__), _reason(error)))

        deleted: list[int] = []
        gone: list[tuple[int, str, str]] = []
        self._run(records, failed, deleted.append, gone.append, *(rows[entity].append for entity in self.entities))
        controls = self._controlled(records, problems, frozenset(deleted)) if self._controls else []
        if problems:
            bad = {landing_no for landing_no, _, _ in problems}
            rows = {entity: [row for row in made if row[0] not in bad] for entity, made in rows.items()}
            gone = [one for one in gone if one[0] not in bad]
        return Mapped(rows, controls, problems, gone)

    def _controlled(
        self, records: Sequence[Record], problems: list[tuple[int, str, str]], deleted: frozenset[int]
    ) -> list[tuple[int, int, str, int]]:
        bad = {landing_no for landing_no, _, _ in problems}
        controls: list[tuple[int, int, str, int]] = []
        for landing_no, record in records:
            if landing_no in deleted:
                continue
            try:
                controls += [(landing_no, *control) for control in controlled(record, self._controls)]
            except UnfitError as error:
                if landing_no not in bad:
                    problems.append((landing_no, "$", _reason(error)))
        return controls

    def _place(self, trace: TracebackType | None) -> str:
        while trace is not None and trace.tb_frame.f_code.co_filename != _FILE:
            trace = trace.tb_next
        if trace is None:
            return "$"
        place, seen = self._places.get(trace.tb_lineno, "$"), trace.tb_frame.f_locals
        for level in range(1, place.count("{}") + 1):
            place = place.replace("{}", str(seen.get(f"i{level}", "*")), 1)
        return place


def row_columns(entity: str) -> tuple[str, ...]:
    """The columns of an entity's rows: landing_no, item and its fields. Raises KeyError for an unknown entity."""
    return ("landing_no", "item", *ENTITIES[entity].fields)


def compile_stream(source: Source, stream: str, rulebook: Rulebook) -> Compiled:
    """The stream's mapping, ready to run. Raises KeyError for a stream that the source does not have."""
    spec = filled(source.system.streams[stream], source)
    nothing = source.system.nothing if spec.nothing is None else spec.nothing
    said = frozenset((value.__class__, value) for value in nothing)
    around = Surroundings(rulebook.company.region, read_lexicon(rulebook.risk.intents), said)
    entities = (*(PARTIES if spec.profile is not None else ()), *(e for e in FACTS if spec.blocks(e)))
    run, places = _generated(spec, stream, around, entities)
    blocks = spec.blocks("reconcile")
    volatile = [steps_of(path) for path in spec.volatile]
    return Compiled(
        version=_version(spec, stream, rulebook, nothing),
        entities=entities,
        control_kinds=tuple(tuple(block.kinds) for block in blocks),
        _run=run,
        _places=places,
        _controls=tuple(Control.of(block, nothing) for block in blocks),
        _dropped=frozenset(steps[0] for steps in volatile if len(steps) == 1),
        _volatile=tuple(steps for steps in volatile if len(steps) > 1),
    )


def _generated(spec: Stream, name: str, around: Surroundings, entities: tuple[str, ...]) -> tuple[Run, dict[int, str]]:
    code = Code()
    arguments = ", ".join(["records", "failed", "deleted", "gone", *(f"add_{entity}" for entity in entities)])
    with code.under(f"def run({arguments}):"), code.under("for no, r in records:"):
        with code.under("try:"):
            code.line(f"g = {code.function(getter_of)}(r)", "$")
            rows = Rows(spec, code.scope("r", "g", "$"), code, around)
            rows.deleted()
            code.line(f"key = {rows.compound_key()}")
            if spec.deletes is not None:
                code.line(f"gone((no, {code.bind(spec.deletes)}, key))")
            if spec.profile is not None:
                parties(rows, name, spec.profile)
            rows.facts()
        with code.under("except Exception as error:"):
            code.line("failed(no, error)")
    names = dict(code.names)
    exec(compile(code.text(), _FILE, "exec"), names)  # noqa: S102 - generated text without a word of the mapping file
    return names["run"], code.places()


def getter_of(record: Any) -> Any:
    """The look-up of a record's names. Raises UnfitError where the record is no object."""
    if record.__class__ is not dict:
        raise UnfitError("the record is not an object")
    return record.get


def _reason(error: Exception) -> str:
    return str(error)[:200] if isinstance(error, UnfitError) else f"cannot be read ({type(error).__name__})"


def _version(spec: Stream, name: str, rulebook: Rulebook, nothing: Sequence[Scalar]) -> str:
    said: dict[str, Any] = {
        "code": CODE_VERSION,
        "phone_numbers": phonenumbers.__version__,
        "stream": name,
        "spec": spec.model_dump(mode="json", exclude=_FETCHING, exclude_unset=True),
        "region": rulebook.company.region,
        "intents": rulebook.risk.intents,
        "ranks": list(rulebook.risk.intents),
    }
    if nothing:
        said["nothing"] = list(nothing)
    text = json.dumps(said, sort_keys=True)
    if '"jmespath": "' in text:
        text += searching.VERSION
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
