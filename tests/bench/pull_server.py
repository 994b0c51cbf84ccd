"""The system that everybody pulls from in bench_pull: streams of 1 KB records, 100 a page, ready before anybody asks.

In: a command line. Out: a server on a loopback port, printed; /s0?page=1 … hold the records, /asked what was asked for.
Bytes are made once and written as they are, so that what is measured is who asks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

A_PAGE = 100
FILLER = "Words that nobody reads, but which have to be carried. " * 12


def record(stream: int, number: int) -> dict[str, Any]:
    """A customer of about 1 KB."""
    return {
        "id": f"s{stream}-{number:08}",
        "first_name": f"Given{number % 997}",
        "last_name": f"Family{number % 9973}",
        "email": f"person{number}@stream{stream}.example",
        "phone": f"+4930{number:08}",
        "country": "DE",
        "city": "Berlin",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": f"2026-02-{1 + number % 28:02}T12:00:00Z",
        "status": "active",
        "score": number % 100,
        "tags": ["a", "b", "c"],
        "note": FILLER,
    }


class System(asyncio.Protocol):
    """One connection; what is served and asked is the whole server's."""

    bodies: dict[tuple[str, int], bytes]
    pages: int
    latency_s: float
    down_at: int | None
    asked: Counter[str]

    def connection_made(self, transport: Any) -> None:
        self._transport, self._held = transport, b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while b"\r\n\r\n" in self._held:
            head, _, self._held = self._held.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            answer = self._answer(target)
            if System.latency_s and not target.startswith("/asked"):
                asyncio.get_running_loop().call_later(System.latency_s, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, target: str) -> bytes:
        url = urlsplit(target)
        if url.path == "/asked":
            return _http(200, json.dumps(System.asked).encode())
        if url.path in ("/down", "/up"):
            System.down_at = int(url.query) if url.path == "/down" else None
            System.asked.clear()
            return _http(200, b"{}")
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        System.asked[f"{url.path} {page}"] += 1
        if System.down_at is not None and page >= System.down_at:
            return _http(400, b'{"message": "broken"}')
        return System.bodies.get((url.path, page)) or _http(200, _body([], page))


def _http(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _body(records: list[dict[str, Any]], page: int) -> bytes:
    more = {"page": page, "pages": System.pages, "next": page + 1 if page < System.pages else None}
    return json.dumps({"data": records, "meta": more}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--latency-ms", type=float, default=0)
    asyncio.run(_serve(parser.parse_args()))


async def _serve(said: argparse.Namespace) -> None:
    System.pages, System.latency_s, System.down_at, System.asked = said.pages, said.latency_ms / 1000, None, Counter()
    System.bodies = {
        (f"/s{stream}", page): _http(
            200, _body([record(stream, (page - 1) * A_PAGE + each) for each in range(A_PAGE)], page)
        )
        for stream in range(said.streams)
        for page in range(1, said.pages + 1)
    }
    server = await asyncio.get_running_loop().create_server(System, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
