from dataclasses import replace

from experiments.registry.promotions import Promotion
from serving.storage.production_log import ProductionLog

EXACT = Promotion("1", "run", 1_700_000_000.1234567, "gate", "better", "ab" * 32, 20)


def test_a_promotion_is_logged_once_whether_its_time_was_rounded_or_not(database):
    log = ProductionLog(database)
    log.add_missing("mnist", [])
    log.add_missing("mnist", [EXACT])
    rounded = replace(EXACT, at=round(EXACT.at, 6))
    assert rounded.at != EXACT.at
    log.add_missing("mnist", [rounded, replace(rounded, at=EXACT.at + 1, by="rollback")])
    log.add_missing("cifar10", [rounded])
    assert [entry.by for entry in log.entries("mnist")] == ["rollback", "gate"]
    assert [entry.until for entry in log.entries("mnist")] == [None, EXACT.at + 1]
    assert len(log.entries("cifar10")) == 1
