"""Options and discrepancies of `recon` as lists: ``python -m sim.report.options`` writes them.

They stand in the page on reconciling a node, each between two markers, and are made from
`recon.config` and `recon.alerts`; a test compares.  What a kind of discrepancy asks for is
written here, by hand.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import NamedTuple

import recon
from sim.report.pages import between

PAGE = Path("docs/reconcile-a-node.md")

OPTIONS = ("options", "<!-- options: written by python -m sim.report.options -->")
REFUSED = ("refused", "<!-- refused: written by python -m sim.report.options -->")
KINDS = ("kinds", "<!-- kinds: written by python -m sim.report.options -->")

ADVICE = {
    "startup": "Nothing, after a stop or a crash: this is what was missed meanwhile. After a short "
    "stop with nothing open, a large number says that the cache was lost: see "
    "[what forgets](#configuration-that-forgets).",
    "missing-fill": "Nothing for the node, which has the fill now. Several in a row say that "
    "the user data stream loses events: look at the connection and the host.",
    "unknown-order": "See who trades on the account. If a strategy should own such orders, let "
    "it claim the instrument.",
    "order-state": "Nothing for the node. A strategy that waits for an order has to look at its "
    "state again; its handlers have been called.",
    "late-event": "Once: nothing. Often: compare the clock of the host with the venue's, then "
    "look at the load of the host and at the connection.",
    "unresolved-order": "Do not send the order again: it may stand at the venue. Look it up by "
    "its client order id. It is asked for until the venue answers.",
    "opening-balance": "Compare the entry price if profit matters to you; quantities agree. "
    "A longer `reconciliation_lookback_mins` on first contact makes it smaller.",
    "torn-position": "Nothing: the position has its fills again.",
    "residual": "Stop trading the leg and compare it by hand. The usual cause is a trade that "
    "is not served: one from before the history, or on a symbol that went unseen. See "
    "[policies](#policies).",
    "adjustment": "Book the difference where you keep accounts: its price is the venue's entry "
    "price, not a trade's.",
    "not-loaded": "Load the instrument (`InstrumentProviderConfig`) and restart, or leave "
    "it: nothing of it is reconciled, and nothing of it is in the node's risk.",
    "unrepresentable-order": "The order stands at the venue and not in the node: watch it there. "
    "When it fills, its fills are in the node.",
}
"""What to do about each kind of discrepancy."""

_OPTION = re.compile(r"^(?P<name>\w+) : (?P<kind>.+?), default (?P<default>\S+)$")
_UNITS = {"secs": "seconds", "ms": "milliseconds", "mins": "minutes"}


class Option(NamedTuple):
    """One option, as `recon.ReconExecEngineConfig` describes it."""

    name: str
    kind: str
    default: str
    meaning: str


def options() -> list[Option]:
    """Return the options that are described.

    Raises `ValueError` when the description has none.
    """
    doc = inspect.getdoc(recon.ReconExecEngineConfig) or ""
    _, _, part = doc.partition("Parameters\n----------\n")
    part, _, _ = part.partition("\n\n")
    found: list[Option] = []
    for line in part.splitlines():
        match = _OPTION.match(line)
        if match is not None:
            found.append(Option(match["name"], match["kind"], match["default"], ""))
        elif found:
            meaning = f"{found[-1].meaning} {line.strip()}".strip()
            found[-1] = found[-1]._replace(meaning=meaning)
    if not found:
        raise ValueError("the options of ReconExecEngineConfig are not described")
    return found


def options_table() -> str:
    """Return the options in Markdown: type, unit, default and meaning."""
    lines = ["| option | type | unit | default | meaning |", "|---|---|---|---|---|"]
    for name, kind, default, meaning in options():
        unit = _UNITS.get(name.rpartition("_")[2], "-")
        kinds = kind.replace('"', "`")
        lines.append(
            f"| `{name}` | {kinds} | {unit} | `{_plain(default)}` | {_markdown(meaning)} |"
        )
    return "\n".join(lines)


def refused_table() -> str:
    """Return in Markdown what takes the place of each option that is refused."""
    lines = ["| stock option | what takes its place |", "|---|---|"]
    for name, instead in recon.REPLACED.items():
        word, colon, why = instead.partition(": ")
        lines.append(f"| `{name}` | {f'{word}: {why}' if colon else f'`{instead}`'} |")
    return "\n".join(lines)


def kinds_table() -> str:
    """Return the kinds of discrepancies in Markdown, each with what to do."""
    lines = ["| kind | what it says | what to do |", "|---|---|---|"]
    for kind, text in recon.KINDS.items():
        lines.append(f"| `{kind}` | {text} | {ADVICE[kind]} |")
    return "\n".join(lines)


def with_options(page: str) -> str:
    """Return the page with its tables between their markers.

    Raises `ValueError` when a marker is missing.
    """
    for (name, begin), table in (
        (OPTIONS, options_table()),
        (REFUSED, refused_table()),
        (KINDS, kinds_table()),
    ):
        page = between(page, begin, f"<!-- end of {name} -->", table)
    return page


def _plain(default: str) -> str:
    return default.strip('"')


def _markdown(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def main() -> int:
    """Write the page of this checkout."""
    PAGE.write_text(with_options(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
