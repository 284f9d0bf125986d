import dataclasses

import pytest

from experiments.inference.bundle import BundleError
from experiments.insights import figures as files
from experiments.insights import report, run_comparison
from experiments.insights.document import Bullets, Heading, Paragraph, Picture, Table
from experiments.insights.report import Sources
from experiments.insights.report_models import Subject
from tests.helpers.figures import REFUSAL, changed, figures
from tests.helpers.filled_store import fill

PEERS = "2 cores.\n\n| users | p50 ms |\n| --- | ---: |\n| 1 | 4.0 |\n| 100 | 6400 |\n"
RESULTS = """# Results

## Speed

| what | measured | command |
| --- | --- | --- |
| one | `2` ms | `make` |

## Limits

- A [1](x.md)
  may be a 7.
- O is 0.
"""


@pytest.fixture(scope="module")
def insights():
    return figures()[0]


def text_of(parts):
    return "\n".join(part.text for part in parts if isinstance(part, Heading | Paragraph))


def sources(subject, **changes):
    everything = {"results": RESULTS, "benchmarks": {"make bench": PEERS}, "screenshots": {"draw": b"png"}, "links": {}}
    return Sources([subject], **(everything | changes))


def test_a_store_of_three_runs_is_told_with_reasons_and_changes(store, spec, bundle, insights):
    fill(store, spec, bundle, 3)
    parts = report.build(sources(Subject(bundle, run_comparison.compare(store, spec, bundle), insights)))
    text = text_of(parts)
    assert "run-2 (v1) is in Production because it is best" in text
    assert "run-1: +0.10 points on validation against run-0." in text
    assert "117 of 120 test images are classified correctly" in text
    assert sum(isinstance(part, Picture) for part in parts) == 5
    reasons = next(part for part in parts if isinstance(part, Table) and part.head == ("run", "why", "settings"))
    assert [row[1] for row in reasons.rows] == ["Establish a baseline.", "Verify a larger <network>.", "Tune the rate."]


def test_measured_figures_are_those_of_the_results_and_the_benchmarks(bundle, insights):
    parts = report.build(sources(Subject(bundle, run_comparison.shipped(bundle), insights)))
    assert Table(("what", "measured"), (("one", "2 ms"),)) in parts
    assert Table(("users", "p50 ms"), (("1", "4.0"), ("100", "6400"))) in parts
    assert Bullets(("A 1 may be a 7.", "O is 0.")) in parts


def test_an_empty_store_and_a_model_without_figures_read_well(bundle):
    parts = report.build(
        sources(Subject(bundle, run_comparison.shipped(bundle), None), results="", benchmarks={}, screenshots={})
    )
    text = text_of(parts)
    assert "The store has no runs of dots yet; the model that came with the project answers." in text
    assert "Under load" not in text
    assert not any(isinstance(part, Picture) for part in parts)


def test_thirty_runs_are_all_in_the_tables_and_the_latest_in_words(bundle, insights):
    (shipped,) = run_comparison.shipped(bundle).runs
    runs = [
        dataclasses.replace(shipped, name=f"run-{number}", curves=insights.curves, in_production=number == 3)
        for number in range(30)
    ]
    parts = report.build(sources(Subject(bundle, run_comparison.RunComparison("dots", tuple(runs)), insights)))
    tables = [part for part in parts if isinstance(part, Table) and part.head[0] == "run"]
    assert [len(table.rows) for table in tables] == [10, 30]
    assert "The latest 10 of 30 runs, and why:" in text_of(parts)


def test_retrainings_have_a_section_of_their_own(bundle, insights):
    (one,) = run_comparison.shipped(bundle).runs
    again = dataclasses.replace(one, name="retrain", tags={"retrain": "true"})
    text = text_of(report.build(sources(Subject(bundle, run_comparison.RunComparison("dots", (one, again)), insights))))
    assert "DOTS: retrainings from corrections" in text


def test_links_are_left_out_while_unset(bundle, insights):
    subject = Subject(bundle, run_comparison.shipped(bundle), insights)
    assert "Video" not in text_of(report.build(sources(subject, links={"Video": ""})))
    parts = report.build(sources(subject, links={"Video": "https://example.org"}))
    assert Paragraph("Video:", "https://example.org") in parts


def test_drawings_have_a_chart_where_there_are_any(bundle, insights):
    from experiments.insights.figures import Group

    groups = (Group(0.1, 0.5, 100, 0.9), Group(0.5, 0.9, 100, 0.99))
    drawn = changed(insights, drawings={"size": groups, "brush": groups, "turn": groups})
    parts = report.build(sources(Subject(bundle, run_comparison.shipped(bundle), drawn)))
    assert "Drawings by size, brush and turn, with 95 % intervals" in [
        part.caption for part in parts if isinstance(part, Picture)
    ]


def test_what_is_rejected_has_a_chart_where_it_was_measured(bundle, insights):
    refused = changed(insights, refusal=REFUSAL)
    parts = report.build(sources(Subject(bundle, run_comparison.shipped(bundle), refused)))
    assert "90.00 % of 2,000" in text_of(parts)
    captions = [part.caption for part in parts if isinstance(part, Picture)]
    assert "Digits and others rejected, at every threshold" in captions


def test_it_is_written_gathered_and_logged(store, exported, tmp_path):
    """With the shipped model's folder as a project has it."""
    from experiments.inference import bundle as bundles

    source = dataclasses.replace(bundles.read(exported.folder), dataset="mnist")
    shipped = bundles.install(source, tmp_path / "models" / "mnist", version="1", run_id="run")
    files.write(*figures(sha256=shipped.sha256["model.tflite"]), shipped.folder)
    (tmp_path / "peers.md").write_text(PEERS)
    (tmp_path / "screenshots").mkdir()
    (tmp_path / "screenshots" / "draw.png").write_bytes(figures_png())
    (tmp_path / "results.md").write_text(RESULTS)
    gathered = report.gather(store, tmp_path / "models", tmp_path, tmp_path, {})
    assert gathered.benchmarks == {"make bench": PEERS}
    assert (list(gathered.screenshots), gathered.results) == (["draw"], RESULTS)
    written = report.write(gathered, tmp_path / "docs")
    assert [path.name for path in written] == ["report.html", "report.docx"]
    run_id = report.log(store, written)
    assert {file.path for file in store.client.list_artifacts(run_id)} == {"report.html", "report.docx"}
    with pytest.raises(BundleError, match="no model"):
        report.gather(store, tmp_path, tmp_path, tmp_path, {})


def figures_png():
    from experiments.insights.plots import png, trust

    return png(trust(figures()[0]))
