"""Compare this API, a plain Gradio page and `mlflow models serve` under load: `python -m benchmarks.peers`.

Each is started, warmed, loaded with the same 2,000 different drawings and stopped. Writes benchmarks/results/peers.md.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import drawings
from benchmarks.load import RESULTS, Outcome, locust, table, wrk
from benchmarks.processes import Server, free_ports
from experiments.preprocessing.drawings import prepare_drawing
from settings import Settings

CLIENTS = 100
HEADINGS = (
    "server, load generator, clients", "answers a second", "× plain", "× mlflow",
    "p50 ms", "p95 ms", "p99 ms", "failures", "memory MB",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of the table. `peer`: ours, plain or mlflow."""

    peer: str
    name: str
    outcome: Outcome
    megabytes: float


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="of each load (default: 20)")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder = Path(name)
        drawings.write(folder / "png")
        prepare(folder / "json")
        rows = [*plain_page(folder, seconds), *mlflow(folder, seconds), *ours(folder, seconds)]
    text = f"{os.cpu_count()} cores, load generator included; {seconds} s each.\n\n"
    text += table(HEADINGS, [line(row, rows) for row in rows])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers.md").write_text(text)
    print(text)


def ours(folder: Path, seconds: int) -> list[Row]:
    """Measure this project's server without rate limits: Locust, and wrk where it is installed; 100 clients and one."""
    (port,) = free_ports(1)
    server = demo(port, folder / "ours")
    try:
        rows = [measure("ours", server, f"this API, Locust, {count}", "ApiUser", port, count, folder / "png", seconds)
                for count in (CLIENTS, 1)]  # fmt: skip
        if shutil.which("wrk"):
            for count in (CLIENTS, 1):
                outcome = wrk(f"http://127.0.0.1:{port}/api/predict", "image/png", count, seconds, folder / "png")
                rows.append(Row("ours", f"this API, wrk, {count}", outcome, server.megabytes()))
        return rows
    finally:
        server.stop()


def demo(port: int, folder: Path, **settings: str) -> Server:
    """Start `python demo.py` with the shipped model, a history of its own and no rate limit."""
    own = {
        "DEMO_PORT": str(port), "DEMO_RATE_LIMIT": "off", "DEMO_ARTIFACT_DIR": str(folder),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/none.db", "DATABASE_URL": "",
    }  # fmt: skip
    return Server([sys.executable, "demo.py"], f"http://127.0.0.1:{port}/api/ready", own | settings)


def plain_page(folder: Path, seconds: int) -> list[Row]:
    """Measure `gr.Interface(fn, gr.Sketchpad(), gr.Label())`."""
    (port,) = free_ports(1)
    server = Server([sys.executable, "-m", "benchmarks.plain_page", str(port)], f"http://127.0.0.1:{port}/")
    try:
        name = f"plain gr.Interface, Locust, {CLIENTS}"
        return [measure("plain", server, name, "PlainPageUser", port, CLIENTS, folder / "png", seconds)]
    finally:
        server.stop()


def mlflow(folder: Path, seconds: int) -> list[Row]:
    """Measure `mlflow models serve` of the same network with its defaults."""
    (port,) = free_ports(1)
    model = save_network(folder)
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "-p", str(port)),
        *("--env-manager", "local"),
    ]
    server = Server(command, f"http://127.0.0.1:{port}/ping")
    try:
        name = f"mlflow models serve, Locust, {CLIENTS}"
        return [measure("mlflow", server, name, "MlflowUser", port, CLIENTS, folder / "json", seconds)]
    finally:
        server.stop()


def save_network(folder: Path) -> str:
    """Save the shipped network as MLflow does Keras's. Return the folder to serve it from."""
    import keras
    import mlflow.tensorflow
    from mlflow.models import infer_signature

    model = keras.models.load_model(Settings().models_dir / "mnist" / "model.keras")
    example = prepare_drawing(drawings.sheets(1)[0])[None]
    signature = infer_signature(example, model.predict(example, verbose=0))
    mlflow.tensorflow.save_model(model, folder / "network", signature=signature, pip_requirements=["tensorflow"])
    return str(folder / "network")


def prepare(folder: Path) -> None:
    """Write the drawings as `mlflow models serve` takes them: preprocessed, as JSON."""
    folder.mkdir()
    for number, sheet in enumerate(drawings.sheets()):
        image = prepare_drawing(sheet)
        (folder / f"{number:04}.json").write_text(json.dumps({"inputs": image[None].tolist()}))


def measure(peer: str, server: Server, name: str, user: str, port: int, count: int, files: Path, seconds: int) -> Row:
    """Warm the server for five seconds, then load it."""
    url, file = f"http://127.0.0.1:{port}", name.replace(", ", "-").replace(" ", "-").lower()
    locust(url, user, min(count, 10), 5, files)
    return Row(peer, name, locust(url, user, count, seconds, files, file), server.megabytes())


def line(row: Row, rows: list[Row]) -> list[str]:
    """Return the cells of a row, with the ratios to the peers."""
    outcome = row.outcome

    def ratio(peer: str) -> str:
        return f"{outcome.per_second / next(other.outcome.per_second for other in rows if other.peer == peer):.1f}"

    times = [f"{value:.1f}" for value in (outcome.p50, outcome.p95, outcome.p99)]
    failures = f"{outcome.failures}" + (f" and {outcome.refused} × 429" if outcome.refused else "")
    return [
        row.name,
        f"{outcome.per_second:.0f}",
        ratio("plain"),
        ratio("mlflow"),
        *times,
        failures,
        f"{row.megabytes:.0f}",
    ]


if __name__ == "__main__":
    main()
