import pytest

from benchmarks.proxy import configuration
from settings import ROOT


def test_only_names_and_ports_are_replaced():
    original, changed = (ROOT / "nginx.conf").read_text().splitlines(), configuration(1234, [1, 2, 3]).splitlines()
    differing = [(one, other) for one, other in zip(original, changed, strict=True) if one != other]
    assert len(differing) == 7
    assert all(one.split()[0] == other.split()[0] in {"server", "listen"} for one, other in differing)


def test_replicas_that_nginx_does_not_know_are_noticed():
    with pytest.raises(ValueError, match="replicas"):
        configuration(1234, [1, 2, 3, 4])
    with pytest.raises(ValueError, match="replicas"):
        configuration(1234, [1, 2])
