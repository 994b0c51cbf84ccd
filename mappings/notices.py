"""What a mapping file may say about notifications that a system sends: how they are signed, where the records stand."""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from mappings.block import Block, When
from mappings.duration import Duration
from mappings.signing import Algorithm, Encoding

SIGNED = ("method", "url", "body", "timestamp", "id")


class Signature(Block):
    """How a notification proves where it comes from: an HMAC over parts of the request."""

    secret: str
    secret_encoding: Encoding | None = Field(None, description="The secret's bytes are written so; else it is a text.")
    secret_prefix: str = Field("", description="What stands before an encoded secret, as whsec_.")
    header: str = Field(description="Header that holds the signature.")
    prefix: str = Field("", description="What stands before each signature in the header, as `sha256=` or `v1,`.")
    parts: dict[str, str] | None = Field(
        None,
        description="The header is a list of name=value: the names that hold the `signature` and the `timestamp`.",
    )
    signed: str = Field("{body}", description="What is signed, of {method}, {url}, {body}, {timestamp} and {id}.")
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    timestamp: str | None = Field(None, description="Header that holds the time of sending: s, ms or ISO.")
    id: str | None = Field(None, description="Header that holds the notification's id.")
    tolerance: Duration = Field("5m", description="An older notification is refused, as is one from the future.")

    @model_validator(mode="after")
    def _whole(self) -> Signature:
        for word in re.findall(r"\{(\w+)\}", self.signed):
            if word not in SIGNED:
                raise ValueError(
                    f"`signed` holds {{{word}}}; it may hold {', '.join(f'{{{name}}}' for name in SIGNED)}"
                )
        told = self.timestamp is not None or "timestamp" in (self.parts or {})
        if "{timestamp}" in self.signed and not told:
            raise ValueError("`signed` holds {timestamp}, and neither `timestamp` nor `parts` says where it stands")
        if "{id}" in self.signed and self.id is None:
            raise ValueError("`signed` holds {id}, and `id` does not say which header it is")
        if self.parts is not None and "signature" not in self.parts:
            raise ValueError("`parts` says which name holds the `signature`")
        return self


class Webhook(Block):
    """Notifications about a stream's records, at /webhooks/SOURCE/STREAM or, about all streams, at /webhooks/SOURCE."""

    signature: Signature | None = Field(None, description="How they are signed, where `http` does not say it for all.")
    each: str | None = Field(None, description="Path of a list of events; `.` where the body is one.")
    record: str | None = Field(
        ".", description="Path of the record in an event; null where it holds no record: the stream is pulled soon."
    )
    when: When | None = Field(None, description="Only such events; others are taken and ignored.")
    deleted: When | None = Field(None, description="Such events say that the record is gone; `key` says which.")
    key: str | list[str] | None = Field(None, description="Path of the deleted record's key in the event.")

    @model_validator(mode="after")
    def _named(self) -> Webhook:
        if self.deleted is not None and self.key is None and self.record is None:
            raise ValueError("`deleted` needs `key`: where the event names the record")
        return self
