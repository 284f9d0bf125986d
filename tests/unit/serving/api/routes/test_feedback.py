import base64
import io

import pytest
from PIL import Image
from pydantic import SecretStr

from experiments.preprocessing.drawings import prepare_drawing
from serving.api.routes.feedback import FeedbackAnswer
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter, CorrectionFilter
from tests.helpers.api import PNG, assert_refused
from tests.helpers.numbers import SevensClassifier, sevens

ALL = CorrectionFilter("mnist")


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    """Build services with a database of their own."""

    def fresh(**changes):
        return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path, **changes}))

    return fresh


def kept(services):
    return Corrections(services.database).search(ALL, 9)


def test_an_answer_is_corrected_by_its_id_at_once_and_with_its_drawing(api, fresh, seven, seven_png):
    services = fresh()
    client = api(services)
    number = client.post("/api/predict", content=seven_png, headers=PNG).json()["id"]
    reply = client.post("/api/feedback", json={"id": number, "label": "1"})  # before it can have been written down
    answer = FeedbackAnswer.model_validate_json(reply.content)
    assert (answer.given, answer.label, answer.state) == ("7", "1", "pending")
    (correction,) = kept(services)
    assert correction.image == prepare_drawing(seven).tobytes()
    assert Image.open(io.BytesIO(correction.drawing)).size == (100, 100)
    assert (correction.model_version, correction.confidence) == ("3", 0.9)
    assert (correction.source, correction.request_id) == ("api", number)
    assert correction.client not in ("", "testclient")
    (entry,) = services.recorder.history.search(AnswerFilter(), 9)
    assert entry.corrected == "1"


def test_an_answer_of_a_batch_is_named_by_its_position(api, fresh, seven_png, sheet_png):
    services = fresh()
    client = api(services)
    files = [("images", ("a.png", content, "image/png")) for content in (sheet_png, seven_png)]
    number = client.post("/api/predict/batch", files=files).json()["id"]
    assert client.post("/api/feedback", json={"id": number, "label": "2", "position": 1}).status_code == 200
    assert_refused(client.post("/api/feedback", json={"id": number, "label": "2"}), 422, "blank")
    assert [correction.proposed for correction in kept(services)] == ["2"]


def test_what_another_replica_is_writing_down_is_waited_for(api, fresh, seven_png, classifier, opened, tmp_path):
    first, second = fresh(), fresh()
    number = api(first).post("/api/predict", content=seven_png, headers=PNG).json()["id"]
    assert api(second).post("/api/feedback", json={"id": number, "label": "1"}).status_code == 200


@pytest.mark.parametrize("history", [True, False])
def test_an_image_is_corrected_without_an_answer(api, fresh, seven_png, history):
    services = fresh(history=history)
    image = base64.b64encode(seven_png).decode()
    for label in ("1", "4"):
        assert api(services).post("/api/feedback", json={"image": image, "label": label}).json()["given"] == "7"
    (correction,) = kept(services)
    assert (correction.proposed, correction.given, correction.model_version) == ("4", "7", "3")
    assert correction.drawing.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": "nobody", "label": "1"}, 404, "unknown_answer"),
        ({"label": "1"}, 404, "unknown_answer"),
        ({"id": "nobody", "label": "eleven"}, 422, "wrong_label"),
        ({"id": "nobody", "label": "1", "dataset": "letters"}, 422, "wrong_shape"),
        ({"image": "***", "label": "1"}, 400, "bad_base64"),
        ({"image": "AAAA", "label": "1"}, 400, "bad_image"),
        ({"id": "a\x00b", "label": "1"}, 422, "wrong_shape"),
        ({"id": "nobody"}, 422, "wrong_shape"),
        ({"id": "nobody", "label": "1", "position": -1}, 422, "wrong_shape"),
    ],
)
def test_what_makes_no_sense_is_refused(api, body, status, code):
    assert_refused(api().post("/api/feedback", json=body), status, code)


def test_a_blank_sheet_teaches_nothing(api, sheet_png):
    image = base64.b64encode(sheet_png).decode()
    assert_refused(api().post("/api/feedback", json={"image": image, "label": "1"}), 422, "blank")


def test_a_client_has_its_rate_and_its_share_of_the_quarantine(api, fresh, seven_png, tmp_path):
    image = {"image": base64.b64encode(seven_png).decode(), "label": "1"}
    client = api(fresh(rate_limit_feedback="2/hour"))
    for _ in range(2):
        assert client.post("/api/feedback", json=image).status_code == 200
    assert_refused(client.post("/api/feedback", json=image), 429, "too_many")
    assert_refused(api(fresh(max_pending_corrections=1)).post("/api/feedback", json=image), 503, "quarantine_full")


def test_what_was_reviewed_stays_so(api, fresh, seven_png):
    services, image = fresh(), {"image": base64.b64encode(seven_png).decode(), "label": "1"}
    api(services).post("/api/feedback", json=image)
    Corrections(services.database).review(ALL, "accepted")
    assert_refused(api(services).post("/api/feedback", json=image | {"label": "4"}), 409, "reviewed")
    assert Corrections(services.database).accepted("mnist")[0].labels.tolist() == [1]


def test_behind_a_login_only_those_who_have_one_correct(api, fresh):
    services = fresh(username="ann", password=SecretStr("secret"))
    assert_refused(api(services).post("/api/feedback", json={"id": "x", "label": "1"}), 401, "login_needed")


def test_a_correction_outlives_the_history(api, fresh, seven_png, tmp_path):
    services = fresh()
    number = api(services).post("/api/predict", content=seven_png, headers=PNG).json()["id"]
    api(services).post("/api/feedback", json={"id": number, "label": "1"})
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")  # as another process sees it
    assert History(database).purge(days=0, rows=0) == 0
    assert Corrections(database).count(ALL) == 1
    database.close()


@pytest.mark.parametrize("label", ["17", "1 7", " 1\n7 "])
def test_of_a_number_the_digits_that_were_read_wrong_are_corrected(api, opened, classifier, settings, tmp_path, label):
    services = opened(SevensClassifier(classifier.bundle), settings.model_copy(update={"artifact_dir": tmp_path}))
    client = api(services)
    number = client.post("/api/predict", content=sevens(2), headers=PNG).json()["id"]
    answer = client.post("/api/feedback", json={"id": number, "label": label}).json()
    assert (answer["given"], answer["label"].split(), answer["state"]) == ("77", label.split(), "pending")
    (correction,) = kept(services)
    assert (correction.given, correction.proposed, len(correction.image)) == ("7", "1", 784)
    (entry,) = services.recorder.history.search(AnswerFilter(), 9)
    assert entry.corrected == answer["label"]
    error = assert_refused(client.post("/api/feedback", json={"id": number, "label": "177"}), 422, "wrong_split")
    assert "2 digits" in error.message
    assert_refused(client.post("/api/feedback", json={"id": number, "label": "7"}), 422, "wrong_split")
    assert_refused(client.post("/api/feedback", json={"id": number, "label": "1x"}), 422, "wrong_label")
    assert_refused(client.post("/api/feedback", json={"id": number, "label": "1" * 301}), 422, "wrong_shape")
    assert len(kept(services)) == 1
