"""The table of `python -m experiments numbers`, and the mistakes it saves."""

from experiments.evaluation.strings.conditions import CONDITIONS
from experiments.evaluation.strings.reading import Outcome, Reading, Source, written
from experiments.insights import numbers_report
from experiments.preprocessing.decoding import decode_image

SOURCE = Source(strokes=None, writers="all", letters=None, seed=0)
ONE = Reading(CONDITIONS["1 digit"], [Outcome(0, "7", "7", "1", 0.99, "sure")])
TWO = Reading(
    CONDITIONS["2 digits, close"],
    [Outcome(0, "42", "42", "42", 0.99, "sure"), Outcome(1, "31", "37", "?1", 0.6, "unsure")],
)
POINT = Reading(CONDITIONS["decimal point between digits"], [Outcome(0, "3?14", "3?14", "314", 0.9, "unsure")])


def test_the_table_counts_numbers_of_digits_alone_and_others_apart() -> None:
    heads, _, one, two, point, numbers, others = numbers_report.table([ONE, TWO, POINT]).splitlines()
    expected = "| condition | n | single % | right % | sure % | right of sure % | rejected % | calibration error % |"
    assert heads == expected
    assert one == "| 1 digit | 1 | 100.0 | 0.0 | 100.0 | 0.0 | 0.0 |  |"
    assert two == "| 2 digits, close | 2 | 50.0 | 50.0 | 50.0 | 100.0 | 0.0 |  |"
    assert point == "| decimal point between digits | 1 | 100.0 | 0.0 | 0.0 |  | 0.0 |  |"
    assert numbers == "| over all numbers of digits alone | 2 | 50.0 | 50.0 | 50.0 | 100.0 | 0.0 | 30.50 |"
    assert others == "| over all with other ink | 1 | 100.0 | 0.0 | 0.0 |  | 0.0 |  |"


def test_what_is_sure_is_said_with_its_count() -> None:
    assert numbers_report.summary([ONE, TWO, POINT]) == (
        "Of the sure numbers of two digits or more 100.00 % are right (n = 1). "
        "Of the 1 sheets with other ink 0 are sure."
    )
    assert numbers_report.summary([ONE]) == ""


def test_mistakes_are_saved_as_sent_with_captions_instead_of_former_ones(tmp_path) -> None:
    for _ in range(2):
        numbers_report.save_mistakes([ONE, TWO], SOURCE, tmp_path)
    one, two = (written(SOURCE, name, number) for name, number in (("1 digit", 0), ("2 digits, close", 1)))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"1 digit - 0 - {one.text} as sure 1.png", f"2 digits, close - 1 - {two.text} as unsure _1.png"]
    assert (decode_image((tmp_path / names[1]).read_bytes())[..., 0] == two.sheet).all()
