"""Sources: how fresh and how whole the graph is, and that its money is the sources' money."""

import strawberry

from hub.api.types.money import Money
from hub.api.types.scalars import DateTime
from hub.api.types.words import MoneyKind, RunStatus


@strawberry.type(description="A record that cannot be mapped, and why.")
class DeadLetter:
    key: str = strawberry.field(description="The record's key.")
    path: str = strawberry.field(description="The JSON path of what is wrong.")
    reason: str = strawberry.field(description="What is wrong.")
    at: DateTime = strawberry.field(description="When it was last tried.")
    first_seen: DateTime = strawberry.field(description="When it first failed.")
    mapping_version: str = strawberry.field(description="The mapping by which it was last tried.")


@strawberry.type(description="Records that cannot be mapped.")
class DeadLetters:
    count: int = strawberry.field(description="How many there are.")
    latest: list[DeadLetter] = strawberry.field(description="The latest. 100 at most.")


@strawberry.type(description="One sync of a stream.")
class StreamRun:
    started_at: DateTime = strawberry.field(description="When it began.")
    finished_at: DateTime | None = strawberry.field(description="When it ended.")
    status: RunStatus = strawberry.field(description="How it went.")
    pulled: int = strawberry.field(description="Records that the source sent.")
    changed: int = strawberry.field(description="Of these, new or changed.")
    unchanged: int = strawberry.field(description="Of these, as before.")
    failed: int = strawberry.field(description="Records that became dead letters.")
    error: str | None = strawberry.field(description="Why it failed.")


@strawberry.type(description="A change of the shape of a stream's records, which nobody announced.")
class Drift:
    path: str = strawberry.field(description="The dotted path; `*` stands for the items of a list.")
    change: str = strawberry.field(description="NEW, VANISHED, or RETYPED: values of another kind stand there.")
    was: str | None = strawberry.field(description="The kinds of value that stood there before; null where it is new.")
    now: str | None = strawberry.field(description="The kinds that stand there since; null where it vanished.")
    mapped: bool = strawberry.field(description="Whether the mapping reads the path.")
    first_seen: DateTime = strawberry.field(description="When it was first seen.")


@strawberry.type(description="One list of records of a source.")
class Stream:
    name: str = strawberry.field(description="Its name in the mapping file.")
    record_count: int = strawberry.field(description="Records landed.")
    dead_letters: DeadLetters = strawberry.field(description="Records that cannot be mapped.")
    last_sync: StreamRun | None = strawberry.field(description="The last sync; null before the first.")
    fresh_until: DateTime | None = strawberry.field(description="Until when it counts as fresh.")
    mapping_version: str | None = strawberry.field(description="The mapping by which its records were last mapped.")
    drift: list[Drift] = strawberry.field(description="Changes of its records' shape, the latest first. 100 at most.")


@strawberry.type(description="An instance of a system.")
class Source:
    name: str = strawberry.field(description="Its name in rules/company.yml.")
    kind: str = strawberry.field(description="crm, billing, support, web_analytics or feedback.")
    streams: list[Stream] = strawberry.field(description="Its lists of records. 100 at most.")


@strawberry.type(
    description="A control of a stream's money in one currency: what the records say beside what the graph has."
)
class Reconciliation:
    source: str = strawberry.field(description="The source.")
    stream: str = strawberry.field(description="The stream.")
    kinds: list[MoneyKind] = strawberry.field(description="The kinds of money that one control counts together.")
    currency: str = strawberry.field(description="ISO 4217.")
    landed: Money = strawberry.field(
        description="What the landed records themselves say, and what erased persons left behind."
    )
    in_graph: Money = strawberry.field(description="Money entries of customers.")
    unassigned: Money = strawberry.field(description="Money entries without a customer.")
    erased: Money = strawberry.field(description="What erased persons left behind.")
    difference: Money = strawberry.field(description="Landed less all of these; 0 where all is well.")
