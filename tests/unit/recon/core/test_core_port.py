"""What a read says that was not answered."""

from __future__ import annotations

from recon.core.port import ReadError


def test_a_read_that_failed_says_what_was_asked_and_what_came_instead():
    error = ReadError("GET /fapi/v1/order", "status 429", not_before_ns=2_500, is_final=True)

    assert str(error) == "GET /fapi/v1/order: status 429"
    assert (error.what, error.why) == ("GET /fapi/v1/order", "status 429")
    assert error.not_before_ns == 2_500
    assert error.is_final is True


def test_a_read_that_failed_may_be_asked_again_at_once_unless_it_says_otherwise():
    error = ReadError("GET /fapi/v1/order", "no answer")

    assert error.not_before_ns == 0
    assert error.is_final is False
