"""Builds and runs an image from its Dockerfile without a Docker engine.

The image is this machine's file system with a writable layer on top (overlayfs in a private mount
namespace), so every step runs as written, accounts and absolute paths included, and this machine stays as
it is. A fresh virtual environment stands in for the base image's Python. As an engine keeps the layer of the
packages, so it finds there what requirements.txt asks for and this environment has, and nothing more: pip
installs the rest. Needs root and overlayfs.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PYTHON = "/image-python"
SITE_PACKAGES = f"{PYTHON}/lib/python3.11/site-packages"


@dataclass(frozen=True)
class Step:
    keyword: str
    text: str

    @property
    def argv(self) -> list[str]:
        """A JSON list as it stands, anything else as a shell's command."""
        return json.loads(self.text) if self.text.startswith("[") else ["/bin/sh", "-c", self.text]


def parse(dockerfile: str) -> list[Step]:
    lines = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [Step(*line.strip().split(maxsplit=1)) for line in lines if line.strip()]


def stage(steps: list[Step], target: str) -> list[Step]:
    """The steps of a stage and of those it is built from; "" is the last one."""
    stages: dict[str, list[Step]] = {}
    for step in steps:
        if step.keyword == "FROM":
            source, *alias = step.text.split(" AS ")
            name = alias[0] if alias else ""
            stages[name] = list(stages.get(source, [step]))
        else:
            stages[name].append(step)
    return stages[target]


