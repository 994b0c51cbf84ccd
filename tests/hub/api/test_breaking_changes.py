"""A query that the last release answered is answered still. In: released.graphql, schema.graphql, the changelog.

A breaking change is accepted by a line of the changelog that says it; released.graphql is replaced when one releases.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, build_schema
from graphql.utilities import BreakingChangeType, find_schema_changes

from hub.api.schema import committed_sdl

CHANGELOG = Path(__file__).parents[3] / "CHANGELOG.md"


def released() -> str:
    return files("hub.api").joinpath("released.graphql").read_text(encoding="utf-8")


def breaking(before: str, after: str) -> set[str]:
    """What clients of the schema before would notice, a sentence each.

    Another default answers something else; one that goes is said in the description instead.
    """
    old, new = build_schema(before), build_schema(after)
    found = {
        change.description
        for change in find_schema_changes(old, new)
        if isinstance(change.type, BreakingChangeType) or "changed defaultValue" in change.description
    }
    for name, kind in old.type_map.items():
        now = new.type_map.get(name)
        if isinstance(kind, GraphQLInputObjectType) and isinstance(now, GraphQLInputObjectType):
            found |= {f"Input {name} became @oneOf."} if now.is_one_of and not kind.is_one_of else set()
    return found


def unreleased(changelog: str) -> str:
    """The section on what is not released yet, in one line."""
    section = changelog.partition("## Unreleased\n")[2].partition("\n## ")[0]
    return re.sub(r"[`\s]+", " ", section)


def unsaid(changes: set[str], changelog: str) -> list[str]:
    """The changes that the changelog does not announce."""
    said = unreleased(changelog)
    return sorted(change for change in changes if change.rstrip(".") not in said)


def test_what_the_last_release_answered_is_answered_still() -> None:
    found = unsaid(breaking(released(), committed_sdl()), CHANGELOG.read_text(encoding="utf-8"))
    assert found == [], "breaks clients; take it back, or say it word for word in CHANGELOG.md:\n" + "\n".join(found)


BEFORE = """
type Query {
  customers(first: Int = 20, filter: Filter, orderBy: [Order!]): [Customer!]!
}

interface Node { id: ID! }

type Customer implements Node {
  id: ID!
  name: String
  emails: [String!]!
  updatedAt: String!
}

input Filter { name: String, email: String }

enum Order { NAME WIN_BACK }
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("  name: String\n", "", "Field Customer.name was removed", id="field-gone"),
        pytest.param("updatedAt:", "changedAt:", "Field Customer.updatedAt was removed", id="field-renamed"),
        pytest.param("[String!]!", "String!", "Field Customer.emails changed type", id="type-changed"),
        pytest.param("updatedAt: String!", "updatedAt: String", "Customer.updatedAt changed type", id="may-be-null"),
        pytest.param(" WIN_BACK", "", "WIN_BACK was removed", id="word-gone"),
        pytest.param("orderBy:", "by:", "orderBy", id="argument-gone"),
        pytest.param("filter: Filter", "filter: Filter!", "filter", id="argument-required"),
        pytest.param("= 20", "= 10", "first", id="other-default"),
        pytest.param("Customer implements Node", "Customer", "Node", id="interface-gone"),
        pytest.param("name: String,", "name: String!", "name", id="input-required"),
        pytest.param("input Filter", "input Filter @oneOf", "Input Filter became @oneOf", id="one-of"),
    ],
)
def test_a_breaking_change_is_found(old: str, new: str, words: str) -> None:
    found = breaking(BEFORE, BEFORE.replace(old, new))
    assert len(found) == 1
    assert words in found.pop()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("enum", "type New { a: Int }\nenum", id="type"),
        pytest.param("  name: String\n", "  name: String\n  nickname: String\n", id="field"),
        pytest.param("first:", "last: Int, first:", id="argument"),
        pytest.param("first: Int = 20", "first: Int", id="default-gone"),
        pytest.param("type Customer", '"New."\ntype Customer', id="description"),
        pytest.param("WIN_BACK", "WIN_BACK ENDED", id="word"),
    ],
)
def test_what_is_added_breaks_nothing(old: str, new: str) -> None:
    assert BEFORE.replace(old, new) != BEFORE
    assert breaking(BEFORE, BEFORE.replace(old, new)) == set()


def test_a_breaking_change_is_accepted_where_the_changelog_says_it() -> None:
    changes = {"Field Customer.a was removed.", "Field Customer.b was removed."}
    said = "- Breaking: Field `Customer.a` was\n  removed; read `c`."
    written = f"## Unreleased\n{said}\n\n## 1.0.0\n- Field Customer.b was removed."
    assert unsaid(changes, written) == ["Field Customer.b was removed."]
