"""The known gaps of the released engine: ``python -m sim.report.gaps`` writes `docs/known-gaps.md`.

Each gap has the scenario that shows it, and what both engines make of that comes from
running them.  The numbers are those of the `reference` of scenarios.  A gap that no scenario
shows by itself stands below the table with the reason.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sim.report.pages import between
from sim.report.readme import SUITE, link_to, results_of, verdict_cell
from sim.report.result import Result

BEGIN = "<!-- gaps: written by python -m sim.report.gaps -->"
END = "<!-- end of gaps -->"

GAPS_PAGE = Path("docs/known-gaps.md")


class Gap(NamedTuple):
    """A gap: what goes wrong, and the scenario whose `shows` is broken by it."""

    scenario: str
    what: str


GAPS = {
    "G1": Gap(
        "restart/warm-after-a-fill",
        "a symbol is asked for under two spellings, and its trades are counted twice",
    ),
    "G2": Gap(
        "restart/window-cuts-a-position",
        "a position that is older than the window of trades is opened once more",
    ),
    "G3": Gap(
        "restart/working-order-beside-a-closed-position",
        "orders and fills from before the last flat position are thrown away",
    ),
    "G4": Gap("startup/failed-read", "a read that fails counts as an empty answer"),
    "G5": Gap(
        "history/old-order-filled-while-down",
        "an open order that the list of orders lacks is never asked for",
    ),
    "G6": Gap(
        "history/bought-by-hand-before-the-window",
        "a missing quantity is explained by an old order that happens to look alike",
    ),
    "G7": Gap("hedge/legs-collapse", "in hedge mode long and short of a symbol count as one"),
    "G8": Gap("hedge/leg-closed-long-ago", "a leg that is flat at the venue stays open here"),
    "G9": Gap(
        "history/old-order-filled-in-the-window",
        "a fill counts only if its order was made inside the window",
    ),
    "G10": Gap(
        "history/more-trades-than-a-page",
        "trades that do not fit on one page are never read",
    ),
    "G11": Gap(
        "manual/round-trip-while-down",
        "a symbol on which nothing is open any more is not asked about",
    ),
    "G13": Gap(
        "inflight/cancelled-without-its-fill",
        "an order that is closed here never gains a fill that it lacks",
    ),
    "G14": Gap(
        "manual/one-client-id-twice",
        "a second order under the client id of one that is closed is not taken in",
    ),
    "G17": Gap(
        "disconnect/purged-order-comes-back",
        "an order that was purged from memory is imported and filled again",
    ),
    "G19": Gap(
        "conditional/triggered-while-down",
        "a conditional order that triggered while the node was down keeps its old id and its fill "
        "is refused",
    ),
    "G20": Gap(
        "restart/closed-by-hand-long-ago",
        "a position that was closed at the venue stays open here, beside its opposite",
    ),
    "G21": Gap(
        "inflight/inferred-then-real-fill",
        "a fill is made up from the executed quantity before the real one arrives",
    ),
    "G22": Gap(
        "inflight/cancelled-with-lost-fill",
        "an order is closed as cancelled before its fills are asked for",
    ),
    "G23": Gap(
        "inflight/old-order-rejected-unasked",
        "a live order is rejected or cancelled here for want of an answer",
    ),
    "G24": Gap(
        "disconnect/dropped-cancellation",
        "an open order that the venue no longer lists is noticed and left open",
    ),
    "G25": Gap(
        "manual/position-nobody-saw",
        "a position that only the venue has is given up after three attempts",
    ),
    "G28": Gap(
        "inflight/lost-acknowledgement-and-event",
        "a fill does not find its order while the acknowledgement is missing",
    ),
    "G32": Gap(
        "errors/trades-unavailable-for-three-checks",
        "after three checks that could not read the trades a position is given up for good",
    ),
    "G35": Gap(
        "startup/read-breaks",
        "a start that failed leaves the checks running on a cache that nobody reconciled",
    ),
    "G36": Gap(
        "inflight/last-fill-without-the-first",
        "the cumulative quantity of an event is not read, so a gap before it is not seen",
    ),
    "G37": Gap(
        "forced/liquidated-trade",
        "a liquidation has its trade made up, on a position of its own beside the real one",
    ),
    "G38": Gap(
        "manual/order-first-seen-as-a-trade",
        "an order by hand whose first event is a trade has that trade made up",
    ),
    "G39": Gap(
        "conditional/finished-overtakes-the-fill",
        "that a conditional order is finished has a fill made up, and the real one is refused",
    ),
    "G41": Gap(
        "disconnect/stream-given-up",
        "one failed request on the way back ends the stream of events for good",
    ),
    "G42": Gap(
        "disconnect/reconciliation-after-it-fails",
        "the reconciliation after a reconnection fails in silence and is not repeated",
    ),
    "G43": Gap(
        "disconnect/listen-key-expires-in-silence",
        "a stream that went silent is not noticed for half an hour",
    ),
    "G46": Gap(
        "manual/unclaimed-orders-filtered",
        "orders that are filtered out move the position at a start, and then no more",
    ),
    "G49": Gap(
        "errors/more-than-the-weight-allows",
        "requests are counted and not what they weigh, and the refusal is taken for an empty list",
    ),
    "G50": Gap(
        "restart/database-restarted-before-an-order",
        "what the cache's writer sends first after Redis has gone is lost, without a word",
    ),
}
"""The gaps that a scenario shows, by their numbers."""

_NO_PROPERTY = "no property judges it"

UNSHOWN = {
    "G18": "an instrument that is not loaded: stock has no alerts that could be missing, and "
    "what it breaks in `startup/instrument-not-loaded` is G1",
    "G29": "an acceptance that is published of a filled order: seen in the events of "
    f"`inflight/stale-answer-about-a-filled-order`, but {_NO_PROPERTY}",
    "G33": "the time limit of a start that is not kept: seen in `startup/slow-read`, whose fault "
    "excuses a slow start; what it breaks there is G1",
    "G34": f"a flag of the engine that stays set: {_NO_PROPERTY}",
    "G44": "balances, margin and funding: not judged",
    "G45": "two strategies that share one position: what breaks in "
    "`restart/two-strategies-one-symbol` is G1",
    "G47": "made-up fills whose ids change: they are caught as made up, whatever their id",
    "G48": "the rate of a trailing stop: since Binance keeps conditional orders apart, its list of "
    "them names the rate in percent, and `conditional/trailing-stop-by-hand-waits` sees it right",
}
"""The gaps that no scenario shows by itself, and why."""


def gap_results() -> dict[str, list[Result]]:
    """Run the scenarios of the gaps with both engines."""
    return results_of(sorted(path_of(gap) for gap in GAPS.values()))


def path_of(gap: Gap) -> Path:
    """Return the scenario file of a gap."""
    return SUITE / f"{gap.scenario}.yaml"


def gap_table(results: Mapping[str, list[Result]]) -> str:
    """Return the table in Markdown, from results by engine that include those of the gaps."""
    by_engine = {
        engine: {result.scenario: result for result in found} for engine, found in results.items()
    }
    lines = [
        f"| gap | what goes wrong | scenario | {' | '.join(by_engine)} |",
        f"|---|---|---|{'---|' * len(by_engine)}",
    ]
    for name, gap in GAPS.items():
        path = path_of(gap).as_posix()
        cells = " | ".join(verdict_cell(found[path]) for found in by_engine.values())
        lines.append(f"| {name} | {gap.what} | {link_to(path, GAPS_PAGE)} | {cells} |")
    lines += ["", "Gaps that no scenario shows by itself:", ""]
    lines += [f"* {name}, {why}" for name, why in UNSHOWN.items()]
    return "\n".join(lines)


def with_gaps(page: str, table: str) -> str:
    """Return a page with the table between its markers.

    Raises `ValueError` when a marker is missing.
    """
    return between(page, BEGIN, END, table)


def main() -> int:
    """Write the page of this checkout."""
    GAPS_PAGE.write_text(with_gaps(GAPS_PAGE.read_text(), gap_table(gap_results())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
