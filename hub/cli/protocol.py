"""HTTP with patience that ends. In: bytes of a connection. Out: requests, or a closed connection.

The server times idle connections itself; it does not time how long headers take to arrive, limit how long they are, or
give up on a client that does not read its answer.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 10.0
"""How long the headers of a request may take to arrive, and a new connection to say anything."""
HEADER_BYTES = 131_072
"""Of a request, its address included."""
READ_S = 30.0
"""How long a client may read nothing of an answer that waits for it."""


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    _due: TimerHandle | None = None
    _unread: TimerHandle | None = None
    _arrived = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The connection is there: it is to say something soon."""
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._expect_nothing()
        self._expect_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of it."""
        self._arrived += len(data)
        super().data_received(data)
        if self._due is not None and self._arrived > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response(f"the headers have more than {HEADER_BYTES} bytes")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._due is None:
            self._expect_headers()

    def on_headers_complete(self) -> None:
        """The last byte of its headers."""
        self._expect_nothing()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The answer is written, though perhaps not read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_reader()

    def pause_writing(self) -> None:
        """So much waits to be read that no more is written."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Most of it was read."""
        super().resume_writing()
        self._expect_reader()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for a while."""
        super().timeout_keep_alive_handler()
        self._wait_for_reader()

    def _expect_headers(self) -> None:
        self._arrived = 0
        self._due = self.loop.call_later(HEADERS_S, self._close)

    def _expect_nothing(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _close(self) -> None:
        self._due = None
        if not self.transport.is_closing():
            self.transport.close()
            self._wait_for_reader()

    def _expect_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait_for_reader(self, left: int | None = None) -> None:
        """Ends a connection whose client has read nothing since the last look; nothing more is written meanwhile."""
        self._expect_reader()
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting == left:
            if self.cycle is not None:
                self.cycle.disconnected = True  # or what waits to write would write to what is closed
            self.transport.abort()
        elif waiting:
            self._unread = self.loop.call_later(READ_S, self._wait_for_reader, waiting)
