import pytest
from pydantic import SecretStr

from serving.api.routes.training_data import TrainingData, UploadAnswer
from serving.storage.corrections import Corrections
from serving.storage.records import CorrectionFilter
from tests.helpers.api import assert_refused
from tests.helpers.corrections import correction
from tests.helpers.pictures import png, zipped

ZIP = {"Content-Type": "application/zip"}
PATH = "/api/upload/training-data"


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path, "data_dir": tmp_path}))


def test_a_zip_with_a_folder_a_class_becomes_training_data(operator, fresh):
    client = operator(fresh)
    body = zipped({"7/a.png": png(1), "7/again.png": png(1), "1/b.png": png(2)})
    answer = UploadAnswer.model_validate_json(client.post(PATH, content=body, headers=ZIP).content)
    assert (answer.accepted, answer.pending, answer.contradicted) == (1, 1, ["1/b.png"])
    assert answer.duplicates == {"this upload": 1}
    assert not answer.compared
    kept = TrainingData.model_validate_json(client.get("/api/training-data").content)
    assert (kept.accepted, kept.pending, kept.dropped) == ({"7": 1}, {"1": 1}, {})
    assert kept.digest == Corrections(fresh.database).accepted("mnist")[1]
    again = client.post(PATH, content=body, headers=ZIP).json()
    assert (again["accepted"], again["pending"]) == (0, 0)
    assert again["duplicates"] == {"this upload": 1, "what is kept": 2}


def test_images_and_a_csv_become_training_data(operator, fresh):
    files = [("images", ("a.png", png(1))), ("images", ("b.png", png(2))), ("images", ("l.csv", b"a.png,7\nb.png,7"))]
    assert operator(fresh).post(PATH, files=files).json()["accepted"] == 2
    labelled = [("images", (f"{n}.png", png(n))) for n in range(3, 6)]
    assert operator(fresh).post(f"{PATH}?label=7&contradicted=dropped", files=labelled).json()["accepted"] == 3
    assert Corrections(fresh.database).accepted("mnist")[0].labels.tolist() == [7] * 5


def test_all_is_kept_or_nothing(operator, fresh):
    client, body = operator(fresh), zipped({"7/a.png": png(1), "7/b.png": b"no picture", "eleven/c.png": png(2)})
    assert_refused(client.post(PATH, content=body, headers=ZIP), 422, "bad_files")
    assert Corrections(fresh.database).count(CorrectionFilter("mnist")) == 0
    answer = client.post(f"{PATH}?leave_out=true", content=body, headers=ZIP).json()
    assert (answer["accepted"], set(answer["faults"])) == (1, {"7/b.png", "eleven/c.png"})


def test_what_makes_no_sense_is_refused(operator, fresh):
    client = operator(fresh)
    assert_refused(client.post(PATH, content=zipped({"l.csv": b"a,7"}), headers=ZIP), 422, "bad_upload")
    assert_refused(
        client.post(f"{PATH}?label=eleven", content=zipped({"a.png": png(1)}), headers=ZIP), 422, "wrong_label"
    )
    assert_refused(client.post(PATH, content=b"PK\x03\x04", headers=ZIP), 400, "bad_zip")
    links = zipped({"7/../../a.png": png(1)})
    assert_refused(client.post(PATH, content=links, headers=ZIP), 422, "bad_files")
    assert Corrections(fresh.database).count(CorrectionFilter("mnist")) == 0


def test_both_routes_are_the_operators(api, opened, classifier, settings, tmp_path):
    changes = {"artifact_dir": tmp_path, "operator_key": SecretStr("right")}
    client = api(opened(classifier, settings.model_copy(update=changes)))
    assert_refused(client.post(PATH, content=zipped({"7/a.png": png(1)}), headers=ZIP), 401, "operator_only")
    assert_refused(client.get("/api/training-data"), 401, "operator_only")
    assert client.get("/api/training-data", headers={"X-API-Key": "right"}).status_code == 200


def test_contradictions_are_listed_and_answered(operator, fresh):
    client, corrections, path = operator(fresh), Corrections(fresh.database), "/api/training-data/questions"
    assert client.get(path).json() == {"dataset": "mnist", "questions": []}
    corrections.add([correction(n, proposed="5", client=f"c{n}", state="accepted") for n in range(12)])
    (question,) = client.get(path).json()["questions"]
    ids = question.pop("ids")
    clause = "12 corrections of 12 clients call 5 what the model is 90 % sure is 7"
    assert question == {
        "question": clause,
        "answer": "7",
        "label": "5",
        "clients": 12,
        "confidence": pytest.approx(0.9),
    }
    assert client.post(path, json={"ids": ids[:4], "right": True}).json() == {"answered": 4}
    assert client.post(path, json={"ids": [*ids[4:], 999], "right": False}).json() == {"answered": 8}
    assert corrections.tally(CorrectionFilter("mnist"), "state") == {("dropped",): 8, ("accepted",): 4}
    assert client.get(path).json()["questions"] == []
    for body in ({"ids": []}, {"ids": list(range(901)), "right": True}, {"ids": ids}):
        assert client.post(path, json=body).status_code == 422
