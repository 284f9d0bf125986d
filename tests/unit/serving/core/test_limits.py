from contextlib import suppress

import pytest
from pydantic import ValidationError

from serving.core.errors import Refused
from serving.core.limits import Load, RateLimits
from settings import Settings


def test_each_client_has_its_rate_on_page_and_api_apart(settings):
    rates = RateLimits(settings.model_copy(update={"rate_limit_api": "2/hour", "rate_limit_page": "1/hour"}))
    rates.admit("api", "ann")
    rates.admit("api", "ann")
    rates.admit("page", "ann")
    rates.admit("api", "bob", cost=2)
    for kind, client in (("api", "ann"), ("page", "ann"), ("api", "bob")):
        with pytest.raises(Refused) as refused:
            rates.admit(kind, client)
        assert refused.value.status == 429
        assert 0 < int(refused.value.headers["Retry-After"]) <= 3600


def test_a_batch_of_one_costs_nothing_more(settings):
    rates = RateLimits(settings.model_copy(update={"rate_limit_api": "1/hour"}))
    rates.admit("api", "ann")
    rates.admit("api", "ann", cost=0)


def test_uploads_count_in_mib(settings):
    rates = RateLimits(settings.model_copy(update={"rate_limit_upload": "2/hour"}))
    rates.admit("upload", "ann", cost=2047)
    rates.admit("upload", "ann")
    with pytest.raises(Refused, match=r"More than 2 MiB per 1 hour came from you\."):
        rates.admit("upload", "ann")


@pytest.mark.parametrize("rate", ["many", "0/minute", "5/fortnight", "5", "-1/minute"])
def test_a_rate_that_is_none_is_named_at_the_start(rate):
    with pytest.raises(ValidationError, match="rate_limit_api"):
        Settings(_env_file=None, rate_limit_api=rate)


def test_requests_and_their_bytes_are_bounded_and_given_back():
    load = Load(max_requests=2, max_bytes=100)
    with load.request("ann") as one, load.request("bob") as two, load.request("eve") as three:
        one.reserve(50)
        two.reserve(50)
        one.enter()
        two.enter()
        with pytest.raises(Refused, match="Too many"):
            three.reserve(1)
        with pytest.raises(Refused, match="Too many"):
            three.enter()
    with suppress(ZeroDivisionError), load.request("ann") as held:
        held.enter()
        held.reserve(50)
        _ = 1 / 0
    assert (load.places.used, load.memory.used) == (0, 0)


def test_one_client_holds_half_at_most_and_others_find_the_rest():
    load = Load(max_requests=4, max_bytes=100)
    with load.request("ann") as one, load.request("ann") as two, load.request("ann") as three:
        one.enter()
        two.enter()
        two.reserve(50)
        for ask in (three.enter, lambda: three.reserve(1)):
            with pytest.raises(Refused) as refused:
                ask()
            assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
        with load.request("bob") as other:
            other.enter()
            other.reserve(50)
        two.release()
        three.enter()
        three.reserve(50)


def test_a_request_whose_body_has_not_come_holds_no_place():
    load = Load(max_requests=1, max_bytes=100)
    with load.request("ann"), load.request("bob") as complete:
        complete.enter()


@pytest.mark.parametrize("proxies", ["nginx", "10.0.0.0/99", "10.0.0.1,*"])
def test_a_proxy_that_is_no_address_is_named_at_the_start(proxies):
    assert Settings(_env_file=None, trusted_proxies="10.0.0.1, 172.16.0.0/12,::1").trusted_proxies
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(_env_file=None, trusted_proxies=proxies)
