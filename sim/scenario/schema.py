"""The format of scenario files as a JSON Schema: ``python -m sim.scenario.schema`` writes it.

Editors complete and check a scenario by it while it is written.  It is made from
the structs of `model` and `actions` in the same way in which the loader reads
them, so a new action or field is in it by itself; a test holds the file to them.

The schema refuses what the types refuse.  It cannot know what `checks` knows, such
as an order that nobody sent, nor what only the text shows, such as a word that is
given twice or a whole number that is written as ``1.0``.
"""

from __future__ import annotations

import inspect
import json
import sys
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, UNSET, Meta, Struct, UnsetType

from sim.scenario.actions import ACTIONS, Action
from sim.scenario.dump import format_decimal
from sim.scenario.durations import UNITS_NS, format_duration
from sim.scenario.loader import DECIMAL
from sim.scenario.model import FORMAT, Record, Scenario
from sim.scenario.words import (
    AnyJson,
    Implied,
    Legs,
    OneOrMany,
    Pattern,
    Prose,
    Quoted,
    Sign,
    Span,
    Word,
    is_name,
    words,
)

FILE = Path(__file__).with_name("scenario.schema.json")

type Schema = dict[str, Any]

# Both kinds of numbers that are text may have a minus and are zero without a digit
# from 1 to 9.  "-0" is zero, for the loader too.
_SIGNS = {
    Sign.ANY: "",
    Sign.NOT_NEGATIVE: "(?!-.*[1-9])",
    Sign.POSITIVE: "(?!-)(?=.*[1-9])",
    Sign.NOT_ZERO: "(?=.*[1-9])",
}
# Every unit may be left out, but something must follow the minus.
_DURATION = "-?(?=[0-9])" + "".join(f"([0-9]{{1,9}}{unit})?" for unit in UNITS_NS)

_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_PLAIN: dict[Any, str] = {bool: "boolean", int: "integer", float: "number"}

# What the loader takes where the model says `Any`.
_ANYTHING: Schema = {
    "description": "A value or a list, but no words with values.",
    "type": ["null", "boolean", "number", "string", "array"],
    "items": {"$ref": "#/$defs/Anything"},
}


def schema() -> Schema:
    """Return the schema of scenario files, in draft 2020-12."""
    generator = _Generator()
    scenario = generator.struct(Scenario)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario of nautilus-recon",
        "description": scenario["description"],
        "type": "object",
        "properties": {
            "format": {"description": "The version of the format.", "const": FORMAT},
            **scenario["properties"],
        },
        "required": ["format", *scenario["required"]],
        "additionalProperties": False,
        "$defs": dict(sorted(generator.definitions.items())),
    }


def text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator:
    """Turns types into schemas; each struct becomes one definition, used by its name."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def struct(self, struct: type[Struct]) -> Schema:
        """Return what the mapping must hold that stands for a struct."""
        known = [word for word in words(struct) if word.type is not Action]
        required = [word.name for word in known if word.required]
        return {
            "description": " ".join((inspect.getdoc(struct) or "").split()),
            "type": "object",
            "properties": {word.name: self._property(word) for word in known},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def _record(self) -> Schema:
        """Return the schema of a record, where the action's own word stands for the action."""
        record = self.struct(Record)
        record["properties"] |= {word: self._reference(action) for word, action in ACTIONS.items()}
        # An editor offers all the words above; this says that exactly one is an action's.
        return {**record, "oneOf": [{"required": [word]} for word in ACTIONS]}

    def _property(self, word: Word) -> Schema:
        described = {"description": word.doc, **self._value(word.type)}
        # An empty default of a text means that there is none: the file cannot say it.
        if word.implied or word.default in (NODEFAULT, UNSET, ""):
            return described
        return {**described, "default": _written(word.type, word.default)}

    def _reference(self, struct: type[Struct]) -> Schema:
        name = struct.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # A struct may hold itself.
            self.definitions[name] = self._record() if struct is Record else self.struct(struct)
        return {"$ref": f"#/$defs/{name}"}

    def _value(self, kind: Any) -> Schema:
        """Return the schema of a type by its marks; the cases are those of the loader."""
        kind, marks, nullable = _parts(kind)
        value = self._present(kind, marks)
        return _or_null(value) if nullable else value

    def _present(self, kind: Any, marks: tuple[Any, ...]) -> Schema:
        origin = get_origin(kind)
        if kind is Any and any(isinstance(mark, AnyJson) for mark in marks):
            self.definitions["Json"] = {"description": "Any value that JSON has."}
            return {"$ref": "#/$defs/Json"}
        if kind is Any:
            self.definitions["Anything"] = _ANYTHING
            return {"$ref": "#/$defs/Anything"}
        if origin is Literal:
            return {"type": "string", "enum": list(get_args(kind))}
        if origin is tuple:
            return self._list(get_args(kind), marks)
        if origin is dict:
            return self._dict(get_args(kind), marks)
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self._reference(kind)
        return _scalar(kind, next((m for m in marks if not isinstance(m, Implied)), None))

    def _list(self, kinds: tuple[Any, ...], marks: tuple[Any, ...]) -> Schema:
        if kinds[-1] is not Ellipsis:
            return {
                "type": "array",
                "prefixItems": [self._value(kind) for kind in kinds],
                "minItems": len(kinds),
                "maxItems": len(kinds),
            }
        item = self._value(kinds[0])
        many: Schema = {"type": "array", "items": item}
        one_or_many = any(isinstance(mark, OneOrMany) for mark in marks)
        is_things = isinstance(kinds[0], type) and issubclass(kinds[0], Struct)
        # Only a list of whole things says something when empty.
        if not is_things or one_or_many:
            many |= {"minItems": 1}
        if is_name(kinds[0]):
            many |= {"uniqueItems": True}
        return {"anyOf": [item, many]} if one_or_many else many

    def _dict(self, kinds: tuple[Any, ...], marks: tuple[Any, ...]) -> Schema:
        key, value = map(self._value, kinds)
        mapping: Schema = {"type": "object"}
        if names := key.get("enum"):
            # An editor offers names that it knows.
            mapping |= {"properties": dict.fromkeys(names, value), "additionalProperties": False}
        else:
            mapping |= {"propertyNames": key, "additionalProperties": value}
        return {"anyOf": [value, mapping]} if any(isinstance(m, Legs) for m in marks) else mapping


