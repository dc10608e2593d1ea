"""Points in time that are named by what happens there, not by a number of seconds.

``before reply 2 of GET /fapi/v1/userTrades`` is the same point of a story however long
the harness takes to get there.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

type Moment = Literal[
    "before request",
    "after request",
    "before reply",
    "after reply",
    "before event",
    "after event",
    "after write",
]

POINT = (
    r"((before request|after request|before reply|after reply) [1-9][0-9]{0,5} of "
    r"([a-z][a-z0-9_]{0,19} )?(GET|POST|PUT|DELETE|WS) /[A-Za-z0-9/_.-]{0,99}"
    r"|(before event|after event) [1-9][0-9]{0,5} of [A-Za-z_]{1,40}( [A-Z_]{1,20})?"
    r"|after write [1-9][0-9]{0,5}( of [A-Za-z0-9._:/-]{1,80})?)( at [A-Z][A-Za-z0-9]{0,9})?"
)
"""The form of a point; in words that Python and ECMA 262 have in common."""

_PARTS = re.compile(
    r"(?P<moment>[a-z]+ (request|reply|event|write)) (?P<number>\d+)( of (?P<of>.*?))?"
    r"( at (?P<node>[A-Za-z0-9]+))?"
)


class Point(Struct, frozen=True):
    """The ``number``-th time that something happens, of a request, an event or a write.

    A request may be of any client, or of one.  An event has a type, and an order update may
    have an execution type.  A write may be of any key, or of one (``orders:O-1``) or its kind
    (``orders``).  It may be of any node, or of one.
    """

    moment: Moment
    number: int
    client: str = ""
    method: str = ""
    path: str = ""
    event: str = ""
    execution: str = ""
    key: str = ""
    node: str = ""

    @property
    def is_of_a_request(self) -> bool:
        """Whether it is about a request."""
        return bool(self.path)

    def __str__(self) -> str:
        """The text that `parse_point` reads."""
        of = " ".join(
            word
            for word in (
                *(self.client, self.method, self.path),
                *(self.event, self.execution, self.key),
            )
            if word
        )
        text = f"{self.moment} {self.number}" + (f" of {of}" if of else "")
        return f"{text} at {self.node}" if self.node else text


def parse_point(text: str) -> Point:
    """Return the point that ``text`` names; raises `ValueError` when it has not the form."""
    form = _PARTS.fullmatch(text)
    if form is None or not re.fullmatch(POINT, text):
        raise ValueError(f"{text!r} is not a named point")
    moment: Moment = form["moment"]  # type: ignore[assignment]  # POINT has no other
    number, of, node = int(form["number"]), form["of"] or "", form["node"] or ""
    if moment == "after write":
        return Point(moment, number, key=of, node=node)
    *client, first, second = of.split(" ") if " " in of else (of, "")
    if moment in ("before event", "after event"):
        return Point(moment, number, event=first, execution=second, node=node)
    return Point(moment, number, " ".join(client), first, second, node=node)
