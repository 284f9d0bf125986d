"""A page that nobody has asked yet makes its history and MLflow's store at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import sqlalchemy as sa

from experiments.registry.store import TrackingStore
from serving.storage.database import Database


def test_histories_are_made_while_mlflow_makes_its_store(tmp_path):
    with ThreadPoolExecutor(1) as beside:
        making = beside.submit(TrackingStore, f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
        for number in count():
            database = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
            assert "corrections" in sa.inspect(database.engine).get_table_names()
            database.close()
            if making.done():
                break
    assert making.result().runs("dots") == []
