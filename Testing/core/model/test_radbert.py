"""The labeller of report texts, small and by chance, in the layout of the published file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import RobertaConfig, RobertaModel

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.radbert import open_labeller
from RegionReportLib.progress import finish

TEXTS = ["No nodule is seen.", "There is a pleural effusion on the right. " * 40, "", "Heart size is normal."]


def write(folder: Path, bias: torch.Tensor, weight: float = 0.0) -> dict[str, torch.Tensor]:
    """Write a small labeller; with weight 0 its answer is the sign of `bias` whatever the text."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(ByteLevel.alphabet()), "Ġn", "od", "ul"]
    (folder / "vocab.json").write_text(json.dumps({w: n for n, w in enumerate(words)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nĠ n\no d\nu l\n", encoding="utf-8")
    config = RobertaConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    config.to_json_file(folder / "config.json")
    torch.manual_seed(5)
    state = {f"model.{k}": v * 8 for k, v in RobertaModel(config).state_dict().items()}
    # The published file was written by a version that saved its table of positions.
    state["model.embeddings.position_ids"] = torch.arange(514)[None]
    state["classifier.weight"] = torch.randn(len(bias), 16) * weight
    state["classifier.bias"] = bias
    torch.save(state, folder / "RadBertClassifier.pth")
    return state


def test_labels_come_in_the_order_of_the_classifier_and_silence_names_nothing(tmp_path: Path) -> None:
    wanted = [True, False, False, True, True] + [False] * 12 + [True]
    write(tmp_path, torch.tensor([0.1 if w else -0.1 for w in wanted]))
    labeller = open_labeller(tmp_path)
    assert labeller.labels == 18
    found = finish(labeller.label(TEXTS))
    assert found.shape == (4, 18)
    assert found[0].tolist() == found[1].tolist() == found[3].tolist() == wanted
    assert not found[2].any()


def test_a_text_is_read_the_same_alone_and_beside_longer_ones(tmp_path: Path) -> None:
    write(tmp_path, torch.zeros(18), weight=1.0)
    labeller = open_labeller(tmp_path)
    together = finish(labeller.label(TEXTS))
    alone = np.concatenate([finish(labeller.label([text])) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert len({tuple(row) for row in together.tolist()}) > 2  # it does read


def test_a_long_text_is_cut_where_the_network_ends(tmp_path: Path) -> None:
    write(tmp_path, torch.zeros(18), weight=1.0)
    labeller = open_labeller(tmp_path)
    long = "a nodule " * 2000
    assert len(labeller.tokenizer.encode(long).ids) == 512
    assert np.array_equal(finish(labeller.label([long])), finish(labeller.label([long + "and much more"])))


def test_evaluating_labels_both_sides_of_each_case(tmp_path: Path) -> None:
    write(tmp_path, torch.tensor([0.1] + [-0.1] * 17))
    table = tmp_path / "pairs.csv"
    rows = "1,lung,A nodule.,Clear.\n1,heart,,Normal.\n2,lung,Clear.,\n3,lung,Clear.,Clear.\n"
    table.write_text("case,region,reference,prediction\n" + rows, encoding="utf-8")
    words = ["evaluate", "--pairs", str(table), "--labeller", str(tmp_path), "-o", str(tmp_path / "out")]
    assert main(words) == 0
    with (tmp_path / "out" / "findings.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    # Every text names the first finding; case 2 was never written and so names nothing.
    assert (first["finding"], float(first["precision"]), float(first["support"])) == ("Medical material", 1.0, 3.0)
    assert float(first["recall"]) == pytest.approx(2 / 3, abs=1e-4)
    assert main([*words[:-2], "--reference-labels", str(table), "--prediction-labels", str(table)]) == 3
    assert main(["evaluate", "--pairs", str(table), "--labeller", str(tmp_path / "none")]) == 4


def test_what_is_missing_or_foreign_is_said(tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match=r"no RadBertClassifier\.pth .* models fetch radbert"):
        open_labeller(tmp_path)
    state = write(tmp_path, torch.zeros(18))
    (tmp_path / "merges.txt").unlink()
    with pytest.raises(NeedMissing, match=r"tokenizer\.json, or vocab\.json and merges\.txt"):
        open_labeller(tmp_path)
    torch.save({k: v for k, v in state.items() if not k.startswith("classifier")}, tmp_path / "RadBertClassifier.pth")
    with pytest.raises(InputRefused, match=r"no classifier\.weight"):
        open_labeller(tmp_path)
    torch.save(state | {"classifier.bias": torch.zeros(3)}, tmp_path / "RadBertClassifier.pth")
    with pytest.raises(InputRefused, match="does not fit"):
        open_labeller(tmp_path)
