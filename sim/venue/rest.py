"""The gateway: one request in, one response out.

Rules:

* ``ROUTES`` is the whole surface; anything else is 404 with code -5000.
* Order of checks: path, API key (-2014, -2015), weight limit (-1003, 429), signature
  (-1022), timestamp (-1021), order rate (-1015), then the handler's own.
* Signed requests need ``timestamp`` with
  ``timestamp < now + 1 s`` and ``now - timestamp <= recvWindow`` (default 5 s).
* Two requests with the same signature are two requests, not a replay.
* Weight is counted per minute for the one address that all clients share, orders per
  account; every answer says how much is used.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sim.venue import account_api, algo_api, batch_api, market_api, orders_api, status_api
from sim.venue import params as read
from sim.venue.calls import Backend, Call, leaving_nothing
from sim.venue.errors import Rejection, malformed
from sim.venue.formats import to_ms
from sim.venue.keys import ApiKey
from sim.venue.models import Account
from sim.venue.params import Params
from sim.venue.wire import Headers, Request, Response

PUBLIC, KEY, SIGNED = "public", "key", "signed"

_MINUTE_MS = 60_000
_TEN_SECONDS_MS = 10_000
_DEFAULT_RECV_WINDOW_MS = 5_000
_MAX_RECV_WINDOW_MS = 60_000

type Handler = Callable[[Backend, Call], bytes]

type Proof = Callable[[ApiKey], bool]
"""Whether a request comes from who holds that key.  May raise `Rejection`."""


class Route(msgspec.Struct, frozen=True):
    """How one endpoint is served.

    ``weight_without_symbol`` applies when no symbol is named; ``orders`` is what the
    request adds to the order count of ten seconds.  To that of a minute a request adds one,
    a batch too.
    """

    handler: Handler
    auth: str
    weight: int
    weight_without_symbol: int = 0
    orders: int = 0


def _routes() -> dict[tuple[str, str], Route]:
    orders, account, market = orders_api, account_api, market_api
    algo, batch, status = algo_api, batch_api, status_api
    table = (
        ("GET", "v1/ping", Route(market.get_ping, PUBLIC, 1)),
        ("GET", "v1/time", Route(market.get_time, PUBLIC, 1)),
        ("GET", "v1/exchangeInfo", Route(market.get_exchange_info, PUBLIC, 1)),
        ("GET", "v1/depth", Route(market.get_depth, PUBLIC, 5)),
        ("GET", "v1/trades", Route(market.get_nothing, PUBLIC, 5)),
        ("GET", "v1/historicalTrades", Route(market.get_nothing, PUBLIC, 20)),
        ("GET", "v1/aggTrades", Route(market.get_nothing, PUBLIC, 20)),
        ("GET", "v1/klines", Route(market.get_nothing, PUBLIC, 5)),
        ("GET", "v1/fundingRate", Route(market.get_nothing, PUBLIC, 1)),
        ("GET", "v1/premiumIndex", Route(market.get_premium_index, PUBLIC, 1, 10)),
        ("GET", "v1/ticker/24hr", Route(market.get_ticker_24h, PUBLIC, 1, 40)),
        ("GET", "v1/ticker/price", Route(market.get_price, PUBLIC, 1, 2)),
        ("GET", "v2/ticker/price", Route(market.get_price, PUBLIC, 1, 2)),
        ("GET", "v1/ticker/bookTicker", Route(market.get_book_ticker, PUBLIC, 2, 5)),
        ("GET", "v2/account", Route(account.get_account_v2, SIGNED, 5)),
        ("GET", "v3/account", Route(account.get_account_v3, SIGNED, 5)),
        ("GET", "v2/balance", Route(account.get_balance, SIGNED, 5)),
        ("GET", "v3/balance", Route(account.get_balance, SIGNED, 5)),
        ("GET", "v2/positionRisk", Route(account.get_position_risk_v2, SIGNED, 5)),
        ("GET", "v3/positionRisk", Route(account.get_position_risk_v3, SIGNED, 5)),
        ("GET", "v1/symbolConfig", Route(account.get_symbol_config, SIGNED, 5)),
        ("GET", "v1/accountConfig", Route(account.get_account_config, SIGNED, 5)),
        ("GET", "v1/positionSide/dual", Route(account.get_dual_side, SIGNED, 30)),
        ("POST", "v1/positionSide/dual", Route(account.post_dual_side, SIGNED, 1)),
        ("POST", "v1/leverage", Route(account.post_leverage, SIGNED, 1)),
        ("POST", "v1/marginType", Route(account.post_margin_type, SIGNED, 1)),
        ("GET", "v1/multiAssetsMargin", Route(account.get_multi_assets, SIGNED, 30)),
        ("GET", "v1/feeBurn", Route(account.get_fee_burn, SIGNED, 30)),
        ("GET", "v1/commissionRate", Route(account.get_commission_rate, SIGNED, 20)),
        ("GET", "v1/leverageBracket", Route(account.get_leverage_bracket, SIGNED, 1)),
        ("GET", "v1/income", Route(account.get_income, SIGNED, 30)),
        ("POST", "v1/listenKey", Route(account.post_listen_key, KEY, 1)),
        ("PUT", "v1/listenKey", Route(account.put_listen_key, KEY, 1)),
        ("DELETE", "v1/listenKey", Route(account.delete_listen_key, KEY, 1)),
        ("POST", "v1/order", Route(orders.post_order, SIGNED, 0, orders=1)),
        ("POST", "v1/order/test", Route(orders.test_order, SIGNED, 1)),
        ("PUT", "v1/order", Route(orders.put_order, SIGNED, 1, orders=1)),
        ("GET", "v1/order", Route(orders.get_order, SIGNED, 1)),
        ("DELETE", "v1/order", Route(orders.delete_order, SIGNED, 1)),
        ("GET", "v1/openOrder", Route(orders.get_open_order, SIGNED, 1)),
        ("GET", "v1/openOrders", Route(orders.get_open_orders, SIGNED, 1, 40)),
        ("GET", "v1/allOrders", Route(orders.get_all_orders, SIGNED, 5)),
        ("GET", "v1/userTrades", Route(orders.get_user_trades, SIGNED, 5)),
        ("DELETE", "v1/allOpenOrders", Route(orders.delete_all_open_orders, SIGNED, 1)),
        ("DELETE", "v1/batchOrders", Route(batch.delete_batch_orders, SIGNED, 1)),
        ("POST", "v1/batchOrders", Route(batch.post_batch_orders, SIGNED, 5, orders=5)),
        ("PUT", "v1/batchOrders", Route(batch.put_batch_orders, SIGNED, 5, orders=5)),
        ("POST", "v1/countdownCancelAll", Route(orders.post_countdown, SIGNED, 10)),
        ("GET", "v1/orderAmendment", Route(orders.get_order_amendments, SIGNED, 1)),
        ("GET", "v1/forceOrders", Route(status.get_force_orders, SIGNED, 20, 50)),
        ("GET", "v1/adlQuantile", Route(status.get_adl_quantile, SIGNED, 5)),
        ("GET", "v1/apiTradingStatus", Route(status.get_trading_status, SIGNED, 1, 10)),
        ("GET", "v1/rateLimit/order", Route(status.get_rate_limits, SIGNED, 1)),
        ("POST", "v1/positionMargin", Route(account.post_position_margin, SIGNED, 1)),
        ("GET", "v1/positionMargin/history", Route(status.get_margin_history, SIGNED, 1)),
        ("POST", "v1/multiAssetsMargin", Route(account.post_multi_assets, SIGNED, 1)),
        ("POST", "v1/feeBurn", Route(account.post_fee_burn, SIGNED, 1)),
        ("POST", "v1/algoOrder", Route(algo.post_algo_order, SIGNED, 0, orders=1)),
        ("GET", "v1/algoOrder", Route(algo.get_algo_order, SIGNED, 1)),
        ("DELETE", "v1/algoOrder", Route(algo.delete_algo_order, SIGNED, 1)),
        ("DELETE", "v1/algoOpenOrders", Route(algo.delete_algo_open_orders, SIGNED, 1)),
        ("GET", "v1/openAlgoOrders", Route(algo.get_open_algo_orders, SIGNED, 1, 40)),
        ("GET", "v1/allAlgoOrders", Route(algo.get_all_algo_orders, SIGNED, 5)),
    )
    return {(method, f"/fapi/{path}"): route for method, path, route in table}


ROUTES = _routes()


class _Counter:
    """A count that starts again at each multiple of its period."""

    __slots__ = ("period_ms", "used", "window")

    def __init__(self, period_ms: int) -> None:
        self.period_ms = period_ms
        self.window = 0
        self.used = 0

    def add(self, amount: int, now_ms: int) -> int:
        """Count, and return how much is used in the current window."""
        window = now_ms // self.period_ms
        if window != self.window:
            self.window, self.used = window, 0
        self.used += amount
        return self.used

    def seconds_left(self, now_ms: int) -> int:
        return -(-(self.period_ms - now_ms % self.period_ms) // 1000)


class Gateway:
    """Admits requests and dispatches them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._config = backend.exchange.config
        self._accounts = {
            key: account for account in backend.exchange.accounts.values() for key in account.keys
        }
        # Public calls have no account; handlers of them never look at it.
        self._nobody = next(iter(backend.exchange.accounts.values()))
        self._weight = _Counter(_MINUTE_MS)
        self._orders = {
            name: (_Counter(_TEN_SECONDS_MS), _Counter(_MINUTE_MS))
            for name in backend.exchange.accounts
        }

    def handle(self, request: Request, now_ns: int) -> Response:
        """Answer one HTTP request."""
        return self.serve(ROUTES.get((request.method, request.path)), request, now_ns)

    def serve(
        self, route: Route | None, request: Request, now_ns: int, proof: Proof | None = None
    ) -> Response:
        """Answer one request that came in whatever way.

        ``proof`` takes the place of the signature over query and body, and of its check.
        """
        now_ms = to_ms(now_ns)
        headers: Headers = ()
        account: Account | None = None
        try:
            if route is None:
                raise self._unknown_path(request)
            if route.auth != PUBLIC:
                account = self._authenticate(request)
            params = read.parse(request.query, request.body)
            self._charge(route, params, now_ms)
            if route.auth == SIGNED:
                assert account is not None
                key = account.keys[request.header("X-MBX-APIKEY") or ""]
                if not (self._is_signed(request, params, key) if proof is None else proof(key)):
                    raise Rejection(-1022)
                _check_timestamp(params, now_ms)
            if route.orders:
                assert account is not None
                self._charge_orders(account, route.orders, now_ms)
            call = Call(account or self._nobody, params, now_ns)
            with leaving_nothing(self._backend.exchange):
                status, body = 200, route.handler(self._backend, call)
        except Rejection as refused:
            status, body, headers = refused.status, refused.body(), refused.headers
        headers = (
            ("Content-Type", "application/json"),
            ("X-MBX-USED-WEIGHT-1M", str(self._weight.add(0, now_ms))),
            *headers,
        )
        if route is not None and route.orders and account is not None and status == 200:
            per_10s, per_1m = self._orders[account.name]
            headers += (
                ("X-MBX-ORDER-COUNT-10S", str(per_10s.add(0, now_ms))),
                ("X-MBX-ORDER-COUNT-1M", str(per_1m.add(0, now_ms))),
            )
        return Response(status, headers, body)

    def _unknown_path(self, request: Request) -> Rejection:
        return Rejection(
            -5000, f"Path {request.path}, Method {request.method} is invalid", status=404
        )

    def _authenticate(self, request: Request) -> Account:
        key = request.header("X-MBX-APIKEY")
        if not key:
            raise Rejection(-2014, status=401)
        account = self._accounts.get(key)
        if account is None:
            raise Rejection(-2015, status=401)
        return account

    def _charge(self, route: Route, params: Params, now_ms: int) -> None:
        weight = route.weight
        if route.weight_without_symbol and not params.get("symbol"):
            weight = route.weight_without_symbol
        limit = self._config.weight_limit_1m
        if self._weight.add(weight, now_ms) > limit:
            raise Rejection(
                -1003,
                f"Too many requests; current limit is {limit} requests per minute. "
                "Please use the websocket for live updates to avoid polling the API.",
                status=429,
                headers=(("Retry-After", str(self._weight.seconds_left(now_ms))),),
            )

    def _charge_orders(self, account: Account, count: int, now_ms: int) -> None:
        per_10s, per_1m = self._orders[account.name]
        for counter, limit, period, added in (
            (per_10s, self._config.order_limit_10s, "TEN_SECONDS", count),
            (per_1m, self._config.order_limit_1m, "MINUTE", 1),
        ):
            if counter.add(added, now_ms) > limit:
                raise Rejection(
                    -1015,
                    f"Too many new orders; current limit is {limit} orders per {period}.",
                    status=429,
                    headers=(("Retry-After", str(counter.seconds_left(now_ms))),),
                )

    def _is_signed(self, request: Request, params: Params, key: ApiKey) -> bool:
        signature = read.required(params, "signature")
        strict = self._config.strict_signature
        return read.signature_is_valid(request.query, request.body, signature, key, strict)


def _check_timestamp(params: Params, now_ms: int) -> None:
    timestamp = read.optional_integer(params, "timestamp")
    if timestamp is None:
        raise malformed("timestamp")
    window = read.optional_integer(params, "recvWindow")
    if window is None:
        window = _DEFAULT_RECV_WINDOW_MS
    if not 0 <= window <= _MAX_RECV_WINDOW_MS:
        raise Rejection(-1131, "recvWindow must be less than 60000.")
    if timestamp >= now_ms + 1000:
        raise Rejection(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp > window:
        raise Rejection(-1021, "Timestamp for this request is outside of the recvWindow.")
