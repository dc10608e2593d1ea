"""YAML text as a tree of values that know where they stand.

Only the plain part of YAML 1.2 is taken: one document of mappings, lists and
scalars.  What reads differently from how it looks is refused, not interpreted:
anchors, aliases, tags, merge keys, duplicate keys, tabs, and plain words that
some YAML reader turns into a truth value, a date or a number of another base.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from sim.scenario.errors import ScenarioError

# Far more than the format needs; keeps a hostile file from exhausting the stack.
MAX_DEPTH = 12


class Mark(msgspec.Struct, frozen=True):
    """A place in a file; both count from 1."""

    line: int
    column: int


class Scalar(msgspec.Struct, frozen=True):
    """One value: its text, and what it is when it is not quoted."""

    mark: Mark
    text: str
    value: bool | int | float | str | None
    quoted: bool


class Sequence(msgspec.Struct, frozen=True):
    """A list of values."""

    mark: Mark
    items: tuple[Tree, ...]


class Mapping(msgspec.Struct, frozen=True):
    """Words and their values, in the order of the file."""

    mark: Mark
    items: dict[str, Tree]
    key_marks: dict[str, Mark]


type Tree = Scalar | Sequence | Mapping


class Key(str):
    """The last step of a path that means a word itself and not its value."""

    __slots__ = ()


type Path = tuple[str | int, ...]


def find(tree: Tree, path: Path) -> Mark:
    """Return where the value at ``path`` stands, or the nearest one above it that exists."""
    for step in path:
        match tree, step:
            case Mapping(key_marks=marks), Key() if step in marks:
                return marks[step]
            case Mapping(items=words), str() if step in words:
                tree = words[step]
            case Sequence(items=items), int() if step < len(items):
                tree = items[step]
            case _:
                break
    return tree.mark


class Kind(msgspec.Struct, frozen=True):
    """What a text is to be: what is said, with a hint, of one that is not."""

    empty: tuple[str, str]
    no_words: tuple[str, str]


A_SCENARIO = Kind(
    empty=("the file is empty", "begin it with 'format: 1'"),
    no_words=("a scenario is words with values", "begin with 'format: 1'"),
)


def read_tree(text: str, file: str, kind: Kind = A_SCENARIO) -> Mapping:
    """Return the tree of a whole file.  Raises `ScenarioError` at the first thing refused."""
    _refuse_invisible(text, file)
    parser = YAML(typ="safe", pure=True)
    try:
        return _Reader(file, iter(parser.parse(text)), kind).document()
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        character = repr(text[error.position : error.position + 1])
        message = f"the character {character} is not allowed in YAML"
        raise ScenarioError(file, line, column, message) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _mark(mark) if mark is not None else Mark(1, 1)
        problem = " ".join(str(error.problem or error.context or "cannot be read").split())
        message, hint = f"not YAML: {problem}", ""
        if error.context and error.context_mark is not None:
            hint = f"{error.context} that begins in line {error.context_mark.line + 1}"
        raise ScenarioError(file, where.line, where.column, message, hint) from None


def _refuse_invisible(text: str, file: str) -> None:
    found = _INVISIBLE.search(text)
    if found is not None:
        at = found.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message, hint = (
            ("tabs are refused", "use spaces")
            if found[0] == "\t"
            else ("a byte order mark is refused", "save the file as UTF-8 without one")
        )
        raise ScenarioError(file, line, column, message, hint)


class _Reader:
    """Builds the tree from the parser's events."""

    def __init__(self, file: str, events: Iterator[Event], kind: Kind) -> None:
        self._file = file
        self._kind = kind
        self._events = events
        self._depth = 0

    def _fail(self, mark: Mark, message: str, hint: str = "") -> NoReturn:
        raise ScenarioError(self._file, mark.line, mark.column, message, hint)

    def document(self) -> Mapping:
        event = next(self._events)
        assert isinstance(event, StreamStartEvent)
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            self._fail(Mark(1, 1), *self._kind.empty)
        assert isinstance(start, DocumentStartEvent)
        if start.version or start.tags:
            self._fail(_mark(start.start_mark), "YAML directives are refused", "leave it out")
        tree = self._tree(next(self._events))
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            self._fail(
                _mark(after.start_mark), "a second YAML document begins", "one scenario, one file"
            )
        if isinstance(tree, Scalar) and not tree.text:
            self._fail(Mark(1, 1), *self._kind.empty)
        if not isinstance(tree, Mapping):
            self._fail(tree.mark, *self._kind.no_words)
        return tree

    def _tree(self, event: Any) -> Tree:
        mark = _mark(event.start_mark)
        if isinstance(event, AliasEvent):
            self._fail(mark, f"aliases are refused, '*{event.anchor}'", "write the value out")
        if event.anchor is not None:
            self._fail(mark, f"anchors are refused, '&{event.anchor}'", "write the value out")
        if event.tag is not None:
            self._fail(mark, "YAML tags are refused", "leave it out")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(mark, f"values nested more than {MAX_DEPTH} deep")
        tree = (
            self._sequence(mark)
            if isinstance(event, SequenceStartEvent)
            else self._mapping(mark, event)
        )
        self._depth -= 1
        return tree

    def _scalar(self, event: Any, mark: Mark) -> Scalar:
        text = str(event.value)
        if event.style is not None:
            return Scalar(mark, text, text, quoted=True)
        if surprise := _surprise(text):
            self._fail(mark, *surprise)
        return Scalar(mark, text, _plain(text), quoted=False)

    def _sequence(self, mark: Mark) -> Sequence:
        items = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._tree(event))
        return Sequence(mark, tuple(items))

    def _mapping(self, mark: Mark, start: Event) -> Mapping:
        assert isinstance(start, MappingStartEvent)
        items: dict[str, Tree] = {}
        marks: dict[str, Mark] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            word, at = self._key(event)
            if word in items:
                first = marks[word].line
                self._fail(at, f"{word!r} is given twice", f"the first is in line {first}")
            value = next(self._events)
            if isinstance(value, ScalarEvent) and _is_missing(value):
                self._fail(at, f"{word!r} has no value", _missing_hint(word))
            items[word], marks[word] = self._tree(value), at
        return Mapping(mark, items, marks)

    def _key(self, event: Event) -> tuple[str, Mark]:
        mark = _mark(event.start_mark)
        if isinstance(event, ScalarEvent) and event.value == "<<" and event.style is None:
            self._fail(mark, "merge keys are refused, '<<'", "write the words out")
        key = self._tree(event)
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            self._fail(mark, "a key that is not a word", "quote it if it is one")
        return key.value, mark


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _is_missing(event: ScalarEvent) -> bool:
    return event.value == "" and event.style is None and event.tag is None and event.anchor is None


