"""Serve the page that recognises hand-drawn digits: `python demo.py`."""

import argparse
import gc
import signal
import sys
import threading
import time
from collections.abc import Sequence

from serving.core import logs
from settings import Settings, SettingsError, load, warn_of_former_names

REFRESH_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C or SIGTERM. Returns the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    try:
        settings = read_settings(arguments)
        logs.configure(settings)
        warn_of_former_names()
        return serve(settings)
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
        return 0


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the settings, flags over the environment. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(
        description="Serve the page that recognises hand-drawn digits.",
        epilog="Each flag has a variable in the environment or in .env: DEMO_HOST, DEMO_PORT, DEMO_SHARE. "
        "DEMO_USERNAME and DEMO_PASSWORD ask visitors for a login.",
    )
    for flag, options in (("host", {}), ("port", {"type": int}), ("share", {"action": "store_true", "default": None})):
        field = Settings.model_fields[flag]
        parser.add_argument(f"--{flag}", help=f"{field.description} (default: {field.default})", **options)
    flags = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    try:
        return load(**flags)
    except SettingsError as error:
        parser.error(str(error))


def serve(settings: Settings) -> int:
    """Load the models, serve the page and keep the models current until interrupted. Returns the exit status."""
    gc.disable()  # saves a tenth of the imports' 3 s, which begin once the flags are checked
    import model_loader
    from serving.learning.production import refresh_models
    from serving.page.page import appearance, build_page
    from serving.server import LaunchError, PublicLink, exposure, launch
    from serving.services import open_services

    try:
        services = open_services(model_loader.load_all(settings), settings)
    except model_loader.ModelError as error:
        print(error, file=sys.stderr)
        return 1
    link = PublicLink()
    page = build_page(services, lambda: link.notice)
    try:
        url = launch(page, services, appearance())
        gc.freeze()  # all that is imported by now stays: no collection need walk through it
        gc.enable()
        print(f"Ready: {url} (Ctrl-C stops it)", flush=True)
        if exposed := exposure(settings):
            print(exposed, flush=True)
        if settings.share:
            threading.Thread(target=link.open, args=[page], daemon=True).start()
        while True:
            time.sleep(REFRESH_SECONDS)
            refresh_models(services)
    except LaunchError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C while it is closing
        page.close(verbose=False)
        services.close()


if __name__ == "__main__":
    sys.exit(main())
