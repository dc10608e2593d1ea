"""Points in time that are named by what happens there, not by a number of seconds.

``before reply 2 of GET /fapi/v1/userTrades`` is the same point of a story however long
the harness takes to get there.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

type Moment = Literal["before reply", "after reply", "after request", "after write"]

POINT = (
    r"(before reply|after reply|after request) [1-9][0-9]{0,5} of "
    r"(GET|POST|PUT|DELETE) /[A-Za-z0-9/_.-]{0,99}"
    r"|after write [1-9][0-9]{0,5}( of [A-Za-z0-9._:/-]{1,80})?"
)
"""The form of a point; in words that Python and ECMA 262 have in common."""

_MOMENTS: tuple[Moment, ...] = ("before reply", "after reply", "after request", "after write")


class Point(Struct, frozen=True):
    """The ``number``-th time that something happens, of a request or of a write.

    A write may be of any key, or of one (``orders:O-1``) or its kind (``orders``).
    """

    moment: Moment
    number: int
    method: str = ""
    path: str = ""
    key: str = ""

    @property
    def is_of_a_request(self) -> bool:
        """Whether it is about a request; a write has no method and no path."""
        return bool(self.path)


def parse_point(text: str) -> Point:
    """Return the point that ``text`` names; raises `ValueError` when it has not the form."""
    if not re.fullmatch(POINT, text):
        raise ValueError(f"{text!r} is not a named point")
    happening, _, of = text.partition(" of ")
    [moment] = [each for each in _MOMENTS if happening.startswith(each)]
    number = int(happening.rpartition(" ")[2])
    if moment == "after write":
        return Point(moment, number, key=of)
    method, _, path = of.partition(" ")
    return Point(moment, number, method, path)
