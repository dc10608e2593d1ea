"""The list of mutants that live: how it is compared, and that it is well formed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recon.core import ledger
from tests.mutation import __main__ as command
from tests.mutation.__main__ import dotted, sources, with_methods
from tests.mutation.survivors import (
    LIST,
    ListError,
    Survivor,
    Verdict,
    compared,
    functions,
    of_diff,
    read,
    stands,
    written,
)

SURVIVORS = 7
"""How many are listed: lower it whenever one is killed."""

LISTED = read(LIST.read_text())

SOURCE = '''\
class Book:
    """A book."""

    def note(self, key: str) -> bool:
        self.is_dirty = True
        if key:
            self.key = key
            self.is_dirty = True
        return bool(key)


def begin(
    first: int,
) -> int:
    return first + 1
'''

ENTRY = """
[[survivor]]
function = "m.begin"
before = "return first + 1"
after = "return first - 1"
kind = "equivalent"
reason = "nobody asks"
"""

BEGIN = Survivor("m.begin", "return first + 1", "return first - 1")
NOTE = Survivor("m.Book.note", "self.is_dirty = True", "self.is_dirty = False", 2)
OTHER = Survivor("m.Book.note", "self.is_dirty = True", "self.is_dirty = False")


# -- the list itself ----------------------------------------------------------------------


def test_the_list_only_becomes_shorter():
    assert len(LISTED) == SURVIVORS


@pytest.mark.parametrize("one", LISTED, ids=str)
def test_what_is_listed_still_stands_in_the_core(one: Survivor):
    assert stands(one, sources())
    assert one.before != one.after


def test_the_list_is_sorted_by_function():
    names = [one.function for one in LISTED]

    assert names == sorted(names)


# -- how it is compared -------------------------------------------------------------------


def test_what_survives_must_be_listed_and_what_is_listed_must_survive():
    assert compared([BEGIN, NOTE], [NOTE, BEGIN]) == Verdict([], [])
    assert compared([BEGIN, NOTE], [NOTE, BEGIN]).is_as_listed

    more = compared([BEGIN, NOTE], [BEGIN])
    assert more == Verdict([NOTE], [])
    assert not more.is_as_listed

    fewer = compared([BEGIN], [BEGIN, NOTE])
    assert fewer == Verdict([], [NOTE])
    assert not fewer.is_as_listed


def test_one_place_of_several_equal_ones_is_not_another():
    assert compared([OTHER], [NOTE]) == Verdict([OTHER], [NOTE])


def test_an_entry_is_read_with_its_kind_and_reason():
    assert read(ENTRY) == {BEGIN: ("equivalent", "nobody asks")}
    assert read("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY.replace("nobody asks", " "), "a reason"),
        (ENTRY.replace("equivalent", "unknown"), "one of equivalent, words, speed"),
        (ENTRY.replace("reason =", "because ="), "nothing is known of because"),
        (ENTRY.replace('kind = "equivalent"', ""), "kind is missing"),
        (ENTRY + ENTRY, "listed twice"),
    ],
)
def test_an_entry_that_says_something_else_is_refused(text: str, message: str):
    with pytest.raises(ListError, match=message):
        read(text)


@pytest.mark.parametrize("one", [BEGIN, NOTE, Survivor("m.f", 'f"{x!r} \\"ü\\""', "")])
def test_an_entry_that_is_written_is_read_again_but_for_its_reason(one: Survivor):
    text = written(one)
    with pytest.raises(ListError, match="a reason"):
        read(text)
    filled = text.replace('kind = ""', 'kind = "words"').replace('reason = ""', 'reason = "r"')

    assert read(filled) == {one: ("words", "r")}


# -- what names a mutant ------------------------------------------------------------------


def diff(before: str, removed: list[str], added: list[str], after: str) -> str:
    """A difference as the tool prints it, with what stands around it."""
    rows = [f" {line}" for line in before.splitlines()]
    rows += [f"-{line}" for line in removed] + [f"+{line}" for line in added]
    rows += [f" {line}" for line in after.splitlines()]
    return "\n".join(["# m: survived", "--- m.py", "+++ m.py", "@@ -1,6 +1,6 @@", *rows])


@pytest.mark.parametrize("moved", ["", "import json\n\n\n"])
def test_a_mutant_keeps_its_name_when_other_lines_move(moved: str):
    lines = functions(moved + SOURCE, "m")["m.Book.note"]
    first = diff("def note(self, key: str) -> bool:", ["  self.is_dirty = True"],
                 ["  self.is_dirty = False"], "  if key:\n    self.key = key")  # fmt: skip
    second = diff("  if key:\n    self.key = key", ["    self.is_dirty = True"],
                  ["    self.is_dirty = False"], "  return bool(key)")  # fmt: skip

    assert of_diff("m.Book.note", first, lines) == OTHER
    assert of_diff("m.Book.note", second, lines) == NOTE


def test_a_difference_that_is_not_of_the_function_is_refused():
    lines = functions(SOURCE, "m")["m.begin"]
    with pytest.raises(ValueError, match="the difference is not of"):
        of_diff("m.begin", diff("def begin(", ["    nothing,"], [], ") -> int:"), lines)
    with pytest.raises(ValueError, match="no difference"):
        of_diff("m.begin", "# m.begin: survived", lines)


def test_what_was_changed_stands_or_does_not():
    sources = functions(SOURCE, "m")

    assert stands(BEGIN, sources)
    assert stands(NOTE, sources)
    assert stands(Survivor("m.begin", "def begin( first: int,", ""), sources)
    assert not stands(NOTE._replace(nth=3), sources)
    assert not stands(BEGIN._replace(before="return first"), sources)
    assert not stands(BEGIN._replace(function="m.end"), sources)


@pytest.mark.parametrize(
    ("mutant", "function"),
    [
        ("recon.core.rank.x_rank__mutmut_3", "recon.core.rank.rank"),
        ("recon.core.ledger.x__decoded__mutmut_12", "recon.core.ledger._decoded"),
        ("recon.core.ledger.xǁSymbolBookǁhas__mutmut_1", "recon.core.ledger.SymbolBook.has"),
        ("recon.core.behind.xǁBehindǁ__init____mutmut_1", "recon.core.behind.Behind.__init__"),
        ("recon.core.facts.xǁTradeǁsigned_as_method__mutmut_2", "recon.core.facts.Trade.signed"),
    ],
)
def test_the_tools_name_of_a_mutant_tells_the_function(mutant: str, function: str):
    assert dotted(mutant) == function
    assert function in sources()


def test_a_property_is_tested_as_a_method_and_stays_a_property():
    found: dict[str, object] = {"__name__": ledger.__name__, "__package__": ledger.__package__}
    text = with_methods((LIST.parents[2] / "recon/core/ledger.py").read_text())
    exec(compile(text, "ledger.py", "exec"), found)
    made = found["Ledger"]()  # type: ignore[operator]
    made.book("BTCUSDT")

    assert made.symbols == made.symbols_as_method() == ["BTCUSDT"]


# -- the command --------------------------------------------------------------------------

RESULTS = """\
    recon.core.rank.x_rank__mutmut_1: killed
    recon.core.rank.x_rank__mutmut_2: timeout
    recon.core.rank.x_rank__mutmut_3: killed
    recon.core.behind.xǁBehindǁ__init____mutmut_1: survived
