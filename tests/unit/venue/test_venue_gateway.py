"""Authentication, parameters, weights, headers, unknown paths, configuration."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote, urlencode

import msgspec
import pytest
from msgspec import structs
from venue_client import SECOND_NS, Client, client, order

from sim.venue import AccountConfig, Request, VenueConfig, known_symbols, symbol_config
from sim.venue.keys import ApiKey


def code(response: object) -> tuple[int, int]:
    body = msgspec.json.decode(response.body)
    return response.status, body["code"]


def test_public_calls_need_no_key(nt: Client) -> None:
    for path in ("ping", "time", "exchangeInfo", "ticker/price", "premiumIndex"):
        response = nt.venue.handle(Request("GET", f"/fapi/v1/{path}"), nt.now_ns)
        assert response.status == 200
    assert nt.ok("GET", "time", signed=False) == {"serverTime": nt.now_ms}


def test_keys_and_signatures_are_checked(nt: Client) -> None:
    assert code(nt.raw("GET", "openOrders", key="")) == (401, -2014)
    assert code(nt.raw("GET", "openOrders", key="stolen")) == (401, -2015)
    assert code(nt.raw("POST", "listenKey", key="stolen")) == (401, -2015)
    unsigned = f"timestamp={nt.now_ms}"
    assert code(nt.raw("GET", "openOrders", unsigned)) == (400, -1102)
    assert code(nt.raw("GET", "openOrders", f"{unsigned}&signature=00")) == (400, -1022)
    good = nt.sign(unsigned)
    assert nt.raw("GET", "openOrders", f"{unsigned}&signature={good}").status == 200
    assert nt.raw("GET", "openOrders", f"SIGNATURE={good}&{unsigned}").status == 200
    assert code(nt.raw("GET", "openOrders", f"{unsigned}&x=1&signature={good}")) == (400, -1022)


def test_the_same_signature_twice_is_not_a_replay(nt: Client) -> None:
    query = f"timestamp={nt.now_ms}"
    query += f"&signature={nt.sign(query)}"
    answers = {nt.raw("GET", "/fapi/v3/positionRisk", query).body for _ in range(3)}
    assert answers == {b"[]"}


def test_a_form_body_counts_and_the_query_wins(nt: Client) -> None:
    query = "symbol=BTCUSDT"
    body = urlencode(order("O-1", "BUY", "1", "50000") | {"symbol": "ETHUSDT"})
    body += f"&timestamp={nt.now_ms}"
    body += f"&signature={nt.sign(query + body)}"
    assert nt.raw("POST", "order", query, body.encode()).status == 200
    assert nt.venue.orders()[0].symbol == "BTCUSDT"


def test_a_signature_over_decoded_text_is_accepted_unless_strict() -> None:
    for strict, status in ((False, 200), (True, 400)):
        nt = client(strict_signature=strict)
        nt.limit("A:1")
        plain = f"symbol=BTCUSDT&origClientOrderId=A:1&timestamp={nt.now_ms}"
        query = plain.replace("A:1", quote("A:1")) + f"&signature={nt.sign(plain)}"
        assert nt.raw("GET", "order", query).status == status


@pytest.mark.parametrize(
    ("offset_ms", "window", "expected"),
    [
        (0, None, None),
        (-5000, None, None),
        (-5001, None, -1021),
        (999, None, None),
        (1000, None, -1021),
        (-9000, 10_000, None),
        (0, 60_001, -1131),
    ],
)
def test_the_timestamp_window(
    nt: Client, offset_ms: int, window: int | None, expected: int | None
) -> None:
    params = {"timestamp": nt.now_ms + offset_ms}
    if window is not None:
        params["recvWindow"] = window
    if expected is None:
        nt.ok("GET", "openOrders", **params)
    else:
        assert nt.error("GET", "openOrders", **params) == expected


def test_a_missing_or_garbled_timestamp_is_refused(nt: Client) -> None:
    assert nt.error("GET", "openOrders", timestamp="") == -1102
    assert nt.error("GET", "openOrders", timestamp="today") == -1102


def test_names_are_compared_without_case_and_booleans_in_any(nt: Client) -> None:
    nt.market()
    reply = nt.ok(
        "POST",
        "order",
        SYMBOL="BTCUSDT",
        Side="sell",
        type="market",
        quantity="1",
        REDUCEONLY="TRUE",
        icebergQty="ignored",
    )
    assert reply["reduceOnly"] is True
    assert len(reply["clientOrderId"]) == 22


def test_unknown_paths_are_404(nt: Client) -> None:
    assert code(nt.raw("GET", "/fapi/v1/nothing")) == (404, -5000)
    assert code(nt.raw("DELETE", "/fapi/v1/time")) == (404, -5000)


def test_weights_are_counted_by_the_minute_and_limited(nt: Client) -> None:
    nt.now_ns -= nt.now_ns % (60 * SECOND_NS)

    def used(method: str, path: str, **params: str) -> int:
        response = nt.send(method, path, **params)
        return int(dict(response.headers)["X-MBX-USED-WEIGHT-1M"])

    assert used("GET", "openOrders") == 40
    assert used("GET", "openOrders", symbol="BTCUSDT") == 41
    assert used("GET", "positionSide/dual") == 71
    nt.wait(59 * SECOND_NS)
    assert used("GET", "time") == 72
    nt.wait(SECOND_NS)
    assert used("GET", "time") == 1
    for _ in range(59):
        nt.ok("GET", "openOrders")
    nt.wait(20 * SECOND_NS)
    refused = nt.send("GET", "openOrders")
    assert code(refused) == (429, -1003)
    assert dict(refused.headers)["Retry-After"] == "40"


def test_orders_are_counted_and_limited() -> None:
    nt = client(order_limit_10s=2)
    nt.now_ns -= nt.now_ns % (60 * SECOND_NS)
    params = order("O-1", "BUY", "1", "50000")
    headers = dict(nt.send("POST", "order", **params).headers)
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "1")
    refused = nt.send("POST", "order", **params)
    assert "X-MBX-ORDER-COUNT-10S" not in dict(refused.headers)
    assert code(nt.send("POST", "order", **params)) == (429, -1015)
    nt.wait(10 * SECOND_NS)
    assert code(nt.send("POST", "order", **params)) == (400, -4116)


def test_prices_of_a_market_without_a_book(nt: Client) -> None:
    nt.venue.set_price("BTCUSDT", Decimal("51000"), nt.now_ns)
    assert nt.ok("GET", "ticker/price", symbol="BTCUSDT")["price"] == "51000.00"
    assert nt.ok("GET", "depth", symbol="BTCUSDT")["bids"] == [["50999.90", "1"]]
    assert len(nt.ok("GET", "ticker/bookTicker")) == 3
    assert nt.ok("GET", "ticker/24hr", symbol="BTCUSDT")["lastPrice"] == "51000.00"
    assert nt.ok("GET", "klines", symbol="BTCUSDT") == []
    assert nt.error("GET", "depth", symbol="NOPE") == -1121
    assert nt.error("GET", "depth") == -1102


def test_a_known_symbol_is_named_and_an_unknown_one_gets_a_hint() -> None:
    assert symbol_config("BTCUSDT").tick_size == Decimal("0.10")
    assert "CTKUSDT" in known_symbols()
    with pytest.raises(ValueError, match="did you mean BTCUSDT"):
        symbol_config("BTCUSD")


def test_a_configuration_is_checked() -> None:
    with pytest.raises(ValueError, match="share one account"):
        VenueConfig(accounts=(AccountConfig(), AccountConfig(api_key="other")))
    with pytest.raises(ValueError, match="share one api_key"):
        VenueConfig(accounts=(AccountConfig(), AccountConfig(name="b")))
    with pytest.raises(ValueError, match="share one api_key"):
        VenueConfig(accounts=(AccountConfig(more_keys=(ApiKey("main-api-key", "s"),)),))
    with pytest.raises(ValueError, match="share one symbol"):
        VenueConfig(symbols=(symbol_config("BTCUSDT"), symbol_config("BTCUSDT")))
    with pytest.raises(ValueError, match="at least one"):
        VenueConfig(symbols=())


def test_every_key_of_an_account_opens_it_with_its_own_secret() -> None:
    config = VenueConfig(accounts=(AccountConfig(more_keys=(ApiKey("k2", "s2"),)),))
    first = Client(config)
    second = Client(config)
    second.venue = first.venue
    second.account = structs.replace(config.accounts[0], api_key="k2", api_secret="s2")
    mixed = Client(config)
    mixed.venue = first.venue
    mixed.account = structs.replace(config.accounts[0], api_key="k2")

    first.ok("POST", "order", **order("O-1", "BUY", "1", "50000"))

    assert [row["clientOrderId"] for row in second.ok("GET", "openOrders")] == ["O-1"]
    assert mixed.error("GET", "openOrders") == -1022


def test_an_account_may_have_a_mode_of_its_own() -> None:
    hedged = AccountConfig(name="b", api_key="b", api_secret="b", position_mode="hedge")
    config = VenueConfig(accounts=(AccountConfig(), hedged))
    one, two = Client(config), Client(config, account="b")
    two.venue = one.venue

    assert one.ok("GET", "positionSide/dual") == {"dualSidePosition": False}
    assert two.ok("GET", "positionSide/dual") == {"dualSidePosition": True}
