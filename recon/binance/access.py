"""Who reads, and where: the key, the signature and the address of one account.

Rules:

* What the trading client of the same configuration uses is used here, too: the key from
  the configuration or from the environment, the address by environment unless one is set,
  the kind of key by its looks.
* Nothing here shows a key or a secret: not `repr`, not an error, not `Access.hide`d text.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nautilus_trader.adapters.binance.common.credentials import (
    extract_ed25519_private_key,
    get_api_key,
    get_api_secret,
    is_ed25519_private_key,
)
from nautilus_trader.adapters.binance.common.enums import (
    BinanceAccountType,
    BinanceEnvironment,
    BinanceKeyType,
)
from nautilus_trader.adapters.binance.common.urls import get_http_base_url
from nautilus_trader.adapters.binance.config import BinanceExecClientConfig
from nautilus_trader.core.nautilus_pyo3 import ed25519_signature, hmac_signature, rsa_signature

type Sign = Callable[[str], str]

HIDDEN = "***"
_SIGNATURE = re.compile(r"(signature=)[^&\s]+")


@dataclass(frozen=True, repr=False)
class Access:
    """How one USD-M account is read.

    Parameters
    ----------
    api_key
        What goes into the header ``X-MBX-APIKEY``.
    signer
        Returns the signature of a query string, not yet percent-encoded.
    base_url
        Scheme, host and port, without a path.
    recv_window_ms
        How old a request may be when the venue gets it, in milliseconds.
    proxy_url
        The HTTP proxy, None for none.
    """

    api_key: str
    signer: Sign = field(compare=False)
    base_url: str
    recv_window_ms: int = 5_000
    proxy_url: str | None = None

    @classmethod
    def from_config(cls, config: BinanceExecClientConfig) -> Access:
        """Return what the trading client of that configuration uses.

        Raises ValueError when the account is not USD-M futures, when a key is neither in
        the configuration nor in the environment, and when an Ed25519 secret is unreadable.
        """
        if config.account_type != BinanceAccountType.USDT_FUTURES:
            raise ValueError(f"only USDT_FUTURES accounts can be read, not {config.account_type}")
        environment = config.environment or BinanceEnvironment.LIVE
        account_type = config.account_type
        return cls(
            api_key=config.api_key or get_api_key(account_type, environment),
            signer=signer_of(
                config.api_secret or get_api_secret(account_type, environment), config.key_type
            ),
            base_url=config.base_url_http
            or get_http_base_url(account_type, environment, config.us),
            recv_window_ms=config.recv_window_ms,
            proxy_url=config.proxy_url,
        )

    def hide(self, text: str) -> str:
        """Return the text without key and signature, and without who logs in at the proxy."""
        # A key with a line break would otherwise show, escaped, in a complaint about it.
        secrets = [self.api_key, self.api_key.strip()]
        if self.proxy_url is not None:
            proxy = urlsplit(self.proxy_url)
            secrets += [self.proxy_url, proxy.password or "", proxy.username or ""]
        for secret in filter(None, secrets):
            text = text.replace(secret, HIDDEN)
        return _SIGNATURE.sub(rf"\1{HIDDEN}", text)

    def __repr__(self) -> str:
        proxied = "" if self.proxy_url is None else ", proxied"
        return f"Access({self.base_url}, recv_window_ms={self.recv_window_ms}{proxied})"


def signer_of(api_secret: str, key_type: BinanceKeyType = BinanceKeyType.HMAC) -> Sign:
    """Return the signature function of a secret: HMAC-SHA256, Ed25519 or RSA.

    An Ed25519 secret is known by its looks, an RSA one only by ``key_type``.  Raises
    ValueError, without the secret, when an Ed25519 or RSA secret is unreadable.
    """
    if key_type == BinanceKeyType.RSA:
        return _rsa_signer(api_secret)
    if key_type == BinanceKeyType.ED25519 or is_ed25519_private_key(api_secret):
        return _ed25519_signer(api_secret)
    return lambda text: str(hmac_signature(api_secret, text))


def _rsa_signer(api_secret: str) -> Sign:
    try:
        rsa_signature(api_secret, "any text")
    except ValueError:
        raise ValueError("the API secret is no unencrypted RSA key in PEM") from None
    return lambda text: str(rsa_signature(api_secret, text))


def _ed25519_signer(api_secret: str) -> Sign:
    try:
        seed = bytes(extract_ed25519_private_key(api_secret))
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != 32:
        raise ValueError("the API secret is no unencrypted Ed25519 key in base64 or PEM")
    return lambda text: str(ed25519_signature(seed, text))
