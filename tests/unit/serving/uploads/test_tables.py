import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.uploads.named_files import NamedFiles
from serving.uploads.tables import LONGEST_LINE, MAX_CELLS, label_rows, read_table

DIGITS = tuple("0123456789")
NAMES = ["one.png", "two.png", "größe.png"]


def understood(text, names=NAMES, encoding="utf-8"):
    return label_rows(read_table(text.encode(encoding)), NamedFiles(names).has, DIGITS)


def labels(text, names=NAMES, encoding="utf-8"):
    found, faults = NamedFiles(names).labelled(understood(text, names, encoding).rows)
    assert faults == {}
    return [found.get(position) for position in range(len(names))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ", "])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp850"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\n\n"])
def test_delimiter_encoding_and_line_ends_are_found(delimiter, encoding, newline):
    rows = (("filename", "label"), ("one.png", "3"), ("two.png", '"7"'), ("größe.png", "4.0"))
    assert labels(newline.join(map(delimiter.join, rows)), encoding=encoding) == ["3", "7", "4.0"]


@pytest.mark.parametrize(
    "text",
    [
        "one.png,3\ntwo.png,7\n",
        "label,filename\n3,one.png\n7,two.png\n",
        ",filename,class\n0,one.png,3\n1,two.png,7\n",
        "Unnamed: 0,image,target\n0,one.png,3\n1,two.png,7\n",
        "0,one.png,3\n1,two.png,7\n",
        "id,label\none,3\ntwo,7\n",
        "writer,path,digit,width\n1,C:\\Users\\me\\one.png,3,28\n2,C:\\Users\\me\\two.png,7,28\n",
        "sep=;\none.png;3\ntwo.png;7",
        "'one.png', '3'\n'two.png', '7'",
        '"one.png","3"\n"two.png","7"',
        "one.png 3\ntwo.png 7\n",
        "ONE.PNG,3\nTwo.jpg,7\n",
        "one.png;3;a, b\ntwo.png;7;c\n",
    ],
)
def test_the_columns_are_found_by_headings_and_content(text):
    assert labels(text) == ["3", "7", None]


def test_what_was_understood_is_said():
    assert understood("Datei;x;Ziffer\none.png;1;3\n").columns == "files in column “Datei”, labels in column “Ziffer”"
    assert understood("one.png,3\n").columns == "files in column 1, labels in column 2"
    assert read_table(b"\xff\xfea\0;\0b\0").form == "UTF-16, separated by semicolons"


def test_numbers_may_have_lost_their_zeros():
    assert labels("id,label\n1,3\n2,7\n", ["00001.png", "00002.png"]) == ["3", "7"]


def test_equal_names_are_told_apart_by_their_folders():
    names = ["d/train/a.png", "d/test/a.png", "a.png"]
    assert labels("images/test/a.png,7\nimages/train/a.png,3\n/a.png,4\n", names) == ["3", "7", "4"]


def test_a_name_that_two_pictures_have_is_a_fault_and_no_label():
    found, faults = NamedFiles(["x/a.png", "y/a.png"]).labelled([("a.png", "3")])
    assert (found, list(faults)) == ({}, ["a.png"])
    assert "2 pictures are called so" in faults["a.png"]


def test_two_labels_for_one_picture_are_a_fault_and_a_better_match_is_not():
    found, faults = NamedFiles(["a.png"]).labelled([("x/a.png", "3"), ("y/a.png", "7")])
    assert (found, list(faults)) == ({}, ["a.png"])
    found, faults = NamedFiles(["x/a.png"]).labelled([("x/a.png", "3"), ("y/a.png", "7"), ("z.png", "1")])
    assert (found, set(faults)) == ({0: "3"}, {"y/a.png", "z.png"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "one column"),
        (b"one.png\ntwo.png", "one column"),
        (b"x.png,3\ny.png,7", "names none of the files"),
        (b'one.png,"3', "can't be read"),
        (b"," * (LONGEST_LINE + 1), "characters"),
        (b"one.png,7\n" * (MAX_CELLS // 2 + 2), "cells"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(content, reason):
    with pytest.raises(Refused, match=reason):
        label_rows(read_table(content), NamedFiles(NAMES).has, DIGITS)


@given(
    st.one_of(
        st.binary(max_size=80), st.text(st.sampled_from("one.png37,;\t|\"'\r\n\0 "), max_size=80).map(str.encode)
    ),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\0\0", b"sep="]),
)
def test_any_bytes_are_rows_or_are_refused_in_words(content, mark):
    try:
        rows = label_rows(read_table(mark + content), NamedFiles(NAMES).has, DIGITS).rows
    except Refused:
        return
    found, faults = NamedFiles(NAMES).labelled(rows)
    assert set(found) <= {0, 1, 2}
    assert all(faults.values())


@pytest.mark.parametrize(
    "text",
    [
        "one.png,42\ntwo.png,7\n",
        "file,label\none.png,42\ntwo.png,7\n",
        "0,one.png,42\n1,two.png,7\n",
        "number,path,index\n42,one.png,0\n7,two.png,1\n",
        "one.png,0,42\ntwo.png,1,17\n",
    ],
)
def test_labels_may_be_numbers_where_they_are_asked_for(text):
    rows = label_rows(read_table(text.encode()), NamedFiles(NAMES).has, DIGITS, numbers=True).rows
    assert [label for _, label in rows] == ["42", text[-3:].strip(",\n") if "17" in text else "7"]


def test_a_column_of_classes_is_the_label_before_one_of_numbers():
    text = "one.png,7,28\ntwo.png,3,28\n"
    rows = label_rows(read_table(text.encode()), NamedFiles(NAMES).has, DIGITS, numbers=True).rows
    assert rows == [("one.png", "7"), ("two.png", "3")]
