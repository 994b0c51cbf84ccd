from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from hub.store.batch import batch, fill_batch
from hub.store.engine import Store, open_store
from hub.store.errors import DiskFullError, LockedError, SchemaError, StoreError, UnusableError
from hub.store.kept import hub_meta
from hub.store.schema import SCHEMA, schema_version

EDGE = 10**17


def set_meta(connection: Connection, name: str, value: str) -> None:
    connection.execute(insert(hub_meta).values(name=name, value=value))


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(hub_meta.c.name).order_by(hub_meta.c.name)).scalars())


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    def interrupted() -> None:
        with store.write() as connection:
            set_meta(connection, "a", "1")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert names(store) == []


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, StoreError)), store.read() as connection:
        set_meta(connection, "a", "1")
    assert names(store) == []


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as connection:
        count = text("SELECT COUNT(*) FROM hub_meta")
        assert connection.execute(count).scalar() == 0
        with store.write() as writer:
            set_meta(writer, "a", "1")
        assert connection.execute(count).scalar() == 0
    assert names(store) == ["a"]


def test_many_threads_read_at_once(store: Store) -> None:
    with store.write() as connection:
        set_meta(connection, "a", "1")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: names(store), range(64))) == [["a"]] * 64


def test_what_was_deleted_is_nowhere_in_the_files(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    with store.write() as connection:
        set_meta(connection, "a", "whisper" * 2_000)
    store.truncate_log()
    assert b"whisper" in (tmp_path / "hub.db").read_bytes()
    with store.write() as connection:
        connection.execute(text("DELETE FROM hub_meta"))
    store.truncate_log()
    assert not [file.name for file in tmp_path.iterdir() if b"whisper" in file.read_bytes()]
    store.close()


def test_text_is_sorted_byte_by_byte(store: Store) -> None:
    words = ["b", "A", "ä", "a", "Z", "é", "_", "10", "9"]
    with store.write() as connection:
        for word in words:
            set_meta(connection, word, "")
    assert names(store) == sorted(words, key=str.encode)


def test_concurrent_writers_on_one_file_wait_for_each_other(new_store: Callable[[str], Store]) -> None:
    store = new_store("sqlite")
    with store.write() as connection:
        set_meta(connection, "count", "0")

    def count_up() -> None:
        other = open_store(store.url)
        for _ in range(20):
            with other.write() as connection:
                held = connection.execute(text("SELECT value FROM hub_meta WHERE name = 'count'")).scalar_one()
                connection.execute(text("UPDATE hub_meta SET value = :v"), {"v": str(int(held) + 1)})
        other.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count_up) for _ in range(4)]:
            done.result()
    with store.read() as connection:
        assert connection.execute(text("SELECT value FROM hub_meta")).scalar() == "80"


def test_a_writer_that_waits_too_long_is_told_who_to_wait_for(new_store: Callable[[str], Store]) -> None:
    store = new_store("sqlite")
    with store.write():
        impatient = Store(store.engine.url, wait_s=0.01)
        with pytest.raises(LockedError, match="another process is writing; wait until"), impatient.write():
            pass
        impatient.close()


def test_a_command_that_reads_does_not_wait_for_a_writer(new_store: Callable[[str], Store]) -> None:
    writing = new_store("sqlite")
    with writing.write():
        reading = open_store(writing.url, wait_s=0.05)
        with reading.read() as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM landing")).scalar_one() == 0
        reading.close()


def test_a_full_disk_is_one_line_and_keeps_what_was_there(new_store: Callable[[str], Store]) -> None:
    store = new_store("sqlite")
    with store.write() as connection:
        set_meta(connection, "before", "1")
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 10}"))
    with pytest.raises(DiskFullError, match="the disk is full") as caught, store.write() as connection:
        set_meta(connection, "after", "secret" * 100_000)
    assert "secret" not in str(caught.value)
    assert names(store) == ["before"]


def test_an_error_of_a_statement_never_shows_its_values(store: Store) -> None:
    with pytest.raises(DBAPIError) as caught, store.write() as connection:
        connection.execute(text("SELECT :value FROM nowhere"), {"value": "secret"})
    assert "secret" not in str(caught.value)


BAD_URLS = {
    "no url": ("hub.db", r"HUB_DATABASE_URL: is no URL; use sqlite:///hub\.db or"),
    "other database": ("mysql://u:secret@host/db", "'mysql' is not supported; use sqlite:///"),
    "in memory": ("sqlite://", "a database in memory is not kept; name a file"),
    "no folder": ("sqlite:////no/such/folder/hub.db", "there is no folder /no/such/folder; create it"),
    "no server": (
        "postgresql://u:secret@127.0.0.1:1/db?password=secret",
        "postgresql://u@127.0.0.1:1/db: no connection .*; check HUB_DATABASE_URL",
    ),
}


@pytest.mark.parametrize(("url", "message"), BAD_URLS.values(), ids=BAD_URLS.keys())
def test_a_url_that_cannot_be_used_is_one_line_without_its_password(url: str, message: str) -> None:
    with pytest.raises(UnusableError, match=message) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"Dear Sir or Madam, " * 100)
    with pytest.raises(UnusableError, match=r"letter\.db: is no SQLite database"):
        open_store(f"sqlite:///{path}")


def test_sqlite_makes_its_tables_by_itself_and_postgresql_where_asked(empty_url: str) -> None:
    if empty_url.startswith("postgresql"):
        with pytest.raises(SchemaError, match="has no tables yet; run `hub migrate`"):
            open_store(empty_url)
    store = open_store(empty_url, migrate=True if empty_url.startswith("postgresql") else None)
    with store.read() as connection:
        assert schema_version(connection) == SCHEMA
    store.close()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param("0001", f"has schema 0001, this hub needs {SCHEMA}; run `hub migrate`", id="older"),
        pytest.param("9999", f"has schema 9999, newer than this hub's {SCHEMA}; upgrade customer-hub", id="newer"),
    ],
)
def test_another_schema_is_refused_with_the_remedy(empty_url: str, version: str, message: str) -> None:
    store = open_store(empty_url, migrate=True)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    store.close()
    with pytest.raises(SchemaError, match=message):
        open_store(empty_url, migrate=False)


@pytest.mark.parametrize("migrate", [True, None, False])
def test_a_newer_schema_is_never_touched(tmp_path: Path, migrate: bool | None) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    store = open_store(url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(SchemaError, match="newer than this hub's"):
        open_store(url, migrate=migrate)


def test_a_batch_holds_exactly_the_customers_of_the_last_filling(store: Store) -> None:
    held = select(batch.c.customer_no).order_by(batch.c.customer_no)
    with store.write() as connection:
        assert fill_batch(connection, [3, 1, 3, EDGE]) == 3
        assert list(connection.execute(held).scalars()) == [1, 3, EDGE]
        assert fill_batch(connection, []) == 0
        assert list(connection.execute(held).scalars()) == []
    with store.write() as connection:
        assert fill_batch(connection, range(2_500)) == 2_500


@pytest.mark.parametrize(("repeatable", "waits"), [(False, "on"), (True, "off")], ids=["lasting", "repeatable"])
def test_only_what_can_be_done_again_does_not_wait_for_the_disk(
    new_store: Callable[[str], Store], repeatable: bool, waits: str
) -> None:
    store = new_store("postgresql")
    with store.write(repeatable=repeatable) as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == waits
    with store.write() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