def _parts(kind: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Return a type without its marks, the marks, and whether null may stand for it."""
    if get_origin(kind) in (Union, UnionType):
        given = get_args(kind)
        [present] = [each for each in given if each not in (type(None), UnsetType)]
        return *_parts(present)[:2], type(None) in given
    if get_origin(kind) is Annotated:
        return kind.__origin__, kind.__metadata__, False
    return kind, (), False


def _scalar(kind: Any, mark: Any) -> Schema:
    """Return the schema of a single value; its title is what the loader calls it."""
    match mark:
        case Quoted(sign=sign):
            pattern = _whole(DECIMAL.pattern, sign)
            return {"title": sign.of("decimal in quotes"), "type": "string", "pattern": pattern}
        case Span(sign=sign):
            return {
                "title": sign.of("duration"),
                "type": "string",
                "pattern": _whole(_DURATION, sign),
            }
        case Pattern(meaning=meaning, regex=regex):
            return {"title": meaning, "type": "string", "pattern": _whole(regex)}
        case Prose() | None if kind is str:
            return {"type": "string", "minLength": 1}
        case Meta():
            bounds = {word: getattr(mark, name) for name, word in _BOUNDS.items()}
            given = {word: bound for word, bound in bounds.items() if bound is not None}
            # `typing` keeps one of equal types, so a bound of 0 may come back as another's 0.0.
            whole = {word: int(bound) for word, bound in given.items() if bound == int(bound)}
            return {"type": _PLAIN[kind], **given, **whole}
        case None:
            return {"type": _PLAIN[kind]}
        case _:
            raise TypeError(f"no schema for {kind} with {mark}")


def _whole(regex: str, sign: Sign = Sign.ANY) -> str:
    """Return a regex that matches a whole text, in what Python and ECMA 262 have in common."""
    return f"^{_SIGNS[sign]}(?:{regex})$"


def _or_null(value: Schema) -> Schema:
    if "enum" in value:
        return {**value, "type": [value["type"], "null"], "enum": [*value["enum"], None]}
    if isinstance(value.get("type"), str):
        return {**value, "type": [value["type"], "null"]}
    return {"anyOf": [value, {"type": "null"}]}


def _written(kind: Any, value: Any) -> Any:
    """Return a default as a file would give it."""
    kind, marks, _ = _parts(kind)
    match value:
        case Struct():
            # Nothing that goes without saying, as in the print.
            return {
                word.name: _written(word.type, getattr(value, word.field))
                for word in words(type(value))
                if getattr(value, word.field) != word.default
            }
        case Decimal():
            return format_decimal(value)
        case int() if any(isinstance(mark, Span) for mark in marks):
            return format_duration(value)
        case dict():
            inner = get_args(kind)[-1]
            return {name: _written(inner, each) for name, each in value.items()}
        case tuple():
            inner = get_args(kind)[0]
            return [_written(inner, each) for each in value]
        case _:
            return value


def main() -> int:
    """Write the schema of this checkout."""
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
