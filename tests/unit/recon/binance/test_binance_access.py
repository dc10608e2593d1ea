"""The account is reached as its trading client reaches it, and no key is ever shown."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import logging
import random
import textwrap
import traceback
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx
import pytest
from nautilus_trader.adapters.binance.common.enums import (
    BinanceAccountType,
    BinanceEnvironment,
    BinanceKeyType,
)
from nautilus_trader.adapters.binance.config import BinanceExecClientConfig
from nautilus_trader.core.nautilus_pyo3 import ed25519_signature

from recon.binance import Access, BinanceHttp, BinanceReader, ReadError
from recon.binance.access import signer_of
from tests.unit.network_rig import ACCOUNT
from tests.unit.recon.binance.desk import ED25519, Desk, access, error

# RFC 8032, section 7.1, test 1: the seed, and its signature of nothing.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
    "b46bd25bf5f0595bbe24655141438e7a100b"
)
PKCS8 = bytes.fromhex("302e020100300506032b657004220420") + SEED


def pem_of(pkcs8: bytes) -> str:
    return "\n".join(
        (
            "-----BEGIN PRIVATE KEY-----",
            *textwrap.wrap(base64.b64encode(pkcs8).decode(), 64),
            "-----END PRIVATE KEY-----\n",
        )
    )


PEM = pem_of(PKCS8)


def rsa_key() -> tuple[str, int, int]:
    """Return an RSA key made up here: PKCS#8 in PEM (RFC 5958, RFC 8017), modulus, exponent."""
    rng, exponent = random.Random(7), 65537
    p, q = (prime(rng, 1024) for _ in range(2))
    secret = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, exponent, secret, p, q, secret % (p - 1), secret % (q - 1), pow(q, -1, p))
    key = der(0x30, *(integer(number) for number in numbers))
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return pem_of(der(0x30, integer(0), algorithm, der(0x04, key))), p * q, exponent


def prime(rng: random.Random, bits: int) -> int:
    while True:
        number = rng.getrandbits(bits) | 3 << (bits - 2) | 1
        if all(pow(base, number - 1, number) == 1 for base in (2, 3, 5)):
            return number


