"""The Makefile's installation and `make demo`, on packages made here, by pip and by uv."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from settings import ROOT

PATIENCE = 120.0  # s, for a busy machine
PAGE = """
import importlib.util, pathlib, time
import page_part
print("page", "without" if importlib.util.find_spec("training_part") is None else "with", "training", flush=True)
pathlib.Path("__main__-page").touch()
while not pathlib.Path("trained").exists():
    time.sleep(0.1)
"""
NICE = """#!/bin/sh
until [ -e __main__-page ]; do sleep 0.1; done
exec /usr/bin/nice "$@"
"""
"""What follows the page waits for it, so that it can't overtake it here, where installing takes no time."""
EXPERIMENTS = """
import pathlib, time
import page_part, training_part
pathlib.Path("trained").touch()
"""
ENDLESS = """
import pathlib, time
try:
    pathlib.Path(f"{__name__}-{__package__ or 'page'}").touch()
    while True:
        time.sleep(0.1)
except KeyboardInterrupt:
    pathlib.Path(f"ended-{__package__ or 'page'}").touch()
"""


def wheel(folder: Path, name: str) -> None:
    """Write a package with an empty module of its name."""
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")


@pytest.fixture(params=["pip", "uv"])
def installer(request):
    return request.param


@pytest.fixture
def project(tmp_path, installer, monkeypatch):
    """A folder with the project's Makefile and requirements of its own; make finds the installer in it."""
    project, wheels, programs = tmp_path / "project", tmp_path / "wheels", tmp_path / "programs"
    for folder in (project / "experiments", wheels, programs):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", project)
    for part in ("page_part", "training_part"):
        wheel(wheels, part)
    (project / "constraints.txt").touch()
    (project / "requirements-serving.txt").write_text("page_part==1.0\n")
    (project / "requirements-training.txt").write_text("training_part==1.0\n")
    shutil.copy(ROOT / "requirements.txt", project)
    (project / "demo.py").write_text(PAGE)
    (project / "experiments" / "__main__.py").write_text(EXPERIMENTS)
    (programs / "nice").write_text(NICE)
    (programs / "nice").chmod(0o755)
    (programs / "python3.11").symlink_to(sys.executable)
    if installer == "uv":
        (programs / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    for variable in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(variable, str(wheels))
    for variable in ("PIP_NO_INDEX", "UV_OFFLINE"):
        monkeypatch.setenv(variable, "1")
    return project


def installed_by(project: Path, name: str) -> str:
    (file,) = project.glob(f".venv/lib/python3.11/site-packages/{name}-1.0.dist-info/INSTALLER")
    return file.read_text().strip()


def test_the_page_is_up_before_what_trains_is_installed_and_the_experiments_after(project, installer):
    done = subprocess.run(["make", "demo"], cwd=project, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "page without training" in done.stdout
    assert (project / "trained").exists()
    assert {installed_by(project, name) for name in ("page_part", "training_part")} == {installer}
    compiled = project.glob(".venv/lib/python3.11/site-packages/__pycache__/*_part.*.pyc")
    assert {file.name.partition(".")[0] for file in compiled} == {"page_part", "training_part"}
    again = subprocess.run(["make", "demo"], cwd=project, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "page with training" in again.stdout
    assert "Installing" not in again.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_of_make_demo_ends_the_page_and_the_experiments(project, number):
    for program in (project / "demo.py", project / "experiments" / "__main__.py"):
        program.write_text(ENDLESS)
    process = subprocess.Popen(["make", "demo"], cwd=project, stdout=subprocess.DEVNULL, process_group=0)
    started = [project / f"__main__-{part}" for part in ("page", "experiments")]
    while not all(file.exists() for file in started):
        assert process.poll() is None
    os.killpg(process.pid, number)
    process.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while not all((project / f"ended-{part}").exists() for part in ("page", "experiments")):
        assert time.monotonic() < deadline
