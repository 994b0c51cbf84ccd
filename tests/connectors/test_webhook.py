"""What a notification says: records as pulls bring them, what is gone, what is to be pulled."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.answers.records import Record
from connectors.signature import Notice, Unsigned
from connectors.webhook import Hook, Told, Unreadable
from mappings.loader import Settings, Source
from mappings.spec import System

SECRET = "s3cret"  # noqa: S105
NOW = datetime(2026, 6, 30, tzinfo=UTC)


def _hook(webhook: dict[str, Any], **stream: Any) -> Hook:
    signature = {"secret": "${secret}", "header": "X-Signature"}
    said = {"get": "/contacts", "key": "id", "webhook": {"signature": signature, **webhook}, **stream}
    system = System.model_validate(
        {
            "system": "crm",
            "kind": "crm",
            "about": "A CRM.",
            "settings": {"secret": {"secret": True}},
            "http": {"base_url": "https://crm.example"},
            "streams": {"contacts": said},
        }
    )
    return Hook(Source("crm", system, Settings({"secret": SECRET})), "contacts")


def _notice(body: bytes) -> Notice:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Notice("POST", "https://hub.example/webhooks/crm/contacts", {"x-signature": signature}, body)


ONE: dict[str, Any] = {"record": "data.object", "when": {"data.object.object": "contact"}, "deleted": {"type": "gone"}}
MANY: dict[str, Any] = {
    "each": ".",
    "record": None,
    "when": {"type": {"contains": "contact."}},
    "deleted": {"type": ["contact.deletion", "contact.privacyDeletion"]},
    "key": "objectId",
}
TOLD: dict[str, tuple[dict[str, Any], bytes, Told]] = {
    "the body is the record": ({}, b' {"id": 7, "n": 1.10}\n', Told([Record("7", b'{"id": 7, "n": 1.10}')])),
    "the record's own bytes": (
        ONE,
        b'{"type": "new", "data": {"object": {"id":"c1", "object": "contact",  "n": 1e2}}}',
        Told([Record("c1", b'{"id":"c1", "object": "contact",  "n": 1e2}')]),
    ),
    "an event that is not wanted": (
        ONE,
        b'{"type": "new", "data": {"object": {"id": 1, "object": "invoice"}}}',
        Told(),
    ),
    "gone, with the record": (
        ONE,
        b'{"type": "gone", "data": {"object": {"id": "c1", "object": "contact"}}}',
        Told(gone=["c1"]),
    ),
    "gone, and nobody says who": (
        ONE,
        b'{"type": "gone", "data": {"object": {"object": "contact"}}}',
        Told(pull=True),
    ),
    "wanted, and without a record": (
        {"record": "data"},
        b'{"type": "new", "data": "see there"}',
        Told(pull=True),
    ),
    "a record without a key": ({}, b'{"n": 1}', Told([Record(None, b'{"n": 1}')])),
    "several events": (
        MANY,
        b'[{"type":"contact.creation","objectId":1},{"type":"contact.deletion","objectId":2},'
        b'{"type":"contact.privacyDeletion","objectId":3},{"type":"deal.deletion","objectId":4}]',
        Told(gone=["2", "3"], pull=True),
    ),
    "none of several wanted": (MANY, b'[{"type":"deal.creation","objectId":1}]', Told()),
    "no event": (MANY, b"[]", Told()),
    "events in a list below": (
        {"each": "a.0.events", "record": "r"},
        b'{"a": [{"events": [{"r": {"id": 1}}, {"r": {"id": 2}}]}]}',
        Told([Record("1", b'{"id": 1}'), Record("2", b'{"id": 2}')]),
    ),
    "a byte order mark": ({}, b'\xef\xbb\xbf{"id": 1}', Told([Record("1", b'{"id": 1}')])),
    "half an emoji": ({}, rb'{"id": 1, "t": "\ud83d"}', Told([Record("1", rb'{"id": 1, "t": "\ufffd"}')])),
}


@pytest.mark.parametrize(("said", "body", "told"), TOLD.values(), ids=TOLD)
def test_what_a_notification_says(said: dict[str, Any], body: bytes, told: Told) -> None:
    got = _hook(said).read(_notice(body), NOW)
    assert got == told
    assert got.says_something == (told != Told())


def test_a_key_of_several_parts_is_read_as_pulls_read_it() -> None:
    hook = _hook({"deleted": {"gone": True}, "key": ["who.id", "what"]}, key=["id", "n"])
    assert hook.read(_notice(b'{"id": "a", "n": 1}'), NOW).records[0].key == "a/1"
    assert hook.read(_notice(b'{"gone": true, "who": {"id": 5}, "what": "x"}'), NOW).gone == ["5/x"]


UNREADABLE = {
    "no JSON": ({}, b"id=1"),
    "nothing": ({}, b""),
    "JSON that is cut off": ({}, b'{"id": 1'),
    "no UTF-8": ({}, b'{"id": "\xff"}'),
    "nested 50,000 deep": ({}, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "no list of events": ({"each": "."}, b'{"id": 1}'),
    "no list where it is said to be": ({"each": "events"}, b'{"id": 1}'),
}


@pytest.mark.parametrize(("said", "body"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_said_without_a_word_of_it(said: dict[str, Any], body: bytes) -> None:
    with pytest.raises(Unreadable) as error:
        _hook(said).read(_notice(body), NOW)
    assert "id" not in str(error.value)


def test_nothing_is_read_before_the_sender_is_known() -> None:
    notice = Notice("POST", "https://hub.example/", {"x-signature": "00" * 32}, b"no JSON")
    with pytest.raises(Unsigned):
        _hook({}).read(notice, NOW)


MARKS: dict[str, tuple[dict[str, Any], bytes, datetime | None]] = {
    "as changes are asked for": (
        {"since": {"param": "since", "field": "meta.at"}},
        b'{"id": 1, "meta": {"at": "2026-06-30T00:00:00Z"}}',
        NOW,
    ),
    "epoch": ({"since": {"param": "since", "field": "at"}}, b'{"id": 1, "at": 1782777600}', NOW),
    "as the profile says": (
        {"profile": {"kind": "PERSON", "updated_at": "at"}},
        b'{"id": 1, "at": "2026-06-30T02:00:00+02:00"}',
        NOW,
    ),
    "nobody says it": ({}, b'{"id": 1, "at": "2026-06-30T00:00:00Z"}', None),
    "it is none": ({"since": {"param": "since", "field": "at"}}, b'{"id": 1, "at": "' + b"9" * 5_000 + b'"}', None),
    "gone: an empty payload": ({"since": {"param": "since", "field": "at"}}, b"", None),
}


@pytest.mark.parametrize(("stream", "payload", "mark"), MARKS.values(), ids=MARKS)
def test_when_a_record_was_changed(stream: dict[str, Any], payload: bytes, mark: datetime | None) -> None:
    assert _hook({}, **stream).mark(payload) == mark
