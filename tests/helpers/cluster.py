"""compose.yaml without Docker: the same services as processes on this machine, only names and ports replaced."""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
import yaml

from benchmarks.postgres import Postgres
from benchmarks.processes import Server, free_ports
from benchmarks.proxy import Nginx
from settings import ROOT

OPERATOR_KEY = "key of this test"
SEED = """
from experiments.data.specs import SPECS
from experiments.inference import bundle
from experiments.registry import production
from experiments.registry.store import TrackingStore
from settings import Settings

settings, spec = Settings(), SPECS["mnist"]
shipped = bundle.read(settings.models_dir / "mnist")
store = TrackingStore.of(settings)
production.seed_shipped(store, spec, shipped)
with store.run(spec.name, "another", "to be promoted", {}, {}) as log:
    log.log_metrics(shipped.metrics)
    log.log_bundle(shipped.folder)
print(production.register(store, spec, log.run_id))
"""


class Cluster:
    """PostgreSQL, MLflow, three replicas and nginx at `url`. `next_version` is registered but not in Production."""

    def __init__(self, **variables: str) -> None:
        """variables: set for every replica."""
        self._variables = variables
        self._running: list[Postgres | Server | Nginx] = []
        self._folder = tempfile.TemporaryDirectory(prefix="cluster-")
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        mlflow, nginx, *replicas = free_ports(5)
        try:
            postgres = self._keep(Postgres())
            _hurry(postgres)
            postgres.create("mlflow", "history")
            self._names = {
                "http://mlflow:5000": f"http://127.0.0.1:{mlflow}",
                "mlflow:5000": f"127.0.0.1:{mlflow}",
                "postgresql+psycopg://mnist:${POSTGRES_PASSWORD}@postgres": postgres.url,
                "/state": str(self._folder.name),
                "--port=5000": f"--port={mlflow}",
                services["nginx"]["networks"]["inside"]["ipv4_address"]: "127.0.0.1",
            }
            command = [self._named(part) for part in services["mlflow"]["command"]]
            self._keep(Server([sys.executable, "-m", *command], f"http://127.0.0.1:{mlflow}/health"))
            self._environment = services["app-1"]["environment"]
            self.next_version = self.run("-c", SEED, folder="training").split()[-1]
            with ThreadPoolExecutor(len(replicas)) as beside:
                self.replicas = list(beside.map(self._replica, (1, 2, 3), replicas))
            self.addresses = [f"http://127.0.0.1:{port}" for port in replicas]
            self.nginx = self._keep(Nginx(nginx, replicas))
            self.url = self.nginx.url
        except BaseException:
            self.stop()
            raise

    def run(self, *arguments: str, folder: str) -> str:
        """Run Python with the replicas' settings. Returns what it prints. folder: of its state."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=os.environ | self.settings(folder),
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def get(self, address: str, path: str) -> dict:
        """GET JSON as the operator, from nginx or from one replica."""
        request = urllib.request.Request(address + path, headers={"X-API-Key": OPERATOR_KEY})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def post(self, path: str, body: dict) -> dict:
        """POST JSON as the operator, through nginx."""
        headers = {"X-API-Key": OPERATOR_KEY, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        while self._running:
            self._running.pop().stop()
        self._folder.cleanup()

    def _replica(self, number: int, port: int) -> Server:
        settings = self.settings(f"state-{number}") | {"DEMO_PORT": str(port)} | self._variables
        return self._keep(Server([sys.executable, "demo.py"], f"http://127.0.0.1:{port}/api/ready", settings))

    def settings(self, folder: str) -> dict[str, str]:
        """The environment of a replica whose state is in this folder; it has no data set."""
        settings = {name: self._named(value) for name, value in self._environment.items()}
        state = Path(self._folder.name) / folder
        # MLflow sets its variable in the process that runs the other tests, which these would inherit.
        return settings | {"DEMO_ARTIFACT_DIR": str(state / "mlartifacts"), "DEMO_DATA_DIR": str(state / "data")}

    def _named(self, text: str) -> str:
        for name, here in self._names.items():
            text = text.replace(name, here)
        secrets = {"DEMO_OPERATOR_KEY": OPERATOR_KEY, "DEMO_CLIENT_KEY": "of this test"}
        for _ in range(2):  # a default may name another variable
            text = re.sub(r"\$\{(\w+)(?::[-?]([^${}]*))?\}", lambda match: secrets.get(match[1], match[2]), text)
        return text

    def _keep(self, server):
        self._running.append(server)
        return server


def _hurry(postgres: Postgres) -> None:
    """Turn fsync off: no data has to outlive this machine's power, and MLflow migrates in many transactions."""
    engine = sa.create_engine(f"{postgres.url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()
