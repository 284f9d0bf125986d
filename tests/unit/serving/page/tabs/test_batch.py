"""The Batch tab's one event, as the browser sends it."""

import io
import json
import zipfile

import pytest

from tests.helpers.numbers import SevensClassifier, sevens
from tests.helpers.tab_events import component_id, trigger, upload


def read_all(url, dataset, *files):
    return trigger(url, component_id(url, "button", value="Read all"), "click", [dataset, list(files)])


def test_photos_in_folders_are_named_and_judged_by_their_own_classes(url, photo_png):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("horse/1.png", "horse/2.png", "airplane/1.png"):
            archive.writestr(name, photo_png)
    sentences, _, chart, confusion, gallery, table = read_all(
        url, "cifar10", upload(url, "photos.zip", buffer.getvalue())
    )
    traces = json.loads(chart["value"]["plot"])["data"]
    assert [(trace["name"], trace["x"], trace["y"]) for trace in traces] == [("sure", ["horse"], [3])]
    assert "66.67 % of the 3" in sentences
    assert confusion["value"]["headers"][1:3] == ["airplane", "automobile"]
    assert [(row[0], row[8]) for row in confusion["value"]["data"]] == [("airplane", "1"), ("horse", "2")]
    assert gallery["value"][0]["caption"] == "horse, not airplane"
    assert [row[1] for row in table["value"]["data"]] == ["horse"] * 3


def test_digits_are_read_as_before(url, seven_png):
    sentences, _, _, confusion, _, table = read_all(url, "mnist", upload(url, "7_1.png", seven_png))
    assert "100.00 % of the 1" in sentences
    assert confusion["value"]["headers"][1:-1] == list("0123456789")
    assert [row[1] for row in table["value"]["data"]] == ["7"]


def test_where_nothing_could_be_read_neither_chart_nor_gallery_is_shown(url):
    sentences, _, chart, _, gallery, table = read_all(url, "mnist", upload(url, "broken.png", b"no picture"))
    assert "could not be used" in sentences
    assert not chart["visible"]
    assert not gallery["visible"]
    assert table["visible"]


def test_numbers_are_read_and_judged_whole_and_by_their_digits(served, classifier, settings):
    url = served(SevensClassifier(classifier.bundle), settings)
    files = [("77_001.png", sevens(2)), ("777_002.png", sevens(3)), ("71_003.png", sevens(2)), ("7_004.png", sevens(1))]
    sentences, _, chart, _, gallery, rows = read_all(url, "mnist", *(upload(url, *file) for file in files))
    assert "75.00 % of the 4 with a label are right" in sentences
    assert "66.67 % of the 3 whole numbers, and 87.50 % of all 8 digits" in sentences
    assert [row[1] for row in rows["value"]["data"]] == ["77", "777", "77", "7"]
    assert gallery["value"][0]["caption"] == "77, not 71"
    plot = json.loads(chart["value"]["plot"])
    assert [(trace["x"], trace["y"]) for trace in plot["data"]] == [(["7"], [8])]
    assert plot["layout"]["yaxis"]["title"]["text"] == "digits"
    listed = [("labels.csv", b"file,label\na.png,77 777\n"), ("a.png", sevens(2, 3))]
    sentences, *_, rows = read_all(url, "mnist", *(upload(url, *file) for file in listed))
    assert "100.00 % of the 1 with a label" in sentences
    assert rows["value"]["data"][0][1] == "77 777"


@pytest.mark.parametrize("dataset", ["letters", None, [], {}])
def test_what_the_switch_does_not_offer_is_refused_in_words(url, seven_png, dataset):
    with pytest.raises(PermissionError, match="Choose one of the data sets"):
        read_all(url, dataset, upload(url, "7.png", seven_png))
