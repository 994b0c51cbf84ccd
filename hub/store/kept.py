"""Kept tables: what no rebuild touches. Cursors, runs, landing, ledgers, judgements, logs, tombstones, outbox, keys.

Instants are microseconds since 1970-01-01 UTC in bigint; amounts thousandths of the minor unit in bigint.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

# Compared and sorted byte by byte on both databases, whatever the server's locale.
Words = Text().with_variant(Text(collation="C"), "postgresql")
# On SQLite only INTEGER PRIMARY KEY is the rowid and allocates by itself.
Number = BigInteger().with_variant(Integer, "sqlite")
# A number whose row is gone is not given to another row: SQLite would do so with the highest one.
NEVER_AGAIN: dict[str, Any] = {"sqlite_autoincrement": True}

sync_run = Table(
    "sync_run",
    metadata,
    Column("run_no", Number, primary_key=True),
    Column("command", Words, nullable=False, comment="sync, remap, erase or judgement"),
    Column("as_of", BigInteger, nullable=False, comment="the instant that every rule of the run calls now"),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("status", Words, nullable=False, comment="RUNNING, OK, PARTIAL, FAILED"),
    Column("customers_derived", BigInteger),
    **NEVER_AGAIN,
)

stream_run = Table(
    "stream_run",
    metadata,
    Column("run_no", BigInteger, primary_key=True),
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("status", Words, nullable=False, comment="RUNNING, OK, FAILED"),
    Column("pages", BigInteger, nullable=False, default=0),
    Column("pulled", BigInteger, nullable=False, default=0),
    Column("changed", BigInteger, nullable=False, default=0),
    Column("unchanged", BigInteger, nullable=False, default=0),
    Column("failed", BigInteger, nullable=False, default=0, comment="records that became dead letters in this run"),
    Column("error", Words),
    Index("stream_run_by_stream", "source", "stream", "run_no"),
)

stream_state = Table(
    "stream_state",
    metadata,
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("cursor", Words, comment="JSON: where the next pull goes on, committed with the page before it"),
    Column("mapping_version", Words, comment="the mapping by which its records were last mapped"),
    Column("fresh_until", BigInteger),
    Column("record_count", BigInteger, nullable=False, default=0),
    Column("due_at", BigInteger, comment="the clock's time from which it is to be pulled again; null: by its schedule"),
    Column("pulled_at", BigInteger, comment="the clock's time at which the last pull of it began"),
)

PENDING = text("state = 0")  # word for word in every query that shall use the partial index

landing = Table(
    "landing",
    metadata,
    Column("landing_no", Number, primary_key=True),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("key", Words, nullable=False, comment="the record's key, or #hash where it has none"),
    Column("raw_hash", LargeBinary, nullable=False, comment="blake2b-128 of the payload"),
    Column(
        "content_hash",
        LargeBinary,
        comment="blake2b-128 of the canonical record, no volatile fields; null until first mapped",
    ),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("state", Integer, nullable=False, comment="0 pending, 1 mapped, 2 dead letter"),
    Column(
        "payload",
        LargeBinary,
        nullable=False,
        comment="the JSON as sent, empty once it is gone or its retention over; behind the rest, as it may be long",
    ),
    Column("deleted_at", BigInteger, comment="as_of of the run that learnt that it is gone; null: it is there"),
    Index("landing_by_key", "source", "stream", "key", unique=True),
    Index("landing_by_pending", "source", "stream", "landing_no", sqlite_where=PENDING, postgresql_where=PENDING),
    **NEVER_AGAIN,
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("landing_no", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("mapping_version", Words, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Index("dead_letter_by_stream", "source", "stream", "last_seen_at"),
)

parent_due = Table(
    "parent_due",
    metadata,
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True, comment="the stream that has a request for each parent"),
    Column("parent_no", BigInteger, primary_key=True, comment="landing_no of a parent that is new or changed"),
)

read_key = Table(
    "read_key",
    metadata,
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("key", Words, primary_key=True, comment="came in the full reading under way: what did not come is gone"),
)

lease = Table(
    "lease",
    metadata,
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("holder", Words, nullable=False, comment="a word of the process that pulls the stream"),
    Column("until", BigInteger, nullable=False, comment="the clock's time at which a dead holder's lease is over"),
)

credential = Table(
    "credential",
    metadata,
    Column("source", Words, primary_key=True),
    Column("name", Words, primary_key=True, comment="what it is, as refresh_token"),
    Column("secret", LargeBinary, nullable=False, comment="encrypted under HUB_SECRET_KEY"),
    Column("renewed_at", BigInteger, nullable=False),
)

stream_path = Table(
    "stream_path",
    metadata,
    Column("source", Words, primary_key=True),
    Column("stream", Words, primary_key=True),
    Column("path", Words, primary_key=True, comment="dotted, `*` for the items of a list; `.` is the record"),
    Column("kinds", Words, nullable=False, comment="JSON list of the kinds of value that stood there, sorted"),
    Column("records", BigInteger, nullable=False, comment="of those looked at, how many had it"),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
)

drift = Table(
    "drift",
    metadata,
    Column("drift_no", Number, primary_key=True),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("change", Words, nullable=False, comment="NEW, VANISHED or RETYPED"),
    Column("was", Words, comment="kinds of value before"),
    Column("now", Words, comment="kinds of value since"),
    Column("mapped", Boolean, nullable=False, comment="whether the mapping reads this path"),
    Column("at", BigInteger, nullable=False),
    Index("drift_by_stream", "source", "stream", "drift_no"),
    **NEVER_AGAIN,
)

profile_ledger = Table(
    "profile_ledger",
    metadata,
    Column("profile_no", Number, primary_key=True, comment="allocated when first referenced, never changed"),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("customer_no", BigInteger, comment="the last assignment; null while nobody"),
    Column("previous_no", BigInteger, comment="the assignment before the last: the id that a split gives back"),
    Column("pending", Boolean, nullable=False, comment="to be resolved: new, or what it says of itself changed"),
    Index("profile_ledger_by_key", "source", "stream", "key", unique=True),
    Index("profile_ledger_by_customer", "customer_no"),
    Index("profile_ledger_by_pending", "pending", "profile_no"),
    **NEVER_AGAIN,
)

customer_ledger = Table(
    "customer_ledger",
    metadata,
    Column("customer_no", Number, primary_key=True),
    Column("public_id", Words, nullable=False, comment="opaque random text, minted once"),
    Column("kind", Words, nullable=False),
    Column("minted_at", BigInteger, nullable=False),
    Column("merged_into", BigInteger, comment="the customer_no that this id redirects to"),
    Index("customer_ledger_by_public_id", "public_id", unique=True),
    Index("customer_ledger_by_merged_into", "merged_into"),
    **NEVER_AGAIN,
)

judgement = Table(
    "judgement",
    metadata,
    Column("judgement_no", Number, primary_key=True),
    Column("left_profile_no", BigInteger, nullable=False),
    Column("right_profile_no", BigInteger, nullable=False),
    Column("verdict", Words, nullable=False, comment="MATCH or NO_MATCH"),
    Column("reason", Words, nullable=False),
    Column("decided_by", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    Column("withdrawn_reason", Words),
    Index("judgement_by_left", "left_profile_no"),
    Index("judgement_by_right", "right_profile_no"),
    **NEVER_AGAIN,
)

identity_log = Table(
    "identity_log",
    metadata,
    Column("log_no", Number, primary_key=True),
    Column("customer_no", BigInteger, nullable=False, comment="one row for each customer concerned"),
    Column("at", BigInteger, nullable=False),
    Column(
        "event",
        Words,
        nullable=False,
        comment="MINTED, MERGED, SPLIT, RETIRED, REVIVED, OVERRIDDEN, WITHDRAWN, ERASED",
    ),
    Column("customer_ids", Words, nullable=False, comment="JSON list of the public ids concerned, sorted"),
    Column("reason", Words, nullable=False),
    Index("identity_log_by_customer", "customer_no", "log_no"),
    **NEVER_AGAIN,
)

score_log = Table(
    "score_log",
    metadata,
    Column("log_no", Number, primary_key=True),
    Column("customer_no", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("band", Words, nullable=False),
    Column("reasons", Words, nullable=False, comment="JSON list of {rule, points, text}"),
    Column("rules_version", Words, nullable=False),
    Index("score_log_by_customer", "customer_no", "log_no"),
    **NEVER_AGAIN,
)

flag_log = Table(
    "flag_log",
    metadata,
    Column("flag_no", Number, primary_key=True, comment="of the flag; one row from raised to cleared"),
    Column("customer_no", BigInteger, nullable=False),
    Column("rule", Words, nullable=False),
    Column("raised_at", BigInteger, nullable=False, comment="as_of of the run that raised it"),
    Column("cleared_at", BigInteger),
    Column("rules_version", Words, nullable=False),
    Index("flag_log_by_customer", "customer_no", "rule", "flag_no"),
    **NEVER_AGAIN,
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("digest", Words, primary_key=True, comment="HMAC-SHA256 of source, stream and key, or of an identifier"),
    Column("what", Words, nullable=False, comment="RECORD, PROFILE or IDENTIFIER"),
    Column("at", BigInteger, nullable=False),
)

residual_money = Table(
    "residual_money",
    metadata,
    Column("residual_no", Number, primary_key=True),
    Column("source", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("currency", Words, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False, comment="when it was erased"),
    **NEVER_AGAIN,
)

outbox = Table(
    "outbox",
    metadata,
    Column("outbox_no", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("topic", Words, nullable=False, comment="customer.changed, customer.erased, flag.raised, flag.cleared"),
    Column("customer_no", BigInteger),
    Column("payload", Words, nullable=False, comment="JSON"),
    **NEVER_AGAIN,
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_no", Number, primary_key=True),
    Column("prefix", Words, nullable=False, comment="the part of the key that may be shown"),
    Column("digest", LargeBinary, nullable=False, comment="blake2b-256 of the key; the key itself is kept nowhere"),
    Column("name", Words, nullable=False),
    Column("role", Words, nullable=False, comment="in rules/access.yml"),
    Column("scopes", Words, nullable=False, comment="graphql, bi, or both with a space"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("last_used", Words, comment="the day, UTC; null: never"),
    Index("api_key_by_prefix", "prefix", unique=True),
    **NEVER_AGAIN,
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("log_no", Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("principal", Words, nullable=False, comment="key:PREFIX, key:HUB_API_KEY, jwt:SUBJECT or local"),
    Column("role", Words, nullable=False),
    Column("operation", Words, nullable=False, comment="the name that the caller gave it, or export; may be empty"),
    Column("root", Words, nullable=False, comment="the root field or the view"),
    Column("customers", Words, comment="JSON list of customer_no; null: every customer that the role sees"),
    Column("classes", Words, nullable=False, comment="what was read: CONTACT, NAME …, sorted, with a space"),
    Index("audit_log_by_time", "at"),
    **NEVER_AGAIN,
)

hub_meta = Table(
    "hub_meta",
    metadata,
    Column("name", Words, primary_key=True, comment="rules_version, erasure_salt …"),
    Column("value", Words, nullable=False),
)
