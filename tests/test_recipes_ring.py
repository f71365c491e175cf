"""The recipe of the ring runs through all combinations and writes down what the notebook draws."""

import json

from scratchnet.recipes import __main__ as command
from scratchnet.recipes import ring


def test_one_epoch_of_each_combination(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ring, "BETAS", {"good": (0.5,), "bad": (0.9,)})
    command.main(["ring_ablation", "--seeds", "4", "--epochs", "1", "--folder", str(tmp_path)])
    result = json.loads((tmp_path / "ring_ablation_4.json").read_text())
    settings = [(run["noise"], run["beta_1"], run["rates"]) for run in result["runs"]]
    assert settings == [(0.0, 0.5, "good"), (0.5, 0.5, "good"), (0.0, 0.9, "bad"), (0.5, 0.9, "bad")]
    assert (result["seed"], result["steps"]) == (4, 100)
    assert {"date", "machine"} <= result.keys()
    for run in result["runs"]:
        assert len(run["nearest"]) == 4
        assert list(run["points"]) == ["100"]
        assert len(run["points"]["100"]) == ring.SHOWN_POINTS
        assert len(run["final"]) == 200
        assert 0 <= run["averaged"]["share"] <= 1
        assert 0 <= run["current"]["modes"] <= 8
    assert capsys.readouterr().out.count("seed 4: noise") == 4
