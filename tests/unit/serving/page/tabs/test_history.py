import csv
import time
import urllib.parse
import urllib.request

import pytest
from pydantic import SecretStr

from serving.page.tabs.history import cells, entries_table, write_csv
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter
from tests.helpers.entries import entry
from tests.helpers.tab_events import component_id, trigger

KEY = "right"
ANY = ["any", "any", "any", "any", "", "", None, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    database = Database(f"sqlite:///{folder / 'history.db'}")
    history = History(database)
    history.add([entry(number, answered_at=time.time(), client="<b>") for number in range(60)])
    history.add(
        [entry(98, answered_at=time.time(), dataset="mnist", label="42\n17", image=bytes(4 * 784), source="page")]
    )
    history.add([entry(99, answered_at=time.time(), verdict="unsure", image=None)])
    database.close()
    return folder


@pytest.fixture(scope="module")
def url(served, classifier, settings, folder):
    changes = {"artifact_dir": folder, "operator_key": SecretStr(KEY)}
    url = served(classifier, settings.model_copy(update=changes))
    time.sleep(1)  # until the history is open
    return url


def click(url, button, data, key=KEY):
    return trigger(url, component_id(url, "button", value=button), "click", data, key=key)


def test_the_newest_come_first_with_their_images_and_the_older_follow(url):
    count, rows, before = click(url, "Show newest", [*ANY])
    assert "62 answers" in count
    assert rows.index("request-99") < rows.index("request-59") < rows.index("request-58")
    assert rows.count("data:image/png") == 48 + 4
    assert "request-5<" not in rows
    assert "<b>" not in rows
    assert before is None or isinstance(before, int)


def test_opening_the_tab_shows_the_newest_and_shows_others_why_not(url):
    rows, tab = component_id(url, "html", elem_id="history-rows"), component_id(url, "tabitem", label="History")
    count, shown, _ = trigger(url, tab, "select", ANY, rows, key=KEY)
    assert "62 answers" in count
    assert "request-99" in shown
    count, *others = trigger(url, tab, "select", ANY, rows)
    assert "operator" in count
    assert "request-99" not in str(others)


def test_filters_choose(url):
    count, rows, _ = click(url, "Show newest", ["any", "unsure", *ANY[2:]])
    assert "1 answer matches" in count
    assert "request-99" in rows
    assert "request-59" not in rows
    assert "0 answers" in click(url, "Show newest", ["cifar10", *ANY[1:]])[0]
    count, rows, _ = click(url, "Show newest", ["any", "any", "42 17", *ANY[3:]])
    assert "1 answer matches" in count
    assert "request-98" in rows
    count, rows, _ = click(url, "Show newest", [*ANY[:6], "2999-01-01 00:00:00", None])
    assert "0 answers" in count
    assert "No answers to show" in rows


def test_the_export_holds_everything_that_matches(url):
    file = click(url, "Export as CSV", [*ANY])[0]["value"]
    with urllib.request.urlopen(f"{url}gradio_api/file={urllib.parse.quote(file['path'])}") as reply:
        rows = list(csv.DictReader(reply.read().decode().splitlines()))
    assert len(rows) == 62
    assert (rows[0]["request"], rows[0]["verdict"]) == ("request-99", "unsure")
    assert (rows[1]["request"], rows[1]["label"]) == ("request-98", "42 17")


@pytest.mark.parametrize("button", ["Show newest", "Show older", "Export as CSV"])
def test_only_the_operator_gets_it_by_posting_to_the_queue(url, button):
    state = [None] if button == "Show older" else []
    for key in ("", "wrong"):
        with pytest.raises(PermissionError, match="operator"):
            click(url, button, [*state, *ANY], key)
    assert click(url, button, [*state, *ANY])


def test_an_entry_is_shown_as_text_whatever_it_holds():
    assert "<script>" not in entries_table([entry(1, label="<script>", client='"><img>')])
    assert cells(entry(7, answered_at=0.0))[:5] == ("1970-01-01 00:00:00", "api", "mnist", "sure", "7")


def test_a_number_is_shown_digit_by_digit():
    shown = entries_table(
        [entry(1, label="42\n17", image=bytes(4 * 784)), entry(2, label="4" * 60, image=bytes(60 * 784))]
    )
    assert shown.count("data:image/png") == 4 + 25
    assert "and 35 more" in shown
    assert 'title="42\n17"' in shown


def test_a_long_history_is_exported_whole(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    history = History(database)
    history.add([entry(number) for number in range(2500)])
    path = tmp_path / "history.csv"
    write_csv(history, AnswerFilter(label="7"), path)
    database.close()
    assert len(path.read_text().splitlines()) == 251
