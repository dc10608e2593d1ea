"""The schema of scenario files: that it is the model's, and that it agrees with the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sim.scenario import Scenario, ScenarioError, dump, loads
from sim.scenario.actions import ACTIONS
from sim.scenario.durations import parse_duration
from sim.scenario.schema import FILE, schema, text
from sim.scenario.words import Sign
from tests.properties.scenario_strategies import scenarios

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = sorted(SCENARIOS.rglob("*.yaml"))

SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)

GOOD = """\
format: 1
title: A warm restart after a fill invents nothing
shows: phantom-fill
seed: 7
venue: {symbols: [BTCUSDT, ETHUSDT], balances: {USDT: "100"}, latency_ms: [5, 25]}
node: {claims: {S-001: [BTCUSDT-PERP.BINANCE]}, reconciliation_interval_secs: 60}
timeline:
  - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 5s, fill: {order: O-1, quantity: "1"}}
  - {at: 60s, restart: {cache: kept, down: 1s}}
expect:
  venue_position: {BTCUSDT: "1"}
  adjustments: [{symbol: BTCUSDT, quantity: "1"}]
known: {stock: {fails: [phantom-fill]}}
"""
TIMELINE = GOOD[GOOD.index("timeline:") : GOOD.index("expect:")]
FILL = '  - {at: 5s, fill: {order: O-1, quantity: "1"}}\n'

# What stands in the good file, and what makes it a bad one.
MALFORMED = {
    "no-format": ("format: 1\n", ""),
    "other-format": ("format: 1", "format: 2"),
    "quoted-format": ("format: 1", 'format: "1"'),
    "unknown-word": ("seed: 7", "sed: 7"),
    "unknown-word-in-action": ("cache: kept", "cash: kept"),
    "unknown-word-in-venue": ("symbols:", "venue: {}, symbols:"),
    "unknown-action": ("restart:", "restat:"),
    "no-title": ("title: A warm restart after a fill invents nothing\n", ""),
    "no-timeline": (TIMELINE, ""),
    "no-symbols": ("symbols: [BTCUSDT, ETHUSDT], ", ""),
    "no-quantity": (', quantity: "1"}}', "}}"),
    "no-at": ("at: 60s, ", ""),
    "no-action": ("restart: {cache: kept, down: 1s}", "note: nothing"),
    "two-actions": ("restart: {cache: kept, down: 1s}", "stop: {}, start: {}"),
    "record-is-a-word": ("{at: 60s, restart: {cache: kept, down: 1s}}", "stop"),
    "action-is-a-word": ("{cache: kept, down: 1s}", "now"),
    "action-is-null": ("{cache: kept, down: 1s}", "null"),
    "title-empty": ("title: A warm restart after a fill invents nothing", "title: ''"),
    "title-a-number": ("title: A warm restart after a fill invents nothing", "title: 7"),
    "title-null": ("title: A warm restart after a fill invents nothing", "title: null"),
    "unknown-property": ("shows: phantom-fill", "shows: phantom-fil"),
    "wrong-enum": ("side: BUY", "side: buy"),
    "enum-null": ("cache: kept", "cache: null"),
    "seed-negative": ("seed: 7", "seed: -7"),
    "seed-a-fraction": ("seed: 7", "seed: 7.5"),
    "seed-quoted": ("seed: 7", 'seed: "7"'),
    "seed-true": ("seed: 7", "seed: true"),
    "interval-zero": ("interval_secs: 60", "interval_secs: 0"),
    "latency-of-one": ("[5, 25]", "[5]"),
    "latency-of-three": ("[5, 25]", "[5, 25, 30]"),
    "latency-negative": ("[5, 25]", "[-5, 25]"),
    "count-zero": ("restart: {cache: kept, down: 1s}", "drop_event: {count: 0}"),
    "count-negative": ("restart: {cache: kept, down: 1s}", "drop_event: {count: -1}"),
    "status-of-success": (
        "restart: {cache: kept, down: 1s}",
        "fail_request: {path: /a, status: 200}",
    ),
    "quantity-unquoted": ('"1"}}', "1}}"),
    "fraction-unquoted": ('"1"}}', "0.5}}"),
    "balance-unquoted": ('USDT: "100"', "USDT: 100"),
    "expected-position-unquoted": ('BTCUSDT: "1"', "BTCUSDT: 1"),
    "maker-quoted": ('"1"}}', '"1", maker: "true"}}'),
    "time-without-unit": ("at: 60s", "at: 60"),
    "order-id-with-space": ("id: O-1", "id: O 1"),
    "symbol-in-lower-case": ("[BTCUSDT, ETHUSDT]", "[BTCUSDT, ethusdt]"),
    "symbol-twice": ("[BTCUSDT, ETHUSDT]", "[BTCUSDT, BTCUSDT]"),
    "symbols-empty": ("[BTCUSDT, ETHUSDT]", "[]"),
    "symbols-a-word": ("[BTCUSDT, ETHUSDT]", "BTCUSDT"),
    "claim-of-other-form": ("BTCUSDT-PERP.BINANCE", "BTCUSDT"),
    "claim-by-other-form": ("S-001", "S001"),
    "option-with-words": ("node: {", "node: {exec_engine: {qsize: {a: 1}}, "),
    "leg-unknown": ('BTCUSDT: "1"', 'BTCUSDT: {LEFT: "1"}'),
    "engine-in-upper-case": ("stock:", "Stock:"),
    "point-without-number": (
        "{cache: kept, down: 1s}",
        "{by: kill, point: before reply of GET /fapi/v1/order}",
    ),
    "point-of-nothing": ("{cache: kept, down: 1s}", "{by: kill, point: after write 1 of}"),
    "skip-negative": ("restart: {cache: kept, down: 1s}", "garble_reply: {skip: -1}"),
    "hidden-from-another-read": (
        "restart: {cache: kept, down: 1s}",
        "hide_trades: {order: O-1, for: 1s, reads: [order]}",
    ),
    "on-start-quoted": ('price: "50000"}', 'price: "50000", on_start: "true"}'),
    "broker-a-word": ("node: {", "node: {broker: IB, "),
    "broker-that-answers-otherwise": ("node: {", "node: {broker: {positions: some}, "),
    "nothing-known": ("{fails: [phantom-fill]}", "[]"),
    "nothing-fails": ("[phantom-fill]}", "[]}"),
}

DECIMALS = ["0", "-0", "-0.0", "1", "-1", "0.5", "-0.5", "1000.001", "123456789012", "0.0"]
NO_DECIMALS = ["", "-", "1.", ".5", "01", "+1", "1e3", " 1", "1 ", "1,5", "--1", "1234567890123"]
SPANS = [
    "0s",
    "-0s",
    "1s",
    "-1s",
    "0h1ns",
    "-0h1ns",
    "1d2h3m4s5ms6us7ns",
    "1m",
    "1ms",
    "123456789s",
]
NO_SPANS = ["", "-", "s", "1", "1.5s", "1s1m", "1s1s", "5 s", "+1s", "1m-1s", "1234567890s", "1w"]

# Each fits some places of the good file.
SCRAPS = (
    None, True, 0, 1, -1, 7.5, 450, "", "1", "-1", "0.5", "1s", "-2m", "x", "O-1", "S-002",
    "BTCUSDT", "SELL", "LONG", "crash", "lost", [], [1, 2], ["BTCUSDT"], ["crash"], {},
    {"LONG": "1"}, {"BTCUSDT": "2"}, {"USDT": "0"}, {"order": "O-1"}, {"for": "1s"},
    {"at": "2m", "stop": {}},
)  # fmt: skip

# One place in the good file for each kind of number that is written as text.
PLACES = {
    "a positive decimal": ('quantity: "1", price: "50000"}}', "quantity: {}, price: '1'}}}}"),
    "a non-negative decimal": ('{USDT: "100"}', "{{USDT: {}}}"),
    "a non-zero decimal": ('quantity: "1"}]', "quantity: {}}}]"),
    "any decimal": ('venue_position: {BTCUSDT: "1"}', "venue_position: {{BTCUSDT: {}}}"),
    "a positive duration": ("restart: {cache: kept, down: 1s}", "disconnect: {{for: {}}}"),
    "a non-negative duration": ("down: 1s", "down: {}"),
    # Where only the venue acts, and nothing comes before or after, any time will do.
    "any duration": (TIMELINE, 'timeline: [{{at: {}, price: {{price: "1"}}}}]\n'),
}


def parsed(source: str) -> Any:
    """The text as an editor's YAML reader sees it."""
    return YAML(typ="safe", pure=True).load(source)


