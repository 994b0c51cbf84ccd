"""`hub identity calibrate`, by real runs over a resolved store: what it shows, keeps and forgets."""

from __future__ import annotations

from sqlalchemy import select
from typer.testing import CliRunner

from hub.cli import app
from hub.identity.evidence.calibration import CalibrationError
from hub.identity.rules import CALIBRATION
from hub.store.engine import Store
from hub.store.kept import hub_meta
from mappings.rulebook import Rulebook
from tests.hub.identity.parish import Parish
from tests.hub.identity.world import World


def filled(store: Store, rulebook: Rulebook, parish: Parish) -> World:
    world = World(store, rulebook)
    with store.write() as connection:
        world.put_all(connection, {f"crm/{at}": said for at, (_, said) in enumerate(parish.records(3))})
    world.resolve()
    return world


def run(store: Store, *words: str) -> str:
    done = CliRunner().invoke(app, ["identity", "calibrate", *words, "--database", store.url])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def is_kept(store: Store) -> bool:
    with store.read() as connection:
        return connection.scalar(select(hub_meta.c.value).where(hub_meta.c.name == CALIBRATION)) is not None


def test_what_was_learnt_is_shown_and_kept_only_where_asked(store: Store, rulebook: Rulebook) -> None:
    world = filled(store, rulebook, Parish(350, 0.0, 0.1, 0.06))
    apart = len(world.customers())
    said = run(store)
    assert "another given name, the same birth date" in said
    assert "UNSURE 0.700" in said, "now a person is asked"
    assert "MATCH 0.950" in said, "as learnt they are joined"
    assert not is_kept(store)
    assert "kept" in run(store, "--write")
    assert is_kept(store)
    world.resolve()
    assert len(world.customers()) < apart
    assert "UNSURE 0.700" not in run(store), "what is kept is what is followed now"
    assert "forgotten" in run(store, "--forget")
    assert not is_kept(store)
    assert "nothing is kept" in run(store, "--forget")
    world.resolve()
    assert len(world.customers()) == apart


def test_a_small_store_is_told_that_it_teaches_nothing(store: Store, rulebook: Rulebook) -> None:
    world = filled(store, rulebook, Parish(20))
    assert "too little to learn from" in run(store, "--write")
    assert not is_kept(store)
    with store.write() as connection:
        world.put(connection, "crm/900", {"given": "Anna", "family": "Vogt"})
    assert "1 profiles wait to be resolved" in run(store)


def test_to_keep_and_to_forget_at_once_is_refused(store: Store) -> None:
    done = CliRunner().invoke(app, ["identity", "calibrate", "--write", "--forget", "--database", store.url])
    assert done.exit_code == 2


def test_what_cannot_be_read_is_said_and_can_be_forgotten(store: Store, rulebook: Rulebook) -> None:
    filled(store, rulebook, Parish(20))
    with store.write() as connection:
        connection.execute(hub_meta.insert().values(name=CALIBRATION, value="{}"))
    done = CliRunner().invoke(app, ["identity", "calibrate", "--database", store.url])
    assert isinstance(done.exception, CalibrationError)
    assert "forgotten" in run(store, "--forget")
