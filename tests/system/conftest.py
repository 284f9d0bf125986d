import shutil

import pytest

from benchmarks.postgres import Postgres
from benchmarks.processes import free_ports
from benchmarks.proxy import Nginx
from tests.helpers.proxied import Replica


@pytest.fixture
def postgresql():
    """The address of an empty database on a PostgreSQL of its own."""
    try:
        server = Postgres()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    server.create("test")
    yield f"{server.url}/test"
    server.stop()


@pytest.fixture
def replicas():
    replicas = [Replica(f"app-{number}") for number in (1, 2, 3)]
    yield replicas
    for replica in replicas:
        replica.shutdown()
        replica.server_close()


@pytest.fixture
def nginx(replicas):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    nginx = Nginx(*free_ports(1), [replica.server_address[1] for replica in replicas])
    yield nginx
    nginx.stop()
