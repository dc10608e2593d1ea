"""Bugs in what is done when, and in what is told."""

from __future__ import annotations

from typing import Any

from sim.scenario.actions import DelayEvent
from sim.selftest.planted.base import Planted, Sound, put, replace


class OnlyAtTheStart(Planted):
    """The node is reconciled when it starts, and never again."""

    name = "only-at-the-start"
    breaks = ("alert-missing", "fill-lost", "order-mismatch")
    within = 40
    features = ("silence", "by-hand")

    def on_node(self, installation: Any) -> None:
        watch = installation.watch

        async def check() -> bool:
            watch._next_check_ns = self.now_ns() + watch._interval_ns
            return True

        put(watch, "_check", check)


class AlertsNothing(Planted):
    """No discrepancy is told."""

    name = "alerts-nothing"
    breaks = ("alert-missing",)
    within = 40
    features = ("silence", "by-hand")

    def on_node(self, installation: Any) -> None:
        put(installation.alerts, "tell", lambda _: None)


class AlertsLate(Planted):
    """Discrepancies are told two minutes after they were found."""

    name = "alerts-late"
    breaks = ("alert-missing",)
    within = 40
    features = ("silence", "by-hand")

    def on_node(self, installation: Any) -> None:
        loop = self.node.kernel.loop

        def make(tell: Any) -> Any:
            return lambda discrepancy: loop.call_later(120.0, tell, discrepancy)

        replace(installation.alerts, "tell", make)


class AlertsAlways(Planted):
    """Each comparison tells of a residual of each leg that is held."""

    name = "alerts-always"
    breaks = ("alert-false",)
    within = 20
    features = ("by-hand", "market")

    def on_account(self, account: Any) -> None:
        def make(compared: Any) -> Any:
            def told(why_not: str = "") -> None:
                compared(why_not)
                for leg in account.book.holdings.legs():
                    account.teller.leg("residual", leg, "it may differ", is_corrected=False)

            return told

        replace(account.teller, "compared", make)


class StartsSilently(Planted):
    """What a start has corrected is not told."""

    name = "starts-silently"
    breaks = ("alert-missing",)
    within = 30
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account.teller, "end_start", lambda: put(account.teller, "_start", None))


class EventsDelayed(Sound):
    """`recon`, sound, while the stream is eight seconds late."""

    name = "recon-events-delayed"
    trouble = DelayEvent(symbol="SOLUSDT", by_ns=8_000_000_000, for_ns=300_000_000_000)


class LateEventsPass(Planted):
    """What the stream tells late is applied without a word about it."""

    name = "late-events-pass"
    breaks = ("alert-missing",)
    within = 20
    features = ("by-hand",)
    control = EventsDelayed
    trouble = EventsDelayed.trouble

    def on_node(self, installation: Any) -> None:
        put(installation.gate, "_tell_if_late", lambda *_: None)


class TinyBudget(Planted):
    """A fiftieth of the venue's weight is used, so that reads wait for the next minute."""

    name = "tiny-budget"
    breaks = ("too-slow", "stopped")
    within = 20
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        budget = account.venue.reader._http._budget
        replace(budget, "_allowed", lambda allowed: allowed // 50)


PLANTED: tuple[type[Planted], ...] = (
    OnlyAtTheStart,
    AlertsNothing,
    AlertsLate,
    AlertsAlways,
    StartsSilently,
    LateEventsPass,
    TinyBudget,
)
