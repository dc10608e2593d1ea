"""What is said when a scenario file cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ScenarioError(ValueError):
    """A scenario that cannot be used, and the place where it goes wrong.

    ``str`` of it is one line, ``file:line:column: message; hint``, the form that
    editors and CI annotations understand.  Lines and columns count from 1; both
    are 0 when the scenario was not read from a text.
    """

    def __init__(self, file: str, line: int, column: int, message: str, hint: str = "") -> None:
        super().__init__(file, line, column, message, hint)
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")
        # What a file says may be quoted here, whatever it says.
        return " ".join(text.splitlines())


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of ``known``, or all of them if none is near."""
    words = list(known)
    by_folded = {each.lower(): each for each in words}
    close = get_close_matches(word.lower(), list(by_folded), n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_folded[close[0]]!r}?"
    if len(words) > 20:
        return ""
    return f"known here: {', '.join(words)}" if words else "nothing is known here"
