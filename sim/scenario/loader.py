"""The strict loader: a file becomes a `Scenario`, or one error with its place.

Reading is three steps, and the first error ends it: the text as a tree
(`yaml_tree`), the tree by the types of the model (here), and what no type can
say, such as an order that nobody sent (`checks`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin

from msgspec import Meta, Struct, UnsetType
from msgspec.structs import replace

from sim.scenario.actions import ACTIONS, Action
from sim.scenario.checks import check
from sim.scenario.durations import parse_duration
from sim.scenario.errors import ScenarioError, nearest
from sim.scenario.model import (
    FORMAT,
    Record,
    Scenario,
    Setting,
    Source,
    implied,
)
from sim.scenario.values import FIRST_NODE
from sim.scenario.words import (
    AnyJson,
    Legs,
    OneOrMany,
    Pattern,
    Prose,
    Quoted,
    Span,
    is_name,
    words,
)
from sim.scenario.yaml_tree import Kind, Mapping, Mark, Scalar, Sequence, Tree, find, read_tree

S = TypeVar("S", bound=Struct)

AN_ACTION = Kind(
    empty=("nothing is said", "say what to do, such as {price: {price: '50000'}}"),
    no_words=("an action is a word with values", "such as {price: {price: '50000'}}"),
)

# With these digits sums of quantities stay exact in `Decimal`'s default precision.
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?")


def load(path: str | os.PathLike[str]) -> Scenario:
    """Read one scenario file.

    Raises `ScenarioError` for the first thing that is wrong with its content and
    `OSError` when it cannot be read at all.
    """
    name = os.fspath(path)
    content = Path(name).read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ScenarioError(name, line, column, "not UTF-8 text") from None
    return loads(text, name)


def loads(text: str, name: str = "<scenario>") -> Scenario:
    """Read a scenario from text; ``name`` stands for the file in errors and results."""
    return _Loader(read_tree(text, name), name).scenario()


def loads_action(text: str, setting: Setting) -> Action:
    """Read one action by its own words, such as ``price: {price: "50000"}``.

    What it leaves out follows from where it is set.  Raises `ScenarioError` for the first
    thing that is wrong with it by itself; nothing is known of what else happens.
    """
    return _Loader(read_tree(text, "<action>", AN_ACTION), "<action>", setting).action()


class _Loader:
    """Turns one tree into the structs of the model."""

    def __init__(self, tree: Mapping, file: str, setting: Setting | None = None) -> None:
        self._tree = tree
        self._file = file
        self._setting = setting or Setting()

    def _fail(self, mark: Mark, message: str, hint: str = "") -> NoReturn:
        raise ScenarioError(self._file, mark.line, mark.column, message, hint)

    def scenario(self) -> Scenario:
        root = self._without_format()
        if "node" in root.items and "nodes" in root.items:
            mark = root.key_marks["nodes"]
            self._fail(mark, "'node' and 'nodes' exclude each other", "put the node among 'nodes'")
        scenario = self._struct(Scenario, root, "a scenario")
        timeline = root.items["timeline"]
        assert isinstance(timeline, Sequence)
        source = Source(self._file, tuple(item.mark.line for item in timeline.items))
        check(scenario, lambda path, *what: self._fail(find(root, path), *what))
        return replace(scenario, source=source)

    def _without_format(self) -> Mapping:
        """Check the format first: a file of another one must not be judged by these rules."""
        items = dict(self._tree.items)
        given = items.pop("format", None)
        if given is None:
            self._fail(self._tree.mark, "a scenario needs 'format'", f"write 'format: {FORMAT}'")
        if not isinstance(given, Scalar) or given.quoted or given.text != str(FORMAT):
            self._fail(given.mark, f"format must be {FORMAT}, not {_shown(given)}")
        return Mapping(self._tree.mark, items, self._tree.key_marks)

    def _struct(self, struct: type[S], tree: Tree, what: str) -> S:
        mapping = self._mapping(tree, what)
        given, known = mapping.items, words(struct)
        names = [word.name for word in known]
        for name in given:
            if name not in names:
                hint = nearest(name, names)
                self._fail(mapping.key_marks[name], f"unknown word {name!r} in {what}", hint)
        values: dict[str, Any] = {}
        for word in known:
            if word.name in given:
                values[word.field] = self._value(word.type, given[word.name], word.name)
                if struct is Scenario:
                    self._set(word.name, values[word.field])
            elif word.required:
                self._fail(tree.mark, f"{what} needs {word.name!r}")
        for word in known:
            # What follows from other words of the same struct comes after them.
            if word.implied and word.name not in given:
                values[word.field] = implied(word.implied, values, self._setting)
        return struct(**values)

    def _set(self, part: str, value: Any) -> None:
        """Remember the parts of the file from which later ones follow."""
        match part:
            case "venue":
                self._setting = replace(self._setting, venue=value)
            case "node":
                self._setting = replace(self._setting, nodes={FIRST_NODE: value})
            case "nodes":
                self._setting = replace(self._setting, nodes=value)

    def action(self) -> Action:
        if "at" in self._tree.items:
            mark = self._tree.key_marks["at"]
            self._fail(mark, "an action by itself has no 'at'", "leave it out: it is done at once")
        return self._action(self._tree, {})

    def _record(self, tree: Tree) -> Record:
        record = self._mapping(tree, "a record")
        own = {word.name: word for word in words(Record) if word.type is not Action}
        action = self._action(record, own)
        values: dict[str, Any] = {}
        for word in own.values():
            if word.name in record.items:
                values[word.field] = self._value(word.type, record.items[word.name], word.name)
            elif word.required:
                self._fail(tree.mark, f"a record needs {word.name!r}")
        return Record(action=action, **values)

    def _action(self, record: Mapping, own: Collection[str]) -> Action:
        """Return the action that a record has beside words of its ``own``."""
        actions = [name for name in record.items if name not in own]
        for name in actions:
            if name not in ACTIONS:
                hint = nearest(name, [*ACTIONS, *own])
                self._fail(record.key_marks[name], f"unknown action {name!r}", hint)
        if not actions:
            self._fail(record.mark, "a record without an action", "give it one, such as 'fill'")
        if len(actions) > 1:
            self._fail(
                record.key_marks[actions[1]],
                f"two actions in one record, {actions[0]!r} and {actions[1]!r}",
                "give each a record of its own",
            )
        [name] = actions
        return self._struct(ACTIONS[name], record.items[name], name)

    def _value(self, kind: Any, tree: Tree, word: str) -> Any:
        """Return the value of ``tree`` as the type ``kind``, by its marks."""
        kind, marks = _unmarked(kind)
        if kind is Any:
            return self._anything(tree, word, any(isinstance(m, AnyJson) for m in marks))
        origin = get_origin(kind)
        if origin in (Union, UnionType):
            [kind] = [
                each for each in get_args(kind) if each is not type(None) and each is not UnsetType
            ]
            if isinstance(tree, Scalar) and tree.value is None:
                return None
            return self._value(kind, tree, word)
        if origin is Literal:
            return self._choice(get_args(kind), tree, word)
        if origin is tuple:
            return self._list(get_args(kind), tree, word, marks)
        if origin is dict:
            return self._dict(get_args(kind), tree, word, marks)
        if kind is Record:
            return self._record(tree)
        if issubclass(kind, Struct):
            return self._struct(kind, tree, word)
        if not isinstance(tree, Scalar):
            self._fail(tree.mark, f"{word} must be one value, not {_shown(tree)}")
        return self._scalar(kind, tree, word, marks)

    def _anything(self, tree: Tree, word: str, is_json: bool) -> Any:
        if isinstance(tree, Mapping) and is_json:
            return {name: self._anything(item, word, is_json) for name, item in tree.items.items()}
        if isinstance(tree, Mapping):
            self._fail(tree.mark, f"{word} must be a value or a list, not {_shown(tree)}")
        if isinstance(tree, Sequence):
            return [self._anything(item, word, is_json) for item in tree.items]
        return tree.value

    def _mapping(self, tree: Tree, what: str) -> Mapping:
        if not isinstance(tree, Mapping):
            self._fail(tree.mark, f"{what} must hold words with values, not {_shown(tree)}")
        return tree

    def _dict(self, kinds: tuple[Any, ...], tree: Tree, word: str, marks: Any) -> dict[str, Any]:
        key, value = kinds
        if any(isinstance(mark, Legs) for mark in marks) and isinstance(tree, Scalar):
            return {"BOTH": self._value(value, tree, word)}
        given = self._mapping(tree, word)
        made = {}
        for name, item in given.items.items():
            as_value = Scalar(given.key_marks[name], name, name, quoted=True)
            self._value(key, as_value, f"a word in {word}")
            made[name] = self._value(value, item, f"{word}.{name}")
        return made

    def _list(self, kinds: tuple[Any, ...], tree: Tree, word: str, marks: Any) -> tuple[Any, ...]:
        one_or_many = any(isinstance(mark, OneOrMany) for mark in marks)
        if one_or_many and isinstance(tree, Mapping):
            return (self._value(kinds[0], tree, word),)
        if not isinstance(tree, Sequence):
            self._fail(tree.mark, f"{word} must be a list, not {_shown(tree)}")
        if kinds[-1] is not Ellipsis:
            if len(tree.items) != len(kinds):
                self._fail(tree.mark, f"{word} must be a list of {len(kinds)} values")
            return tuple(map(partial(self._value, word=word), kinds, tree.items))
        values = tuple(self._value(kinds[0], item, word) for item in tree.items)
        is_things = isinstance(kinds[0], type) and issubclass(kinds[0], Struct)
        # Only a list of whole things says something when empty.
        if not values and (not is_things or one_or_many):
            self._fail(tree.mark, f"{word} must not be empty")
        for index, value in enumerate(values):
            if is_name(kinds[0]) and value in values[:index]:
                self._fail(tree.items[index].mark, f"{value!r} stands twice in {word}")
        return values

    def _choice(self, choices: tuple[str, ...], tree: Tree, word: str) -> str:
        if not isinstance(tree, Scalar) or tree.value not in choices:
            shown = tree.text if isinstance(tree, Scalar) else ""
            hint = nearest(shown, choices)
            self._fail(tree.mark, f"{word} cannot be {_shown(tree)}", hint)
        return str(tree.value)

    def _scalar(self, kind: type, tree: Scalar, word: str, marks: tuple[Any, ...]) -> Any:
        mark = marks[0] if marks else None
        if kind is Decimal and isinstance(mark, Quoted):
            return self._decimal(tree, word, mark)
        if kind is int and isinstance(mark, Span):
            return self._duration(tree, word, mark)
        if kind is str:
            return self._text(tree, word, mark)
        if kind is bool:
            if not isinstance(tree.value, bool):
                self._fail(tree.mark, f"{word} must be true or false, not {_shown(tree)}")
            return tree.value
        return self._number(kind, tree, word, mark)

    def _number(self, kind: type, tree: Scalar, word: str, mark: Meta | None) -> Any:
        value = tree.value
        allowed = int if kind is int else (int, float)
        wanted = "a whole number" if kind is int else "a number"
        if isinstance(value, bool) or not isinstance(value, allowed):
            hint = "leave the quotes out" if tree.quoted else ""
            self._fail(tree.mark, f"{word} must be {wanted}, not {_shown(tree)}", hint)
        if mark is not None and (wanted := _out_of_range(value, mark)):
            self._fail(tree.mark, f"{word} must be {wanted}, not {tree.text}")
        return kind(value)

    def _decimal(self, tree: Scalar, word: str, mark: Quoted) -> Decimal:
        if isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
            hint = f'write "{tree.text}"'
            self._fail(tree.mark, f"{word} must be a decimal in quotes, not {tree.text}", hint)
        wanted = f"{word} must be {mark.sign.of('decimal in quotes')}, not {_shown(tree)}"
        if not isinstance(tree.value, str) or not DECIMAL.fullmatch(tree.value):
            self._fail(tree.mark, wanted, 'such as "0.5"')
        value = Decimal(tree.value)
        if not mark.sign.admits(value):
            self._fail(tree.mark, wanted)
        return value

    def _duration(self, tree: Scalar, word: str, mark: Span) -> int:
        if not isinstance(tree.value, str):
            self._fail(
                tree.mark,
                f"{word} must be a duration with a unit, not {_shown(tree)}",
                "such as 250ms or 1h30m",
            )
        try:
            nanoseconds = parse_duration(tree.value)
        except ValueError as error:
            self._fail(tree.mark, f"{word}: {error}")
        if not mark.sign.admits(nanoseconds):
            self._fail(tree.mark, f"{word} must be {mark.sign.of('duration')}, not {tree.text}")
        return nanoseconds

    def _text(self, tree: Scalar, word: str, mark: Pattern | Prose | None) -> str:
        value = tree.value
        if not isinstance(value, str):
            self._fail(tree.mark, f"{word} must be text, not {_shown(tree)}", "quote it")
        if isinstance(mark, Pattern) and not re.fullmatch(mark.regex, value):
            self._fail(tree.mark, f"{word} must be {mark.meaning}, not {_shown(tree)}")
        if isinstance(mark, Prose):
            lines = value.strip().split("\n") if mark.lines else [value.strip()]
            if not all(line.isprintable() for line in lines):
                what = "printable text" if mark.lines else "one line of printable text"
                self._fail(tree.mark, f"{word} must be {what}")
            value = "\n".join(line.rstrip() for line in lines)
        if not value:
            self._fail(tree.mark, f"{word} must not be empty")
        return value


def _out_of_range(value: float, mark: Meta) -> str:
    """Return the range in words if the value is not in it."""
    is_under = (mark.gt is not None and value <= mark.gt) or (
        mark.ge is not None and value < mark.ge
    )
    is_over = mark.le is not None and value > mark.le
    if not (is_under or is_over):
        return ""
    if mark.gt is not None:
        return f"more than {mark.gt:g}" + (f" and at most {mark.le:g}" if mark.le else "")
    return f"{mark.ge:g} or more" if mark.le is None else f"from {mark.ge:g} to {mark.le:g}"


def _unmarked(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return (kind.__origin__, kind.__metadata__) if get_origin(kind) is Annotated else (kind, ())


def _shown(tree: Tree) -> str:
    """Name a value in a message, on one line and not too long."""
    match tree:
        case Mapping():
            return "words with values"
        case Sequence():
            return "a list"
        case Scalar(quoted=False, value=None | bool() | int() | float()):
            return tree.text
        case Scalar():
            return repr(tree.text if len(tree.text) <= 40 else tree.text[:37] + "...")
