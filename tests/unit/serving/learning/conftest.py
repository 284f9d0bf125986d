"""A database of its own, with corrections to learn."""

import pytest

from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.helpers.corrections import correction


@pytest.fixture
def fresh_settings(settings, tmp_path):
    return settings.model_copy(update={"artifact_dir": tmp_path})


@pytest.fixture
def database(fresh_settings):
    database = Database.of(fresh_settings)
    yield database
    database.close()


@pytest.fixture
def accepted(database):
    corrections = Corrections(database)
    corrections.add([correction(number) for number in range(12)])
    corrections.review(CorrectionFilter("mnist"), "accepted")
