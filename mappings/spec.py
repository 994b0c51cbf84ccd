"""What a mapping file may say: one pydantic model a block. The JSON Schema for editors is generated from here.

In: the parsed YAML of one file. Out: a frozen System, whose names are checked; nothing here reads a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from mappings.block import Block, Scalar, Test, When
from mappings.duration import Duration
from mappings.fetching import Body, Csv, Deleted, ErrorBody, Http, Pages, Parent, Since
from mappings.model import ENTITIES, Entity
from mappings.notices import Webhook
from mappings.signing import ApiKey, Auth, Basic

__all__ = [
    "ENTITY_BLOCKS", "Address", "AnyValue", "ApiKey", "Auth", "Basic", "Block", "Body", "Csv", "Deleted", "ErrorBody",
    "Http", "MappedStream", "Member", "Pages", "Parent", "ProfileBlock", "Reconcile", "Reference", "References",
    "Scalar", "Setting", "Since", "Stream", "System", "Test", "Value", "Webhook", "When",
]  # fmt: skip


Each = Annotated[
    str | Annotated[list[str], Field(min_length=1, max_length=5)],
    Field(description="Several paths are lists within lists: the second starts at an item of the first."),
]


class Value(Block):
    """Where a value comes from and how it is converted, in that order: find, prefix, table or convert, default."""

    path: str | None = Field(
        None,
        description="Dotted path into the record; a number picks from a list, `*` takes all of it, `.` is the whole, "
        "`parent.` reaches out of `each` to the record.",
    )
    jmespath: str | None = Field(None, description="A JMESPath expression, where a path cannot say it.")
    const: Scalar = Field(None, description="The value itself.")
    first: list[str | Value] | None = Field(None, min_length=1, description="The first of these that is not empty.")
    join: list[str | Value] | None = Field(None, min_length=1, description="These, those not empty, joined by `with`.")
    with_: str = Field(" ", alias="with", description="What stands between joined values.")
    prefix: str | None = Field(None, description="Only a text that begins so counts, and what follows is the value.")
    split: str | None = Field(None, description="What separates several values in one text (emails, phones, devices).")
    convert: str | None = Field(None, description="A named converter, see docs/mapping.md.")
    format: str | None = Field(None, description="How a time or a day is written, as %d.%m.%Y %H:%M.")
    decimal: Literal[".", ","] | None = Field(
        None, description="The number is a text for people, with this before its fraction: 1.234,56 or 1,234.56."
    )
    table: dict[str, Scalar] | None = Field(None, description="The source's word to ours; other words are an error.")
    default: Scalar = Field(None, description="Used where nothing is found, and where a table lacks the word.")
    minor: str | Value | None = Field(None, description="The amount is in minor units of the currency at this path.")
    major: str | Value | None = Field(None, description="The amount is in major units of the currency at this path.")
    times: str | int | None = Field(
        None, description="The amount or number is to be multiplied by the whole number at this path, or by this one."
    )
    minus: str | list[str] | None = Field(
        None, description="The amounts at these paths, in the same unit, are taken away; of a `*` all of them."
    )
    region: str | None = Field(None, description="Path of the country that a national phone number belongs to.")
    zone: str | None = Field(None, description="Time zone of a date that names none, as Europe/Berlin.")
    when: When | None = Field(None, description="Only where this holds, else there is nothing to find.")

    @model_validator(mode="after")
    def _one_origin(self) -> Value:
        said = [n for n in ("path", "jmespath", "first", "join") if getattr(self, n) is not None]
        said += ["const"] if "const" in self.model_fields_set else []
        if len(said) != 1:
            raise ValueError("say exactly one of path, jmespath, const, first, join")
        if self.minor is not None and self.major is not None:
            raise ValueError("say minor or major, not both")
        return self

    def alternatives(self) -> list[Value]:
        """Those of `first`, each with what this value says about all of them where it does not say otherwise."""
        passed = ("convert", "format", "decimal", "minor", "major", "times", "minus", "region", "zone", "prefix")
        found = []
        for said in self.first or []:
            inner = said if isinstance(said, Value) else Value(path=said)
            given = {name: getattr(self, name) for name in passed if getattr(inner, name) is None}
            if inner.minor is not None or inner.major is not None:
                given = {name: value for name, value in given.items() if name not in ("minor", "major")}
            if self.when:
                given["when"] = {**self.when, **(inner.when or {})}
            found.append(inner.model_copy(update=given))
        return found


AnyValue = str | int | float | bool | Value


class Reference(Block):
    """A profile of this source, named by the stream that holds it and the key found in this record."""

    stream: str = Field(description="The stream whose records are those profiles.")
    key: str | Value = Field(description="Where this record says the profile's key.")


References = Reference | Annotated[list[Reference], Field(min_length=1)]


class Address(Block):
    """The parts of a postal address."""

    street: AnyValue | None = None
    city: AnyValue | None = None
    postcode: AnyValue | None = None
    region: AnyValue | None = None
    country: AnyValue | None = None


class Member(Block):
    """Organizations that the profile belongs to."""

    each: Each | None = Field(None, description="Path of a list, one membership an item.")
    organization: Reference
    role: AnyValue | None = None
    since: AnyValue | None = None
    until: AnyValue | None = None
    when: When | None = None


def _entity_block(entity: Entity) -> type[Block]:
    fields: dict[str, Any] = {
        "each": (Each | None, Field(None, description="Path of a list: one row an item, paths then start at it.")),
        "when": (When | None, Field(None, description="Only where this holds.")),
    }
    for name, field in entity.fields.items():
        kind: Any = References | None if field.type == "profile" else AnyValue | None
        fields[name] = (kind, Field(None, description=field.about))
    title = "".join(part.title() for part in entity.name.split("_"))
    return create_model(title, __base__=Block, __doc__=entity.about, **fields)


def _profile_block() -> type[Block]:
    plain = {n: f for n, f in ENTITIES["profile"].fields.items() if n not in ("profile", "attributes")}
    fields: dict[str, Any] = {n: (AnyValue | None, Field(None, description=f.about)) for n, f in plain.items()}
    fields |= {
        "key": (str | Value | None, Field(None, description="The profile's key, where it is not the record's.")),
        "when": (When | None, Field(None, description="Only such records are profiles (not the company's own staff).")),
        "emails": (list[AnyValue] | None, Field(None, description="Where its e-mail addresses stand.")),
        "phones": (list[AnyValue] | None, Field(None, description="Where its phone numbers stand.")),
        "devices": (list[AnyValue] | None, Field(None, description="Where its devices or cookies stand.")),
        "handles": (list[AnyValue] | None, Field(None, description="Where its names on social networks stand.")),
        "address": (Address | None, Field(None, description="Its postal address.")),
        "identifiers": (dict[str, AnyValue] | None, Field(None, description="Source that issued the id, to the id.")),
        "memberships": (list[Member] | None, Field(None, description="Organizations that it belongs to.")),
        "attributes": (dict[str, AnyValue] | None, Field(None, description="Further attributes by name.")),
    }
    return create_model("Profile", __base__=Block, __doc__=ENTITIES["profile"].about, **fields)


ProfileBlock: type[Block] = _profile_block()
ENTITY_BLOCKS: dict[str, type[Block]] = {e.name: _entity_block(e) for e in ENTITIES.values() if not e.party}


class Reconcile(Block):
    """The control: what the landed records themselves say the money is, read apart from the mapping."""

    each: Each | None = Field(None, description="Path of a list to sum over; else the record itself.")
    amount: Value
    currency: str | Value
    kinds: list[str] = Field(["REVENUE"], description="Kinds of money entry of this stream that must add up to it.")
    when: When | None = None


class Stream(Block):
    """One list of records: how to fetch it and what a record means."""

    get: str | None = Field(None, description="Path below the base URL, asked with GET.")
    post: str | None = Field(None, description="Path below the base URL, asked with POST.")
    about: str | None = None
    base_url: str | None = Field(None, description="Where this stream has an address of its own.")
    auth: Auth | None = Field(None, description="Signed otherwise than `http` says; null for not at all.")
    params: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Body | None = Field(None, description="What a POST sends.")
    format: Literal["json", "ndjson", "csv"] = Field("json", description="What the answer is; gzip is noticed.")
    csv: Csv | None = None
    error: ErrorBody | list[ErrorBody] | None = None
    records: str | None = Field(None, description="Path of the list of records; absent where the answer is the list.")
    map_key: str | None = Field(
        None, description="`records` is a map of key to record: each gets its key under this name."
    )
    columns: str | None = Field(
        None, description="Where a record is a list of values, as a table's row: path of the list of their names."
    )
    key: str | list[str] = Field(description="Path of the record's key, or the paths that make it together.")
    pages: Pages | None = None
    since: Since | None = None
    parent: Parent | None = None
    deleted: Deleted | None = None
    deletes: str | None = Field(None, description="A record here says that this stream's record of its key is gone.")
    webhook: Webhook | None = None
    max_bad: float | None = Field(
        None, gt=0, le=1, description="Where more than this share of a run's records cannot be mapped, mapping stops."
    )
    nothing: list[Scalar] | None = Field(None, description="As the system's `nothing`, for this stream.")
    volatile: list[str] = Field(default_factory=list, description="Paths whose change is no change.")
    fresh: Duration = Field("24h", description="How long what was pulled counts as fresh, as 30m, 24h, 7d.")
    reconcile: Reconcile | list[Reconcile] | None = None
    belongs_to: References | None = Field(
        None, description="Whose the record's entities are where a block does not say: the first whose key is found."
    )
    profile: ProfileBlock | None = None  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _one_request(self) -> Stream:
        if (self.get is None) == (self.post is None):
            raise ValueError("say exactly one of get, post")
        if self.body is not None and self.post is None:
            raise ValueError("`body` goes with `post`")
        if self.csv is not None and self.format != "csv":
            raise ValueError("`csv` goes with `format: csv`")
        if self.format != "json" and (self.records is not None or self.map_key is not None):
            raise ValueError(f"an answer in {self.format} is the list: `records` and `map_key` go with JSON")
        if self.columns is not None and (self.records is None or self.map_key is not None):
            raise ValueError("`columns` goes with `records`, the path of the list of rows, and without `map_key`")
        if self.parent is not None and self.since is not None:
            raise ValueError("`parent` goes without `since`: what changed is known by the parents")
        return self

    @property
    def path(self) -> str:
        """The path that is asked for."""
        return self.get or self.post or ""

    @property
    def method(self) -> Literal["GET", "POST"]:
        """How it is asked for."""
        return "GET" if self.get is not None else "POST"

    @classmethod
    def with_entities(cls) -> type[Stream]:
        """The stream with one block (or a list of blocks) for every canonical entity."""
        blocks: dict[str, Any] = {
            name: (block | list[block] | None, Field(None, description=ENTITIES[name].about))  # type: ignore[valid-type]
            for name, block in ENTITY_BLOCKS.items()
        }
        return create_model("Stream", __base__=cls, __doc__=cls.__doc__, **blocks)

    def blocks(self, entity: str) -> list[Any]:
        """The blocks of one entity (or of `profile`, `reconcile`), none, one or several, as a list."""
        said = getattr(self, entity, None)
        return [] if said is None else said if isinstance(said, list) else [said]


if TYPE_CHECKING:
    MappedStream = Stream
else:
    MappedStream = Stream.with_entities()


class Setting(Block):
    """A value that each instance takes from its environment: setting `token` of source `crm_eu` is CRM_EU_TOKEN."""

    about: str = ""
    secret: bool = False
    default: str | None = None
    optional: bool = Field(False, description="A pull goes without it; what needs it (a webhook's secret) is off then.")


class System(Block):
    """One mapping file: one system."""

    system: str = Field(pattern="^[a-z][a-z0-9_]*$")
    kind: Literal["crm", "billing", "support", "web_analytics", "feedback"]
    about: str
    docs: str | None = None
    verified: Literal["live", "recorded", "documented"] = "documented"
    scopes: list[str] = Field(default_factory=list, description="What the credential must be allowed to read.")
    every: Duration = Field("1h", description="How often it is pulled, where the company does not say.")
    settings: dict[str, Setting] = Field(default_factory=dict)
    nothing: list[Scalar] = Field(
        default_factory=list, description="What the system writes where it has no value, as false, N/A, 0000-00-00."
    )
    http: Http
    streams: dict[str, MappedStream]
