"""Serve the page that recognises hand-drawn digits: `python demo.py`."""

import argparse
import contextlib
import gc
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).resolve().parent))  # which PYTHONSAFEPATH leaves out

from redaction import Redactor, print_unredacted
from serving.core import environment, logs
from serving.core.private_files import OTHERS
from serving.uploads.cache import choose_folder
from settings import Settings, SettingsError, load, warn_of_former_names

if TYPE_CHECKING:
    from serving.core.operator_key import OperatorKey
    from serving.services import Services

SWEEP_SECONDS = 5.0
STOP_SECONDS = 9.5  # after which the program ends though a thread goes on
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C, SIGTERM or SIGHUP. Returns the exit status."""
    os.umask(OTHERS)  # visitors' pictures are among what is written
    handle_stop_signals(signal.default_int_handler)
    try:
        settings, opens_browser = read_arguments(arguments)
        redactor = logs.configure(settings)
        warn_of_former_names()
        environment.drop_foreign_variables()
        choose_folder()
        status = serve(settings, redactor, opens_browser)
    except SettingsError as error:
        print(error, file=sys.stderr)
        status = 1
    except KeyboardInterrupt:  # while it starts
        status = 0
    if status == 0:
        print("Stopped.", flush=True)
    return status


def read_arguments(arguments: Sequence[str] | None = None) -> tuple[Settings, bool]:
    """Read the settings, flags over the environment, and whether a browser is to be opened. Exits with status 2 if one
    is wrong."""
    parser = argparse.ArgumentParser(
        description="Serve the page that recognises hand-drawn digits.",
        epilog="Each flag has a variable in the environment or in .env: DEMO_HOST, DEMO_PORT, DEMO_SHARE, DEMO_MCP. "
        "DEMO_USERNAME and DEMO_PASSWORD ask visitors for a login.",
    )
    switch: dict[str, Any] = {"action": "store_true", "default": None}
    for flag, options in (("host", {}), ("port", {"type": int}), ("share", switch), ("mcp", switch)):
        field = Settings.model_fields[flag]
        parser.add_argument(f"--{flag}", help=f"{field.description} (default: {field.default})", **options)
    parser.add_argument("--open", action="store_true", help="open the page in a browser, as the operator")
    flags = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    opens_browser: bool = flags.pop("open")
    try:
        return load(**flags), opens_browser
    except SettingsError as error:
        parser.error(str(error))


def handle_stop_signals(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Handle the signals that stop the program, but for those that its caller has it ignore, as nohup does."""
    for each in STOP_SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)


def serve(settings: Settings, redactor: Redactor, opens_browser: bool = False) -> int:
    """Load the models, serve the page and keep the models current until interrupted. Returns the exit status."""
    gc.disable()  # saves a tenth of the imports' 3 s, which begin once the flags are checked
    with environment.without_client_variables(), environment.without_package("mcp", hidden=not settings.mcp):
        import model_loader
        from serving.learning import production, trainer
        from serving.page.page import appearance, build_page
        from serving.server import LaunchError, PublicLink, exposure, launch, stop
        from serving.services import open_services

    try:
        services = open_services(model_loader.load_all(settings), settings)
    except model_loader.ModelError as error:
        print(error, file=sys.stderr)
        return 1
    key, link = services.access.credentials.key, PublicLink()
    redactor.hide(key.text)
    page = build_page(services, lambda: link.notice)
    try:
        stops = catch_stops()
        url = launch(page, services, appearance())
        collect_garbage()
        announce(url, key, exposure(settings), opens_browser)
        if settings.share:
            threading.Thread(target=link.open, args=[page], daemon=True).start()
        in_background(services, models=production.follow_registry, trainer=trainer.follow_requests)
        while not wait_for_stop(stops):
            services.upload_cache.sweep_now_and_then()
        end_late_threads()
    except LaunchError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        stop(page)
        services.close()
    return 0


def in_background(services: "Services", **functions: Callable[["Services"], None]) -> None:
    """Run functions in threads of these names, until the services are closed."""
    for name, function in functions.items():
        threading.Thread(target=function, args=[services], name=name, daemon=True).start()


def collect_garbage() -> None:
    """Collect from now on; all that is imported by now stays, so that no collection need walk through it."""
    gc.freeze()
    gc.enable()


def announce(url: str, key: "OperatorKey", exposed: str, opens_browser: bool) -> None:
    """Print where the page is, how its operator gets in, and who else can use it; open it in a browser, if asked to."""
    print(f"Ready: {url} (Ctrl-C stops it)", flush=True)
    if key.is_made:
        print_unredacted(f"Operator: {url}operator?key={key.text}")
    elif key.text:
        print(f"Operator: {url}operator, with DEMO_OPERATOR_KEY", flush=True)
    if exposed:
        print(exposed, flush=True)
    if opens_browser:
        open_browser(f"{url}operator?ticket={key.new_ticket()}" if key.text else url)


def open_browser(url: str) -> None:
    """Open a page in a browser, if there is one for a desktop, and go on whatever becomes of it. Others on the machine
    can read the address: it holds no key."""
    has_desktop = os.name == "nt" or sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if not has_desktop:
        return
    # A process without a terminal, so that no browser for terminals takes this one's.
    command = [sys.executable, "-m", "webbrowser", url]
    environment = {name: value for name, value in os.environ.items() if name != "TERM"}

    def run() -> None:
        with contextlib.suppress(OSError):
            subprocess.run(
                command, env=environment, start_new_session=True, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    threading.Thread(target=run, name="browser", daemon=True).start()


def end_late_threads() -> None:
    """End the program in a while, whichever of its threads go on."""
    end = threading.Timer(STOP_SECONDS, os._exit, [1])
    end.daemon = True
    end.start()


def catch_stops() -> "queue.SimpleQueue[int]":
    """Have the signals that stop the program do no more than lie in a queue."""
    stops = queue.SimpleQueue[int]()  # which a handler may put into at any time
    handle_stop_signals(lambda number, _: stops.put(number))
    return stops


def wait_for_stop(stops: "queue.SimpleQueue[int]") -> bool:
    """Return whether a signal came within the time to the next sweep."""
    with contextlib.suppress(queue.Empty):
        return bool(stops.get(timeout=SWEEP_SECONDS))
    return False


if __name__ == "__main__":
    sys.exit(main())
