"""Bugs in what is done when, and in what is told."""

from __future__ import annotations

import asyncio
from typing import Any

from recon.core.port import ReadError
from sim.selftest.planted.base import Planted, put, replace
from sim.selftest.planted.reads import WithoutPositions


class OnlyAtTheStart(Planted):
    """The node is reconciled when it starts, and never again."""

    name = "only-at-the-start"
    breaks = ("alert-missing", "fill-lost", "order-mismatch")
    within = 400
    features = ("silence", "by-hand")

    def on_node(self, installation: Any) -> None:
        watch = installation.watch

        async def check() -> bool:
            watch._next_check_ns = self.now_ns() + watch._interval_ns
            return True

        put(watch, "_check", check)


class StartsUnread(Planted):
    """A start whose reads fail goes on as if nothing had been found."""

    name = "starts-unread"
    breaks = ("alert-missing", "fill-lost", "order-mismatch")
    within = 400
    features = ("kills", "by-hand")
    control = WithoutPositions
    trouble = WithoutPositions.trouble

    def on_account(self, account: Any) -> None:
        def make(reconcile: Any) -> Any:
            async def reconciled(began_ns: int, *, is_start: bool) -> None:
                try:
                    await reconcile(began_ns, is_start=is_start)
                except ReadError:
                    if not is_start:
                        raise

            return reconciled

        replace(account, "reconcile", make)


class AlertsNothing(Planted):
    """No discrepancy is told."""

    name = "alerts-nothing"
    breaks = ("alert-missing",)
    within = 400
    features = ("silence", "by-hand")

    def on_node(self, installation: Any) -> None:
        put(installation.alerts, "tell", lambda _: None)


class AlertsLate(Planted):
    """Discrepancies are told two minutes after they were found."""

    name = "alerts-late"
    breaks = ("alert-missing",)
    within = 400
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
    within = 400
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
    within = 400
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account.teller, "end_start", lambda: put(account.teller, "_start", None))


class TellsOfTheUsualDelay(Planted):
    """What the stream is about to tell is a discrepancy when a read is faster."""

    name = "tells-of-the-usual-delay"
    breaks = ("alert-false",)
    within = 400
    features = ("requests", "events")

    def on_node(self, installation: Any) -> None:
        put(installation.gate, "_tell_if_late", lambda *_: None)


class TinyBudget(Planted):
    """A fiftieth of the venue's weight is used, so that reads wait for the next minute."""

    name = "tiny-budget"
    breaks = ("too-slow", "stopped")
    within = 400
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        budget = account.venue.reader._http._budget
        replace(budget, "_allowed", lambda allowed: allowed // 50)


class WaitsBeforeAComparison(Planted):
    """A comparison waits six seconds for the stream before it reads."""

    name = "waits-before-a-comparison"
    breaks = ("too-slow",)
    within = 400
    features = ("by-hand", "market")

    def on_account(self, account: Any) -> None:
        def make(reconcile: Any) -> Any:
            async def reconciled(began_ns: int, *, is_start: bool) -> None:
                if not is_start:
                    await asyncio.sleep(6.0)
                await reconcile(began_ns, is_start=is_start)

            return reconciled

        replace(account, "reconcile", make)


PLANTED: tuple[type[Planted], ...] = (
    OnlyAtTheStart,
    StartsUnread,
    AlertsNothing,
    AlertsLate,
    AlertsAlways,
    StartsSilently,
    TellsOfTheUsualDelay,
    TinyBudget,
    WaitsBeforeAComparison,
)
