"""Pictures and zips that cost far more than they weigh: each is read or refused in words, and costs nobody else."""

import json
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.helpers import bombs
from tests.helpers.api import PNG
from tests.helpers.bystander import SEVEN
from tests.helpers.pictures import zipped

ZIP = {"Content-Type": "application/zip"}
READ_OR_REFUSED = (200, 400, 413, 422, 429)
LARGE = bombs.FIFTY_MEGAPIXELS
SINGLE = {
    "50 megapixels, grey": lambda: bombs.png(LARGE, LARGE),
    "50 megapixels, RGBA": lambda: bombs.png(LARGE, LARGE, 6),
    "50 megapixels, RGB of 16 bits": lambda: bombs.png(LARGE, LARGE, 2, 16),
    "50 megapixels in one row": lambda: bombs.png(50_000_000, 1),
    "100 megapixels": lambda: bombs.png(10_000, 10_000),
    "2,147,483,647 squared, by its header": lambda: bombs.png(2**31 - 1, 2**31 - 1, rows=0),
    "300 MB after the last row": lambda: bombs.png(28, 28, rows=10_000_000),
    "zTXt of 200 MB": lambda: bombs.png_with(b"zTXt", 200_000_000),
    "iCCP of 200 MB": lambda: bombs.png_with(b"iCCP", 200_000_000),
    "cut off": lambda: bombs.png(LARGE, LARGE)[:-200],
    "WebP of 49 megapixels": lambda: bombs.webp(7000),
    "TIFF of 49 megapixels, 1 bit": lambda: bombs.tiff(7000, "1", "group4"),
    "TIFF of 49 megapixels, floats": lambda: bombs.tiff(7000, "F", "tiff_adobe_deflate"),
    "TIFF of 64 megapixels": lambda: bombs.tiff(8000, "1", "group4"),
    "TIFF of a million tags": lambda: bombs.tiff_of_tags(60_000, 2**31),
    "TIFF whose tags name the same megabytes": lambda: bombs.tiff_of_tags(60_000, 1_000_000),
    "AVIF of 49 megapixels": lambda: bombs.avif(7000),
    "JPEG 2000 of 49 megapixels": lambda: bombs.jpeg_2000(7000),
    "HEIC of 1 megapixel that says 4": lambda: bombs.lying_heic(1000, 2),
    "PGM of 2,000,000,000 squared": lambda: b"P5 2000000000 2000000000 255\n",
}
ARCHIVES = {
    "65,000 empty files": lambda: zipped([(str(number), b"") for number in range(65_000)]),
    "names of 60 kB": lambda: zipped([("a" * 60_000 + str(number), b"") for number in range(100)]),
    "a zip in a zip": lambda: zipped({"a.zip": zipped({"b.png": SEVEN})}),
    "300 MB of zeros": lambda: zipped([(f"{number}.png", bytes(10_000_000)) for number in range(30)]),
    "200 files that overlap": lambda: bombs.overlapping_zip(SEVEN, 200),
    "a file of 9 MB that says 100 bytes": lambda: bombs.lying_zip(9_000_000, 100),
}


# Made before an attack begins: making them takes the interpreter that the other visitor runs in, too.
@pytest.fixture(scope="module")
def singles():
    return {name: make() for name, make in SINGLE.items()}


@pytest.fixture(scope="module")
def archives():
    return {name: make() for name, make in ARCHIVES.items()}


@pytest.fixture(scope="module")
def large():
    """Twelve pictures of 50 megapixels, no two alike."""
    return [bombs.png(LARGE, LARGE, shade=number) for number in range(12)]


@pytest.fixture(scope="module")
def scans():
    return bombs.jpeg_of_many_scans(1500)


@pytest.mark.parametrize("dataset", ["mnist", pytest.param("cifar10", marks=pytest.mark.thorough)])
def test_pictures_that_unpack_to_far_more(singles, attack, dataset):
    """Pictures of many megapixels, of hidden megabytes and of untrue sizes are read or refused, one after another."""
    with attack.client() as http:
        for name, picture in singles.items():
            reply = http.post("/api/predict", content=picture, headers=PNG, params={"dataset": dataset})
            assert reply.status_code in READ_OR_REFUSED, (name, reply.text)


def test_zips_that_unpack_to_far_more(archives, attack):
    """Zips of untrue sizes, of files that overlap and of hundreds of megabytes are refused before they are unpacked."""
    with attack.client() as http:
        for name, archive in archives.items():
            reply = http.post("/api/predict/batch", content=archive, headers=ZIP)
            assert reply.status_code in READ_OR_REFUSED, (name, reply.text)


@pytest.mark.thorough
def test_batches_of_large_pictures(large, attack):
    """Two zips, each with 32 pictures of 50 megapixels in 2 MB, take their turn behind the other visitor."""
    archive = zipped({f"{number}.png": large[number % len(large)] for number in range(32)})
    with attack.client() as http, ThreadPoolExecutor(2) as threads:
        replies = threads.map(lambda _: http.post("/api/predict/batch", content=archive, headers=ZIP), range(2))
        assert {reply.status_code for reply in replies} <= {200, 413, 422, 429, 503}


def test_large_pictures_at_a_time(large, attack):
    """Pictures of 50 megapixels, four at a time from one address, take their turn behind the other visitor."""
    with attack.client() as http, ThreadPoolExecutor(4) as threads:
        replies = threads.map(lambda picture: http.post("/api/predict", content=picture, headers=PNG), large)
        assert {reply.status_code for reply in replies} <= {200, 422, 429, 503}


def test_a_jpeg_of_many_scans(scans, attack):
    """A JPEG of 1,500 scans is refused in words, whoever asks again, and costs one worker at most."""
    before = workers(attack)
    with attack.client() as http:
        replies = [http.post("/api/predict", content=scans, headers={"Content-Type": "image/jpeg"}) for _ in range(3)]
        answers = [ask_page(http, "predict_photo", upload(http, scans)) for _ in range(3)]
    assert {reply.status_code for reply in replies} <= {400, 422}
    assert {event for event, _ in answers} == {"error"}
    assert len(before - workers(attack)) <= 1


def test_a_drawing_of_many_layers(large, attack):
    """A drawing that names one picture of 50 megapixels twelve times as a layer is refused or read in little memory."""
    with attack.client() as http:
        layer = upload(http, large[0])
        for drawing in (
            {"background": None, "layers": [layer] * 12, "composite": None},
            {"background": layer, "layers": [layer] * 12, "composite": layer},
            {"background": None, "layers": [layer] * 10_000, "composite": None},
        ):
            event, _ = ask_page(http, "predict", drawing)
            assert event in ("complete", "error")


def workers(attack):
    """Processes that the page has started."""
    return {child.pid for child in psutil.Process(attack.page.pid).children(recursive=True)}


def upload(http, content):
    reply = http.post("/gradio_api/upload", files={"files": ("a.png", content)})
    assert reply.status_code == 200, reply.text
    return {"path": reply.json()[0], "meta": {"_type": "gradio.FileData"}}


def ask_page(http, api_name, value):
    """Return the last event of a call, and what it carries."""
    reply = http.post(f"/gradio_api/call/{api_name}", json={"data": [value]})
    if reply.status_code != 200:
        assert reply.json()["error"]["code"]
        return "error", reply.text
    stream = http.get(f"/gradio_api/call/{api_name}/{reply.json()['event_id']}").text
    event, _, data = stream.strip().rpartition("event: ")[2].partition("\n")
    return event, json.loads(data.removeprefix("data: "))
