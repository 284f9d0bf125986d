import pytest

from serving.__main__ import main
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter
from tests.helpers.entries import entry


@pytest.fixture
def history(tmp_path, monkeypatch):
    monkeypatch.setenv("DEMO_ARTIFACT_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    yield History(database)
    database.close()


def test_purge_forgets_what_is_old_or_too_much(history, capsys, monkeypatch):
    monkeypatch.setenv("DEMO_HISTORY_DAYS", "100000")
    history.add([entry(number) for number in range(5)])
    assert main(["purge", "--rows", "2"]) == 0
    assert "3 answers deleted" in capsys.readouterr().out
    assert main(["purge", "--days", "1"]) == 0
    assert history.count(AnswerFilter()) == 0


def test_a_wrong_setting_is_named(history, capsys, monkeypatch):
    monkeypatch.setenv("DEMO_HISTORY_DAYS", "-1")
    with pytest.raises(SystemExit):
        main(["purge"])
    assert "DEMO_HISTORY_DAYS" in capsys.readouterr().err


def test_a_store_that_is_away_is_told_in_a_line(history, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:secret@127.0.0.1:1/digits")
    assert main(["purge"]) == 1
    assert "DATABASE_URL" in capsys.readouterr().err
