"""Numbers become NautilusTrader's as `from_str` makes them: the same value, the same digits."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nautilus_trader.model.objects import Price, Quantity

from recon.nautilus.values import price_of, quantity_of

NUMBERS = st.decimals(
    min_value=Decimal("-1e13"), max_value=Decimal("1e13"), allow_nan=False, places=None
) | st.decimals(min_value=0, max_value=Decimal("1e10"), places=8)


def made(make, value):
    try:
        found = make(value)
    except ValueError as e:
        return type(e)
    return found.raw, found.precision


@pytest.mark.parametrize(("ours", "theirs"), [(quantity_of, Quantity), (price_of, Price)])
@given(value=NUMBERS)
@example(value=Decimal("0.010"))
@example(value=Decimal("50000.00"))
@example(value=Decimal("1E+3"))
@example(value=Decimal("1E-16"))
@example(value=Decimal("1E-17"))
@example(value=Decimal("-0.5"))
@example(value=Decimal("-0"))
@example(value=Decimal("999999999.9999999999999999"))
@example(value=Decimal("1000000000"))
def test_value_and_digits_are_those_of_the_text(ours, theirs, value):
    assert made(ours, value) == made(lambda v: theirs.from_str(f"{v:f}"), value)
