"""The words of a scenario file as tables: ``python -m sim.report.reference`` writes them.

They stand in the page on writing scenarios, between two markers, and are made from the
JSON Schema and so from the model; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from sim.report.pages import between
from sim.scenario.actions import ACTIONS, Action, Fault, NodeAction, StrategyAction, VenueAction
from sim.scenario.model import (
    PROPERTIES,
    Account,
    Adjustment,
    Broker,
    Expect,
    Known,
    Node,
    Record,
    Venue,
)
from sim.scenario.schema import Schema, schema
from sim.scenario.terms import Knobs, Limits

PAGE = Path("docs/write-a-scenario.md")

BEGIN = "<!-- reference: written by python -m sim.report.reference -->"
END = "<!-- end of reference -->"

_WHO: dict[str, type[Action]] = {
    "What a strategy does": StrategyAction,
    "What happens at the venue, and what the user does by hand": VenueAction,
    "The node's process": NodeAction,
    "Faults": Fault,
}
_PARTS: dict[str, type[msgspec.Struct]] = {
    "`venue`": Venue,
    "An account of `venue.accounts`": Account,
    "`node`, or one of `nodes`": Node,
    "`node.broker`": Broker,
    "`venue.limits`": Limits,
    "`venue.knobs`": Knobs,
    "A record of `timeline`": Record,
    "`expect`": Expect,
    "An entry of `expect.adjustments`": Adjustment,
    "An entry of `known`": Known,
}
_ITEMS_AT_MOST = 8


def reference() -> str:
    """Return the tables of all words, in Markdown."""
    whole = schema()
    structs: dict[str, Schema] = whole["$defs"]
    lines = ["### The file", "", whole["description"], "", *_table(whole)]
    for title, struct in _PARTS.items():
        found = structs[struct.__name__]
        lines += ["", f"### {title}", "", found["description"], ""]
        # What happens in a record has a part of its own.
        lines += _table(found, without=frozenset(ACTIONS) if struct is Record else frozenset())
    for title, who in _WHO.items():
        lines += ["", f"### {title}"]
        for word, action in ACTIONS.items():
            if issubclass(action, who):
                found = structs[action.__name__]
                lines += ["", f"#### `{word}`", "", _text(found["description"])]
                if found["properties"]:
                    lines += ["", *_table(found)]
    return "\n".join(lines)


def _table(struct: Schema, without: frozenset[str] = frozenset()) -> list[str]:
    lines = ["| word | value | when left out | meaning |", "|---|---|---|---|"]
    required = struct.get("required", ())
    for word, of in struct["properties"].items():
        if word in without:
            continue
        default = "**needed**" if word in required else _default(of)
        lines.append(f"| `{word}` | {_kind(of)} | {default} | {_text(of['description'])} |")
    return lines


def _default(of: Schema) -> str:
    value = of.get("default")
    if value is None or value in ({}, []):
        return "-"
    return f"`{_written(value)}`"


def _written(value: Any) -> str:
    """Return a value as it stands in a file, as far as a table has room for it."""
    match value:
        case dict():
            return "{" + ", ".join(f'{key}: "{item}"' for key, item in value.items()) + "}"
        case list():
            shown = ", ".join(map(str, value[:_ITEMS_AT_MOST]))
            return f"[{shown}{', ...' if len(value) > _ITEMS_AT_MOST else ''}]"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _kind(of: Schema) -> str:
    """Say in a few words what may stand there."""
    if "const" in of:
        return f"`{of['const']}`"
    if "enum" in of:
        names = [str(name) for name in of["enum"] if name is not None]
        if names == list(PROPERTIES):
            return "a property"
        return ", ".join(f"`{name}`" for name in names)
    if "title" in of:
        return str(of["title"])
    kinds = of.get("type", ())
    kind = next((k for k in ([kinds] if isinstance(kinds, str) else kinds) if k != "null"), "")
    if kind == "array" and "prefixItems" in of:
        return f"a list of {len(of['prefixItems'])} values"
    if kind == "array" and "items" in of:
        return f"a list, each {_kind(of['items'])}"
    if kind == "object" and "propertyNames" in of:
        return f"by {_kind(of['propertyNames'])}: {_kind(of['additionalProperties'])}"
    if kind == "object":
        return "words with values"
    bound = of.get("minimum", of.get("exclusiveMinimum"))
    words = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`"}
    text = words.get(kind, "text")
    if kind in ("integer", "number") and bound is not None:
        text += f", {'at least' if 'minimum' in of else 'more than'} {bound}"
    if "maximum" in of:
        text += f", at most {of['maximum']}"
    if "anyOf" in of:
        return " or ".join(dict.fromkeys(_kind(each) for each in of["anyOf"]))
    if of.get("$ref", "").endswith("/Anything"):
        return "a value or a list"
    if of.get("$ref", "").endswith("/Json"):
        return "any value"
    if "$ref" in of:
        return "words with values"
    return text


def _text(doc: str) -> str:
    return " ".join(doc.split()).replace("``", "`").replace("|", "\\|")


def with_reference(page: str) -> str:
    """Return the page with the tables between its markers.

    Raises `ValueError` when a marker is missing.
    """
    return between(page, BEGIN, END, reference())


def main() -> int:
    """Write the page of this checkout."""
    PAGE.write_text(with_reference(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