def context(root: Path) -> list[str]:
    """The tracked files that .dockerignore lets through; the last pattern that fits decides."""
    patterns = [line for line in (root / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")]
    tracked = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True)

    def kept(name: str) -> bool:
        paths = [name, *map(str, Path(name).parents)]
        fits = [p for p in patterns if any(fnmatch(path, p.lstrip("!").removeprefix("**/")) for path in paths)]
        return not fits or fits[-1].startswith("!")

    return [name for name in tracked.stdout.splitlines() if kept(name)]


def needed(*requirements: Path) -> list[metadata.Distribution]:
    """The installed packages that requirements files name, and those that they need in turn."""
    distributions: dict[tuple[str, str], metadata.Distribution] = {}  # by name and extra
    lines = [line.partition("#")[0].strip() for file in requirements for line in file.read_text().splitlines()]
    waiting = [Requirement(line) for line in lines if line and not line.startswith("-")]
    while waiting:
        requirement = waiting.pop()
        for extra in {"", *requirement.extras} - {extra for name, extra in distributions if name == requirement.name}:
            try:
                package = distributions[requirement.name, extra] = metadata.distribution(requirement.name)
            except metadata.PackageNotFoundError:
                continue  # pip will say so, or install it
            requirements_of_package = map(Requirement, package.requires or ())
            waiting += [r for r in requirements_of_package if not r.marker or r.marker.evaluate({"extra": extra})]
    return list({package.name: package for package in distributions.values()}.values())


def lay(packages: list[metadata.Distribution], folder: Path) -> None:
    """Puts their files into a folder, without another copy of them where its disk is theirs."""
    for package in packages:
        source, created = str(package.locate_file("")), set()
        for file in (str(file) for file in package.files or () if ".." not in file.parts):
            parent = os.path.dirname(file)  # noqa: PTH120 there are 60,000, and a Path takes its time
            if parent not in created:
                (folder / parent).mkdir(parents=True, exist_ok=True)
                created.add(parent)
            try:
                os.link(f"{source}/{file}", f"{folder}/{file}")
            except FileExistsError:
                pass
            except OSError:
                shutil.copy(f"{source}/{file}", f"{folder}/{file}")


class Image:
    """A file system to run a Dockerfile's steps in. Raises OSError where this machine cannot mount one."""

    def __init__(self, root: Path, target: str = "") -> None:
        self.root = root
        self.folder = Path(tempfile.mkdtemp(prefix="image-"))
        self.env = {"PATH": f"{PYTHON}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.workdir, self.user, self.steps = "/", "root", stage(parse((root / "Dockerfile").read_text()), target)
        for name in ("upper", "work", "merged", "packages", "packages-upper", "packages-work"):
            (self.folder / name).mkdir(mode=0o755)
        commands = " ".join(step.text for step in self.steps if step.keyword == "RUN")
        layers = re.findall(r"-r (requirements\S*)", commands)
        lay(needed(*(root / name for name in layers)), self.folder / "packages")
        self.namespace = self._mount()

    def build(self) -> None:
        """Every step in order, as an engine would; pip keeps this machine's configuration."""
        open_parents = [str(path) for path in [Path(sys.base_prefix), *Path(sys.base_prefix).parents]]
        self.run(["chmod", "o+x", *open_parents])  # of the layer, not of this machine
        self.run([str(Path(sys.base_prefix) / "bin/python3.11"), "-m", "venv", PYTHON])
        for step in self.steps:
            match step.keyword:
                case "RUN":
                    self.run(step.argv, env={k: v for k, v in os.environ.items() if k.startswith("PIP_")})
                case "COPY":
                    self._copy(*step.text.split())
                case "ENV":
                    self.env |= dict(pair.split("=", 1) for pair in shlex.split(step.text))
                case "WORKDIR":
                    self.workdir = step.text
                    self.run(["mkdir", "-p", step.text], workdir="/")
                case "USER":
                    self.user = step.text
                case "FROM":
                    assert step.text.partition(" ")[0] == "python:3.11-slim"
                case "VOLUME" | "EXPOSE" | "HEALTHCHECK" | "CMD":
                    pass
                case other:
                    raise AssertionError(f"the script does not know the step {other}")

    def run(self, argv: list[str], **kwargs) -> None:
        subprocess.run(self.command(argv, **kwargs), check=True, stdin=subprocess.DEVNULL)

    def command(self, argv: list[str], *, env: dict[str, str] | None = None, workdir: str = "") -> list[str]:
        """How to call argv inside the image as its user."""
        merged = str(self.folder / "merged")
        variables = [f"{name}={value}" for name, value in (self.env | (env or {})).items()]
        return [
            *("nsenter", f"--mount=/proc/{self.namespace.pid}/ns/mnt"),
            *("chroot", f"--userspec={self.user}", merged, "env", "-i", *variables),
            *("sh", "-c", 'cd "$0" && exec "$@"', workdir or self.workdir, *argv),
        ]

    def step(self, keyword: str) -> Step:
        return next(step for step in self.steps if step.keyword == keyword)

    def remove(self) -> None:
        self.namespace.kill()
        self.namespace.wait()
        shutil.rmtree(self.folder)

    def _mount(self) -> subprocess.Popen:
        """A process that holds the private namespace in which the image is mounted."""
        script = """set -e; cd "$0"
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work merged
        for folder in dev proc; do mount --rbind /$folder merged/$folder; done
        mount -t tmpfs none "merged$1"; mount -t tmpfs none merged/tmp; mkdir -p "merged$2"
        mount -t overlay packages -o lowerdir=packages,upperdir=packages-upper,workdir=packages-work "merged$2"
        echo mounted; exec sleep infinity"""
        holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, str(self.folder), str(self.root), SITE_PACKAGES],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with holder.stdout, holder.stderr:
            if holder.stdout.readline() != "mounted\n":
                shutil.rmtree(self.folder)
                raise OSError(holder.stderr.read().strip())
        return holder

    def _copy(self, *names: str) -> None:
        *sources, target = names
        files = context(self.root)
        chosen = files if sources == ["."] else sources
        assert set(chosen) <= set(files), "COPY names a file that .dockerignore holds back"
        archive = subprocess.run(["tar", "-c", *chosen], cwd=self.root, check=True, capture_output=True).stdout
        unpack = ["tar", "-x", "--no-same-owner", "-C", target]
        subprocess.run(self.command(unpack), check=True, input=archive)
