"""Notifications in the vendors' documented shape, signed by their own scheme, read by the shipped mappings."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.signature import Notice, Unsigned
from connectors.webhook import Hook
from tests.mappings.played import expectation, source_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sha1_of_body(secret: str, body: bytes) -> dict[str, str]:
    return {"x-hub-signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def sha256_in_base64(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"typeform-signature": "sha256=" + b64encode(digest).decode()}


def event(topic: str, item: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "notification_event_data", "item": item}
    return {"type": "notification_event", "app_id": "inv1", "topic": topic, "data": data, "created_at": 1767000000}


CONTACT = {"type": "contact", "id": "66a1", "external_id": "u-1", "role": "user", "updated_at": 1767000000}
ANSWER = {
    "form_id": "lR6F4j",
    "token": "t007",
    "landed_at": "2026-02-28T09:00:00Z",
    "submitted_at": "2026-02-28T09:00:30Z",
}
CASES = [
    pytest.param("intercom", "contacts", "client_secret", sha1_of_body, event("contact.user.updated", CONTACT),
                 (["66a1"], [], False), id="intercom-contact"),
    pytest.param("intercom", "contacts", "client_secret", sha1_of_body, event("contact.deleted", CONTACT),
                 ([], ["66a1"], False), id="intercom-deleted"),
    pytest.param("intercom", "contacts", "client_secret", sha1_of_body, event("ping", {"type": "ping"}),
                 ([], [], False), id="intercom-ping"),
    pytest.param("intercom", "conversations", "client_secret", sha1_of_body,
                 event("conversation.user.replied", {"type": "conversation", "id": "501"}),
                 ([], [], True), id="intercom-conversation"),
    pytest.param("typeform", "responses", "secret", sha256_in_base64,
                 {"event_id": "e1", "event_type": "form_response", "form_response": ANSWER},
                 (["t007"], [], False), id="typeform-response"),
]  # fmt: skip


def hook(system: str, stream: str) -> tuple[Hook, dict[str, str]]:
    settings: dict[str, str] = expectation(system)["settings"]
    return Hook(source_of(system, "https://vendor.example", settings), stream), settings


@pytest.mark.parametrize(("system", "stream", "setting", "signed", "body", "told"), CASES)
def test_a_notification_says_what_a_pull_would_bring(
    system: str, stream: str, setting: str, signed: Any, body: Any, told: Any
) -> None:
    reading, settings = hook(system, stream)
    raw = json.dumps(body).encode()
    found = reading.read(Notice("POST", "https://hub.example/", signed(settings[setting], raw), raw), NOW)
    assert ([record.key for record in found.records], found.gone, found.pull) == told


@pytest.mark.parametrize(("system", "stream", "setting", "signed", "body", "told"), CASES)
def test_a_notification_of_somebody_else_is_refused(
    system: str, stream: str, setting: str, signed: Any, body: Any, told: Any
) -> None:
    reading, _ = hook(system, stream)
    raw = json.dumps(body).encode()
    with pytest.raises(Unsigned):
        reading.read(Notice("POST", "https://hub.example/", signed("another secret", raw), raw), NOW)