def is_read(source: str) -> bool:
    """Whether the loader takes the text."""
    try:
        loads(source)
    except ScenarioError:
        return False
    return True


def errors(source: str) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(parsed(source))
    ]


def edited(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document, the document itself included."""
    yield path
    steps = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for step in steps:
        yield from paths(node[step], (*path, step))


def properties(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every word that the schema knows, with what may stand behind it."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield from node.get("properties", {}).items()
        for each in node.values():
            yield from properties(each)
    elif isinstance(node, list):
        for each in node:
            yield from properties(each)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_file_is_that_of_the_model() -> None:
    written = FILE.read_text(encoding="utf-8")

    assert written == text(), "the model has changed: run python -m sim.scenario.schema"
    assert json.loads(written) == SCHEMA


def test_a_record_knows_every_action() -> None:
    record = SCHEMA["$defs"]["Record"]

    assert list(record["properties"]) == ["at", "note", *ACTIONS]
    assert [each["required"] for each in record["oneOf"]] == [[word] for word in ACTIONS]
    for word, action in ACTIONS.items():
        assert record["properties"][word] == {"$ref": f"#/$defs/{action.__name__}"}


def test_every_definition_is_explained_and_used() -> None:
    for name, definition in SCHEMA["$defs"].items():
        assert definition["description"], name
        assert f'"#/$defs/{name}"' in text()


def test_every_default_may_be_written_out() -> None:
    with_default = [(word, each) for word, each in properties(SCHEMA) if "default" in each]

    for word, each in with_default:
        alone = Draft202012Validator({**each, "$defs": SCHEMA["$defs"]})
        assert [error.message for error in alone.iter_errors(each["default"])] == [], word
    assert {"0s", "1s", "kept", None, 1} <= {
        each["default"] for _, each in with_default if not isinstance(each["default"], list | dict)
    }
    assert SCHEMA["$defs"]["Venue"]["properties"]["balances"]["default"] == {"USDT": "100000"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SCENARIOS).as_posix())
def test_every_file_of_the_suite_is_valid(path: Path) -> None:
    assert errors(path.read_text(encoding="utf-8")) == []


# The first example imports NautilusTrader to check the names of its options.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_every_print_is_valid(scenario: Scenario) -> None:
    assert errors(dump(scenario)) == []


def test_the_good_file_is_good() -> None:
    assert errors(GOOD) == []
    assert is_read(GOOD)


@pytest.mark.parametrize(("old", "new"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused_by_both(old: str, new: str) -> None:
    malformed = edited(old, new)

    assert errors(malformed) != []
    assert not is_read(malformed)


@given(st.sampled_from(list(paths(parsed(GOOD)))[1:]), st.sampled_from(SCRAPS))
def test_nothing_is_refused_that_the_loader_reads(path: tuple[Any, ...], scrap: Any) -> None:
    """The schema may know less than the loader, but nothing else."""
    document = around = parsed(GOOD)
    for step in path[:-1]:
        around = around[step]
    around[path[-1]] = scrap

    assert VALIDATOR.is_valid(document) or not is_read(json.dumps(document))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", [*DECIMALS, *NO_DECIMALS, *SPANS, *NO_SPANS])
def test_numbers_in_text_are_those_of_the_loader(place: str, number: str) -> None:
    old, new = PLACES[place]
    # Without the fill the order may be of any quantity.
    source = edited(old, new.format(f'"{number}"')).replace(FILL, "")

    assert (errors(source) == []) is is_read(source)


SPAN_TEXTS = st.lists(
    st.tuples(st.integers(0, 10**10), st.sampled_from(("d", "h", "m", "s", "ms", "us", "ns"))),
    max_size=4,
).map(lambda parts: "".join(f"{count}{unit}" for count, unit in parts))


@given(st.sampled_from(("", "-")), SPAN_TEXTS | st.text("0123-dhmsun", max_size=8))
def test_durations_are_those_that_are_parsed(minus: str, drawn: str) -> None:
    at = SCHEMA["$defs"]["Record"]["properties"]["at"]
    down = SCHEMA["$defs"]["Restart"]["properties"]["down"]
    try:
        nanoseconds = parse_duration(minus + drawn)
    except ValueError:
        assert not Draft202012Validator(at).is_valid(minus + drawn)
        return

    assert Draft202012Validator(at).is_valid(minus + drawn)
    admitted = Sign.NOT_NEGATIVE.admits(Decimal(nanoseconds))
    assert Draft202012Validator(down).is_valid(minus + drawn) is admitted
