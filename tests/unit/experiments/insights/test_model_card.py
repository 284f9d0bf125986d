from experiments.__main__ import main
from settings import ROOT


def test_the_committed_model_card_is_what_the_command_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEMO_MODELS_DIR", str(ROOT / "models"))
    card = tmp_path / "model-card.md"
    assert main(["model-card", "--out", str(card)]) == 0
    assert str(card) in capsys.readouterr().out
    committed = (ROOT / "docs" / "model-card.md").read_text()
    assert card.read_text() == committed, "`python -m experiments model-card` writes it anew"


def test_a_missing_bundle_is_answered_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEMO_MODELS_DIR", str(tmp_path))
    assert main(["model-card", "--out", str(tmp_path / "card.md")]) == 1
    assert "model.json" in capsys.readouterr().err
    assert not (tmp_path / "card.md").exists()
