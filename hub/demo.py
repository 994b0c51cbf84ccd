"""The demo's company: the sandbox's four APIs as a process of their own, and the environment that leads to them.

In: how many customers. Out: the sources' settings while the block lasts; the process ends with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from connectors.sandbox.window import LAST_INSTANT
from hub.clock import to_us

DEMO_DATABASE = "sqlite:///demo.db"
DEMO_AS_OF = to_us(LAST_INSTANT)
READY_QUERY = (
    "{ riskFlags(first: 3, filter: {severity: {in: [HIGH, CRITICAL]}},"
    " orderBy: [{field: VALUE_AT_RISK, direction: DESC}])"
    " { edges { node { message valueAtRisk { amount currency } action { kind why } customer { displayName } } } } }"
)


class DemoError(Exception):
    """The demo cannot start; the message says why and what helps."""


@contextmanager
def sandbox(customers: int, faults: bool = True) -> Iterator[dict[str, str]]:
    """The sandbox's APIs on free loopback ports. Yields the environment that its sources' settings come from.

    With `faults` they now and then refuse a request, as real ones do.
    """
    command = [sys.executable, "-m", "connectors.sandbox", "--customers", str(customers)]
    command += ["--faults", "some" if faults else "none"]
    process = subprocess.Popen(  # noqa: S603  (our own module, a number as its argument)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the hub, which ends it
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise DemoError(f"the sandbox ended with code {process.wait()}; its message stands above")
        yield json.loads(line)["environment"]
    finally:
        process.terminate()
        process.wait(timeout=10)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def same_company(connection: Connection, customers: int) -> None:
    """Keeps one database for one company: raises DemoError where it holds one of another size."""
    held = connection.execute(text("SELECT value FROM hub_meta WHERE name = 'demo_customers'")).scalar()
    if held is None:
        connection.execute(text("INSERT INTO hub_meta VALUES ('demo_customers', :n)"), {"n": str(customers)})
    elif int(held) != customers:
        raise DemoError(
            f"this database holds the demo company with {held} customers; delete it, name another with --database, "
            f"or say --customers {held}"
        )
