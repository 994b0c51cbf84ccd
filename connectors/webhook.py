"""A notification taken apart. In: a request as it came. Out: the records in it, the keys of those that are gone, and
whether the stream is to be pulled; or why it is refused. No network, nothing stored.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from connectors.answers.formats import mended
from connectors.answers.records import Heads, Record
from connectors.signature import Notice, Seal, moment
from mappings.conditions import conditions, hold
from mappings.loader import Source
from mappings.notices import Signature
from mappings.paths import steps_of, walk
from mappings.spec import Stream


class Unreadable(Exception):
    """The body is signed, but is no JSON, or holds no events where the mapping says; no word of it is shown."""


@dataclass(slots=True)
class Told:
    """What one notification says: records as they would be pulled, keys of records that are gone, whether to pull."""

    records: list[Record] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    pull: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there was an event that is wanted here."""
        return bool(self.records or self.gone or self.pull)


class Hook:
    """Takes the notifications about one stream."""

    def __init__(self, source: Source, name: str) -> None:
        """Raises MissingSettingError, and BadSecret where the secret is not written as the mapping says."""
        stream = source.system.streams[name]
        signature = signature_of(source, stream)
        if stream.webhook is None or signature is None:
            raise ValueError(f"{source.name}.{name} has no webhook")
        self._said = stream.webhook
        self.seal = Seal(signature, source.fill(signature.secret))
        self.needs_url = "{url}" in signature.signed  # the sender signs the URL that it sent to
        self._heads, self._mark = Heads(stream), _mark_path(stream)
        self._keys = None if self._said.key is None else Heads(_keyed(stream, self._said.key))
        self._wanted, self._deleted = conditions(self._said.when), conditions(self._said.deleted)

    def read(self, notice: Notice, now: datetime) -> Told:
        """What the notification says, once its signature has proved its sender. Raises Unsigned, Unreadable.

        An event that is wanted and holds no record makes the stream due, so that nothing it meant is lost.
        """
        self.seal.check(notice, now)
        told = Told()
        for event in self._events(notice.body):
            try:
                self._tell(told, event)
            except (ValueError, RecursionError):
                raise Unreadable("an event is nested too deep or holds a number out of range") from None
        return told

    def mark(self, payload: bytes) -> datetime | None:
        """When the record was changed, by its own word; None where it says nothing that can be compared."""
        try:
            value = msgspec.json.decode(payload)
        except (ValueError, RecursionError):
            return None
        return None if self._mark is None else moment(walk(value, self._mark))

    def _events(self, body: bytes) -> list[msgspec.Raw]:
        each = self._said.each
        try:
            whole = _whole(body)
            found = whole if each is None else _slice(whole, steps_of(each))
            events = [found] if each is None else None if found is None else _items(found)
        except (ValueError, RecursionError):
            raise Unreadable("no JSON in UTF-8") from None
        if events is None:
            raise Unreadable(f"no list of events {'as the body' if each == '.' else f'at `{each}`'}")
        return [event for event in events if event is not None]

    def _tell(self, told: Told, event: msgspec.Raw) -> None:
        said = msgspec.json.decode(event)
        if not hold(self._wanted, partial(_found, said)):
            return
        found = None if self._said.record is None else _slice(event, steps_of(self._said.record))
        record = None if found is None or not bytes(found).startswith(b"{") else self._heads.read(found)[0]
        if self._said.deleted is not None and hold(self._deleted, partial(_found, said)):
            key = self._keys.read(event)[0].key if self._keys else record.key if record else None
            told.gone += [] if key is None else [key]
            told.pull |= key is None
        elif record is not None:
            told.records.append(record)
        else:
            told.pull = True


def signature_of(source: Source, stream: Stream) -> Signature | None:
    """How the notifications about a stream are signed: as it says itself, else as the system does."""
    return (stream.webhook.signature if stream.webhook else None) or source.system.http.signature


def _keyed(stream: Stream, key: str | list[str]) -> Stream:
    """A stream whose records are the events, to read the key of a deleted record out of them by the same rules."""
    return stream.model_copy(update={"key": key, "since": None})


def _mark_path(stream: Stream) -> tuple[str, ...] | None:
    """Where a record says when it was changed: as `since` reads it, else as the profile does."""
    said = stream.since.field if stream.since else None
    path = said or getattr(stream.profile, "updated_at", None)
    return steps_of(path) if isinstance(path, str) else None


def _found(event: Any, path: str) -> Any:
    return walk(event, steps_of(path))


# slices --------------------------------------------------------------------------------------------------------------
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)


def _whole(body: bytes) -> msgspec.Raw:
    body = body.removeprefix(BOM_UTF8)
    try:
        body.decode()  # slicing does not look into texts
        msgspec.json.decode(body)
        return _ANY.decode(body)
    except msgspec.DecodeError:
        return _ANY.decode(mended(body))


def _slice(value: msgspec.Raw, steps: tuple[str, ...]) -> msgspec.Raw | None:
    """The bytes of what the steps lead to, as they were sent; None where they lead nowhere."""
    found: msgspec.Raw | None = value
    for step in steps:
        if found is None:
            return None
        try:
            if step.isdecimal():
                items = _LIST.decode(found)
                found = items[int(step)] if int(step) < len(items) else None
            else:
                found = _OBJECT.decode(found).get(step)
        except msgspec.ValidationError:  # another kind of value
            return None
    return found


def _items(value: msgspec.Raw) -> list[msgspec.Raw] | None:
    try:
        return _LIST.decode(value)
    except msgspec.ValidationError:
        return None
