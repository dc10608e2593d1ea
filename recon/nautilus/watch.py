"""Runs a node's reconciliation: the start, the periodic comparison, the open questions.

One thing at a time: whatever reconciles holds one lock, so that two comparisons never
work on one state.  The loop that watches ends with the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from nautilus_trader.common.component import Logger

from recon.core.port import ReadError
from recon.nautilus.account import Account
from recon.nautilus.database import DatabaseWatch
from recon.nautilus.gate import Gate
from recon.nautilus.stream import StreamWatch

LOOK_SECS = 0.05
"""How often it is looked whether the accounts are connected."""

PAUSE_NS = 2_000_000_000
"""How long after a failed read all is tried again, at first.  What is asked in vain counts against
the limits of the venue, which all share who ask from one address."""

POLL_NS = 30_000_000_000
"""How often a continuation order is asked for: the client drops its events."""

SHORTEST_SECS = 0.001
"""The shortest rest between two turns of the loop."""

SAVE_SECS = 1.0
"""How long after a fill the ledger is written, at the latest."""


class Watch:
    """Reconciles all accounts of a node.

    Parameters
    ----------
    make_accounts
        Makes the accounts, once their clients are connected.
    drained
        Waits until the engine has no event in its queue any more.
    stop_node
        Stops the node, with a reason.
    give_up
        Stops a node that is still waiting for its connections, with a reason.
    connect_within_secs
        How long all accounts may take to connect.
    node_waits_secs
        How long the node itself waits for its clients to connect.
    database
        What watches the database of the cache, if it has one.
    goes_on_unread
        Whether what could not be read at the start is read later: in a dry run it is.
    """

    def __init__(
        self,
        engine: Any,
        gate: Gate,
        make_accounts: Callable[[], list[Account]],
        streams: list[StreamWatch],
        log: Logger,
        *,
        now_ns: Callable[[], int],
        drained: Callable[[], Awaitable[None]],
        stop_node: Callable[[str], None],
        give_up: Callable[[str], None],
        connect_within_secs: float,
        node_waits_secs: float,
        interval_ns: int,
        inflight_interval_ns: int,
        inflight_timeout_ns: int,
        database: DatabaseWatch | None,
        goes_on_unread: bool,
    ) -> None:
        self.accounts: list[Account] = []
        self._database = database
        self._goes_on_unread = goes_on_unread
        self._engine = engine
        self._gate = gate
        self._make_accounts = make_accounts
        self._streams = streams
        self._log = log
        self._now_ns = now_ns
        self._drained = drained
        self._stop_node = stop_node
        self._give_up = give_up
        self._connect_within_secs = connect_within_secs
        self._node_waits_secs = node_waits_secs
        self._interval_ns = interval_ns
        self._inflight_interval_ns = inflight_interval_ns
        self._inflight_timeout_ns = inflight_timeout_ns
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._next_check_ns = 0
        self._next_inflight_ns = 0
        self._pause_ns = PAUSE_NS
        self._polled_ns: dict[str, int] = {}
        self._has_started = False
        self._may_go_on = False
        self._loop: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._reviving: dict[StreamWatch, asyncio.Task[None]] = {}

    # -- connecting -----------------------------------------------------------------------

    def watch_connections(self) -> None:
        """See whether all accounts are connected in time; called when they begin to."""
        if self._database is not None:
            self._database.start()
        loop = asyncio.get_running_loop()
        self._connecting = loop.create_task(self._watch_connections(), name="recon-connections")

    async def _watch_connections(self) -> None:
        left_secs = self._connect_within_secs
        while missing := self._not_connected():
            if left_secs <= 0:
                self._give_up(
                    f"no connected account of {', '.join(missing)} within "
                    f"{self._connect_within_secs:g} s (reconciliation_startup_delay_secs): "
                    "check its keys and address, or allow more time"
                )
                return
            await asyncio.sleep(LOOK_SECS)
            left_secs -= LOOK_SECS
        # Where other clients of the node do not connect, the start is never called.
        left_secs += self._node_waits_secs - self._connect_within_secs
        while not self._has_started and self._engine.is_running:
            if left_secs <= -LOOK_SECS:
                self._stop_node(
                    f"its data clients have not connected within {self._node_waits_secs:g} s "
                    "(timeout_connection), and so its start goes no further"
                )
                return
            await asyncio.sleep(LOOK_SECS)
            left_secs -= LOOK_SECS

    def _not_connected(self) -> list[str]:
        return [
            client.id.value
            for client in self._engine._clients.values()
            if not client.is_connected or client.get_account() is None
        ]

    # -- the start ------------------------------------------------------------------------

    async def reconcile(self, timeout_secs: float) -> bool:
        """Reconcile all accounts; return whether the node may go on.

        The first call is the start: strategies do not run yet, and events are held.
        """
        if not self._has_started:
            self._has_started = True
            self._may_go_on = await self._start(timeout_secs)
            if self._may_go_on or self._goes_on_unread:
                self._begin_to_watch()
            return self._may_go_on
        if not self._may_go_on:
            return False
        async with self._lock:
            return await self._check()

    async def _start(self, timeout_secs: float) -> bool:
        began_ns = self._now_ns()
        until_ns = began_ns + int(timeout_secs * 1e9)
        why, is_final = "it took too long", False
        async with self._lock:
            try:
                self.accounts = self._make_accounts()
                for account in self.accounts:
                    account.teller.begin_start()
                pending = list(self.accounts)
                while pending:
                    left_secs = (until_ns - self._now_ns()) / 1e9
                    try:
                        async with asyncio.timeout(left_secs):
                            for account in list(pending):
                                with account.venue.deadline(until_ns):
                                    await account.reconcile(began_ns, is_start=True)
                                pending.remove(account)
                    except ReadError as e:
                        why, is_final = str(e), e.is_final
                        pause_secs = max(PAUSE_NS, e.not_before_ns - self._now_ns()) / 1e9
                        if e.is_final or self._now_ns() + pause_secs * 1e9 >= until_ns:
                            break
                        self._log.warning(f"{e}; the start tries again")
                        await asyncio.sleep(pause_secs)
                    except TimeoutError:
                        break
                if pending:
                    within = "" if is_final else f" within {timeout_secs:g} s"
                    option = "" if is_final else " (timeout_reconciliation)"
                    self._stop_node(
                        f"{pending[0].account_id} could not be reconciled{within}{option}: {why}"
                    )
                    return False
            except Exception as e:
                # Raising here would leave the node half alive.
                self._log.exception("the start failed", e)
                self._stop_node(f"the start failed: {type(e).__name__}: {e}")
                return False
            self._keep()
            for account in self.accounts:
                account.teller.end_start()
                account.teller.compared()
            self._gate.release()
            await self._drained()
        now_ns = self._now_ns()
        self._log.info(f"reconciled in {(now_ns - began_ns) / 1e9:.1f} s")
        return True

    # -- the loop -------------------------------------------------------------------------

    def _begin_to_watch(self) -> None:
        now_ns = self._now_ns()
        self._next_check_ns = now_ns + self._interval_ns
        self._next_inflight_ns = now_ns + self._inflight_interval_ns
        if not self._may_go_on:
            for account in self.accounts:
                account.teller.end_start()
            self._put_off(0)
        self._loop = asyncio.get_running_loop().create_task(self._run(), name="recon")

    def wake(self) -> None:
        """Something has to be asked soon."""
        self._wake.set()

    def interrupted(self) -> None:
        """The stream was interrupted: compare all with the venue at once."""
        self._next_check_ns = 0
        self._wake.set()

    def news(self) -> None:
        """Something is written: a little later that is seen to, with what follows."""
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECS, self._keep)

    def records(self) -> dict[str, bytes]:
        """Return what of all ledgers is in the store, by its keys."""
        return {
            key: kept for account in self.accounts for key, kept in account.store.written.items()
        }

    def save_anew(self) -> None:
        """Write all ledgers: the store may have lost something of them."""
        for account in self.accounts:
            account.store.encode(account.ledger, anew=True)
            account.store.write()

    def _keep(self) -> None:
        """Write the ledgers, once the database is seen to have what they tell of."""
        self._saving = None
        if self._database is None or not self._database.check():
            self.save()

    def save(self) -> None:
        """Write what has changed of all ledgers."""
        self.encode()
        self.write()

    def encode(self) -> None:
        """Take what has changed of all ledgers as it is now: to be written."""
        for account in self.accounts:
            account.store.encode(account.ledger)

    def write(self) -> None:
        """Write what was taken."""
        for account in self.accounts:
            account.store.write()

    def stop(self) -> None:
        """End the loop."""
        if self._database is not None:
            self._database.stop()
        for task in (self._loop, self._connecting, *self._reviving.values()):
            if task is not None and not task.get_loop().is_closed():
                task.cancel()
        if self._loop is not None and not self._loop.get_loop().is_closed():
            self._closing = self._loop.get_loop().create_task(self._close(), name="recon-close")
        if self._saving is not None:
            self._saving.cancel()
            self.save()

    async def _run(self) -> None:
        while self._engine.is_running:
            await self._rest()
            if not self._engine.is_running:
                break
            try:
                async with self._lock:
                    await self._turn()
            except Exception as e:
                self._log.exception("a comparison failed; it is repeated", e)
                self._put_off(0)
        self.save()
        await self._close()

    async def _close(self) -> None:
        for account in self.accounts:
            await account.venue.reader.aclose()

    async def _rest(self) -> None:
        """Wait for whatever is due next."""
        due = [self._next_check_ns, self._next_inflight_ns]
        for account in self.accounts:
            due += [ns for ns in (account.questions.next_ns(), account.legs.look_again_ns) if ns]
        left_ns = min(due) - self._now_ns()
        # A shorter sleep than the loop's clock can tell would not let time pass.
        left_secs = max(left_ns / 1e9, SHORTEST_SECS) if left_ns > 0 else 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_secs):
                await self._wake.wait()
        self._wake.clear()

    async def _turn(self) -> None:
        now_ns = self._now_ns()
        if now_ns >= self._next_inflight_ns:
            self._next_inflight_ns = now_ns + self._inflight_interval_ns
            self._look_at_streams(now_ns)
            self._look_for_inflight(now_ns)
        is_due = now_ns >= self._next_check_ns or any(
            account.legs.look_again_ns is not None and now_ns >= account.legs.look_again_ns
            for account in self.accounts
        )
        if is_due:
            await self._check()
        for account in self.accounts:
            due = account.questions.due(self._now_ns())
            if due:
                await asyncio.gather(*(account.ask(question) for question in due))

    async def _check(self) -> bool:
        """Compare all accounts with the venue; False when something could not be read."""
        began_ns = self._now_ns()
        self._next_check_ns = began_ns + self._interval_ns
        is_done = True
        for account in self.accounts:
            try:
                await account.reconcile(began_ns, is_start=False)
                account.teller.compared()
            except ReadError as e:
                account.teller.compared(str(e))
                self._log.warning(f"{account.account_id} was not compared: {e}")
                self._put_off(e.not_before_ns - self._now_ns())
                is_done = False
        self._keep()
        if is_done:
            self._pause_ns = PAUSE_NS
        return is_done

    def _put_off(self, at_least_ns: int) -> None:
        """Compare again after a pause that grows up to the interval."""
        pause_ns = max(self._pause_ns, at_least_ns)
        self._next_check_ns = self._now_ns() + min(pause_ns, max(self._interval_ns, at_least_ns))
        self._pause_ns = min(self._pause_ns * 2, self._interval_ns)
        for account in self.accounts:
            account.legs.look_again_ns = None

    def _look_at_streams(self, now_ns: int) -> None:
        for stream in self._streams:
            task = self._reviving.get(stream)
            if task is not None and not task.done():
                continue
            if stream.is_dead:
                # It may take longer than a comparison can wait.
                revival = self._revive(stream, now_ns)
                loop = asyncio.get_running_loop()
                self._reviving[stream] = loop.create_task(revival, name="recon-stream")
            elif stream.was_interrupted():
                self._next_check_ns = 0

    async def _revive(self, stream: StreamWatch, now_ns: int) -> None:
        if await stream.revive(now_ns):
            self.interrupted()

    def _look_for_inflight(self, now_ns: int) -> None:
        """Ask for orders that have had no answer for too long, and for continuations."""
        for account in self.accounts:
            for order in account.book.inflight():
                name = order.client_order_id.value
                if order.is_inflight:
                    if now_ns - order.last_event.ts_init >= self._inflight_timeout_ns:
                        account.ask_about(order, now_ns)
                elif now_ns >= self._polled_ns.get(name, 0):
                    self._polled_ns[name] = now_ns + POLL_NS
                    account.ask_about(order, now_ns)