def integer(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + body


def config(**changed: Any) -> BinanceExecClientConfig:
    return BinanceExecClientConfig(
        **{
            "account_type": BinanceAccountType.USDT_FUTURES,
            "api_key": "the-key",
            "api_secret": "the-secret",
            **changed,
        }
    )


# -- signatures


def test_hmac_is_sha256_in_hex():
    text = "symbol=BTCUSDT&timestamp=1"
    wanted = hmac.new(b"the-secret", text.encode(), hashlib.sha256).hexdigest()

    assert signer_of("the-secret")(text) == wanted


@pytest.mark.parametrize(
    ("secret", "key_type"),
    [
        (PEM, BinanceKeyType.HMAC),
        (base64.b64encode(PKCS8).decode(), BinanceKeyType.HMAC),
        (PEM, BinanceKeyType.ED25519),
        (base64.b64encode(SEED).decode(), BinanceKeyType.ED25519),
    ],
    ids=["PEM", "base64", "PEM, told", "a seed, told"],
)
def test_ed25519_is_as_the_standard_says_and_known_by_its_looks(
    secret: str, key_type: BinanceKeyType
):
    sign = signer_of(secret, key_type)

    assert base64.b64decode(sign("")) == SIGNATURE


def test_rsa_is_pkcs1_with_sha256_and_has_to_be_told():
    pem, modulus, exponent = rsa_key()
    signature = base64.b64decode(signer_of(pem, BinanceKeyType.RSA)("symbol=BTCUSDT"))
    opened = pow(int.from_bytes(signature), exponent, modulus).to_bytes(256)

    assert opened.startswith(b"\x00\x01\xff\xff")
    assert opened.endswith(hashlib.sha256(b"symbol=BTCUSDT").digest())


def test_an_rsa_secret_that_is_unreadable_is_refused_without_showing_it():
    with pytest.raises(ValueError, match="no unencrypted RSA key") as raised:
        signer_of("the-secret", BinanceKeyType.RSA)
    assert "the-secret" not in str(raised.value)


@pytest.mark.parametrize("secret", ["not base64 at all!", base64.b64encode(b"short").decode()])
def test_an_ed25519_secret_that_is_unreadable_is_refused_without_showing_it(secret: str):
    with pytest.raises(ValueError, match="no unencrypted Ed25519 key") as raised:
        signer_of(secret, BinanceKeyType.ED25519)
    assert secret not in str(raised.value)


async def test_an_ed25519_signature_arrives_as_it_was_made():
    desk = Desk(access=access(signer=signer_of(PEM)))
    desk.answer("/fapi/v3/positionRisk", *[httpx.Response(200, json=[])] * 20)
    for _ in range(20):
        await desk.reader.positions()
        await asyncio.sleep(0.001)

    signatures = set()
    for request in desk.seen:
        query, _, raw = request.url.query.decode().partition("&signature=")
        assert unquote(raw) == ed25519_signature(SEED, query)
        assert not set(raw) & set("+/=")
        signatures.add(raw)
    assert len(signatures) == 20


async def test_text_of_other_scripts_is_signed_as_it_is_sent():
    desk = Desk()
    desk.watch("/fapi/v1/order")
    with pytest.raises(ReadError, match="-1121"):
        await desk.reader.order("币安人生USDT", client_order_id="a/b:c")

    assert parse_qs(desk.seen[0].url.query.decode())["symbol"] == ["币安人生USDT"]


# -- the configuration of the trading client


def test_what_is_configured_is_used():
    made = Access.from_config(
        config(
            base_url_http="http://127.0.0.1:8080",
            recv_window_ms=12_345,
            proxy_url="http://user:hush@proxy.invalid:3128",
        )
    )

    assert made.base_url == "http://127.0.0.1:8080"
    assert made.recv_window_ms == 12_345
    assert made.proxy_url == "http://user:hush@proxy.invalid:3128"
    assert made.api_key == "the-key"
    assert made.signer("x") == signer_of("the-secret")("x")


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({}, "https://fapi.binance.com"),
        ({"environment": BinanceEnvironment.LIVE}, "https://fapi.binance.com"),
        ({"us": True}, "https://fapi.binance.us"),
        ({"environment": BinanceEnvironment.TESTNET}, "https://demo-fapi.binance.com"),
        ({"environment": BinanceEnvironment.DEMO}, "https://demo-fapi.binance.com"),
    ],
    ids=str,
)
def test_the_address_is_that_of_the_environment(changed: dict[str, Any], url: str):
    assert Access.from_config(config(**changed)).base_url == url


