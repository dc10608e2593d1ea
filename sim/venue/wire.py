"""What crosses the wire between a client and the venue, before any decoding.

The seam is bytes on purpose: a fault that garbles a body, drops a header or
sends HTML instead of JSON must be expressible, and a real socket server can be
put behind the same venue without a second implementation.
"""

from __future__ import annotations

import msgspec

type Headers = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True):
    """One HTTP request as the venue receives it.

    ``query`` is the raw query string, still percent-encoded, because the
    signature is computed over exactly these bytes.  ``client`` names who is
    speaking ("nt", "recon", "web"): two clients may share one API key and one
    IP address, and faults and request logs tell them apart.  ``node`` names the
    node in whose process the client runs; it is empty where there is only one.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    client: str = "nt"
    node: str = ""

    @property
    def speaker(self) -> str:
        """Who is speaking, as logs name it: the client, after its node where there are several."""
        return f"{self.node} {self.client}".lstrip()

    def header(self, name: str) -> str | None:
        """Return the first header of that name, compared without case."""
        return _header(self.headers, name)


class Response(msgspec.Struct, frozen=True):
    """One HTTP reply as the venue sends it."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first header of that name, compared without case."""
        return _header(self.headers, name)


def _header(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    for key, value in headers:
        if key == name or key.lower() == wanted:
            return value
    return None


class Frame(msgspec.Struct, frozen=True):
    """One text frame that the venue sends on a stream connection.

    ``text`` is what the client sees.  The other fields say what it is, so that
    a fault can choose frames without parsing them: ``event`` is the ``e`` of the
    payload, ``execution`` the ``x`` of an order update, and ``sequence`` is the
    venue's own counter of events, the same for every connection that gets a
    copy.  ``order_id`` and ``trade_id`` are 0 where they do not apply.  ``node`` is
    whose connection it is, as the network knows it; it is empty where there is only one.
    """

    connection_id: int
    sequence: int
    text: str
    account: str
    event: str
    time_ns: int
    symbol: str = ""
    execution: str = ""
    client_order_id: str = ""
    order_id: int = 0
    trade_id: int = 0
    node: str = ""


class Closing(msgspec.Struct, frozen=True):
    """The end of a stream connection by the venue, and the code that its close frame has."""

    connection_id: int
    code: int
