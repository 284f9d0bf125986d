import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.inference import bundle as bundles
from experiments.inference.bundle import BundleError
from experiments.inference.predictions import Rival, Thresholds

quickly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def change_manifest(bundle, **changes):
    path = bundle.folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_manifest_names_every_thing_the_reader_needs(bundle):
    manifest = json.loads((bundle.folder / "model.json").read_text())
    assert manifest["schema_version"] == 1
    assert manifest["input_shape"] == [8, 6, 1]
    assert manifest["input_range"] == [0, 255]
    assert set(manifest["sha256"]) == {"model.tflite", "model.keras"}
    assert "folder" not in manifest


def test_a_bundle_may_be_moved(bundle, tmp_path):
    moved = bundle.folder.rename(tmp_path / "elsewhere")
    assert bundles.read(moved).sha256 == bundle.sha256


@pytest.mark.parametrize("name", ["model.tflite", "model.keras"])
@pytest.mark.parametrize("damage", ["flip a bit", "cut off", "empty", "missing"])
def test_a_damaged_file_is_named(bundle, name, damage):
    path = bundle.folder / name
    content = path.read_bytes()
    middle = len(content) // 2
    match damage:
        case "flip a bit":
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "cut off":
            path.write_bytes(content[:middle])
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()
    with pytest.raises(BundleError, match=f"{name}.*Restore the folder"):
        bundles.read(bundle.folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metrics", {"test_accuracy": "good"}),
        ("metrics", {"test_accuracy": float("nan")}),
        ("sha256", {"model.tflite": "0" * 64, "../../etc/passwd": "0" * 64}),
        ("sha256", {"model.tflite": "0" * 64}),
        ("input_shape", [28, 28]),
        ("class_names", []),
        ("version", "../1"),
        ("trained_at", "yesterday"),
        ("schema_version", 2),
    ],
)
def test_a_wrong_field_is_named(bundle, field, value):
    change_manifest(bundle, **{field: value})
    with pytest.raises(BundleError, match=f"model.json.*(SHA-256|{field})"):
        bundles.read(bundle.folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"nowhere.*No such file"):
        bundles.read(tmp_path / "nowhere")


@quickly
@given(content=st.binary(max_size=200) | json_values.map(json.dumps).map(str.encode))
def test_no_bytes_in_model_json_give_anything_but_a_bundle_error(bundle, content):
    (bundle.folder / "model.json").write_bytes(content)
    with pytest.raises(BundleError):
        bundles.read(bundle.folder)


@quickly
@given(st.data())
def test_no_value_of_a_field_gives_anything_but_a_bundle_error(exported, tmp_path, data):
    manifest = json.loads((exported.folder / "model.json").read_text())
    field = data.draw(st.sampled_from(sorted(manifest)))
    (tmp_path / "model.json").write_text(json.dumps(manifest | {field: data.draw(json_values)}))
    with pytest.raises(BundleError):  # at the latest because the model files are missing here
        bundles.read(tmp_path)


@quickly
@given(content=st.binary(max_size=100))
def test_no_bytes_in_current_json_lead_outside_the_exports(exported, tmp_path, content):
    (tmp_path / "current.json").write_bytes(content)
    with pytest.raises(BundleError):
        bundles.read_current(tmp_path)


def test_current_export_is_the_one_pointed_at(bundle, tmp_path):
    exports = tmp_path / "production"
    for version in ("1", "2"):
        bundles.point_current(bundles.install(bundle, exports / version, version=version, run_id=f"run-{version}"))
        current = bundles.read_current(exports)
        assert (current.version, current.run_id, current.folder) == (version, f"run-{version}", exports / version)
        assert current.sha256 == bundle.sha256
    assert sorted(path.name for path in exports.iterdir()) == ["1", "2", "current.json"]


def test_nothing_exported_is_no_error(tmp_path):
    assert bundles.read_current(tmp_path) is None


@pytest.mark.parametrize("version", ["..", "/etc", "1/../../2", ""])
def test_current_export_is_a_number_not_a_path(tmp_path, version):
    (tmp_path / "current.json").write_text(json.dumps({"version": version}))
    with pytest.raises(BundleError, match=r"current\.json"):
        bundles.read_current(tmp_path)


def test_install_replaces_a_damaged_export(bundle, tmp_path):
    target = tmp_path / "exports" / "1"
    target.mkdir(parents=True)
    (target / "model.tflite").write_text("junk")
    assert bundles.install(bundle, target, version="1", run_id="r") == bundles.read(target)


def test_an_interrupted_folder_vanishes_and_the_old_one_stays(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "old").touch()
    with pytest.raises(KeyboardInterrupt):
        interrupted_in(tmp_path / "kept")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["kept", "kept/old"]


def interrupted_in(folder):
    with bundles.new_folder(folder) as unfinished:
        (unfinished / "half").touch()
        raise KeyboardInterrupt


def test_a_bundle_without_rivals_has_none_and_one_with_them_keeps_them(bundle):
    change_manifest(bundle, thresholds={"sure": 0.5, "refuse": 0.9})
    older = bundles.read(bundle.folder)
    assert older.thresholds == Thresholds(0.5, 0.9, ())
    newer = dataclasses.replace(older, thresholds=Thresholds(0.5, 0.4, (Rival("many", "one", 0.02),)))
    bundles.write_manifest(newer)
    assert bundles.read(bundle.folder) == newer
    assert not list(bundle.folder.glob(".*"))


@pytest.mark.parametrize("rivals", [7, [7], [{"answer": "many"}], [{"answer": "a", "rival": "b", "above": "often"}]])
def test_rivals_that_are_none_are_an_error_in_words(bundle, rivals):
    change_manifest(bundle, thresholds={"rivals": rivals})
    with pytest.raises(BundleError, match=r"model\.json has an invalid field 'thresholds\.rivals"):
        bundles.read(bundle.folder)
