"""GraphQL over HTTP, as graphql-http's audits check it against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

AUDITS = 61  # of graphql-http 1.23


def test_every_audit_is_ok(node: Callable[..., subprocess.CompletedProcess[str]], hub_url: str) -> None:
    done = node("audit.mjs", hub_url)
    assert done.returncode == 0, done.stderr
    audits = [json.loads(line) for line in done.stdout.splitlines()]
    others = [f"{a['id']} {a['name']}: {a['status']} {a['reason']}" for a in audits if a["status"] != "ok"]
    assert others == []
    assert len(audits) == AUDITS
