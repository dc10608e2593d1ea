"""Signed reads over httpx: sent again where that helps, and answered or refused, never guessed.

Rules:

* A read ends in a decoded answer or in `ReadError`.  A body that is not what was asked for
  (truncated, HTML, of other types) is an error, whatever the status says.
* Sent again, at most ``attempts`` times in all, is what may be answered the next time: lost
  connections, time-outs, 5xx, truncated bodies, 429 and 418 once the venue lets us, and the
  codes of `PASSING`; -1021 after the venue's clock was read.
* Weight and ``Retry-After`` are kept by `WeightBudget`.  A wait that is longer than
  ``patience_secs`` or goes past the `deadline` is not begun.  Who waits for the venue's next
  minute asks for its time now and then: the clock that the minutes go by may be wrong.
* No randomness and no clock but the caller's; pauses are asyncio's.  Two runs that see the
  same answers at the same instants do the same.
* The requests go straight to an httpx transport: ``httpx.AsyncClient`` would write every URL,
  with its signature, to its log.
* No error shows a query, a signature or a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import quote, urlencode

import httpx
import msgspec

from recon.binance.access import Access
from recon.binance.budget import WeightBudget
from recon.core.port import ReadError

type Decode[T] = Callable[[bytes, int], T]
"""Makes the value of a body and of the instant, by the caller's clock, at which it was asked for.

Raises `msgspec.DecodeError` when the body is not what was asked for.
"""

type Params = Mapping[str, str | int]

UNKNOWN_ORDER = -2013
TOO_MANY = -1003
CLOCK_IS_OFF = -1021

PASSING = frozenset({-1000, -1001, -1006, -1007, -1008, TOO_MANY, CLOCK_IS_OFF})
"""Errors of a moment: internal, message bus, time-out behind the gateway, throttled, ..."""

FINAL = frozenset({-1022, -2014, -2015})
"""Wrong signature, malformed key, and a key that may not read: to ask again is of no use."""

TIME_PATH = "/fapi/v1/time"

LOOK_NS = 15_000_000_000
"""How often the venue's clock is read by those who wait for its next minute."""

_FINAL_STATUSES = frozenset({401, 404})
_LIMITED_STATUSES = frozenset({418, 429})

_DEADLINE_NS: ContextVar[int | None] = ContextVar("_DEADLINE_NS", default=None)


@contextmanager
def deadline(at_ns: int) -> Iterator[None]:
    """Let every read in this block (and in tasks begun in it) fail at an instant.

    ``at_ns`` is of the reader's own clock; of nested blocks the earliest counts.
    """
    outer_ns = _DEADLINE_NS.get()
    token = _DEADLINE_NS.set(at_ns if outer_ns is None else min(at_ns, outer_ns))
    try:
        yield
    finally:
        _DEADLINE_NS.reset(token)


class _Problem(msgspec.Struct, gc=False):
    code: int
    msg: str = ""


class _Time(msgspec.Struct, gc=False):
    serverTime: int  # noqa: N815 - the venue's word


class _Reply(NamedTuple):
    asked_ns: int
    response: httpx.Response


class _Failure(NamedTuple):
    why: str
    code: int | None = None
    passes: bool = False
    is_final: bool = False
    is_limit: bool = False


_problem = msgspec.json.Decoder(_Problem).decode
_time = msgspec.json.Decoder(_Time).decode


