import gc
import sys

import pytest

from benchmarks.processes import PORTS, Server, free_ports


def test_free_ports_are_not_those_that_the_kernel_lends_to_others():
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(PORTS[0] <= port < PORTS[1] for port in ports)


def test_a_program_that_ends_is_an_error_that_leaves_no_file_open():
    with pytest.raises(RuntimeError, match="no such port"):
        Server([sys.executable, "-c", "raise SystemExit('no such port')"], "http://127.0.0.1:9/")
    gc.collect()  # an open file would be a warning, and so an error
