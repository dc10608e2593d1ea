"""Tables that fit the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from sim.oracle import Violation
from sim.report.result import NO_FILLS, Result
from sim.report.terminal import print_table


def result(scenario: str, *violated: str, lost: int = 0, **others: object) -> Result:
    fields = {"verdict": "fail" if violated else "pass", "expected": True, **others}
    return Result(
        scenario=scenario,
        title="A title",
        engine="stock",
        nautilus_version="1.231.0",
        seed=1,
        shows="fill-lost",
        violations=tuple(Violation(name, "A message.", 0) for name in violated),
        fills=type(NO_FILLS)(venue=3, applied=3, lost=lost, duplicated=0, phantom=0, opening=0),
        **fields,
    )


def printed(results: list[Result], width: int) -> list[str]:
    file = io.StringIO()
    print_table(Console(file=file, width=width), results)
    return [line.rstrip() for line in file.getvalue().splitlines()]


RESULTS = [
    result("scenarios/disconnect/fill-while-disconnected.yaml"),
    result("scenarios/restart/cold.yaml", "fill-lost", "position-mismatch", lost=2),
]


def test_a_wide_terminal_has_a_line_for_each_run():
    assert printed(RESULTS, 120) == [
        "engine stock on nautilus_trader 1.231.0, in scenarios",
        "scenario                            verdict       violated                      fills",
        "─" * 91,
        "disconnect/fill-while-disconnected  pass          -                             3/3",
        "restart/cold                        fail (known)  fill-lost, position-mismatch  "
        "3/3, 2 lost",
        "",
    ]


def test_a_narrow_terminal_wraps_what_was_violated_and_counts_fills_line_by_line():
    assert printed(RESULTS, 80)[3:] == [
        "disconnect/fill-while-disconnected  pass          -                      3/3",
        "restart/cold                        fail (known)  fill-lost,             3/3",
        "                                                  position-mismatch      2 lost",
        "",
    ]


def test_a_terminal_in_between_has_as_few_lines_as_it_can():
    violated = ("fill-lost", "order-mismatch", "position-mismatch", "crash")
    assert printed([result("scenarios/a/b/some-name.yaml", *violated, lost=1)], 80)[3:] == [
        "some-name  fail (known)  fill-lost, order-mismatch, position-mismatch,   3/3",
        "                         crash                                           1 lost",
        "",
    ]


@pytest.mark.parametrize("width", [60, 80])
def test_what_is_too_long_is_folded_and_nothing_is_lost(width: int):
    error = "a sentence on what went wrong, " * 5
    results = [
        result("scenarios/" + "long-" * 12 + "name.yaml", "position-mismatch", expected=False),
        result("scenarios/error.yaml", verdict="error", expected=False, error=error),
    ]
    lines = printed(results, width)

    assert max(map(len, lines)) <= width
    assert any("(UNEXPECTED)" in line for line in lines)
    assert any("position-mismatch" in line for line in lines)
    assert "".join(lines).count("sentence") == 5


def test_a_folder_is_left_out_only_where_all_share_it():
    mixed = [result("/elsewhere/one.yaml"), result("scenarios/two.yaml")]
    lines = printed(mixed, 120)

    assert lines[0] == "engine stock on nautilus_trader 1.231.0"
    assert [line.split()[0] for line in lines[3:5]] == ["/elsewhere/one", "scenarios/two"]


def test_a_scenario_of_the_current_folder_has_its_name():
    assert printed([result("one.yaml")], 80)[3].split()[0] == "one"
