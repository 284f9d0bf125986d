"""Arrays and tables that cost far more than they weigh, in the Batch tab: read or refused in words."""

import gzip
import json
import secrets

import pytest

NPY = b"\x93NUMPY\x01\0v\0{'descr': '%b', 'fortran_order': False, 'shape': (%b), }"
IDX = b"\0\0\x08\x03" + b"\xff" * 12
TEN_MB = 10_000_000
FILES = {
    "200 MB of zeros, packed": ("a.csv.gz", lambda: gzip.compress(bytes(200_000_000), 1)),
    "an array of a terabyte": ("a.npy", lambda: NPY % (b"|u1", b"1000000000, 32, 32") + bytes(1000)),
    "an array of wide texts": ("y.npy", lambda: NPY % (b"<U2000000", b"1,") + bytes(1000)),
    "a header of brackets": ("a.npy", lambda: b"\x93NUMPY\x01\0\xff\xff" + b"(" * 65_535),
    "an idx file of 2**96 bytes": ("train-images-idx3-ubyte", lambda: IDX + bytes(1000)),
    "ten million labels": ("train-labels-idx1-ubyte", lambda: b"\0\0\x08\x01" + TEN_MB.to_bytes(4) + bytes(TEN_MB)),
    "pictures of one pixel": ("a.npy", lambda: (NPY % (b"|u1", b"10000000, 1, 1")).ljust(128) + bytes(TEN_MB)),
    "a line of 10 MB": ("a.csv", lambda: b"7," * (TEN_MB // 2)),
    "five million rows": ("a.csv", lambda: b"\n".join([b","] * (TEN_MB // 2))),
    "quotes without end": ("a.csv", lambda: b'"\n",' * (TEN_MB // 4)),
    "rows of 50,000 cells": ("a.csv", lambda: b"\n".join([b"0," * 49_000] * 100)),
    "a table of pictures without pixels": ("a.csv", lambda: b"\n".join([b"0," * 783 + b"0"] * 6000)),
}


@pytest.fixture(scope="module")
def files():
    return {what: (name, make()) for what, (name, make) in FILES.items()}


def test_arrays_and_tables_that_unpack_to_far_more(files, attack):
    """Packed zeros, untrue shapes, endless lines and millions of cells are read within bounds or refused in words."""
    with attack.client() as http:
        components = http.get("/config").json()
        (button,) = [part["id"] for part in components["components"] if part["props"].get("value") == "Read all"]
        (event,) = [event["id"] for event in components["dependencies"] if event["targets"] == [[button, "click"]]]
        for what, (name, content) in files.items():
            path = http.post("/gradio_api/upload", files={"files": (name, content)}).json()[0]
            file = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
            session = secrets.token_hex(8)
            body = {"data": ["mnist", [file]], "fn_index": event, "session_hash": session}
            assert http.post("/gradio_api/queue/join", json=body).status_code == 200
            stream = http.get("/gradio_api/queue/data", params={"session_hash": session}).text
            messages = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
            (ended,) = [message for message in messages if message["msg"] == "process_completed"]
            assert ended["success"] or "could not be answered" not in ended["output"]["error"], (what, ended)
