from serving.uploads.contents import Contents
from serving.uploads.zips import Limits, UploadedFile

DIGITS = tuple("0123456789")
LIMITS = Limits(files=10, file_mb=1, total_mb=1)


def test_a_table_may_label_pictures_with_numbers_for_those_who_read_them():
    contents = Contents([UploadedFile("labels.csv", b"file,label\na.png,1984\nb.png,42 17\nc.png,4x\n")], LIMITS)
    assert list(contents) == []
    names = ["a.png", "b.png", "c.png"]
    labels = contents.labels(names, DIGITS, [""] * 3, ["", "", ""])
    assert labels.labels == ["1984", "42\n17", ""]
    assert "'4x' is no label" in labels.faults["c.png"]
    labels = contents.labels(names, DIGITS, [""] * 3)
    assert labels.labels == [""] * 3
    assert "'1984' is no label" in labels.faults["a.png"]


def test_names_may_label_pictures_with_numbers_for_those_who_read_them():
    names, read = ["42_001.png", "17_002.png"], ["42", "11"]
    contents = Contents([], LIMITS)
    assert contents.labels(names, DIGITS, ["42", ""], read).labels == ["42", "17"]
    assert contents.labels(names, DIGITS, ["42", ""]).labels == ["", ""]
