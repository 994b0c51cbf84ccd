"""What a mapping file may say: one pydantic model a block. The JSON Schema for editors is generated from here.

In: the parsed YAML of one file. Out: a frozen System, whose names are checked; nothing here reads a file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from mappings.model import ENTITIES, Entity

Scalar = str | int | float | bool | None


class Block(BaseModel):
    """A block of a mapping file: unknown names are refused, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Test(Block):
    """A condition on one path, where equality with a value or a list of values is not enough."""

    __test__ = False  # not a test for pytest to collect

    is_not: Scalar | list[Scalar] = Field(None, alias="not", description="The value is none of these.")
    exists: bool | None = Field(None, description="The path leads to a value other than null or an empty text.")
    at_least: int | float | None = Field(None, description="The number is this or more.")
    at_most: int | float | None = Field(None, description="The number is this or less.")
    contains: Scalar = Field(None, description="The list holds this value, or the text this part.")
    same_as: str | None = Field(None, description="Equal to what this other path leads to.")
    other_than: str | None = Field(None, description="Not equal to what this other path leads to.")


When = Annotated[
    dict[str, Scalar | list[Scalar] | Test],
    Field(
        description="Path to condition; all must hold. `parent.` reaches out of `each` to the record; with `*` for a "
        "list in the path, one of its items has to fulfil it."
    ),
]


class Value(Block):
    """Where a value comes from and how it is converted, in that order: find, prefix, table or convert, default."""

    path: str | None = Field(
        None,
        description="Dotted path into the record; a number picks from a list, `*` takes all of it, `.` is the whole, "
        "`parent.` reaches out of `each` to the record.",
    )
    const: Scalar = Field(None, description="The value itself.")
    first: list[str | Value] | None = Field(None, description="The first of these that is not empty.")
    join: list[str | Value] | None = Field(None, description="These, those not empty, joined by `with`.")
    with_: str = Field(" ", alias="with", description="What stands between joined values.")
    prefix: str | None = Field(None, description="Only a text that begins so counts, and what follows is the value.")
    split: str | None = Field(None, description="What separates several values in one text (emails, phones, devices).")
    convert: str | None = Field(None, description="A named converter, see docs/mapping.md.")
    table: dict[str, Scalar] | None = Field(None, description="The source's word to ours; other words are an error.")
    default: Scalar = Field(None, description="Used where nothing is found, and where a table lacks the word.")
    minor: str | None = Field(None, description="The amount is in minor units of the currency at this path.")
    major: str | None = Field(None, description="The amount is in major units of the currency at this path.")
    times: str | None = Field(None, description="The amount is to be multiplied by the whole number at this path.")
    region: str | None = Field(None, description="Path of the country that a national phone number belongs to.")
    zone: str | None = Field(None, description="Time zone of a date that names none, as Europe/Berlin.")

    @model_validator(mode="after")
    def _one_origin(self) -> Value:
        said = [n for n in ("path", "first", "join") if getattr(self, n) is not None]
        said += ["const"] if "const" in self.model_fields_set else []
        if len(said) != 1:
            raise ValueError("say exactly one of path, const, first, join")
        if self.minor is not None and self.major is not None:
            raise ValueError("say minor or major, not both")
        return self


AnyValue = str | int | float | bool | Value


class Reference(Block):
    """A profile of this source, named by the stream that holds it and the key found in this record."""

    stream: str = Field(description="The stream whose records are those profiles.")
    key: str | Value = Field(description="Where this record says the profile's key.")


References = Reference | list[Reference]


class Address(Block):
    """The parts of a postal address."""

    street: AnyValue | None = None
    city: AnyValue | None = None
    postcode: AnyValue | None = None
    region: AnyValue | None = None
    country: AnyValue | None = None


class Member(Block):
    """Organizations that the profile belongs to."""

    each: str | None = Field(None, description="Path of a list, one membership an item.")
    organization: Reference
    role: AnyValue | None = None
    since: AnyValue | None = None
    until: AnyValue | None = None
    when: When | None = None


