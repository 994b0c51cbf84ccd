"""In: a company. Out: its four systems, each an HTTP server on a loopback port of its own, until closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from connectors.sandbox import billing_api, crm_api, support_api, web_api
from connectors.sandbox.company import Company
from connectors.sandbox.gate import Gate

SYSTEMS = ("hubspot", "stripe", "zendesk", "matomo")
EMAIL = "hub@hub-station.example"
TOKENS = {
    "hubspot": "pat-sandbox-crm",
    "stripe": "rk_test_sandbox_billing",
    "zendesk": "sandbox-support",
    "matomo": "5a4db0c4a11e0f5a4db0c4a11e0f5a4d",
}
START_SECONDS = 15
RATE = "10000/s"  # nobody else asks these servers


class _Announced(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


class Running:
    """Four servers in one background thread. `requests` lists by system every request that arrived, in order."""

    def __init__(self, company: Company, *, faults: bool, latency_ms: float, ports: Sequence[int] | None) -> None:
        if ports is not None and len(ports) != len(SYSTEMS):
            raise ValueError(f"ports: {len(ports)} given, {len(SYSTEMS)} needed ({', '.join(SYSTEMS)})")
        self.company = company
        self.tokens = dict(TOKENS)
        self._gates = _gates(faults, latency_ms)
        self.requests = {name: gate.requests for name, gate in self._gates.items()}
        self._sockets = _listen(ports)
        self.base_urls = {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in self._sockets.items()}
        routes = self._routes()
        self._servers = {name: _Announced(_config(Starlette(routes=routes[name]))) for name in SYSTEMS}
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def environment(self) -> dict[str, str]:
        """The settings that the shipped mappings read from the environment."""
        urls = self.base_urls
        return {
            "HUBSPOT_BASE_URL": urls["hubspot"],
            "HUBSPOT_TOKEN": self.tokens["hubspot"],
            "STRIPE_BASE_URL": urls["stripe"],
            "STRIPE_TOKEN": self.tokens["stripe"],
            "ZENDESK_BASE_URL": urls["zendesk"],
            "ZENDESK_EMAIL": EMAIL,
            "ZENDESK_TOKEN": self.tokens["zendesk"],
            "MATOMO_BASE_URL": urls["matomo"],
            "MATOMO_TOKEN": self.tokens["matomo"],
            "HUBSPOT_RATE": RATE,
            "STRIPE_RATE": RATE,
            "ZENDESK_RATE": RATE,
        }

    def start(self) -> Running:
        """Serve; returns when all four accept requests. RuntimeError when they do not come up."""
        self._thread.start()
        for name, server in self._servers.items():
            if not server.ready.wait(START_SECONDS):
                raise RuntimeError(f"sandbox {name} did not start on {self.base_urls[name]} within {START_SECONDS} s")
        return self

    def close(self) -> None:
        """Stop all four and free their ports."""
        for server in self._servers.values():
            server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _routes(self) -> dict[str, list[Route]]:
        gates, tokens = self._gates, self.tokens
        return {
            "hubspot": crm_api.routes(gates["hubspot"], self.company, tokens["hubspot"]),
            "stripe": billing_api.routes(gates["stripe"], self.company, tokens["stripe"]),
            "zendesk": support_api.routes(gates["zendesk"], self.company, EMAIL, tokens["zendesk"]),
            "matomo": web_api.routes(gates["matomo"], self.company, tokens["matomo"]),
        }

    def _run(self) -> None:
        loop_factory = next(iter(self._servers.values())).config.get_loop_factory()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await asyncio.gather(*(server.serve([self._sockets[name]]) for name, server in self._servers.items()))


def serve(
    company: Company, *, faults: bool = True, latency_ms: float = 0, ports: Sequence[int] | None = None
) -> Running:
    """Start all four systems, on free ports or on `ports` (CRM, billing, support, web); close it, or use it in `with`.

    OSError names the port that is taken. With `faults` some answers are 429 and 503; a repeated request passes.
    """
    return Running(company, faults=faults, latency_ms=latency_ms, ports=ports).start()


def _gates(faults: bool, latency_ms: float) -> dict[str, Gate]:
    apps = {"hubspot": crm_api, "stripe": billing_api, "zendesk": support_api, "matomo": web_api}
    return {
        name: Gate(faults=faults, latency_ms=latency_ms, limited=app.LIMITED, unavailable=app.UNAVAILABLE)
        for name, app in apps.items()
    }


def _listen(ports: Sequence[int] | None) -> dict[str, socket.socket]:
    found: dict[str, socket.socket] = {}
    for name, port in zip(SYSTEMS, ports or (0,) * len(SYSTEMS), strict=True):
        try:
            found[name] = socket.create_server(("127.0.0.1", port), backlog=512)
        except OSError as error:
            for sock in found.values():
                sock.close()
            raise OSError(error.errno, f"sandbox {name}: port {port} cannot be used ({error.strerror})") from None
    return found


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