class BinanceHttp:
    """Reads of one Binance USD-M account, decoded.

    Parameters
    ----------
    access
        Key, signature and address.
    now_ns
        The caller's clock, nanoseconds since the Unix epoch.
    transport
        What carries the requests; by default the network, through the proxy of ``access``
        and nothing that the environment says.
    budget
        The weight of the address; readers of one address share one.
    concurrency
        How many requests may be under way at once.
    timeout_secs
        How long one request may take.
    attempts
        How often one read is sent at most.
    backoff_secs
        The pause before the second attempt; it doubles from then on.
    patience_secs
        The longest wait for weight or for the end of a ban.
    """

    def __init__(
        self,
        access: Access,
        now_ns: Callable[[], int],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        budget: WeightBudget | None = None,
        concurrency: int = 10,
        timeout_secs: float = 10.0,
        attempts: int = 3,
        backoff_secs: float = 0.5,
        patience_secs: float = 120.0,
    ) -> None:
        if transport is None:
            transport = httpx.AsyncHTTPTransport(
                proxy=access.proxy_url,
                trust_env=False,
                limits=httpx.Limits(max_connections=concurrency),
            )
        self._access = access
        self._now_ns = now_ns
        self._transport = transport
        self._budget = WeightBudget() if budget is None else budget
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout_secs = timeout_secs
        self._attempts = attempts
        self._backoff_secs = backoff_secs
        self._patience_ns = int(patience_secs * 1e9)
        self._base_url = str(httpx.URL(access.base_url)).rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "nautilus-recon",
            "X-MBX-APIKEY": access.api_key,
        }
        # The venue's clock minus the caller's; read when the venue complains.
        self._ahead_ns = 0
        self._clock_lock = asyncio.Lock()
        # Not the lock above: who reads the clock in turn may wait for weight, too.
        self._look_lock = asyncio.Lock()
        self._looked_ns = 0

    def __repr__(self) -> str:
        return f"BinanceHttp({self._access!r})"

    def venue_now_ns(self) -> int:
        """Return the venue's time, as far as it is known to differ from the caller's."""
        return self._now_ns() + self._ahead_ns

    async def get[T](
        self, path: str, decode: Decode[T], *, weight: int, params: Params | None = None
    ) -> T:
        """Return the answer to a signed GET.  Raises `ReadError`."""
        answer = await self._read(path, decode, weight, params or {}, may_be_absent=False)
        assert answer is not None
        return answer

    async def find[T](
        self, path: str, decode: Decode[T], *, weight: int, params: Params
    ) -> T | None:
        """Return the answer to a signed GET, None when the venue says that no such order exists.

        Raises `ReadError`.
        """
        return await self._read(path, decode, weight, params, may_be_absent=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    # -- one read: attempts, pauses, the deadline

    async def _read[T](
        self,
        path: str,
        decode: Decode[T],
        weight: int,
        params: Params,
        *,
        may_be_absent: bool,
    ) -> T | None:
        symbol = params.get("symbol")
        what = f"GET {path}" if symbol is None else f"GET {path} {symbol}"
        limit_ns = _DEADLINE_NS.get()
        remaining_secs = None if limit_ns is None else (limit_ns - self._now_ns()) / 1e9
        if remaining_secs is not None and remaining_secs <= 0:
            raise ReadError(what, "its deadline has passed")
        failure = _Failure("no answer yet")
        try:
            async with asyncio.timeout(remaining_secs):
                for attempt in range(self._attempts):
                    if attempt and not failure.is_limit:
                        await asyncio.sleep(self._backoff_secs * 2 ** (attempt - 1))
                    answer = await self._attempt(path, decode, weight, params)
                    if not isinstance(answer, _Failure):
                        return answer
                    failure = answer
                    if not failure.passes:
                        if failure.code == UNKNOWN_ORDER and may_be_absent:
                            return None
                        break
        except TimeoutError:
            failure = failure._replace(why=f"{failure.why}; its deadline has passed")
        blocked_ns = self._budget.blocked_until_ns - self.venue_now_ns()
        raise ReadError(
            what,
            self._access.hide(failure.why),
            # An instant: who waits for several reads may hear of this one late.
            not_before_ns=self._now_ns() + blocked_ns if blocked_ns > 0 else 0,
            is_final=failure.is_final,
        )

    async def _attempt[T](
        self, path: str, decode: Decode[T], weight: int, params: Params
    ) -> T | _Failure:
        ahead_ns = 0

        def query() -> str:
            nonlocal ahead_ns
            ahead_ns = self._ahead_ns
            return self._signed(params)

        reply = await self._exchange(path, query, weight)
        if isinstance(reply, _Failure):
            if reply.code == CLOCK_IS_OFF:
                await self._read_clock(ahead_ns)
            return reply
        try:
            return decode(reply.response.content, reply.asked_ns)
        except msgspec.ValidationError as e:
            return _Failure(f"the answer is not as documented: {e}")
        except msgspec.DecodeError as e:
            return _Failure(f"the answer is no complete JSON: {e}", passes=True)

    def _signed(self, params: Params) -> str:
        query = urlencode(
            {
                **params,
                "recvWindow": self._access.recv_window_ms,
                "timestamp": self.venue_now_ns() // 1_000_000,
            }
        )
        return f"{query}&signature={quote(self._access.signer(query), safe='')}"

    async def _read_clock(self, ahead_ns: int) -> None:
        """Read how far the venue's clock is ahead, unless it is no longer held to be that far."""
        async with self._clock_lock:
            if self._ahead_ns != ahead_ns:
                return
            self._set_clock(await self._exchange(TIME_PATH, str, 1))

    def _set_clock(self, reply: _Reply | _Failure) -> None:
        if isinstance(reply, _Failure):
            return  # the next attempt of the read says what is wrong
        half_way_ns = (reply.asked_ns + self._now_ns()) // 2
        try:
            venue_ms = _time(reply.response.content).serverTime
        except msgspec.DecodeError:
            return
        self._ahead_ns = venue_ms * 1_000_000 - half_way_ns

    async def _look_at_clock(self) -> None:
        """Read the venue's clock, and how much of its minute is used, out of turn."""
        async with self._look_lock:
            if self._now_ns() - self._looked_ns >= LOOK_NS:
                self._looked_ns = self._now_ns()
                self._set_clock(await self._ask(TIME_PATH, str, 1))

    # -- one request: weight, the wire, the status

    async def _exchange(
        self, path: str, query: Callable[[], str], weight: int
    ) -> _Reply | _Failure:
        async with self._slots:
            refused = await self._wait_for_weight(weight)
            return await self._ask(path, query, weight) if refused is None else refused

    async def _ask(self, path: str, query: Callable[[], str], weight: int) -> _Reply | _Failure:
        asked_ns, sent_ns = self._now_ns(), self.venue_now_ns()
        url = f"{self._base_url}{path}?{query()}".rstrip("?")
        request = httpx.Request("GET", url, headers=self._headers)
        response: httpx.Response | None = None
        why = ""
        self._budget.send(weight)
        try:
            response = await self._carry(request)
        except TimeoutError:
            why = f"no answer within {self._timeout_secs:g} s"
        except (httpx.HTTPError, OSError) as e:
            why = f"{type(e).__name__}: {e}"
        finally:
            used = None if response is None else _number(response, "X-MBX-USED-WEIGHT-1M")
            self._budget.answered(weight, sent_ns, self.venue_now_ns(), used)
        if response is None:
            return _Failure(why, passes=True)
        if response.status_code == 200:
            return _Reply(asked_ns, response)
        return self._refusal(response)

    async def _wait_for_weight(self, weight: int) -> _Failure | None:
        limit_ns = _DEADLINE_NS.get()
        patient_until_ns = self._now_ns() + self._patience_ns
        latest_ns = patient_until_ns if limit_ns is None else min(limit_ns, patient_until_ns)
        while (ready_ns := self._budget.ready_ns(weight, self.venue_now_ns())) > (
            now_ns := self.venue_now_ns()
        ):
            wait_ns = ready_ns - now_ns
            if self._now_ns() + wait_ns > latest_ns:
                is_blocked = self._budget.blocked_until_ns > now_ns
                why = "the venue wants no requests" if is_blocked else "the weight is used up"
                return _Failure(f"{why} for another {wait_ns / 1e9:.0f} s")
            if wait_ns <= LOOK_NS or self._budget.blocked_until_ns > now_ns:
                await asyncio.sleep(wait_ns / 1e9)
                continue
            await asyncio.sleep(LOOK_NS / 1e9)
            await self._look_at_clock()
        return None

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        async with asyncio.timeout(self._timeout_secs):
            response = await self._transport.handle_async_request(request)
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
            return response

    def _refusal(self, response: httpx.Response) -> _Failure:
        status = response.status_code
        try:
            problem = _problem(response.content)
        except msgspec.DecodeError:
            code, why = None, f"HTTP {status} without a JSON body"
        else:
            code, why = problem.code, f"HTTP {status}, {problem.code} {problem.msg[:200]}"
        is_limit = status in _LIMITED_STATUSES or code == TOO_MANY
        if is_limit:
            pause_secs = _number(response, "Retry-After")
            self._budget.refused(status, pause_secs, self.venue_now_ns())
        return _Failure(
            why,
            code,
            passes=is_limit or status >= 500 or status == 408 or code in PASSING,
            is_final=status in _FINAL_STATUSES or code in FINAL,
            is_limit=is_limit,
        )


def _number(response: httpx.Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() else None
