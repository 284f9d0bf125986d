import importlib
from contextlib import nullcontext

import pytest

from serving.core.environment import drop_foreign_variables, root_path, without_client_variables, without_package


def test_what_sets_up_other_programs_is_dropped():
    ours = {"GRADIO_TEMP_DIR": "/own", "GRADIO_ROOT_PATH": "/digits", "DEMO_PORT": "8000", "HTTP_PROXY": "http://proxy"}
    environment = ours | {
        "GRADIO_SERVER_PORT": "abc",
        "GRADIO_NUM_PORTS": "x",
        "PYTHONSAFEPATH": "1",
        "MPLBACKEND": "odd",
    }
    drop_foreign_variables(environment)
    assert environment == ours


def test_proxies_are_hidden_for_a_while():
    environment = {
        "ALL_PROXY": "socks5://proxy",
        "http_proxy": "://",
        "No_Proxy": "[::1]",
        "SSL_CERT_FILE": "/none",
        "PATH": "/bin",
    }
    before = dict(environment)
    with without_client_variables(environment):
        assert environment == {"PATH": "/bin"}
    assert environment == before


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/digits", "/digits"),
        ("digits/", "/digits"),
        (" /a/b ", "/a/b"),
        ("https://example.com/digits/", "/digits"),
        ("https://example.com", ""),
        ("/", ""),
        ("", ""),
        ("http://[::1", ""),
        ("/with space", ""),
    ],
)
def test_the_path_of_a_proxy_is_read_however_it_is_written(given, path):
    assert root_path({"GRADIO_ROOT_PATH": given}) == path


def test_a_package_is_hidden_for_a_while():
    for hidden in (True, False):
        with without_package("colorsys", hidden), pytest.raises(ImportError) if hidden else nullcontext():
            importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv
