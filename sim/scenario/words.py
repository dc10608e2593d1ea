"""How the model's fields are written in a file.

The structs in `model` are the only description of the format.  Their field types
carry the marks defined here, their field docstrings the explanations; `words`
puts both together for whoever reads, prints or documents scenarios.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

import msgspec


class Sign(Enum):
    """Which side of zero a number may be on."""

    ANY = ""
    NOT_NEGATIVE = "non-negative"
    POSITIVE = "positive"
    NOT_ZERO = "non-zero"

    def admits(self, number: Decimal | int) -> bool:
        """Whether the number is on the right side."""
        match self:
            case Sign.POSITIVE:
                return number > 0
            case Sign.NOT_NEGATIVE:
                return number >= 0
            case Sign.NOT_ZERO:
                return number != 0
            case Sign.ANY:
                return True

    def of(self, noun: str) -> str:
        """Name such a number: ``a positive duration``."""
        return f"a {self.value} {noun}" if self.value else f"a {noun}"


class Quoted(msgspec.Struct, frozen=True):
    """Marks a `Decimal`: a quoted decimal in the file, so that nothing reads it as a float."""

    sign: Sign


class Span(msgspec.Struct, frozen=True):
    """Marks integer nanoseconds: text such as ``250ms`` in the file."""

    sign: Sign


class Pattern(msgspec.Struct, frozen=True):
    """Marks text that must match ``regex`` as a whole; ``meaning`` says so in words."""

    meaning: str
    regex: str


class Prose(msgspec.Struct, frozen=True):
    """Marks text for people: printable, of one line unless ``lines`` is set."""

    lines: bool = False


class Legs(msgspec.Struct, frozen=True):
    """Marks numbers by position side: in one-way mode the file has just the number."""


class OneOrMany(msgspec.Struct, frozen=True):
    """Marks a list that the file may write as its only item."""


def is_name(kind: Any) -> bool:
    """Whether a value is a name: a list of them is a set, and nothing stands in it twice.

    Numbers and whole things may.
    """
    marks = getattr(kind, "__metadata__", ())
    if any(isinstance(mark, Quoted) for mark in marks):
        return False
    return not (isinstance(kind, type) and issubclass(kind, msgspec.Struct))


class AnyJson(msgspec.Struct, frozen=True):
    """Marks any value that JSON has: also words with values."""


class Implied(msgspec.Struct, frozen=True):
    """Marks a field that the file may leave out although the model always has it.

    ``by`` names the rule by which it follows from other values, see `model.implied`.
    """

    by: str


class Unwritten(msgspec.Struct, frozen=True):
    """Marks a field that is no part of the file."""


class Word(msgspec.Struct, frozen=True):
    """One field of a struct, as the file sees it.

    ``name`` is the word in the file: the field's name without ``_ns``, because
    a duration carries its unit in its text.
    """

    name: str
    field: str
    type: Any
    default: Any
    implied: str
    doc: str

    @property
    def required(self) -> bool:
        """Whether the file must have it."""
        return self.default is msgspec.NODEFAULT and not self.implied


@cache
def words(struct: type[msgspec.Struct]) -> tuple[Word, ...]:
    """Return the words of a struct in the order of its fields, which is that of the print."""
    hints = get_type_hints(struct, include_extras=True)
    docs = _field_docs(struct)
    found = []
    for field in msgspec.structs.fields(struct):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        marks = getattr(hints[field.name], "__metadata__", ())
        if any(isinstance(mark, Unwritten) for mark in marks):
            continue
        implied = next((mark.by for mark in marks if isinstance(mark, Implied)), "")
        name = field.name.removesuffix("_ns")
        doc = docs.get(field.name, "")
        found.append(Word(name, field.name, hints[field.name], default, implied, doc))
    last = getattr(struct, "print_last", ())
    return tuple(
        sorted(found, key=lambda word: last.index(word.field) if word.field in last else -1)
    )


def _field_docs(struct: type) -> dict[str, str]:
    """Return the docstrings that stand below the fields; Python itself drops them."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if not issubclass(cls, msgspec.Struct) or cls is msgspec.Struct:
            continue
        [definition] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(definition, ast.ClassDef)
        for field, below in zip(definition.body, definition.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    docs[name] = " ".join(text.split())
    return docs
