"""The tools of frontend teams. In: package-lock.json, the guide. Out: installed packages, programs run, a served hub.

`npm ci` runs once for each lock file: the packages stay in a cache folder outside the checkout.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent
from time import monotonic
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from hub.api.schema import committed_sdl
from hub.store.engine import Store, open_store
from tests.hub.api.conftest import put_customer

HERE = Path(__file__).parent
HOUSE = HERE.parents[1]
GUIDE = HOUSE / "docs" / "frontend.md"
MANIFESTS = ("package.json", "package-lock.json")
OLDEST_NODE = 20
SECONDS = 300

# What npm says where the registry cannot be reached; any other failure of it is ours.
_OUT_OF_REACH = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ETIMEDOUT", "ENOTCACHED")

Ran = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder `node_modules` with what package-lock.json names. Skips where they are not to be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("needs node and npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"needs node {OLDEST_NODE} or newer, this is {version}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "customer-hub-tests"
    cache.mkdir(parents=True, exist_ok=True)
    mark = blake2b(b"".join((HERE / name).read_bytes() for name in MANIFESTS), digest_size=8).hexdigest()
    with _alone(cache / f"{mark}.lock"):
        installed = cache / mark
        if not installed.exists():
            _install(npm, cache).rename(installed)
    return installed / "node_modules"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the system takes the lock away with the process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(npm: str, cache: Path) -> Path:
    """Installs into a new folder, so that what is cached is whole. No script of a package runs."""
    folder = Path(mkdtemp(prefix="install-", dir=cache))
    for name in MANIFESTS:
        shutil.copy(HERE / name, folder)
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=2000"]
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *patience]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        if any(word in done.stderr for word in _OUT_OF_REACH):
            pytest.skip("needs the npm registry, which cannot be reached")
        raise AssertionError(f"npm ci: {done.stderr}")
    return folder


def run_node(folder: Path, program: str, *arguments: str, **environment: str) -> Ran:
    """Runs a program in a folder that has the packages."""
    command, said = ["node", program, *arguments], {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=said, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture
def workplace(node_modules: Path, tmp_path: Path) -> Path:
    """A folder in which programs find the packages; ours (*.mjs) lie in it."""
    (tmp_path / "node_modules").symlink_to(node_modules)
    for file in (HERE / "package.json", *HERE.glob("*.mjs")):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture
def node(workplace: Path) -> Callable[..., Ran]:
    """Runs a program in the workplace: `node("audit.mjs", url)` or `node("node_modules/.bin/tsc", "--strict")`."""
    return partial(run_node, workplace)


@pytest.fixture
def app(node_modules: Path, tmp_path: Path) -> Path:
    """The app that the guide shows; see lay_out."""
    return lay_out(tmp_path, node_modules)


def lay_out(folder: Path, node_modules: Path) -> Path:
    """Makes a folder that of an app: the files that the guide shows, the schema, the packages."""
    for language, text in _blocks(GUIDE.read_text(encoding="utf-8")):
        path = re.match(r"// (\S+\.ts)\n", text)
        if language == "ts" and path:
            file = folder / path[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif language == "json" and '"artifactDirectory"' in text:
            (folder / "relay.config.json").write_text(text, encoding="utf-8")
    (folder / "schema.graphql").write_text(committed_sdl(), encoding="utf-8")
    shutil.copy(HERE / "tsconfig.json", folder)
    (folder / "node_modules").symlink_to(node_modules)
    return folder


def _blocks(guide: str) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a guide: language and text."""
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        yield found[1], dedent(found[2])


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Store]:
    """A store of five customers; what the tools see is the same on both databases."""
    path = tmp_path_factory.mktemp("frontend") / "hub.db"
    shutil.copyfile(migrated_file, path)
    store = open_store(f"sqlite:///{path}")
    with store.write() as connection:
        for number, name in enumerate(("Ada", "Ben", "Cem", "Dora", "Eva"), start=1):
            put_customer(connection, number, name)
    yield store
    store.close()


@pytest.fixture(scope="session")
def hub_url(people: Store) -> Iterator[str]:
    """The address of `hub serve` over these people."""
    with serving(people) as url:
        yield url


@contextmanager
def serving(store: Store, **environment: str) -> Iterator[str]:
    """`hub serve` over a store, a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hub.cli", "serve", "--port", str(port), "--database", store.url]
    said = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | environment
    with subprocess.Popen(command, cwd=HOUSE, env=said) as process:
        try:
            _await(process, f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}/graphql"
        finally:
            process.terminate()


def _await(serving: subprocess.Popen[bytes], url: str) -> None:
    """Asks until it is answered."""
    over = monotonic() + SECONDS
    while monotonic() < over:
        try:
            urlopen(url).close()  # noqa: S310
        except URLError:
            try:
                raise AssertionError(f"hub serve ended with code {serving.wait(0.05)}")
            except subprocess.TimeoutExpired:
                continue
        return
    raise AssertionError("hub serve does not answer")
