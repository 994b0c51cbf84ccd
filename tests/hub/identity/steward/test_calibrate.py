"""Learning from a store: what is kept joins, what is forgotten parts again, on both databases."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from sqlalchemy import select, update

from hub.identity.evidence.calibration import Calibration, CalibrationError
from hub.identity.evidence.places import Place
from hub.identity.rules import CALIBRATION, Rules
from hub.identity.steward.calibrate import calibrate, forget, keep, kept, look
from hub.store.engine import Store
from hub.store.kept import hub_meta
from mappings.rulebook import Rulebook
from tests.hub.identity.parish import Parish
from tests.hub.identity.world import World

SEED = 5
LONELY = Parish(400, 0.0, 0.1, 0.06)


@pytest.fixture
def world(store: Store, rulebook: Rulebook) -> World:
    """A register in which nobody lives with anybody and one row in ten has a wrong given name."""
    world = World(store, rulebook)
    told(world, LONELY)
    world.resolve()
    return world


def told(world: World, parish: Parish) -> dict[str, str]:
    """Tells the world the parish's records; who each place is."""
    records = {f"crm/{at}": record for at, record in enumerate(parish.records(SEED))}
    with world.store.write() as connection:
        world.put_all(connection, {place: said for place, (_, said) in records.items()})
    return {place: who for place, (who, _) in records.items()}


def learnt(world: World) -> Calibration:
    with world.store.read() as connection:
        found = calibrate(connection, world.rulebook)
    assert found
    return found


def recall(world: World) -> tuple[int, int]:
    """Of the pairs of records of one person, how many are joined; and how many pairs of two people are."""
    owner = world.assigned()
    whose = {f"crm/{at}": who for at, (who, _) in enumerate(LONELY.records(SEED))}
    pairs = [(whose[a] == whose[b], owner[a] == owner[b]) for a, b in combinations(whose, 2)]
    return sum(same and one for same, one in pairs), sum(one and not same for same, one in pairs)


def test_what_was_learnt_is_followed_until_it_is_forgotten(world: World) -> None:
    before, ids = world.customers(), world.ids()
    found = learnt(world)
    assert found.homes[-1].pairs == LONELY.homes
    joined = recall(world)
    with world.store.write() as connection:
        keep(connection, found)
    world.resolve()
    together, strangers = recall(world)
    assert together == pytest.approx(0.97 * LONELY.homes, rel=0.03)
    assert strangers == 0
    assert joined[0] < 0.93 * LONELY.homes
    after = world.customers()
    world.rebuild()
    assert world.customers() == after, "a remap keeps it"
    with world.store.write() as connection:
        assert forget(connection)
    world.resolve()
    assert world.customers() == before
    assert world.ids() == ids, "ids come back"
    with world.store.write() as connection:
        assert not forget(connection)


def test_batches_and_changes_lead_where_all_at_once_leads(world: World) -> None:
    with world.store.write() as connection:
        keep(connection, learnt(world))
    world.resolve(limit=70)
    batched = world.customers()
    records = LONELY.records(SEED)
    for at in (3, 4, 90):
        world.tell(**{f"crm_{at}": records[at][1] | {"given": "Xaver", "birth": "1901-01-01"}})
        world.resolve()
        world.tell(**{f"crm_{at}": records[at][1]})
        world.resolve()
    assert world.customers() == batched
    world.rebuild()
    assert world.customers() == batched


def test_learning_again_learns_the_same(world: World) -> None:
    first = learnt(world)
    with world.store.write() as connection:
        keep(connection, first)
    world.resolve()
    assert learnt(world) == first, "what is joined is nothing to learn from"
    with world.store.read() as connection:
        assert kept(connection) == first


def test_what_is_kept_names_nobody(world: World) -> None:
    with world.store.write() as connection:
        keep(connection, learnt(world))
        text = connection.scalar(select(hub_meta.c.value).where(hub_meta.c.name == CALIBRATION))
    assert text
    assert set(re.findall("[a-z]{2,}", text)) == {"given", "births", "family", "homes"}


def test_who_states_a_contact_is_not_looked_at(world: World) -> None:
    records = LONELY.records(SEED)
    for at, (_, said) in enumerate(records[:40]):
        world.tell(**{f"crm_{at}": said | {"phones": [f"+4930231{at:05}"]}})
    world.resolve()
    assert learnt(world).homes[-1].pairs == LONELY.homes - 20


def test_a_small_store_teaches_nothing(store: Store, rulebook: Rulebook) -> None:
    world = World(store, rulebook)
    with store.read() as connection:
        assert calibrate(connection, rulebook) is None
    told(world, Parish(100))
    world.resolve()
    with store.read() as connection:
        counts = look(connection, Rules.of(rulebook)).counts
        assert sum(n for cell, n in counts.items() if cell.place is Place.HOME) == 100
        assert calibrate(connection, rulebook) is None


def test_what_another_version_kept_is_refused(world: World) -> None:
    with world.store.write() as connection:
        keep(connection, learnt(world))
        connection.execute(update(hub_meta).where(hub_meta.c.name == CALIBRATION).values(value='{"given": 1}'))
    with pytest.raises(CalibrationError, match="--forget"):
        world.resolve()
    with world.store.write() as connection:
        forget(connection)
    world.resolve()
