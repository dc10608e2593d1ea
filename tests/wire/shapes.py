"""What JSON has to look like, to the type of every field."""

from __future__ import annotations

import re
from typing import Any

import msgspec


class Text(msgspec.Struct, frozen=True):
    """Text of a form."""

    pattern: str

    def admits(self, value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


class Whole(msgspec.Struct, frozen=True):
    """A whole number, not less than that."""

    least: int

    def admits(self, value: Any) -> bool:
        return type(value) is int and value >= self.least


class OneOf(msgspec.Struct, frozen=True):
    """One of some values."""

    values: tuple[Any, ...]

    def admits(self, value: Any) -> bool:
        return any(type(value) is type(each) and value == each for each in self.values)


DECIMAL = Text(r"-?(0|[1-9]\d*)(\.\d{1,8})?")
"""A decimal number as text, never with an exponent, nor with more than eight decimals."""

POSITIVE = Text(r"(?=.*[1-9])(0|[1-9]\d*)(\.\d+)?")
"""One above zero."""

ZERO = Text(r"0(\.0+)?")
DIGITS = Text(r"[1-9]\d*")
NAME = Text(r".+")
MS = Whole(1_500_000_000_000)
"""An instant, in milliseconds since the Unix epoch."""

ID = Whole(1)
COUNT = Whole(0)
SIDE = OneOf(("BUY", "SELL"))


def one_of(*values: Any) -> OneOf:
    return OneOf(values)


def mismatches(value: Any, shape: Any, at: str = "it") -> list[str]:
    """Return in which ways a value is not of that shape.

    A shape is a kind from above or a type; a value that has to be equal; a list of one shape,
    for a list of at least one such value; a dict of the shapes of all its fields, those whose
    names end in ``?`` may be absent.
    """
    match shape:
        case Text() | Whole() | OneOf():
            return [] if shape.admits(value) else [f"{at} is {value!r}, not {shape}"]
        case type():
            is_right = type(value) is shape
            return [] if is_right else [f"{at} is {value!r}, not {shape.__name__}"]
        case dict():
            return _fields(value, shape, at)
        case [inner]:
            if not isinstance(value, list) or not value:
                return [f"{at} is {value!r}, not a list with something in it"]
            return [
                found
                for index, each in enumerate(value)
                for found in mismatches(each, inner, f"{at}[{index}]")
            ]
        case _:
            is_right = type(value) is type(shape) and value == shape
            return [] if is_right else [f"{at} is {value!r}, not {shape!r}"]


def _fields(value: Any, shape: dict[str, Any], at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is {value!r}, not an object"]
    known = {name.removesuffix("?"): inner for name, inner in shape.items()}
    found = [f"{at} has no {name}" for name in shape if name not in value and name[-1] != "?"]
    found += [f"{at} has {name}, too" for name in value if name not in known]
    return found + [
        each
        for name, inner in known.items()
        if name in value
        for each in mismatches(value[name], inner, f"{at}.{name}")
    ]