"""

SHOWN = """\
# recon.core.behind.xǁBehindǁ__init____mutmut_1: survived
--- recon/core/behind.py
+++ recon/core/behind.py
@@ -1,2 +1,2 @@
 def __init__(self) -> None:
-    self._late: dict[str, tuple[int, int]] = {}  # since when, and when it came
+    self._late: dict[str, tuple[int, int]] = None  # since when, and when it came
"""

ALIVE = """
[[survivor]]
function = "recon.core.behind.Behind.__init__"
before = "self._late: dict[str, tuple[int, int]] = {}  # since when, and when it came"
after = "self._late: dict[str, tuple[int, int]] = None  # since when, and when it came"
kind = "equivalent"
reason = "for the sake of this test"
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], int]:
    """Return the command, for a tool that has these results and a list that says this."""

    def run(results: str, listed: str, *arguments: str) -> int:
        (tmp_path / "list.toml").write_text(listed)
        outputs = {"run": "", "results": results, "show": SHOWN}
        monkeypatch.setattr(command, "tool", lambda name, *_: outputs[name])
        monkeypatch.setattr(command, "stage", lambda killers: None)
        monkeypatch.setattr(command, "LIST", tmp_path / "list.toml")
        monkeypatch.setattr("sys.argv", ["tests.mutation", *arguments])
        return command.main()

    return run


def test_the_command_passes_when_what_lives_is_listed(
    told: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    assert told(RESULTS, ALIVE) == 0
    printed = capsys.readouterr().out
    assert "4 mutants of recon/core: 2 killed, 1 timeout, 1 survived\nscore 75.0%\n" in printed


def test_the_command_fails_on_what_lives_unlisted_and_says_how_to_list_it(
    told: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    assert told(RESULTS, "") == 1
    entry = ALIVE.partition("kind")[0].strip()
    assert entry in capsys.readouterr().out


def test_a_mutant_that_no_test_reaches_lives(told: Callable[..., int]):
    assert told(RESULTS.replace("survived", "no tests"), ALIVE) == 0
    assert told(RESULTS.replace("survived", "no tests"), "") == 1


def test_the_command_fails_on_what_is_listed_and_lives_no_more(
    told: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    assert told(RESULTS.replace("survived", "killed"), ALIVE) == 1
    assert "lives no more" in capsys.readouterr().out


def test_the_property_tests_alone_are_measured_and_not_compared(told: Callable[..., int]):
    assert told(RESULTS, "", "--properties") == 0


@pytest.mark.parametrize("fate", ["suspicious", "not checked", "segfault", "skipped"])
def test_a_mutant_without_a_fate_proves_nothing(told: Callable[..., int], fate: str):
    with pytest.raises(command.ToolFailed, match="without a fate"):
        told(RESULTS.replace("survived", fate), ALIVE)
    with pytest.raises(command.ToolFailed, match="none at all"):
        told("", ALIVE)
