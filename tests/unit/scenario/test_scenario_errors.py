"""Files that are refused, and the one line that says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.scenario import ScenarioError, load, loads

GOOD = """\
format: 1
title: A warm restart after a fill invents nothing
shows: phantom-fill
venue: {symbols: [BTCUSDT, ETHUSDT]}
node: {claims: {S-001: [BTCUSDT-PERP.BINANCE]}}
timeline:
  - {at: 1s, submit: {id: O-1, side: BUY, quantity: "1", price: "50000"}}
  - {at: 5s, fill: {order: O-1, quantity: "1"}}
  - {at: 60s, restart: {cache: kept}}
expect: {venue_position: {BTCUSDT: "1"}}
known: {stock: {fails: [phantom-fill]}}
"""


def malformed() -> Iterator[object]:
    """Read the cases: blocks of ``[name]``, ``-`` old, ``+`` new and ``>`` error lines."""
    text = Path(__file__).with_name("malformed.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=\[)", text)[1:]:
        name, *lines = block.splitlines()
        old, new, error = (
            "\n".join(line[2:] for line in lines if line.startswith(mark)) for mark in "-+>"
        )
        yield pytest.param(old, new, error, id=name.strip("[]"))


def refusal(text: str) -> str:
    with pytest.raises(ScenarioError) as refused:
        loads(text, "x.yaml")
    return str(refused.value)


@pytest.mark.parametrize(("old", "new", "error"), list(malformed()))
def test_a_malformed_file_is_refused_in_one_line(old: str, new: str, error: str) -> None:
    assert old in GOOD

    assert refusal(GOOD.replace(old, new, 1)) == f"x.yaml:{error}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("", "1:1: the file is empty; begin it with 'format: 1'", id="empty"),
        pytest.param("# a\n", "1:1: the file is empty; begin it with 'format: 1'", id="comment"),
        pytest.param("---\n", "1:1: the file is empty; begin it with 'format: 1'", id="dashes"),
        pytest.param(
            "- 1\n", "1:1: a scenario is words with values; begin with 'format: 1'", id="list"
        ),
        pytest.param(
            "hello\n", "1:1: a scenario is words with values; begin with 'format: 1'", id="word"
        ),
        pytest.param("a: 1\nb:\tc", "2:3: tabs are refused; use spaces", id="tab"),
        pytest.param(
            "\ufeffformat: 1",
            "1:1: a byte order mark is refused; save the file as UTF-8 without one",
            id="byte-order-mark",
        ),
        pytest.param(
            "a: 1\nb: c\x07d",
            r"2:5: the character '\x07' is not allowed in YAML",
            id="control-character",
        ),
        pytest.param(
            "format: 1\n\n\na: " + "[" * 99, "4:15: values nested more than 12 deep", id="deep"
        ),
    ],
)
def test_what_is_no_scenario_at_all_is_refused(text: str, error: str) -> None:
    assert refusal(text) == f"x.yaml:{error}"


def test_the_good_file_is_good() -> None:
    assert loads(GOOD).title == "A warm restart after a fill invents nothing"


def test_only_the_first_error_is_reported() -> None:
    twice_wrong = GOOD.replace("BUY", "buy").replace("fill: {order: O-1", "fill: {order: O-7")

    assert refusal(twice_wrong) == "x.yaml:7:38: side cannot be 'buy'; did you mean 'BUY'?"


def test_the_parts_of_an_error_can_be_had_apart() -> None:
    with pytest.raises(ScenarioError) as refused:
        loads(GOOD.replace("side", "sid"), "scenarios/x.yaml")
    error = refused.value

    assert (error.file, error.line, error.column) == ("scenarios/x.yaml", 7, 32)
    assert error.message == "unknown word 'sid' in submit"
    assert error.hint == "did you mean 'side'?"


def test_a_file_that_is_not_utf8_is_refused_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("format: 1\ntitle: naïve".encode("latin-1"))

    with pytest.raises(ScenarioError, match=r"x\.yaml:2:10: not UTF-8 text$"):
        load(path)


def test_a_file_that_is_not_there_is_no_malformed_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "x.yaml")
