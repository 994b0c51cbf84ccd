"""A system that gives a new refresh token each time and never takes an old one, renewed by several at once."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from connectors.auth import signers
from connectors.errors import Unauthorized
from connectors.http import Client, Sending
from hub.store.engine import Store
from hub.store.vault import StoredVault
from mappings.loader import Settings, Source
from mappings.spec import System

KEY = urlsafe_b64encode(bytes(32)).decode()


class Strict(ThreadingHTTPServer):
    """Takes the newest refresh token only; anything else ends the grant, as systems do that fear a thief."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.newest, self.given, self.ended, self.guard = "first", 0, False, threading.Lock()

    def grant(self, refresh_token: str) -> tuple[int, dict[str, str]]:
        with self.guard:
            if self.ended or refresh_token != self.newest:
                self.ended = True
                return 400, {"error": "invalid_grant"}
            self.given += 1
            self.newest = f"refresh-token-{self.given}"
            return 200, {"access_token": f"access-token-{self.given}", "refresh_token": self.newest}


class _Answering(BaseHTTPRequestHandler):
    server: Strict

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, said = self.server.grant(parse_qs(body)["refresh_token"][0])
        answer = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def strict() -> Iterator[Strict]:
    server = Strict()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _source(strict: Strict, setting: str = "first") -> Source:
    oauth2 = {"token_url": "/token", "client_id": "hub", "refresh_token": "${refresh}"}
    said = {
        "system": "vendor",
        "kind": "crm",
        "about": "A system of the tests.",
        "settings": {"refresh": {"secret": True}},
        "http": {"base_url": f"http://127.0.0.1:{strict.server_port}", "auth": {"oauth2": oauth2}},
        "streams": {"things": {"get": "/things", "key": "id"}},
    }
    return Source("crm", System.model_validate(said), Settings({"refresh": setting}))


def _signed(store: Store, source: Source) -> str:
    async def sign() -> Sending:
        async with Client(source) as client:
            return await signers(source, client, StoredVault(store, [KEY]))["things"].sign(
                Sending("GET", "/things", {})
            )

    return asyncio.run(sign()).headers["Authorization"]


def test_several_that_renew_at_once_each_get_a_token_and_end_no_grant(store: Store, strict: Strict) -> None:
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda _: _signed(store, _source(strict)), range(6)))
    assert sorted(got) == [f"Bearer access-token-{number}" for number in range(1, 7)]
    assert not strict.ended


def test_a_grant_that_the_system_ended_goes_on_with_a_new_setting(store: Store, strict: Strict) -> None:
    _signed(store, _source(strict))
    strict.newest = "by-operator"
    with pytest.raises(Unauthorized, match=r"allow the hub anew at the system and set CRM_REFRESH$"):
        _signed(store, _source(strict))
    strict.ended = False
    assert _signed(store, _source(strict, "by-operator")) == "Bearer access-token-2"
    assert _signed(store, _source(strict, "by-operator")) == "Bearer access-token-3"
