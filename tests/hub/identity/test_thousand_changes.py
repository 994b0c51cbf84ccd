"""A thousand changes, overrides and erasures, runs cut short and killed among them: who is who is as told at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from hub.identity import resolve as steps
from hub.store.engine import Store
from hub.store.kept import identity_log
from mappings.rulebook import Rulebook
from tests.hub.identity.changes import Changes, Killed
from tests.hub.identity.proofs import (
    Watched,
    differences,
    every_id_answers,
    everything,
    facts_follow,
    links_by_place,
    rebuild,
    tell_at_once,
)
from tests.hub.identity.town import Town
from tests.hub.identity.world import World

CHANGES = 1_000
BETWEEN_LOOKS = 150
SEED = 5

NewStore = Callable[[str], Store]


@pytest.fixture
def fresh(new_store: NewStore, rulebook: Rulebook) -> World:
    """Another world, empty; on SQLite, whatever database the first one is on."""
    return World(new_store("sqlite"), rulebook)


def test_rebuild_gives_the_same_ids_and_telling_all_at_once_the_same_customers(world: World, fresh: World) -> None:
    changes, looked = Changes(world, Town(24, SEED)), 0
    changes.settle_in()
    watched = Watched(world, changes.erased)
    watched.explained()
    while changes.made < CHANGES:
        changes.some(CHANGES - changes.made)
        watched.explained()
        if changes.made - looked >= BETWEEN_LOOKS or changes.made == CHANGES:
            looked = changes.made
            changes.run()
            watched.explained()
            every_id_answers(world)
            facts_follow(world, changes.facts)
            stood = everything(world)
            rebuild(changes, limit=looked % 50 + 1)
            assert not differences(stood, everything(world)), f"rebuilt after {looked} changes"
            fresh.wipe()
            tell_at_once(changes, fresh)
            fresh.resolve()
            assert fresh.customers() == world.customers(), f"told at once after {looked} changes"
            assert links_by_place(fresh) == links_by_place(world), f"told at once after {looked} changes"
    assert len(changes.erased) > 10
    assert {"MINTED", "MERGED", "SPLIT", "RETIRED", "REVIVED", "OVERRIDDEN", "WITHDRAWN", "ERASED"} <= {*world.events()}


def changed(world: World, seed: int, number: int = 60) -> Changes:
    """A town that changed, with nothing of the last changes resolved."""
    changes = Changes(world, Town(20, seed))
    changes.settle_in()
    while changes.made < number:
        changes.some(number - changes.made)
    changes.run()
    for _ in range(40):
        changes.one()
    changes.swept()
    return changes


def outcome(world: World) -> tuple[list[str], Counter[tuple[Any, ...]]]:
    """Customers, and what the log says, whatever ids and judgements are called."""
    told = ((event, re.sub(r"jdg_\d+", "jdg", reason)) for event, reason in world.rows(identity_log, "event", "reason"))
    return world.customers(), Counter(told)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_batches_and_the_order_of_sources_change_nothing(world: World, fresh: World) -> None:
    changed(world, SEED).run(limit=10_000)
    for limit in (1, 7):
        fresh.wipe()
        changed(fresh, SEED).run(limit)
        assert outcome(fresh) == outcome(world), f"in calls of {limit}"


STEPS = ("register", "gather", "cluster", "write_links", "settle", "move")


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_run_killed_in_any_step_goes_on_to_the_same(
    world: World, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(fresh, SEED).run()
    expected = outcome(fresh)
    changes = changed(world, SEED)
    for anew in (False, True):
        if anew:
            changes.begin_anew()
        for step in STEPS:
            with monkeypatch.context() as patched:
                patched.setattr(steps, step, dying(getattr(steps, step), 2))
                with pytest.raises(Killed):
                    changes.run(limit=3)
    changes.run(limit=3)
    assert outcome(world) == expected


def dying(step: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The step, after which the process dies when it is done for so many times."""
    left = [times]

    def does(*arguments: Any, **named: Any) -> Any:
        done = step(*arguments, **named)
        left[0] -= 1
        if not left[0]:
            raise Killed
        return done

    return does
