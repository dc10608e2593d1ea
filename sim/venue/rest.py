"""The gateway: one request in, one response out.

Rules:

* ``ROUTES`` is the whole surface; anything else is 404 with code -5000.
* Order of checks: ban (-1003, 418), path, API key (-2014, -2015), weight limit (-1003, 429),
  signature (-1022), timestamp (-1021), order rate (-1015), then the handler's own.
* Signed requests need ``timestamp`` with
  ``timestamp < now + 1 s`` and ``now - timestamp <= recvWindow`` (default 5 s).
* Two requests with the same signature are two requests, not a replay.
* What has waited between the gateway and the matching engine for longer than its recvWindow
  is not carried out (-5028).
* Weights and orders are counted, see `limits`; every answer says how much is used.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sim.venue import account_api, algo_api, batch_api, market_api, orders_api, status_api
from sim.venue import params as read
from sim.venue.calls import Backend, Call, LeavingNothing
from sim.venue.clocks import GatewayClock
from sim.venue.errors import AHEAD, Rejection, malformed, text_of
from sim.venue.formats import to_ms
from sim.venue.keys import ApiKey
from sim.venue.limits import Limits
from sim.venue.models import Account
from sim.venue.params import Params
from sim.venue.wire import Headers, Request, Response

PUBLIC, KEY, SIGNED = "public", "key", "signed"

_DEFAULT_RECV_WINDOW_MS = 5_000
_MAX_RECV_WINDOW_MS = 60_000

type Handler = Callable[[Backend, Call], bytes]

type Proof = Callable[[ApiKey], bool]
"""Whether a request comes from who holds that key.  May raise `Rejection`."""


class Route(msgspec.Struct, frozen=True):
    """How one endpoint is served.

    ``weight_without_symbol`` applies when no symbol is named; ``orders`` is what the
    request adds to the order count of ten seconds.  To that of a minute a request adds one,
    a batch too.  ``tells_time`` is what answers with the gateway's clock.
    """

    handler: Handler
    auth: str
    weight: int
    weight_without_symbol: int = 0
    orders: int = 0
    tells_time: bool = False


def _routes() -> dict[tuple[str, str], Route]:
    orders, account, market = orders_api, account_api, market_api
    algo, batch, status = algo_api, batch_api, status_api
    table = (
        ("GET", "v1/ping", Route(market.get_ping, PUBLIC, 1)),
        ("GET", "v1/time", Route(market.get_time, PUBLIC, 1, tells_time=True)),
        (
            "GET",
            "v1/exchangeInfo",
            Route(market.get_exchange_info, PUBLIC, 1, tells_time=True),
        ),
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
        self._limits = Limits(self._config, list(backend.exchange.accounts))
        self.clock = GatewayClock()

    def handle(self, request: Request, now_ns: int, arrived_ns: int | None = None) -> Response:
        """Answer one HTTP request, which may have come before it is carried out."""
        route = ROUTES.get((request.method, request.path))
        return self.serve(route, request, now_ns, arrived_ns=arrived_ns)

    def serve(
        self,
        route: Route | None,
        request: Request,
        now_ns: int,
        proof: Proof | None = None,
        arrived_ns: int | None = None,
    ) -> Response:
        """Answer one request that came in whatever way.

        ``proof`` takes the place of the signature over query and body, and of its check.
        """
        now_ms = to_ms(now_ns)
        headers: Headers = ()
        account: Account | None = None
        api_key = request.header("X-MBX-APIKEY")
        try:
            self._limits.admit(now_ms)
            if route is None:
                raise self._unknown_path(request)
            if route.auth != PUBLIC:
                account = self._authenticate(api_key)
            params = read.parse(request.query, request.body)
            self._charge(route, params, now_ms)
            self._check_names(params)
            if route.auth == SIGNED:
                assert account is not None
                key = account.keys[api_key or ""]
                if not (self._is_signed(request, params, key) if proof is None else proof(key)):
                    raise Rejection(-1022)
                self._check_timestamp(request, params, now_ns, arrived_ns)
            if route.orders:
                assert account is not None
                self._limits.charge_orders(account.name, route.orders, now_ms)
            told_ns = self.clock.told_ns(request, now_ns) if route.tells_time else now_ns
            call = Call(account or self._nobody, params, told_ns, api_key)
            self._backend.history.reads.next_answer(None if account is None else account.name)
            with LeavingNothing(self._backend.exchange):
                status, body = 200, route.handler(self._backend, call)
        except Rejection as refused:
            status, body, headers = refused.status, refused.body(), refused.headers
        headers = (
            ("Content-Type", "application/json"),
            ("X-MBX-USED-WEIGHT-1M", str(self._limits.used_weight(now_ms))),
            *headers,
        )
        if route is not None and route.orders and account is not None and status == 200:
            per_10s, per_1m = self._limits.used_orders(account.name, now_ms)
            headers += (
                ("X-MBX-ORDER-COUNT-10S", str(per_10s)),
                ("X-MBX-ORDER-COUNT-1M", str(per_1m)),
            )
        return Response(status, headers, body)

    def _unknown_path(self, request: Request) -> Rejection:
        return Rejection(
            -5000, f"Path {request.path}, Method {request.method} is invalid", status=404
        )

    def _authenticate(self, key: str | None) -> Account:
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
        self._limits.charge(weight, now_ms)

    def _check_names(self, params: Params) -> None:
        if self._config.unknown_params == "ignored":
            return
        known = sum(name in read.KNOWN for name in params)
        if known < len(params):
            raise Rejection(-1104, text_of(-1104, known, len(params)))

    def _is_signed(self, request: Request, params: Params, key: ApiKey) -> bool:
        signature = read.required(params, "signature")
        strict = self._config.strict_signature
        return read.signature_is_valid(request.query, request.body, signature, key, strict)

    def _check_timestamp(
        self, request: Request, params: Params, now_ns: int, arrived_ns: int | None
    ) -> None:
        timestamp = read.optional_integer(params, "timestamp")
        if timestamp is None:
            raise malformed("timestamp")
        window = read.optional_integer(params, "recvWindow")
        if window is None:
            window = _DEFAULT_RECV_WINDOW_MS
        if not 0 <= window <= _MAX_RECV_WINDOW_MS:
            raise Rejection(-1131)
        came_ns = now_ns if arrived_ns is None else arrived_ns
        unskipped = timestamp + to_ms(self.clock.skipped_ns)
        if _refusal(unskipped, window, to_ms(self.clock.compared_ns(came_ns))) is None:
            timestamp = unskipped
        refusal = _refusal(timestamp, window, to_ms(self.clock.compared_ns(came_ns)))
        if refusal != _refusal(timestamp, window, to_ms(came_ns)):
            self.clock.changed(request)
        if refusal is not None:
            raise Rejection(-1021, refusal)
        # What had to wait behind the gateway is looked at once more where it is carried out.
        if came_ns != now_ns and to_ms(now_ns) - timestamp > window:
            raise Rejection(-5028)


def _refusal(timestamp_ms: int, window_ms: int, now_ms: int) -> str | None:
    """Return why a timestamp is refused, None when it is not."""
    if timestamp_ms >= now_ms + 1000:
        return AHEAD
    return text_of(-1021) if now_ms - timestamp_ms > window_ms else None
