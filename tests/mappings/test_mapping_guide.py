"""docs/mapping.md against the code: what a file says about fetching, the vocabulary, and the shipped rules' words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from mappings.fetching import Deleted, ErrorBody, Http, Pages, Parent, Since
from mappings.model import ENTITIES, Entity, Type
from mappings.notices import Signature, Webhook
from mappings.signing import Auth, Hmac, Jwt, Login, OAuth2
from mappings.spec import ProfileBlock, Stream, System

HOUSE = Path(__file__).parents[2]
GUIDE = (HOUSE / "docs" / "mapping.md").read_text("utf-8")
ELSEWHERE = {"about", "profile", "belongs_to", "reconcile"}  # the meaning's, described in sections of their own
FACTS = [entity for entity in ENTITIES.values() if not entity.party]


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    return GUIDE.partition(f"{heading}\n")[2].partition(f"\n{level} ")[0]


def row(name: str, entity: Entity) -> str:
    """A field as the guide's table has it: needed ones are bold, choices stand behind what it is."""
    field = entity.fields[name]
    shown = f"**`{name}`**" if field.required and name != "basis" else f"`{name}`"
    options = f" {', '.join(f'`{option}`' for option in field.options)}." if field.options else ""
    kind = "word" if field.literal else str(field.type)
    return f"| {shown} | {kind} | {field.about}{options} |"


@pytest.mark.parametrize("entity", FACTS, ids=lambda entity: entity.name)
def test_the_guide_has_every_field_of_an_entity(entity: Entity) -> None:
    said = section(f"### `{entity.name}`")
    rows = [row(name, entity) for name, field in entity.fields.items() if field.type is not Type.PROFILE]
    assert said.startswith(f"\n{entity.about}\n")
    assert [line for line in said.splitlines() if re.match(r"\| \**`\w+`", line)] == rows


@pytest.mark.parametrize(
    ("heading", "block"),
    [
        ("## Fetching", Http),
        ("## Fetching", Stream),
        ("### Signing in", Auth),
        ("### Signing in", OAuth2),
        ("### Signing in", Jwt),
        ("### Signing in", Login),
        ("### Signing in", Hmac),
        ("### Pages", Pages),
        ("### Changes only", Since),
        ("### Children", Parent),
        ("### Deletions", Deleted),
        ("### Errors with status 200", ErrorBody),
        ("### Notifications", Webhook),
        ("### Notifications", Signature),
    ],
    ids=lambda said: getattr(said, "__name__", ""),
)
def test_the_guide_has_every_word_of_a_block(heading: str, block: type[BaseModel]) -> None:
    said = section(heading)
    words = [field.alias or name for name, field in block.model_fields.items() if name not in ELSEWHERE]
    assert [word for word in words if not re.search(rf"[`{{ ]{word}[`:]", said)] == []


def test_the_guide_has_every_word_of_a_profile_and_every_kind_of_system() -> None:
    assert [name for name in ProfileBlock.model_fields if f"`{name}`" not in section("## Profiles")] == []
    kinds = System.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
    assert [kind for kind in kinds if f"`{kind}`" not in section("## Fetching")] == []


def test_the_guide_has_every_type_of_interaction_that_the_shipped_rules_look_for() -> None:
    used = set()
    for name in ("journey", "cost", "metrics", "risk"):
        rules = (HOUSE / "mappings" / "rules" / f"{name}.yml").read_text("utf-8")
        listed = re.findall(r"(?:types|after|unless|until|obtainable|active): \[(.+?)\]", rules)
        listed += ["".join(said) for said in re.findall(r"type (?:in \((.+?)\)|= ('.+?'))", rules)]
        used |= {word for words in listed for word in re.findall(r"[a-z]+\.[a-z_]+", words)}
    assert len(used) > 15
    assert [word for word in sorted(used) if f"`{word}`" not in section("### `interaction`")] == []