@pytest.mark.parametrize(
    ("environment", "prefix"),
    [
        (None, "BINANCE"),
        (BinanceEnvironment.TESTNET, "BINANCE_FUTURES_TESTNET"),
        (BinanceEnvironment.DEMO, "BINANCE_DEMO"),
    ],
)
def test_keys_come_from_the_environment_where_none_are_configured(
    environment: BinanceEnvironment | None, prefix: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(f"{prefix}_API_KEY", "key-of-the-environment")
    monkeypatch.setenv(f"{prefix}_API_SECRET", PEM)
    made = Access.from_config(config(environment=environment, api_key=None, api_secret=None))

    assert made.api_key == "key-of-the-environment"
    assert base64.b64decode(made.signer("")) == SIGNATURE


def test_a_key_that_is_nowhere_is_an_error(monkeypatch: pytest.MonkeyPatch):
    for name in ("BINANCE_API_KEY", "BINANCE_ED25519_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="BINANCE_API_KEY"):
        Access.from_config(config(api_key=None))


@pytest.mark.parametrize("account_type", [BinanceAccountType.SPOT, BinanceAccountType.COIN_FUTURES])
def test_only_usd_m_accounts_can_be_read(account_type: BinanceAccountType):
    with pytest.raises(ValueError, match="only USDT_FUTURES"):
        Access.from_config(config(account_type=account_type))


async def test_a_configuration_reads_the_account():
    made = Access.from_config(
        config(
            api_key=ACCOUNT.api_key,
            api_secret=ACCOUNT.api_secret,
            base_url_http="http://venue.invalid/",
            recv_window_ms=7_000,
        )
    )
    desk = Desk(access=made)
    desk.trade(desk.now_ns - 1)
    desk.watch("/fapi/v3/positionRisk")

    assert len((await desk.reader.positions()).legs) == 1
    assert desk.asked("recvWindow") == ["7000"]


@pytest.mark.parametrize(
    "looks", ["{}", "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"]
)
async def test_a_configuration_with_an_ed25519_key_reads_the_account(looks: str):
    secret = looks.format(ED25519.api_secret)
    made = Access.from_config(
        config(api_key=ED25519.api_key, api_secret=secret, base_url_http="http://venue.invalid")
    )
    desk = Desk(access=made)
    desk.trade(desk.now_ns - 1)

    assert len((await desk.reader.positions()).legs) == 1


async def test_the_proxy_is_the_configured_one_and_none_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
):
    made: list[dict[str, Any]] = []

    class Transport(httpx.AsyncBaseTransport):
        def __init__(self, **options: Any) -> None:
            made.append(options)

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Transport)
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.invalid")
    BinanceHttp(access(proxy_url="http://proxy.invalid:3128"), lambda: 0)
    BinanceHttp(access(), lambda: 0)

    assert [options["proxy"] for options in made] == ["http://proxy.invalid:3128", None]
    assert [options["trust_env"] for options in made] == [False, False]


# -- nothing is shown

KEY, SECRET, PASSWORD = "VISIBLE-KEY-1", "VISIBLE-SECRET-2", "VISIBLE-PASSWORD-3"


async def test_keys_are_in_no_text_that_anyone_can_see(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    made = Access.from_config(
        config(
            api_key=f"{KEY}\n",
            api_secret=SECRET,
            base_url_http="http://venue.invalid",
            proxy_url=f"http://{KEY}:{PASSWORD}@proxy.invalid",
        )
    )
    desk = Desk(access=made)
    said = io.StringIO()
    for answer in (
        error(401, -2015, f"Invalid API-key {KEY}"),
        error(400, -1000, f"GET ?apiKey={KEY}"),
        httpx.ProxyError(f"407 from http://{KEY}:{PASSWORD}@proxy.invalid"),
        httpx.LocalProtocolError(f"Illegal header value {KEY.encode()!r}"),
        httpx.ConnectError("no way to http://venue.invalid/?a=1&signature=0123&b=2"),
        httpx.ConnectError(f"cannot log in with {PASSWORD}"),
        httpx.Response(200, content=f"<html>{KEY}</html>".encode()),
        httpx.Response(502, content=f"<html>{KEY}</html>".encode()),
        httpx.Response(200, json=[{"symbol": KEY}]),
        None,
    ):
        desk.calls.clear()
        desk.answer("/fapi/v3/positionRisk", then=answer)
        with pytest.raises(ReadError) as raised:
            await desk.reader.positions()
        failed = raised.value
        print(repr(failed), str(failed), failed.args, failed.why, failed.what, file=said)
        traceback.print_exception(failed, file=said)
        logging.getLogger("test").exception("a read failed", exc_info=failed)
    for thing in (made, desk.http, desk.reader, made.signer, vars(desk.reader)):
        print(repr(thing), str(thing), f"{thing}", file=said)

    text = said.getvalue() + caplog.text
    assert "GET /fapi/v3/positionRisk" in text
    for secret in (KEY, SECRET, PASSWORD, "0123"):
        assert secret not in text


def test_a_reader_shows_whom_it_reads():
    made = access(proxy_url="http://proxy.invalid")
    reader = BinanceReader(BinanceHttp(made, lambda: 0, transport=httpx.MockTransport(print)))

    assert repr(reader) == (
        "BinanceReader(BinanceHttp(Access(http://venue.invalid, recv_window_ms=5000, proxied)))"
    )
