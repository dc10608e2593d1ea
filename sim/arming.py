"""The records that are faults: how each is armed, and what the world does for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.clock import VirtualLoop
from sim.faults import (
    DelayedFrame,
    DelayedReply,
    DroppedFrame,
    DuplicatedFrame,
    FailedRequest,
    Fault,
    Faults,
    LostReply,
    ReadLag,
    StreamOutage,
    TruncatedReply,
)
from sim.scenario import actions as a
from sim.transport.network import Network
from sim.venue import Venue
from sim.venue.history import Hiding

type Sent = a.Submit | a.WebSubmit


def venue_client_id(order: Sent) -> str:
    """Return the client order id under which the venue knows an order of the scenario."""
    return f"web_{order.id}" if isinstance(order, a.WebSubmit) else order.id


class Arming:
    """Arms the faults of one scenario.

    ``account`` is the venue's name of the account, ``orders`` are all of the scenario's.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        network: Network,
        faults: Faults,
        account: str,
        orders: Mapping[str, Sent],
    ) -> None:
        self._loop = loop
        self._venue = venue
        self._network = network
        self._faults = faults
        self._account = account
        self._orders = orders
        self._lags: dict[str, list[int]] = {}

    def arm(self, action: a.Fault, label: str) -> None:
        """Arm what a record says; ``label`` is how reports call it."""
        _DO[type(action)](self, action, label)

    def _disconnect(self, action: a.Disconnect, label: str) -> None:
        fault = StreamOutage(label, until_ns=self._loop.now_ns + action.for_ns)
        self._faults.arm(fault)
        cut = self._network.cut_streams()
        if cut:
            self._faults.act(fault, f"{cut} streams cut")

    def _drop_event(self, action: a.DropEvent, label: str) -> None:
        self._faults.arm(DroppedFrame(label, **self._wanted(action)))

    def _duplicate_event(self, action: a.DuplicateEvent, label: str) -> None:
        self._faults.arm(
            DuplicatedFrame(
                label,
                copies=action.copies,
                by_ns=action.by_ns,
                **self._wanted(action),
            ),
        )

    def _delay_event(self, action: a.DelayEvent, label: str) -> None:
        self._faults.arm(DelayedFrame(label, by_ns=action.by_ns, **self._wanted(action)))

    def _wanted(self, action: a.EventFault) -> dict[str, Any]:
        return {
            "event": action.event,
            "execution": action.execution,
            "client_order_id": self._client_id(action.order),
            "symbol": action.symbol,
            "client": action.client,
            "count": action.limit,
            "until_ns": self._until_ns(action),
        }

    def _until_ns(self, action: a.EventFault | a.RequestFault) -> int | None:
        return None if action.for_ns is None else self._loop.now_ns + action.for_ns

    def _fail_request(self, action: a.FailRequest, label: str) -> None:
        self._faults.arm(
            FailedRequest(
                label,
                status=action.status,
                code=action.code,
                message=action.message,
                retry_after_secs=action.retry_after,
                after_ns=action.after_ns,
                applied=action.applied,
                **self._asked(action),
            ),
        )

    def _lose_reply(self, action: a.LoseReply, label: str) -> None:
        self._faults.arm(
            LostReply(
                label, after_ns=action.after_ns, applied=action.applied, **self._asked(action)
            )
        )

    def _delay_reply(self, action: a.DelayReply, label: str) -> None:
        self._faults.arm(DelayedReply(label, by_ns=action.by_ns, **self._asked(action)))

    def _truncate_reply(self, action: a.TruncateReply, label: str) -> None:
        self._faults.arm(TruncatedReply(label, **self._asked(action)))

    def _asked(self, action: a.RequestFault) -> dict[str, Any]:
        return {
            "method": action.method,
            "path": action.path,
            "symbol": action.symbol,
            "client": action.client,
            "skip": action.skip,
            "count": action.limit,
            "until_ns": self._until_ns(action),
        }

    def _expire_listen_key(self, action: a.ExpireListenKey, label: str) -> None:
        fault = Fault(label)
        self._faults.arm(fault)
        if self._venue.expire_listen_key(self._account, self._loop.now_ns, notify=action.notify):
            self._faults.act(fault, "the listen key expired")

    def _lag_reads(self, action: a.LagReads, label: str) -> None:
        until_ns = self._loop.now_ns + action.for_ns
        self._faults.arm(ReadLag(label, reads=action.reads, until_ns=until_ns))
        for read in action.reads:
            self._lags.setdefault(read, []).append(action.by_ns)
        self._set_lags(action)
        self._loop.call_at_ns(until_ns, self._heal_lag, action)

    def _heal_lag(self, action: a.LagReads) -> None:
        for read in action.reads:
            self._lags[read].remove(action.by_ns)
        self._set_lags(action)

    def _set_lags(self, action: a.LagReads) -> None:
        for read in action.reads:
            self._venue.reads.set_lag(read, max(self._lags[read], default=0))

    def _hide_trades(self, action: a.HideTrades, label: str) -> None:
        until_ns = self._loop.now_ns + action.for_ns
        fault = Fault(label, until_ns=until_ns)
        self._faults.arm(fault)
        hiding = Hiding(
            action.reads,
            self._loop.now_ns,
            lambda read: self._faults.act(fault, f"{read} lack trades", "lag"),
            symbol=action.symbol,
            client_order_id=self._client_id(action.order),
        )
        self._venue.reads.hide(hiding)
        self._loop.call_at_ns(until_ns, self._venue.reads.show, hiding)

    def _client_id(self, order: str | None) -> str | None:
        return None if order is None else venue_client_id(self._orders[order])


_DO: dict[type[a.Fault], Callable[[Arming, Any, str], None]] = {
    a.Disconnect: Arming._disconnect,
    a.ExpireListenKey: Arming._expire_listen_key,
    a.DropEvent: Arming._drop_event,
    a.DuplicateEvent: Arming._duplicate_event,
    a.DelayEvent: Arming._delay_event,
    a.FailRequest: Arming._fail_request,
    a.LoseReply: Arming._lose_reply,
    a.DelayReply: Arming._delay_reply,
    a.LagReads: Arming._lag_reads,
    a.TruncateReply: Arming._truncate_reply,
    a.HideTrades: Arming._hide_trades,
}