def _entity_block(entity: Entity) -> type[Block]:
    fields: dict[str, Any] = {
        "each": (str | None, Field(None, description="Path of a list: one row an item, paths then start at it.")),
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

    each: str | None = Field(None, description="Path of a list to sum over; else the record itself.")
    amount: Value
    currency: str | Value
    kinds: list[str] = Field(["REVENUE"], description="Kinds of money entry of this stream that must add up to it.")
    when: When | None = None


class Pages(Block):
    """How pages follow each other. Exactly one of page, offset, cursor, after, next says which way."""

    page: str | None = Field(None, description="Parameter that takes the page's number.")
    start: int = Field(1, description="Number of the first page.")
    offset: str | None = Field(None, description="Parameter that takes the count of records to skip.")
    cursor: str | None = Field(None, description="Parameter that takes the cursor which the answer holds at `value`.")
    after: str | None = Field(None, description="Parameter that takes the last record's id, at `value` (`last.id`).")
    next: str | None = Field(None, description="Path of the next page's URL, absolute or relative.")
    value: str | None = Field(None, description="Path of the cursor in the answer, or in its last record (`last.id`).")
    while_: str | None = Field(None, alias="while", description="Path that is true while there are more pages.")
    until: str | None = Field(None, description="Path that is true on the last page.")
    size: dict[str, int] | None = Field(None, description="Parameter that asks for the page size, and the size.")

    @model_validator(mode="after")
    def _one_way(self) -> Pages:
        said = [n for n in ("page", "offset", "cursor", "after", "next") if getattr(self, n) is not None]
        if len(said) != 1:
            raise ValueError("say exactly one of page, offset, cursor, after, next")
        if said[0] in ("cursor", "after") and self.value is None:
            raise ValueError(f"`{said[0]}` needs `value`: where the answer holds it")
        return self


class Since(Block):
    """How to ask for changes only: by a parameter with the newest `field` seen, or by a cursor that the pages keep."""

    param: str | None = Field(None, description="Parameter that takes the newest value of `field` seen so far.")
    field: str | None = Field(None, description="Path of the record's own changed-at.")
    as_: Literal["epoch_s", "epoch_ms", "iso", "date"] = Field("iso", alias="as", description="How to write it.")
    look_back: str | None = Field(None, description="Ask this much earlier, as 10m, 2h, 7d: late records are not lost.")
    keep_cursor: bool = Field(False, description="The last page's cursor is where the next run goes on.")
    first: dict[str, Scalar] | None = Field(None, description="Parameters of the very first request only.")

    @model_validator(mode="after")
    def _one_way(self) -> Since:
        if self.keep_cursor == (self.param is not None):
            raise ValueError("say either `param` with `field`, or `keep_cursor: true`")
        if self.param is not None and self.field is None:
            raise ValueError("`param` needs `field`: the path of the record's own changed-at")
        return self


class Basic(Block):
    """User and password."""

    user: str
    password: str = ""


class ApiKey(Block):
    """A key in a header or in a query parameter; exactly one of the two."""

    header: str | None = None
    query: str | None = None
    value: str

    @model_validator(mode="after")
    def _one_place(self) -> ApiKey:
        if (self.header is None) == (self.query is None):
            raise ValueError("say exactly one of header, query")
        return self


class Auth(Block):
    """How requests are signed; exactly one way."""

    bearer: str | None = None
    basic: Basic | None = None
    api_key: ApiKey | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        if sum(way is not None for way in (self.bearer, self.basic, self.api_key)) != 1:
            raise ValueError("say exactly one of bearer, basic, api_key")
        return self


class ErrorBody(Block):
    """An answer that is an error although its status is 200."""

    when: When
    message: str = Field(description="Path of what went wrong.")
    retry: bool = Field(False, description="Whether asking again may help.")


class Http(Block):
    """How to reach the system, said once; a stream may say `pages`, `params` and `headers` otherwise."""

    base_url: str
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Query parameters of every request.")
    rate: str | None = Field(None, description="Requests per time, as 80/s or 600/m; all streams together.")
    concurrency: int = Field(4, ge=1, le=64, description="Requests under way at once; all streams together.")
    timeout_s: float = Field(30, gt=0, le=600)
    pages: Pages | None = None
    error: ErrorBody | None = None


class Stream(Block):
    """One list of records: how to fetch it and what a record means."""

    get: str = Field(description="Path below the base URL.")
    about: str | None = None
    params: dict[str, Scalar] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    records: str | None = Field(None, description="Path of the list of records; absent where the answer is the list.")
    key: str | list[str] = Field(description="Path of the record's key, or the paths that make it together.")
    pages: Pages | None = None
    since: Since | None = None
    volatile: list[str] = Field(default_factory=list, description="Paths whose change is no change.")
    fresh: str = Field("24h", description="How long what was pulled counts as fresh, as 30m, 24h, 7d.")
    reconcile: Reconcile | list[Reconcile] | None = None
    belongs_to: References | None = Field(
        None, description="Whose the record's entities are where a block does not say: the first whose key is found."
    )
    profile: ProfileBlock | None = None  # type: ignore[valid-type]

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


MappedStream = Stream.with_entities()


class Setting(Block):
    """A value that each instance takes from its environment: setting `token` of source `crm_eu` is CRM_EU_TOKEN."""

    about: str = ""
    secret: bool = False
    default: str | None = None


class System(Block):
    """One mapping file: one system."""

    system: str = Field(pattern="^[a-z][a-z0-9_]*$")
    kind: Literal["crm", "billing", "support", "web_analytics", "feedback"]
    about: str
    docs: str | None = None
    verified: Literal["live", "recorded", "documented"] = "documented"
    settings: dict[str, Setting] = Field(default_factory=dict)
    http: Http
    streams: dict[str, MappedStream]  # type: ignore[valid-type]
