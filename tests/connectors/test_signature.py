"""Who sent a notification, by the schemes that are about: published vectors, and what must be refused."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.signature import BadSecret, Notice, Seal, Unsigned
from mappings.notices import Signature

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SECRET = "whsec_test"  # noqa: S105
URL = "https://hub.example/webhooks/crm/contacts"
BODY = b'{"id":"evt_1","object":"event"}'

TIMED: dict[str, Any] = {
    "secret": "${s}",
    "header": "Stripe-Signature",
    "parts": {"signature": "v1", "timestamp": "t"},
    "signed": "{timestamp}.{body}",
}
WHOLE: dict[str, Any] = {
    "secret": "${s}",
    "header": "X-HubSpot-Signature-v3",
    "signed": "{method}{url}{body}{timestamp}",
    "encoding": "base64",
    "timestamp": "X-HubSpot-Request-Timestamp",
}
ZENDESK: dict[str, Any] = {
    "secret": "${s}",
    "header": "X-Zendesk-Webhook-Signature",
    "signed": "{timestamp}{body}",
    "encoding": "base64",
    "timestamp": "X-Zendesk-Webhook-Signature-Timestamp",
}
STANDARD: dict[str, Any] = {
    "secret": "${s}",
    "secret_encoding": "base64",
    "secret_prefix": "whsec_",
    "header": "webhook-signature",
    "prefix": "v1,",
    "signed": "{id}.{timestamp}.{body}",
    "encoding": "base64",
    "timestamp": "webhook-timestamp",
    "id": "webhook-id",
}
PLAIN: dict[str, Any] = {"secret": "${s}", "header": "X-Hub-Signature-256", "prefix": "sha256="}
FOREIGN_BODY = b'{"test": 2432232314}'

Sent = tuple[dict[str, Any], str, Notice, datetime]


def _notice(headers: dict[str, str], body: bytes = BODY, method: str = "POST", url: str = URL) -> Notice:
    return Notice(method, url, {name.lower(): value for name, value in headers.items()}, body)


def _mac(secret: bytes, *parts: str | bytes, algorithm: str = "sha256") -> bytes:
    message = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hmac.new(secret, message, getattr(hashlib, algorithm)).digest()


def _stripe(secret: str = SECRET, at: datetime = NOW, body: bytes = BODY) -> Notice:
    stamp = str(int(at.timestamp()))
    signature = _mac(secret.encode(), stamp, ".", body).hex()
    return _notice({"Stripe-Signature": f"t={stamp},v1={signature},v0={'0' * 64}"}, body)


def _hubspot(at: datetime = NOW, method: str = "POST", url: str = URL) -> Notice:
    stamp = str(int(at.timestamp() * 1000))
    signature = b64encode(_mac(b"app-secret", method, url, BODY, stamp)).decode()
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    return _notice(headers, method=method, url=url)


def _zendesk() -> Notice:
    stamp = "2026-06-30T11:59:00Z"
    signature = b64encode(_mac(SECRET.encode(), stamp, BODY)).decode()
    return _notice({"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp})


def _standard(signatures: str, stamp: str = "1614265330", message: str = "msg_p5jXN8AQM9LWM0D4loKWxJek") -> Notice:
    headers = {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signatures}
    return _notice(headers, FOREIGN_BODY)


STANDARD_SECRET, STANDARD_AT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, UTC)
STANDARD_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

GOOD: dict[str, Sent] = {
    "time and signatures in one header": (TIMED, SECRET, _stripe(), NOW),
    "the whole request": (WHOLE, "app-secret", _hubspot(), NOW),
    "body and time: a published example": (
        ZENDESK | {"signed": "{body}{timestamp}"},
        "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA=",
        _notice(
            {
                "X-Zendesk-Webhook-Signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=",
                "X-Zendesk-Webhook-Signature-Timestamp": "2021-07-25T10:00:00Z",
            },
            b'{"say": "hello"}',
        ),
        datetime(2021, 7, 25, 10, 1, tzinfo=UTC),
    ),
    "time and body": (ZENDESK, SECRET, _zendesk(), NOW),
    "Standard Webhooks: the published vector": (STANDARD, STANDARD_SECRET, _standard(STANDARD_SIGNATURE), STANDARD_AT),
    "Standard Webhooks: among others": (
        STANDARD,
        STANDARD_SECRET,
        _standard(f"v1a,AAAA v1,{b64encode(bytes(32)).decode()} {STANDARD_SIGNATURE}"),
        STANDARD_AT,
    ),
    "body alone: the published vector": (
        PLAIN,
        "It's a Secret to Everybody",
        _notice({"X-Hub-Signature-256": f"sha256={GITHUB}"}, b"Hello, World!"),
        NOW,
    ),
    "hex in capitals": (
        PLAIN,
        "It's a Secret to Everybody",
        _notice({"X-Hub-Signature-256": f"sha256={GITHUB.upper()}"}, b"Hello, World!"),
        NOW,
    ),
    "sha1": (
        PLAIN | {"algorithm": "sha1", "prefix": "sha1="},
        "s",
        _notice({"X-Hub-Signature-256": "sha1=" + _mac(b"s", BODY, algorithm="sha1").hex()}),
        NOW,
    ),
    "sha512 and a secret in hex": (
        PLAIN | {"algorithm": "sha512", "prefix": "", "secret_encoding": "hex"},
        "00ff10",
        _notice({"X-Hub-Signature-256": _mac(b"\x00\xff\x10", BODY, algorithm="sha512").hex()}),
        NOW,
    ),
    "the new secret while the old one lives": (TIMED, "old, new", _stripe("new"), NOW),
    "the old secret while the new one comes": (TIMED, "old, new", _stripe("old"), NOW),
    "just young enough": (TIMED, SECRET, _stripe(at=NOW - timedelta(minutes=5)), NOW),
    "a clock that is a little ahead": (TIMED, SECRET, _stripe(at=NOW + timedelta(minutes=5)), NOW),
    "a wider window": (
        TIMED | {"tolerance": "1h"},
        SECRET,
        _stripe(at=NOW - timedelta(minutes=50)),
        NOW,
    ),
}


@pytest.mark.parametrize(("said", "secret", "notice", "now"), GOOD.values(), ids=GOOD)
def test_a_proper_signature_is_taken(said: dict[str, Any], secret: str, notice: Notice, now: datetime) -> None:
    Seal(Signature(**said), secret).check(notice, now)


OFF, LATE = "the signature does not fit", "the time of sending is too far off"
BAD: dict[str, tuple[dict[str, Any], str, Notice, str]] = {
    "no header": (TIMED, SECRET, _notice({}), "no signature"),
    "an empty header": (TIMED, SECRET, _notice({"Stripe-Signature": ""}), "no time of sending"),
    "no time": (
        TIMED,
        SECRET,
        _notice({"Stripe-Signature": "v1=" + _mac(SECRET.encode(), ".", BODY).hex()}),
        "no time of sending",
    ),
    "a time that is none": (TIMED, "s", _notice({"Stripe-Signature": "t=soon,v1=00"}), "no time of sending"),
    "a time of 5,000 digits": (
        TIMED,
        "s",
        _notice({"Stripe-Signature": f"t={'9' * 5000},v1=00"}),
        "no time of sending",
    ),
    "too old: a replay": (TIMED, SECRET, _stripe(at=NOW - timedelta(minutes=5, seconds=1)), LATE),
    "from the future": (TIMED, SECRET, _stripe(at=NOW + timedelta(minutes=5, seconds=1)), LATE),
    "the year 9999": (TIMED, SECRET, _stripe(at=datetime(9999, 1, 1, tzinfo=UTC)), LATE),
    "another secret": (TIMED, "whsec_other", _stripe(), OFF),
    "another body": (
        TIMED,
        SECRET,
        Notice("POST", URL, _stripe().headers, BODY + b" "),
        OFF,
    ),
    "another time under the same signature": (
        TIMED,
        SECRET,
        _notice({"Stripe-Signature": _stripe().headers["stripe-signature"].replace("t=", "t=0")}),
        OFF,
    ),
    "an older scheme only": (
        TIMED,
        SECRET,
        _notice({"Stripe-Signature": _stripe().headers["stripe-signature"].replace("v1=", "v0=")}),
        OFF,
    ),
    "another method": (
        WHOLE,
        "app-secret",
        Notice("PUT", URL, _hubspot().headers, BODY),
        OFF,
    ),
    "sent to another receiver": (
        WHOLE,
        "app-secret",
        Notice("POST", URL, _hubspot(url="https://other.example/hook").headers, BODY),
        OFF,
    ),
    "no prefix": (PLAIN, "It's a Secret to Everybody", _notice({"X-Hub-Signature-256": GITHUB}, b"Hello, World!"), OFF),
    "a prefix alone": (PLAIN, "s", _notice({"X-Hub-Signature-256": "sha256="}), OFF),
    "letters of another world": (PLAIN, "s", _notice({"X-Hub-Signature-256": "sha256=é\udcff"}), OFF),
    "behind too many others": (
        PLAIN,
        "It's a Secret to Everybody",
        _notice({"X-Hub-Signature-256": "sha256=00 " * 20 + f"sha256={GITHUB}"}, b"Hello, World!"),
        OFF,
    ),
    "no secret: nobody can sign": (
        PLAIN,
        " , ",
        _notice({"X-Hub-Signature-256": "sha256=" + _mac(b"", BODY).hex()}),
        OFF,
    ),
}


@pytest.mark.parametrize(("said", "secret", "notice", "why"), BAD.values(), ids=BAD)
def test_anything_else_is_refused(said: dict[str, Any], secret: str, notice: Notice, why: str) -> None:
    with pytest.raises(Unsigned, match=why):
        Seal(Signature(**said), secret).check(notice, NOW)


def test_a_signed_id_is_part_of_the_proof() -> None:
    seal = Seal(Signature(**STANDARD), STANDARD_SECRET)
    with pytest.raises(Unsigned, match=OFF):
        seal.check(_standard(STANDARD_SIGNATURE, message="msg_other"), STANDARD_AT)


@pytest.mark.parametrize(("encoding", "secret"), [("base64", "whsec_?"), ("hex", "xyz")])
def test_a_secret_that_is_not_written_as_said_is_named_without_showing_it(encoding: str, secret: str) -> None:
    with pytest.raises(BadSecret, match=f"^a secret is not written in {encoding}$"):
        Seal(Signature(**STANDARD | {"secret_encoding": encoding}), secret)


def test_what_was_sent_is_not_shown() -> None:
    assert "v1=" not in repr(_stripe())
    assert "evt_1" not in repr(_stripe())
