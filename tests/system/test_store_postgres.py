"""The history and the corrections in a real PostgreSQL."""

import getpass
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.processes import free_ports
from serving.storage.corrections import Corrections
from serving.storage.database import Database, migrate
from serving.storage.digits import label_counts
from serving.storage.history import History
from serving.storage.records import LABEL_LENGTH, AnswerFilter, CorrectionFilter
from tests.helpers.corrections import check_corrections_without_a_network, correction, older_database
from tests.helpers.entries import entry
from tests.helpers.former_verdict import check_both_names_of_a_verdict

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(not BINARIES, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on a free port of this machine; gives its address without a database name."""
    folder = Path("/tmp") / f"pg-{os.getpid()}" if getpass.getuser() == "root" else tmp_path_factory.mktemp("pg")  # noqa: S108
    folder.mkdir(exist_ok=True)
    as_user = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    if as_user:
        shutil.chown(folder, "postgres")
    (port,) = free_ports(1)

    def run(program, *arguments):
        command = [*as_user, str(BINARIES[-1] / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "--auth=trust", "--username=ann", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql+psycopg://ann@127.0.0.1:{port}"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def url(server, request):
    """A database of its own."""
    admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    name = f"t{abs(hash(request.node.name))}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return f"{server}/{name}"


def test_answers_are_kept_once_found_tallied_and_purged(url):
    database = Database(url)
    history = History(database)
    history.add([entry(1), entry(2, corrected="3", answered_at=0.0), entry(3, image=None)])
    history.add([entry(1)])
    assert [row.request_id for row in history.search(AnswerFilter(), 10)] == ["request-3", "request-2", "request-1"]
    assert history.search(AnswerFilter(label="1"), 10)[0].image == bytes(784)
    assert history.tally(AnswerFilter(), "label") == {"1": 1, "2": 1, "3": 1}
    assert history.purge(days=1, rows=100) == 2
    assert history.count(AnswerFilter()) == 1
    database.close()


def test_replicas_that_start_together_share_one_history(url):
    started = []

    def replica(number):
        database = Database(url)
        history = History(database)
        history.add([entry(number)])
        started.append((database, history))

    threads = [threading.Thread(target=replica, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [history.count(AnswerFilter()) for _, history in started] == [3, 3, 3]
    for database, _ in started:
        database.close()


def test_an_older_database_keeps_its_answers_through_the_migrations(url):
    engine = sa.create_engine(url)
    migrate(engine, "0001")
    with engine.begin() as connection:
        for request, label in (("one", "7"), ("one", "8"), ("two", "9")):
            connection.exec_driver_sql(
                "INSERT INTO predictions (request_id, answered_at, source, verdict, label, confidence, milliseconds, "
                "model_version, model_sha256, client) VALUES (%s, 1, 'api', 'sure', %s, 0.9, 2, '3', 'abc', 'c')",
                (request, label),
            )
    engine.dispose()
    database = Database(url)
    history = History(database)
    assert [(row.request_id, row.label) for row in history.search(AnswerFilter(), 10)] == [
        ("two", "9"),
        ("one", "7"),
    ]
    database.close()


def test_corrections_are_kept_replaced_reviewed_and_never_purged(url):
    database = Database(url)
    corrections, history, everything = Corrections(database), History(database), CorrectionFilter("mnist")
    history.add([entry(1, label="7"), entry(2, label="7")])
    assert corrections.add([correction(1), correction(2), correction(3, drawing=b"png", source="upload")]) == 3
    assert corrections.add([correction(1, proposed="4")]) == 1
    assert history.purge(days=0, rows=0) == 0
    assert corrections.review(CorrectionFilter("mnist", given="7", label="1"), "accepted") == 2
    assert corrections.add([correction(2, proposed="9")]) == 0
    assert corrections.accepted("mnist")[0].labels.tolist() == [1, 1]
    assert corrections.tally(everything, "state", "label") == {("accepted", "1"): 2, ("pending", "4"): 1}
    with pytest.raises(sa.exc.IntegrityError):
        corrections.add([correction(8), correction(9, model_version=None)])
    assert corrections.count(everything) == 3
    database.close()


def test_a_database_without_corrections_gets_their_table_and_keeps_its_answers(url):
    older_database(sa.create_engine(url))
    database = Database(url)
    Corrections(database).add([correction(1)])
    assert [row.corrected for row in History(database).search(AnswerFilter(), 9)] == ["1"]
    database.close()


def test_a_rejected_answer_is_found_under_the_former_name_of_its_verdict_too(url):
    check_both_names_of_a_verdict(url)


def test_corrections_of_an_earlier_version_count_against_no_network(url):
    check_corrections_without_a_network(url)


def test_numbers_are_kept_in_an_older_database_and_counted_by_their_digits(url):
    engine = sa.create_engine(url)
    migrate(engine, "0006")
    engine.dispose()
    database = Database(url)
    history, digits = History(database), bytes(number for number in range(200) for _ in range(784))
    text = "\n".join(["42"] * 100)
    assert len(text) == LABEL_LENGTH - 1
    history.add([entry(1, label=text, image=digits), entry(2, label="4")])
    Corrections(database).add([correction(1), correction(1, image=bytes(784), proposed="7", given="7")], text)
    one, number = history.search(AnswerFilter(), 9)
    assert (one.image, number.image, number.label, number.corrected) == (bytes(784), digits, text, text)
    assert [row.request_id for row in history.search(AnswerFilter(label=text.replace("\n", " ")), 9)] == ["request-1"]
    assert label_counts(history.tally(AnswerFilter(), "label"), tuple("0123456789")) == {"4": 101, "2": 100}
    database.close()
