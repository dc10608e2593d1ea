"""The canonical print of a scenario: one record a line, nothing that goes without saying.

Equal scenarios have the same print, and reading the print gives the scenario
back: ``loads(dump(s)) == s``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct, UnsetType

from sim.scenario.actions import Action
from sim.scenario.durations import format_duration
from sim.scenario.model import FORMAT, Record, Scenario, implied
from sim.scenario.words import Legs, OneOrMany, Span, words
from sim.scenario.yaml_tree import reads_as_text

WIDTH = 100


def dump(scenario: Scenario) -> str:
    """Return the scenario as the text of a file."""
    printer = _Printer(scenario)
    return f"format: {FORMAT}\n" + "".join(
        printer.section(name, kind, value) for name, kind, value in printer.written(scenario)
    )


def dump_record(scenario: Scenario, record: Record) -> str:
    """Return one record of a scenario as its file would say it."""
    return _Printer(scenario).flow(Record, record)


class _Printer:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def written(self, struct: Struct) -> list[tuple[str, Any, Any]]:
        """Return word, type and value of what the file must say."""
        siblings = {name: getattr(struct, name) for name in struct.__struct_fields__}
        found = []
        for word in words(type(struct)):
            value = siblings[word.field]
            default = word.default
            if word.implied:
                default = implied(word.implied, siblings, self._scenario.setting)
            if value != default:
                found.append((word.name, word.type, value))
        return found

    def section(self, name: str, kind: Any, value: Any) -> str:
        """Print one word of the file and what belongs to it."""
        if name == "story":
            return _story(value)
        if name == "timeline" and value:
            return "timeline:\n" + "".join(f"  - {self.flow(Record, each)}\n" for each in value)
        if isinstance(value, str):
            return f"{name}: {_text(value, in_braces=False)}\n"
        line = f"{name}: {self.flow(kind, value)}\n"
        if len(line) <= WIDTH + 1 or isinstance(value, int):
            return line
        items = (
            [(word, self.flow(*rest)) for word, *rest in self.written(value)]
            if isinstance(value, Struct)
            else self._entries(kind, value)
        )
        return f"{name}:\n" + "".join(f"  {word}: {text}\n" for word, text in items)

    def flow(self, kind: Any, value: Any) -> str:
        """Print a value of the type ``kind`` within a line."""
        kind, marks = _bare(kind)
        match value:
            case Record():
                return self._record(value)
            case Struct():
                return _braces((word, self.flow(*rest)) for word, *rest in self.written(value))
            case Decimal():
                return f'"{format_decimal(value)}"'
            case int() if any(isinstance(mark, Span) for mark in marks):
                return format_duration(value)
            case dict() if any(isinstance(mark, Legs) for mark in marks) and "BOTH" in value:
                return self.flow(get_args(kind)[1], value["BOTH"])
            case dict():
                return _braces(self._entries(kind, value))
            case [only] if any(isinstance(mark, OneOrMany) for mark in marks):
                return self.flow(get_args(kind)[0], only)
            case list() | tuple():
                inner = (get_args(kind) or (Any,))[0]
                return f"[{', '.join(self.flow(inner, each) for each in value)}]"
            case _:
                return _scalar(value)

    def _entries(self, kind: Any, value: dict[str, Any]) -> list[tuple[str, str]]:
        inner = (get_args(_bare(kind)[0]) or (Any, Any))[1]
        return [(_scalar(word), self.flow(inner, each)) for word, each in sorted(value.items())]

    def _record(self, record: Record) -> str:
        action = record.action
        parts = [
            (action.word, self.flow(Action, action))
            if kind is Action
            else (word, self.flow(kind, value))
            for word, kind, value in self.written(record)
        ]
        return _braces(parts)


def format_decimal(value: Decimal) -> str:
    """Return the shortest plain decimal: no exponent, no needless zeros, no ``-0``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Strip optionality and marks from a type; return both type and marks."""
    if get_origin(kind) in (Union, UnionType):
        absent = (type(None), UnsetType)
        [kind] = [each for each in get_args(kind) if each not in absent]
    if get_origin(kind) is Annotated:
        return kind.__origin__, kind.__metadata__
    return kind, ()


def _braces(items: Iterable[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{word}: {text}' for word, text in items)}}}"


def _scalar(value: bool | int | float | str | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return format_decimal(Decimal(repr(value)))
        case str():
            return _text(value, in_braces=True)


def _text(value: str, *, in_braces: bool) -> str:
    plain = reads_as_text(value, in_braces=in_braces)
    return value if plain else json.dumps(value, ensure_ascii=False)


def _story(text: str) -> str:
    return "story: |\n" + "".join(f"  {line}".rstrip() + "\n" for line in text.split("\n"))
