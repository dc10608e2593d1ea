"""The mutants of `recon.core` that no test kills: what names them, and the list of those known.

A survivor is named by the function that was changed, what stood there and what was put in
its place.  That name stays the same when other lines move.  The list, `survivors.toml`, has
one reason for each, and may only become shorter.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("survivors.toml")

KINDS = ("equivalent", "words", "speed")
"""Why a mutant may live: it decides the same, only says it otherwise, or only takes longer."""


class ListError(ValueError):
    """A list of survivors that says something else than it should."""


class Survivor(NamedTuple):
    """A change that no test notices.

    ``function`` is the dotted name, ``before`` and ``after`` the lines that differ, each
    stripped, joined by a blank.  ``nth`` says which of several equal places in that function.
    """

    function: str
    before: str
    after: str
    nth: int = 1

    def __str__(self) -> str:
        place = f" (place {self.nth})" if self.nth > 1 else ""
        return f"{self.function}{place}: {self.before}  ->  {self.after or '(nothing)'}"


class Verdict(NamedTuple):
    """How what survived differs from the list."""

    unlisted: list[Survivor]
    gone: list[Survivor]

    @property
    def is_as_listed(self) -> bool:
        return not self.unlisted and not self.gone


def compared(found: Iterable[Survivor], listed: Iterable[Survivor]) -> Verdict:
    """Compare what survived with the list, which has to name exactly that."""
    now, before = set(found), set(listed)
    return Verdict(sorted(now - before), sorted(before - now))


# -- the list -----------------------------------------------------------------------------


def read(text: str) -> dict[Survivor, tuple[str, str]]:
    """Return the survivors of a list with their kinds and reasons; `ListError` if it is none."""
    found: dict[Survivor, tuple[str, str]] = {}
    for row in tomllib.loads(text).get("survivor", []):
        unknown = row.keys() - {"function", "before", "after", "nth", "kind", "reason"}
        if unknown:
            raise ListError(f"nothing is known of {', '.join(sorted(unknown))}: {row}")
        try:
            one = Survivor(row["function"], row["before"], row["after"], row.get("nth", 1))
            kind, reason = row["kind"], row["reason"]
        except KeyError as e:
            raise ListError(f"{e.args[0]} is missing: {row}") from None
        if kind not in KINDS or not reason.strip():
            raise ListError(f"a reason and one of {', '.join(KINDS)} are needed: {one}")
        if one in found:
            raise ListError(f"it is listed twice: {one}")
        found[one] = kind, reason
    return found


def written(one: Survivor) -> str:
    """Return the entry of a survivor, whose reason is still to be found."""
    lines = ["[[survivor]]"]
    for name, value in one._asdict().items():
        if (name, value) != ("nth", 1):
            # JSON's texts and numbers are TOML's, too.
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*lines, 'kind = ""', 'reason = ""', ""])


# -- the source ---------------------------------------------------------------------------


def functions(source: str, module: str) -> dict[str, list[str]]:
    """Return the lines of each function and method of a module, stripped, by dotted name."""
    found: dict[str, list[str]] = {}
    lines = [line.strip() for line in source.splitlines()]

    def visit(body: list[ast.stmt], name: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{name}.{node.name}")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{name}.{node.name}"] = lines[node.lineno - 1 : node.end_lineno]

    visit(ast.parse(source).body, module)
    return found


def places(lines: list[str], wanted: list[str]) -> list[int]:
    """Return where some lines stand one after the other among others."""
    size = len(wanted)
    return [at for at in range(len(lines) - size + 1) if lines[at : at + size] == wanted]


def stands(one: Survivor, sources: Mapping[str, list[str]]) -> bool:
    """Whether what a survivor changes still stands in its function, as often as it says."""
    lines = sources.get(one.function, [])
    starts = [
        at
        for at in range(len(lines))
        for end in range(at + 1, len(lines) + 1)
        if " ".join(lines[at:end]) == one.before
    ]
    return len(starts) >= one.nth


HUNK = re.compile(r"^@@ .* @@$")


def of_diff(function: str, diff: str, lines: list[str]) -> Survivor:
    """Return the name of a mutant from the difference that it makes to its function.

    ``lines`` is the function as it stands.  The lines around tell which of several equal
    ones was changed.
    """
    body = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    starts = [n for n, line in enumerate(body) if HUNK.match(line)]
    if not starts:
        raise ValueError(f"no difference of {function}: {diff!r}")
    window = body[starts[0] + 1 : starts[1] if len(starts) > 1 else None]
    old = [line[1:].strip() for line in window if line[:1] != "+"]
    first = next(n for n, line in enumerate(window) if line[:1] in "-+")
    removed = [line[1:].strip() for line in body[starts[0] :] if line[:1] == "-"]
    added = [line[1:].strip() for line in body[starts[0] :] if line[:1] == "+"]
    found = places(lines, old)
    if not found or not removed:
        raise ValueError(f"the difference is not of {function} as it stands: {diff!r}")
    at = found[0] + first
    nth = sum(before <= at for before in places(lines, removed))
    return Survivor(function, " ".join(removed), " ".join(added), max(nth, 1))
