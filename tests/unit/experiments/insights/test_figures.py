import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.inference import bundle as bundles
from experiments.insights import figures as files
from experiments.insights.figures import InsightsError
from experiments.runs.measure import embed, write_insights
from tests.helpers.figures import changed, dataset, figures


@pytest.fixture
def explained(bundle):
    """A bundle with the figures of its model."""
    insights, tiles = figures(sha256=bundle.sha256["model.tflite"])
    files.write(insights, tiles, bundle.folder)
    return bundle, insights, tiles


def test_what_was_written_is_read(explained):
    bundle, insights, tiles = explained
    assert files.read(bundle) == insights
    np.testing.assert_array_equal(files.read_tiles(bundle)[: len(tiles)], tiles)


def test_they_travel_with_the_bundle(explained, tmp_path):
    bundle, insights, _ = explained
    installed = bundles.install(bundle, tmp_path / "installed", version="2", run_id="run")
    assert files.read(installed) == insights
    assert len(files.read_tiles(installed))
    assert bundles.read(installed.folder) == installed


def test_missing_stale_and_damaged_ones_are_errors_with_advice(explained):
    bundle, insights, tiles = explained
    files.write(changed(insights, model_sha256="b" * 64), tiles, bundle.folder)
    with pytest.raises(InsightsError, match=r"another model.*experiments insights"):
        files.read(bundle)
    for name, read in ((bundles.INSIGHTS, files.read), (bundles.TILES, files.read_tiles)):
        (bundle.folder / name).write_bytes(b"{")
        with pytest.raises(InsightsError, match="experiments insights"):
            read(bundle)
        (bundle.folder / name).unlink()
        with pytest.raises(InsightsError, match="experiments insights"):
            read(bundle)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), noise=st.binary(max_size=20))
def test_a_damaged_file_is_never_more_than_a_worded_error(explained, cut, noise):
    bundle, insights, tiles = explained
    files.write(insights, tiles, bundle.folder)
    for name, read in ((bundles.INSIGHTS, files.read), (bundles.TILES, files.read_tiles)):
        content = (bundle.folder / name).read_bytes()
        (bundle.folder / name).write_bytes(content[:cut] + noise + content[cut + len(noise) :])
        with contextlib.suppress(InsightsError):
            read(bundle)


def test_a_keras_model_explains_itself(keras_model, bundle):
    outputs, hidden = embed(keras_model, dataset().test.images, dataset().spec)
    assert outputs.shape == (120, 3)
    assert hidden.shape[1] > 3
    np.testing.assert_allclose(outputs, keras_model.predict(dataset().test.images, verbose=0), atol=1e-5)
    write_insights(bundle, dataset(), outputs, hidden, None, None, ())
    insights = files.read(bundle)
    assert sum(map(sum, insights.confusion)) == 120
    assert insights.curves == ()