def _missing_hint(word: str) -> str:
    if ":" in word:
        return "a space goes after the colon"
    return f"give it one, or write '{word}: {{}}' for none"


_INVISIBLE = re.compile("[\t\ufeff]")
_BOOLEANS = re.compile(r"y|n|yes|no|on|off|true|false", re.IGNORECASE)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_OTHER_NUMBERS = re.compile(
    r"""[-+]?( \.(inf|nan)
      | 0x[0-9a-f_]+ | 0o[0-7_]+ | 0b[01_]+
      | [0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?       # also 017, an octal number to some
      | \.[0-9][0-9_]*(e[-+]?[0-9]+)?
      | [0-9]+(:[0-5]?[0-9])+(\.[0-9]*)? )            # base sixty""",
    re.IGNORECASE | re.VERBOSE,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")


def _surprise(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a plain word that YAML readers do not agree on, and a hint."""
    if text in ("true", "false", "null") or _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
        return None
    if _BOOLEANS.fullmatch(text):
        kind, hint = "a truth value", "quote it, or write true or false"
    elif text == "~" or text.lower() == "null":
        kind, hint = "nothing", "quote it, or write null"
    elif _DATE.fullmatch(text):
        kind, hint = "a date", "quote it"
    elif _OTHER_NUMBERS.fullmatch(text):
        kind, hint = "a number", "quote it, or write it in plain digits such as 1000 or 0.5"
    else:
        return None
    return f"the plain word {text[:40]!r} is {kind} to some", hint


def _plain(text: str) -> bool | int | float | str | None:
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


def reads_as_text(text: str, *, in_braces: bool) -> bool:
    """Whether ``text`` can stand without quotes and is read as itself."""
    safe = _SAFE if in_braces else _SAFE_LINE
    return safe.fullmatch(text) is not None and not _surprise(text) and _plain(text) == text


# No punctuation that YAML or a reader could trip over; between braces a comma is one.
_SAFE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9 _./()'+-]*[A-Za-z0-9_./)'+-])?")
_SAFE_LINE = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9 _./()'+,;=-]*[A-Za-z0-9_./)'+-])?")
