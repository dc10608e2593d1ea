"""Bugs in what is remembered: the ledger, what was loaded, whose an order is."""

from __future__ import annotations

from typing import Any

import msgspec

from sim.scenario import Scenario
from sim.scenario.actions import StopDatabase, Submit
from sim.scenario.model import Record
from sim.selftest.planted.base import Instead, Planted, put, replace
from sim.selftest.planted.legs import ShortLookback
from sim.selftest.planted.orders import FillsUnheard


class ForgetsTheLedger(Planted):
    """A process that starts does not load the ledger of the one before."""

    name = "forgets-the-ledger"
    breaks = ("fill-lost", "phantom-fill", "position-mismatch")
    within = 240
    features = ("kills", "by-hand")
    control = ShortLookback
    lookback_mins = 1

    def on_account(self, account: Any) -> None:
        ledger = account.ledger
        ledger.first_contact_ns = ledger.complete_until_ns = 0
        ledger._books.clear()


class ForgetsOrdersOfTheCache(Planted):
    """What the ledger has not noted counts as not applied, though a loaded order has it."""

    name = "forgets-orders-of-the-cache"
    breaks = ("fill-duplicated", "position-mismatch")
    within = 30
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account._collector, "_book", Instead(account.book, holder=lambda *_: None))


class ForgetsClaims(Planted):
    """What a strategy claims is put under nobody's name."""

    name = "forgets-claims"
    breaks = ("position-mismatch",)
    within = 70
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account._applier._adopter._ownership, "claim", lambda _: None)


class IgnoresManualOrders(Planted):
    """Orders that the node has not sent are none of its business."""

    name = "ignores-manual-orders"
    breaks = ("fill-lost", "order-mismatch")
    within = 20
    features = ("by-hand", "events")

    def on_account(self, account: Any) -> None:
        put(account._applier._adopter, "adopt", lambda *_: None)


class LeavesTornPositions(Planted):
    """A fill that a crash kept from its position stays missing there."""

    name = "leaves-torn-positions"
    breaks = ("position-mismatch",)
    within = 40
    features = ("kills", "by-hand")

    def on_account(self, account: Any) -> None:
        put(account.legs, "_repair", lambda *_, **__: False)


class TakesHistoryForNew(Planted):
    """An order that was cancelled here is put into the node again when it is seen anew."""

    name = "takes-history-for-new"
    breaks = ("fill-duplicated", "order-mismatch", "phantom-fill")
    within = 60
    features = ("cancellations",)
    control = FillsUnheard
    trouble = FillsUnheard.trouble

    def on_account(self, account: Any) -> None:
        def make(find: Any) -> Any:
            def found(*args: Any) -> Any:
                order = find(*args)
                return None if order is not None and order.is_closed else order

            return found

        replace(account._applier, "find", make)


class SacrificesNothing(Planted):
    """The write that is lost when the database goes away is whichever comes next."""

    name = "sacrifices-nothing"
    breaks = ("crash", "stopped", "not-converged")
    within = 40
    features = ("database", "kills")

    @classmethod
    def told(cls, story: Scenario) -> Scenario:
        """Take the database away as an order is sent, once in each story."""
        records = list(story.timeline)
        for place, record in enumerate(records):
            if isinstance(record.action, Submit):
                gone = StopDatabase(node=record.action.node, for_ns=1_000_000_000)
                records.insert(place, Record(at_ns=record.at_ns, action=gone))
                break
        return msgspec.structs.replace(story, timeline=tuple(records))

    def on_node(self, installation: Any) -> None:
        put(installation.watch._database, "_sacrifice", lambda: None)


PLANTED: tuple[type[Planted], ...] = (
    ForgetsTheLedger,
    ForgetsOrdersOfTheCache,
    ForgetsClaims,
    IgnoresManualOrders,
    LeavesTornPositions,
    TakesHistoryForNew,
    SacrificesNothing,
)
