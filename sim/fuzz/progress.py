"""How a campaign goes, while it goes and when it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from sim.fuzz.campaign import Tally
from sim.fuzz.features import drawn
from sim.fuzz.states import STATES
from sim.scenario import PROPERTIES
from sim.stopwatch import wall_secs


class Progress:
    """One line that is rewritten on a terminal, or a line now and then elsewhere."""

    EVERY_SECS = 10.0

    def __init__(self, console: Console, live: Live | None) -> None:
        self._console = console
        self._live = live
        self._began = self._told = wall_secs()

    def update(self, tally: Tally) -> None:
        """Show how it goes."""
        now = wall_secs()
        text = line(tally, now - self._began)
        if self._live is not None:
            self._live.update(text)
        elif now - self._told >= self.EVERY_SECS:
            self._told = now
            self._console.print(text, soft_wrap=True)


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show how a campaign goes for as long as it does."""
    if not console.is_terminal:
        yield Progress(console, None)
        return
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield Progress(console, live)


def line(tally: Tally, secs: float) -> str:
    """Return how a campaign goes, in one line."""
    exercised = sum(1 for name in PROPERTIES if tally.judged[name])
    acted = sum(1 for word in drawn() if tally.acted[word])
    return (
        f"{tally.examples:,} examples, {tally.examples / secs if secs else 0.0:.1f} a second; "
        f"properties {exercised}/{len(PROPERTIES)}, "
        f"words that had an effect {acted}/{len(drawn())}, "
        f"rare states {len(tally.states)}/{len(STATES)}; "
        f"{len(tally.found)} found"
    )


def summary(console: Console, tally: Tally) -> None:
    """Print what came of a campaign."""
    console.print(f"verdicts: {_listed(tally.verdicts)}")
    console.print(f"judged: {', '.join(f'{name} {tally.judged[name]}' for name in PROPERTIES)}")
    console.print(f"had an effect: {_listed(tally.acted)}")
    idle = sorted(drawn() - set(tally.acted))
    if idle:
        console.print(f"never had an effect: {', '.join(idle)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rare state")
    table.add_column("stories", justify="right")
    for name in STATES:
        table.add_row(name, str(tally.states[name]))
    console.print(table)
    console.print(f"run twice: {tally.twice}, {len(tally.differences)} differed")
    console.print(f"found: {_listed(Counter(f.property for f in tally.found)) or 'nothing'}")


def _listed(counts: Counter[str]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in ranked)
