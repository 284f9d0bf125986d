import pytest

from serving.core.clients import client_of, client_of_address, network_of, plain


@pytest.mark.parametrize(
    ("address", "client", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64", "2001:db8::/48"),
        ("2001:0DB8:0000:0007:ffff::", "2001:db8:0:7::/64", "2001:db8::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("127.0.0.2", "127.0.0.2", "127.0.0.0/24"),
        ("::1", "::1", "::/48"),
        ("testclient", "testclient", "testclient"),
        ("1.2.3", "1.2.3", "1.2.3"),
        ("", "", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_a_64_of_ipv6(address, client, network):
    assert client_of({"client": (address, 1)}) == client_of_address(address) == client
    assert network_of(client) == network
    assert client_of_address(client) == client


def test_a_request_without_an_address_has_a_client_too():
    assert client_of({}) == client_of({"client": None}) == ""


def test_every_address_of_a_64_is_one_client_and_every_64_of_a_48_in_one_network():
    assert len({client_of_address(f"2001:db8:1:2:{number:x}::{number:x}") for number in range(1, 99)}) == 1
    clients = {client_of_address(f"2001:db8:1:{number:x}::1") for number in range(99)}
    assert len(clients) == 99
    assert {network_of(client) for client in clients} == {"2001:db8:1::/48"}


@pytest.mark.parametrize(
    ("address", "as_one"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:x", "::ffff:x"),
        ("", ""),
    ],
)
def test_an_address_of_ipv4_that_came_by_ipv6_is_one_of_ipv4(address, as_one):
    assert plain(address) == as_one
