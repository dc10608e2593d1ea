"""A scenario file to begin with, for a bug that somebody has reported."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATE = """\
# yaml-language-server: $schema=../../sim/scenario/scenario.schema.json
#
# {reference}: from a report to a file.  docs/replay-an-issue.md goes through one; every word
# is in docs/write-a-scenario.md.  Delete the comments as you go.
format: 1

# What should hold, in one sentence.
title: What should hold after what happened in issue {number}

# What was reported, what happened at the venue and in the node, and how it should end.
story: |
  A strategy buys 1. The fill arrives.
reference: "{reference}"

# The one property that the report is about: fill-lost, fill-duplicated, phantom-fill,
# fill-wrong, order-mismatch, false-terminal, position-mismatch, not-idempotent, crash, ...
shows: fill-lost
seed: 3

# One-way or hedge mode, and the symbols: `recon run` names those that the venue lists.
venue: {{symbols: [BTCUSDT]}}

# How the node of the report was configured: claims, lookback, intervals.
node: {{reconciliation_interval_secs: 60}}

timeline:
  # The past that the node finds (-9d is nine days before its start), by hand:
  # - {{at: -9d, web_submit: {{id: W-1, side: SELL, quantity: "1", type: MARKET}}}}
  # What strategies, the venue and the user did, one thing a line:
  - {{at: 2s, submit: {{id: O-1, side: BUY, quantity: "1", price: "50000"}}}}
  # What went wrong on the way, before what it hits (`recon faults` lists all):
  # - {{at: 9s, drop_event: {{event: ORDER_TRADE_UPDATE, execution: TRADE}}}}
  - {{at: 10s, fill: {{order: O-1, quantity: "1"}}}}
  # The restart of the report, with its cache kept, stale, torn or lost:
  # - {{at: 60s, restart: {{cache: kept}}}}

# The venue's truth in the end: it proves that the story happened.
expect:
  venue_position: {{BTCUSDT: "1"}}

# What each release gets wrong, as `recon run` and `recon bisect` find it:
# known:
#   stock:
#     - {{fails: [fill-lost], versions: ">=1.222,<1.226"}}
"""


class NewIssueError(ValueError):
    """A file that cannot be written; the text says why."""


def new_issue(number: int, project: str, name: str, folder: Path) -> Path:
    """Write the file of an issue and return its path.  Raises `NewIssueError`."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise NewIssueError(f"'{name}' is no name for a file: lower case, with dashes between")
    if not re.fullmatch(r"[\w.-]+", project):
        raise NewIssueError(f"'{project}' is no name of a project: letters, digits, ., _ and -")
    whose = f"{number:04}" if project == "NautilusTrader" else f"{project.lower()}-{number}"
    if found := sorted(folder.rglob(f"{whose}-*.yaml")):
        raise NewIssueError(f"there is a file of that issue: {found[0]}")
    path = folder / f"{whose}-{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEMPLATE.format(number=number, reference=f"{project} #{number}"))
    return path
