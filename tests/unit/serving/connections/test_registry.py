import pytest

from serving.connections.registry import Connections, raise_file_limit


class Connection:
    """Stands for a connection that waits for a request or has one."""

    def __init__(self, address, used_at=0.0, busy=False):
        self.address, self.used_at, self.busy, self.closed = address, used_at, busy, False

    def cut_off(self):
        self.closed = True


def open_many(connections, *asked):
    """Open them one after another and return which were admitted."""
    admitted = []
    for each in asked:
        connections.connections.add(each)
        admitted.append(connections.admit(each))
        for gone in [
            other for other in connections.connections if other.closed or (other is each and not admitted[-1])
        ]:
            connections.remove(gone)
            connections.connections.discard(gone)
    return admitted


def busy(address, count):
    return [Connection(address, number, busy=True) for number in range(count)]


def test_a_client_has_so_many_connections_and_others_theirs():
    connections = Connections(3, 100)
    assert open_many(connections, *busy("10.0.0.1", 5)) == [True] * 3 + [False] * 2
    assert open_many(connections, *busy("10.0.0.2", 3)) == [True] * 3


def test_one_that_waits_makes_room_for_the_same_client():
    connections = Connections(3, 100)
    first, second, third = Connection("10.0.0.1", 1, busy=True), Connection("10.0.0.1", 3), Connection("10.0.0.1", 2)
    assert open_many(connections, first, second, third, Connection("10.0.0.1", 4)) == [True] * 4
    assert [first.closed, second.closed, third.closed] == [False, False, True]


def test_a_connection_that_has_ended_is_no_longer_counted():
    connections = Connections(1, 100)
    (first,) = busy("10.0.0.1", 1)
    assert open_many(connections, first) == [True]
    connections.remove(first)
    assert open_many(connections, *busy("10.0.0.1", 2)) == [True, False]


def test_where_there_are_too_many_the_client_with_most_loses_one():
    connections = Connections(8, 10)
    many, few = busy("10.0.0.1", 6), busy("10.0.0.2", 4)
    assert open_many(connections, *many, *few) == [True] * 10
    assert open_many(connections, *busy("10.0.0.3", 2)) == [True] * 2
    assert [each.closed for each in many] == [True, True] + [False] * 4
    assert not any(each.closed for each in few)
    assert open_many(connections, *busy("10.0.0.1", 1)) == [False]


def test_one_that_waits_goes_before_one_that_is_busy():
    connections = Connections(8, 4)
    many = [*busy("10.0.0.1", 3), Connection("10.0.0.1", 9)]
    assert open_many(connections, *many, Connection("10.0.0.2")) == [True] * 5
    assert [each.closed for each in many] == [False] * 3 + [True]


def test_a_trusted_proxy_has_as_many_as_there_are():
    connections = Connections(2, 10, "10.0.0.0/24, fd00::1")
    assert open_many(connections, *busy("10.0.0.7", 11)) == [True] * 10 + [False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("2001:db8::1", "2001:db8::2", True), ("2001:db8::1", "2001:db8:0:1::1", False), ("", "", True)],
)
def test_a_network_of_ipv6_is_one_client(one, other, same):
    admitted = open_many(Connections(1, 100), *busy(one, 1), *busy(other, 1))
    assert admitted == [True, not same]


def test_the_process_may_open_as_many_files_as_it_is_allowed():
    assert raise_file_limit(64) >= 64
