"""Downloads end well, fail with a reason or are given up, and leave nothing behind."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.data.downloads import download, fetch_from_keras

FAKE_KERAS = """
import os, pathlib, types
import numpy as np

def load_data():
    folder = pathlib.Path(os.environ["KERAS_HOME"])
    pathlib.Path({trace!r}).write_text(str(folder))
    (folder / "half.npz").write_bytes(bytes(500))
    {then}

datasets = types.SimpleNamespace(tiny=types.SimpleNamespace(load_data=load_data))
"""


@pytest.fixture
def fake_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a module `keras` before the real one; gives the file in which it notes its download folder."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    trace = tmp_path / "trace"

    def install(then: str) -> Path:
        (tmp_path / "keras.py").write_text(FAKE_KERAS.format(trace=str(trace), then=then))
        return trace

    return install


def test_keras_loads_in_a_folder_that_is_gone_afterwards(fake_keras: Callable[[str], Path]) -> None:
    trace = fake_keras("return (np.ones((2, 3, 3)), [1, 2]), (np.zeros((1, 3, 3)), [3])")
    arrays = fetch_from_keras("tiny", "data:,here", size=1000)
    assert {name: array.shape for name, array in arrays.items()} == {
        "x_train": (2, 3, 3),
        "y_train": (2,),
        "x_test": (1, 3, 3),
        "y_test": (1,),
    }
    assert arrays["y_test"].tolist() == [3]
    assert not Path(trace.read_text()).exists()


def test_a_failure_of_keras_is_told_and_leaves_nothing(fake_keras: Callable[[str], Path]) -> None:
    trace = fake_keras("raise RuntimeError('URL fetch failure')")
    with pytest.raises(OSError, match="RuntimeError: URL fetch failure"):
        fetch_from_keras("tiny", "data:,here", size=1000)
    assert not Path(trace.read_text()).exists()


def test_a_host_out_of_reach_is_told_without_starting_keras(fake_keras: Callable[[str], Path]) -> None:
    trace = fake_keras("raise RuntimeError")
    with pytest.raises(OSError, match="URLError"):
        fetch_from_keras("tiny", "http://127.0.0.1:1/tiny.npz", size=1000)
    assert not trace.exists()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_bar_shows_what_has_arrived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download("tiny", python(f"open({str(tmp_path / 'file')!r}, 'wb').write(bytes(2000))"), tmp_path, size=2000)
    assert "tiny: 100%" in capsys.readouterr().err


def test_the_last_words_of_a_failed_command_are_the_reason(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^no such package$"):
        download("tiny", python("print('retrying'); exit('no such package\\n')"), tmp_path, size=10)
    with pytest.raises(OSError, match="exit status 3"):
        download("tiny", python("exit(3)"), tmp_path, size=10)


def test_a_command_that_brings_nothing_is_ended(tmp_path: Path) -> None:
    late = tmp_path / "late"
    code = f"import time; time.sleep(5); open({str(late)!r}, 'w')"
    with pytest.raises(TimeoutError, match="nothing arrived for 0"):
        download("tiny", python(code), tmp_path, size=100, patience=0.2)
    assert not late.exists()
