"""Every path that a mapping reads, wherever in a stream it is said."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.reads import paths_of
from mappings.spec import System

HTTP = {"base_url": "http://127.0.0.1"}
INTERACTION = {"type": "invoice.issued", "at": "date", "channel": "BILLING", "lane": "BRAND"}


def read(**said: Any) -> set[str]:
    stream = {"get": "/x", "key": "id"} | said
    system = {"system": "x", "kind": "crm", "about": "x", "http": HTTP, "streams": {"x": stream}}
    return set(paths_of(System.model_validate(system).streams["x"])) - {"id"}


@pytest.mark.parametrize(
    ("said", "paths"),
    [
        pytest.param({"key": ["a", "b.c"]}, {"a", "b.c"}, id="a key of parts"),
        pytest.param({"since": {"param": "since", "field": "meta.changed"}}, {"meta.changed"}, id="changed-at"),
        pytest.param({"deleted": {"when": {"state": "gone"}}}, {"state"}, id="gone by a flag"),
        pytest.param({"volatile": ["seen"]}, set(), id="volatile is not read"),
        pytest.param(
            {"belongs_to": [{"stream": "x", "key": "who"}, {"stream": "x", "key": {"path": "also.who"}}]},
            {"who", "also.who"},
            id="references",
        ),
        pytest.param(
            {
                "profile": {
                    "kind": "PERSON",
                    "given_name": "name",
                    "emails": ["mail", {"path": "mails.*.address"}],
                    "address": {"city": "home.city"},
                    "identifiers": {"other": "ref"},
                    "attributes": {"size": "size"},
                    "memberships": [{"each": "jobs", "organization": {"stream": "x", "key": "firm"}, "role": "as"}],
                    "when": {"type": "customer"},
                }
            },
            {"name", "mail", "mails.*.address", "home.city", "ref", "size", "jobs", "jobs.*.firm", "jobs.*.as", "type"},
            id="a profile",
        ),
        pytest.param({"interaction": INTERACTION}, {"date"}, id="words of ours are no paths"),
        pytest.param(
            {"interaction": INTERACTION | {"at": {"first": ["paid", {"join": ["day", "hour"]}], "when": {"ok": True}}}},
            {"paid", "day", "hour", "ok"},
            id="first, join and when",
        ),
        pytest.param(
            {"interaction": INTERACTION | {"when": {"a": {"same_as": "b"}, "c": {"other_than": "d"}}}},
            {"a", "b", "c", "d", "date"},
            id="what is compared",
        ),
        pytest.param(
            {
                "money_entry": {
                    "each": "orders.0.lines",
                    "kind": "REVENUE",
                    "at": "parent.date",
                    "amount": {"path": "price", "minor": "parent.currency", "times": "count"},
                    "currency": "parent.currency",
                }
            },
            {"orders.*.lines", "orders.*.lines.*.price", "orders.*.lines.*.count", "date", "currency"},
            id="each, parent and numbers",
        ),
        pytest.param(
            {
                "reconcile": {
                    "each": "lines",
                    "amount": {"path": "sum", "major": "parent.cur"},
                    "currency": "parent.cur",
                }
            },
            {"lines", "lines.*.sum", "cur"},
            id="a control",
        ),
    ],
)
def test_a_path_that_is_said_is_a_path_that_is_read(said: dict[str, Any], paths: set[str]) -> None:
    assert read(**said) == paths
