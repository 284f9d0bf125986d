"""A page that may be attacked: a process of its own under limits, watched, with another visitor at it meanwhile."""

import itertools
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil

from tests.helpers.bystander import Bystander
from tests.helpers.demo_process import DemoProcess
from tests.helpers.memory_watch import MemoryWatch, resident_mb

OPERATOR_KEY = "operator key of the attacks"
LIMITS = {resource.RLIMIT_AS: 8_000_000_000, resource.RLIMIT_NOFILE: 1024}
PATIENCE = 10.0  # s that the other visitor waits for an answer at most; what is usual is shown, not asserted
PAGE_MB, WORKERS_MB = 300, 1200  # that the page may grow by, and all its workers together may hold
KEPT_MB = 200  # of that, what an allocator may keep for itself
LOG_BYTES = 1_000_000  # that an attack may have logged
RECOVERY = 60.0  # s
numbers = itertools.count(3)  # 127.0.0.2 is the other visitor's


class AttackedPage(DemoProcess):
    """demo.py with an operator's key, in little memory and with few file descriptors. `idle_mb`: before any attack."""

    def __init__(self, **variables: str) -> None:
        super().__init__(limits=LIMITS, **{"DEMO_OPERATOR_KEY": OPERATOR_KEY, **variables})
        with Bystander(self.url):  # loads what is loaded by the first answers
            pass
        self.idle_mb = resident_mb(psutil.Process(self.pid))


class Attack:
    """One attack, from an address of its own."""

    def __init__(self, page: AttackedPage) -> None:
        self.page, self.url = page, page.url
        self.address = f"127.0.0.{next(numbers)}"

    def client(self, **options: object) -> httpx.Client:
        """Return a client that asks from the attacker's address."""
        transport = httpx.HTTPTransport(local_address=self.address)
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, transport=transport, **options)


@contextmanager
def attack_on(page: AttackedPage, figures: dict[str, Any]) -> Iterator[Attack]:
    """Within the block the page is attacked. Asserts that nobody else notices, and that it holds little memory.
    figures: gets what was measured."""
    attack, logged = Attack(page), len(page.printed())
    with MemoryWatch(page.pid) as memory:
        with Bystander(page.url) as other:
            yield attack
        recovered = memory.page_falls_to(page.idle_mb + KEPT_MB, RECOVERY)
    grown = memory.page - page.idle_mb
    figures |= {"slowest": other.slowest, "page": grown, "workers": memory.workers}
    assert other.failures == []
    assert other.slowest < PATIENCE
    assert grown < PAGE_MB
    assert memory.workers < WORKERS_MB
    assert recovered
    assert len(page.printed()) - logged < LOG_BYTES
