import asyncio
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.preprocessing.drawings import prepare_drawing
from serving.core.errors import Refused
from serving.learning.upload_check import as_corrections, check_upload
from serving.storage.records import digest_prefix, image_digest
from serving.uploads.zips import Archive, Limits, UploadedFile
from tests.helpers.pictures import drawing, png, zipped

LIMITS = Limits(100, 1, 4)


@pytest.fixture(scope="module")
def check(opened, settings):
    def check(classifier, files, label=None, kept=frozenset(), known=None):
        services = opened(classifier, settings)
        return asyncio.run(check_upload(services, "mnist", "a", files, label, kept, known))

    return check


@pytest.fixture(scope="module")
def checked(check):
    def checked(classifier, files, *arguments):
        return check(classifier, [UploadedFile(name, content) for name, content in files], *arguments)

    return checked


def kept(upload):
    return [(picture.name, picture.label) for picture in upload.pictures]


def test_folders_say_what_pictures_show(checked, classifier):
    upload = checked(classifier, [("set/7/a.png", png(1)), ("set/4/b.png", png(2)), ("c.png", png(3))])
    assert kept(upload) == [("set/7/a.png", "7"), ("set/4/b.png", "4")]
    assert list(upload.faults) == ["c.png"]


def test_a_chosen_label_is_that_of_all(checked, classifier):
    assert kept(checked(classifier, [("4/a.png", png(1)), ("b.png", png(2))], "7")) == [
        ("4/a.png", "7"), ("b.png", "7")
    ]  # fmt: skip


@pytest.mark.parametrize("heading", ["", "file,label\n"])
def test_a_csv_says_what_pictures_show(checked, classifier, heading):
    table = f"{heading}one.png,7\ndeep/two.png, 4 \nthree.png,eleven\ngone.png,3\n".encode("utf-8-sig")
    files = [("labels.csv", table), ("one.png", png(1)), ("two.png", png(2)), ("three.png", png(3)), ("x.png", png(4))]
    upload = checked(classifier, files)
    assert kept(upload) == [("one.png", "7"), ("two.png", "4")]
    assert {name: fault.split(".")[0] for name, fault in upload.faults.items()} == {
        "gone.png": "The CSV names this file, but it was not sent",
        "three.png": "'eleven' is no label",
        "x.png": "It has no label",
    }


@pytest.mark.parametrize(
    "tables", [[b"nothing.png,7"], [b"\xff\xfe"], [b'"open'], [b"one.png,7", b"one.png,4"], [b""], [b"a\x00b,7"]]
)
def test_a_csv_that_makes_no_sense_refuses_the_upload(checked, classifier, tables):
    with pytest.raises(Refused, match="CSV"):
        checked(classifier, [("one.png", png(1)), *((f"{n}.csv", table) for n, table in enumerate(tables))])


def test_nothing_to_keep_is_refused(checked, classifier):
    with pytest.raises(Refused, match="no pictures"):
        checked(classifier, [("labels.csv", b"one.png,7")])


def test_what_is_there_already_is_left_out_wherever_it_is(checked, classifier):
    prepared = [prepare_drawing(drawing(seed)).tobytes() for seed in range(4)]
    known = np.sort(np.array([digest_prefix(prepared[2]), digest_prefix(b"other")], np.uint64))
    files = [(f"7/{seed}.png", png(seed)) for seed in range(4)]
    upload = checked(classifier, [*files, ("7/again.png", png(0))], None, {image_digest(prepared[1])}, known)
    assert [name for name, _ in kept(upload)] == ["7/0.png", "7/3.png"]
    assert upload.duplicates == {"this upload": 1, "what is kept": 1, "the data set itself": 1}
    assert upload.compared
    assert not checked(classifier, files).compared


def test_one_image_with_two_labels_is_a_fault(checked, classifier):
    upload = checked(classifier, [("7/a.png", png(1)), ("4/a.png", png(1))])
    assert kept(upload) == [("7/a.png", "7")]
    assert "another label (7)" in upload.faults["4/a.png"]


def test_what_can_not_be_read_is_named_and_spoils_nothing(checked, classifier, sheet_png):
    upload = checked(classifier, [("7/a.png", png(1)), ("7/b.png", b"no picture"), ("7/c.png", sheet_png)])
    assert kept(upload) == [("7/a.png", "7")]
    assert set(upload.faults) == {"7/b.png", "7/c.png"}


def test_what_the_model_is_sure_to_read_otherwise_is_contradicted(checked, classifier, unsure_classifier):
    files = [("7/a.png", png(1)), ("1/b.png", png(2))]
    upload = checked(classifier, files)
    assert [picture.name for picture in upload.contradicted] == ["1/b.png"]
    rows = as_corrections(upload, "mnist", "upload-1", "abc", "pending")
    assert [(row.proposed, row.state, row.given, row.position) for row in rows] == [
        ("7", "accepted", "7", 0), ("1", "pending", "7", 1)
    ]  # fmt: skip
    assert rows[0].image == prepare_drawing(drawing(1)).tobytes()
    unseen = as_corrections(upload, "mnist", "upload-1", "abc", "accepted")
    assert [row.confirmed_at for row in unseen] == [None, None]
    shown = as_corrections(upload, "mnist", "upload-1", "abc", "accepted", shown=True)
    assert [row.confirmed_at is not None for row in shown] == [False, True]
    left = as_corrections(upload, "mnist", "upload-1", "abc", "dropped")
    assert [row.proposed for row in left] == ["7"]


def test_a_hostile_zip_is_refused_or_its_entries_are(check, classifier):
    bomb = bytes(30 * (1 << 20))
    with pytest.raises(Refused):
        Archive(io.BytesIO(zipped([(f"7/{n}", bomb[: 1 << 20]) for n in range(30)])), LIMITS)
    link = zipfile.ZipInfo("7/link.png")
    link.external_attr = 0o120777 << 16
    archive = zipped([("../7/a.png", png(1)), (link, b"/etc/passwd"), ("7/b.png", png(2))])
    upload = check(classifier, Archive(io.BytesIO(archive), LIMITS))
    assert kept(upload) == [("7/b.png", "7")]
    assert set(upload.faults) == {"../7/a.png", "7/link.png"}


CONTENT = st.one_of(st.binary(max_size=60), st.integers(0, 9).map(png))
NAMES = st.sampled_from(["7/a.png", "7/b.png", "4/a.png", "a.png", "labels.csv", "x/labels.CSV", "../7/c.png", "é.png"])
TABLES = st.text(st.sampled_from('a.png,b7/4"\n\x00'), max_size=30).map(str.encode)


@given(st.lists(st.tuples(NAMES, st.one_of(CONTENT, TABLES)), max_size=6), st.sampled_from([None, "7", "nonsense"]))
def test_whatever_is_sent_is_kept_named_or_refused_in_words(checked, classifier, files, label):
    try:
        upload = checked(classifier, files, label)
    except Refused:
        return
    assert all(picture.label in "0123456789" and picture.image.shape == (28, 28, 1) for picture in upload.pictures)
    assert all(upload.faults.values())
    pictures = [name for name, _ in files if not name.lower().endswith(".csv")]
    assert len(upload.pictures) <= len(pictures)
    assert {picture.name for picture in upload.pictures} <= set(pictures)
    assert len({picture.image.tobytes() for picture in upload.pictures}) == len(upload.pictures)
