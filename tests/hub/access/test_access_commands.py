"""The commands about keys and reads, by real runs over a real database, and the gate beside them."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner, Result

from hub import clock
from hub.access.audit import Audit
from hub.access.gate import Gate
from hub.access.principal import LOCAL
from hub.access.refusal import Unauthenticated
from hub.cli import app
from hub.settings import Settings
from hub.store.engine import Store
from mappings.rulebook import Rulebook


def hub(store: Store, *words: str) -> Result:
    done = CliRunner().invoke(app, [*words, "--database", store.url])
    assert done.exit_code == 0, done.output
    return done


def test_a_key_is_printed_alone_and_opens_the_gate_as_its_role(store: Store, rulebook: Rulebook) -> None:
    done = hub(store, "keys", "create", "reports", "--role", "analyst", "--scope", "bi", "--scope", "graphql")
    offered = done.stdout.strip()
    assert done.stdout == f"{offered}\n", "so that a script can take it"
    assert "role analyst, until" in done.stderr
    assert "it is not shown again" in done.stderr
    gate = Gate(Settings(), rulebook, store)
    principal = asyncio.run(gate.admit({"X-API-Key": offered}, "bi"))
    assert (principal.sight.role, principal.name) == ("analyst", f"key:{offered.split('_')[1]}")
    asyncio.run(gate.close())


def test_keys_are_listed_without_their_secrets(store: Store) -> None:
    offered = hub(store, "keys", "create", "reports", "--role", "analyst").stdout.strip()
    prefix, secret = offered.split("_", 2)[1:]
    listed = hub(store, "keys", "list").stdout
    assert listed.startswith(f"{prefix}  reports  analyst  graphql  until ")
    assert listed.endswith(", never used\n")
    assert secret not in listed


def test_a_rotated_key_has_a_successor_and_then_ends(store: Store, rulebook: Rulebook) -> None:
    first = hub(store, "keys", "create", "reports", "--role", "agent").stdout.strip()
    second = hub(store, "keys", "rotate", first.split("_")[1], "--hours", "0").stdout.strip()
    gate = Gate(Settings(), rulebook, store)
    assert asyncio.run(gate.admit({"X-API-Key": second})).sight.role == "agent"
    with pytest.raises(Unauthenticated, match="expired at"):
        asyncio.run(gate.admit({"X-API-Key": first}))
    asyncio.run(gate.close())


def test_a_revoked_key_is_said_to_be(store: Store) -> None:
    prefix = hub(store, "keys", "create", "reports", "--role", "agent").stdout.split("_")[1]
    said = hub(store, "keys", "revoke", prefix).stdout
    assert said.startswith(f"{prefix}  reports  was revoked at {clock.show(clock.now())[:10]}")
    assert "was revoked at" in hub(store, "keys", "list").stdout


def test_a_customer_is_told_who_has_read_it(people: Store) -> None:
    log = Audit(people)
    log.saw(LOCAL, "Card", "customer", [1], ["NAME", "CONTACT"])
    log.saw(LOCAL, "export", "bi_customers", None, ["NAME"])
    log.close()
    lines = hub(people, "audit", "cus_1").stdout.splitlines()
    assert [line.partition("  ")[2] for line in lines] == [
        "local  admin  export: bi_customers NAME of every customer",
        "local  admin  Card: customer CONTACT, NAME",
    ]
    assert [line.partition("  ")[2] for line in hub(people, "audit", "cus_2").stdout.splitlines()] == [
        "local  admin  export: bi_customers NAME of every customer"
    ]
