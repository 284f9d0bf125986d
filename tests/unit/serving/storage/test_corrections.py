import dataclasses

import numpy as np
import pytest
import sqlalchemy as sa

from serving.storage.corrections import Corrections
from serving.storage.database import Database, create_engine
from serving.storage.history import History
from serving.storage.records import AnswerFilter, CorrectionFilter
from tests.helpers.corrections import check_corrections_without_a_network, correction, older_database
from tests.helpers.entries import entry

ALL = CorrectionFilter("mnist")


@pytest.fixture
def corrections(database):
    return Corrections(database)


def numbers(rows):
    return [int(row.request_id.rpartition("-")[2]) for row in rows]


def test_none_are_added_where_all_are_left_out(corrections):
    assert corrections.add([]) == corrections.count(ALL) == 0


def test_corrections_are_pending_until_they_are_accepted(corrections):
    assert corrections.add([correction(number) for number in range(4)]) == 4
    first, second, *_ = reversed(corrections.search(ALL, 9))
    assert dataclasses.replace(first, id=None) == correction(0, label="1")
    assert len(corrections.accepted("mnist")[0].labels) == 0
    assert corrections.review(CorrectionFilter("mnist", ids=[first.id]), "accepted") == 1
    assert corrections.review(CorrectionFilter("mnist", ids=[second.id]), "accepted", label="4") == 1
    corrections.review(CorrectionFilter("mnist", state="pending"), "dropped")
    data, _ = corrections.accepted("mnist")
    assert data.labels.tolist() == [1, 4]
    assert data.images.shape == (2, 28, 28, 1)
    assert data.images[1].tobytes() == correction(1).image
    assert corrections.search(CorrectionFilter("mnist", label="4"), 9)[0].proposed == "1"
    assert corrections.tally(ALL, "state") == {("accepted",): 2, ("dropped",): 2}


def test_the_digest_names_images_and_labels(corrections):
    nothing = corrections.accepted("mnist")[1]
    corrections.add([correction(1, state="accepted")])
    one = corrections.accepted("mnist")[1]
    corrections.review(ALL, "accepted", label="2")
    assert len({nothing, one, corrections.accepted("mnist")[1]}) == 3


def test_a_later_correction_of_the_same_image_replaces_the_earlier_one_until_it_is_reviewed(corrections):
    corrections.add([correction(1)])
    assert corrections.add([correction(1, proposed="4")]) == 1
    assert corrections.add([correction(1, client="other", proposed=label) for label in "291"]) == 1
    assert [row.label for row in corrections.search(ALL, 9)] == ["1", "4"]
    corrections.review(ALL, "accepted")
    assert corrections.add([correction(1, proposed="9")]) == 0
    assert sorted(corrections.accepted("mnist")[0].labels) == [1, 4]


def test_all_are_kept_or_none(corrections):
    with pytest.raises(sa.exc.IntegrityError):
        corrections.add([correction(1), correction(2, model_version=None), correction(3)])
    assert corrections.count(ALL) == 0


def test_an_answer_that_was_corrected_is_never_purged(database, corrections):
    history = History(database)
    history.add([entry(1, label="7"), entry(2, label="7"), entry(3, label="7"), entry(1, position=1)])
    corrections.add([correction(1), correction(2, proposed="7"), correction(9)])
    history.purge(days=0, rows=0)
    assert [(answer.request_id, answer.corrected) for answer in history.search(AnswerFilter(), 9)] == [
        ("request-1", "1")
    ]
    assert corrections.count(ALL) == 3


def test_corrections_are_found_and_counted(corrections):
    corrections.add(
        [correction(1), correction(2, client="other"), correction(3, given="4"), correction(4, dataset="cifar10")]
    )
    assert numbers(corrections.search(CorrectionFilter("mnist", client="abc"), 9)) == [3, 1]
    assert numbers(corrections.search(CorrectionFilter("mnist", given="4"), 9)) == [3]
    newest = corrections.search(ALL, 1)[0]
    assert numbers(corrections.search(CorrectionFilter("mnist", before=newest.id), 9)) == [2, 1]
    assert corrections.tally(ALL, "client", "given", "proposed") == {
        ("abc", "4", "1"): 1, ("abc", "7", "1"): 1, ("other", "7", "1"): 1
    }  # fmt: skip
    assert len(corrections.known_digests("mnist")) == 3
    corrections.review(CorrectionFilter("mnist", client="other"), "dropped")
    assert len(corrections.known_digests("mnist")) == 2


def test_an_older_database_takes_corrections_of_the_answers_in_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'history.db'}"
    older_database(create_engine(url))
    database = Database(url)
    Corrections(database).add([correction(1)])
    (answer,) = History(database).search(AnswerFilter(), 9)
    database.close()
    assert (answer.label, answer.corrected) == ("7", "1")


def test_corrections_of_an_earlier_version_count_against_no_network(tmp_path):
    check_corrections_without_a_network(f"sqlite:///{tmp_path / 'history.db'}")


def test_a_second_process_reads_what_the_first_has_kept(database, corrections, tmp_path):
    corrections.add([correction(number, state="accepted") for number in range(3)])
    other = Database(f"sqlite:///{tmp_path / 'history.db'}")
    assert np.array_equal(Corrections(other).accepted("mnist")[0].images, corrections.accepted("mnist")[0].images)
    other.close()
