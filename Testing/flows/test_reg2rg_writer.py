"""Reg2RG as a writer, from the command line and in the worker, with a small network that says known words.

The network has the published layout. Its language part is made by hand: attention and feed-forward add nothing, and
each piece of text points at the next, so that what it writes is known beforehand.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.draft.choose import WriterChoice, lacking, writer
from RegionReportLib.draft.pipeline import draft
from RegionReportLib.draft.streaming import Wrote
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.seg_nrrd import read_segmentation, write_segmentation
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_config import EncoderConfig, LanguageConfig, PerceiverConfig, Reg2RGConfig
from RegionReportLib.model.reg2rg_prompt import INSTRUCTION
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Polarity
from RegionReportLib.segment.choose import segmenter
from RegionReportLib.worker.client import WorkerClient, worker_command
from RegionReportLib.worker.messages import Draft, Drafted, ErrorKind, Failed, ScanFile, SentenceWritten

# In one pass the phantom shows abdomen, bone, heart, lung, mediastinum, pleura, trachea: slots 0 to 6.
PIECES = (
    "The region 0 is abdomen:",
    "There is a hypodense lesion in the liver. No stone is seen.",
    "The region 1 is bone:",
    "Vertebral corpus heights are preserved.",
    "The region 2 is heart:",
    "The size is normal. No pericardial effusion.",
    "The region 3 is bone:",
    "Everything is ordinary.",
    "The region 5 is lung:",
    "There is a nodule in the left upper lobe. No pleural effusion was",
)
VOCABULARY, DIM = 200, 16


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small network."""
    folder = tmp_path_factory.mktemp("model")
    config = Reg2RGConfig(
        size=(16, 16, 8),
        vision=EncoderConfig((32, 32, 32), (8, 8, 2), channels=3, dim=12, depth=1, mlp_dim=20, heads=2, head_dim=4),
        mask=EncoderConfig((16, 16, 8), (8, 8, 4), channels=1, dim=9, depth=1, mlp_dim=10, heads=2, head_dim=4),
        perceiver=PerceiverConfig(dim=12, depth=1, heads=2, head_dim=4, latents=4),
        language=LanguageConfig(vocabulary=VOCABULARY, dim=DIM, mlp_dim=32, layers=1, heads=2, lora_rank=2),
    )
    split = pre_tokenizers.Whitespace()
    said = f"The global information is provided as the context: . region {INSTRUCTION}"
    known = ["<unk>", "<s>", "</s>", *dict.fromkeys(w for w, _ in split.pre_tokenize_str(said)), *"0123456789", *PIECES]
    known += [f"w{n}" for n in range(VOCABULARY - len(known))]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(known)}, unk_token="<unk>"))
    tokenizer.add_special_tokens(known[:3])
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    network = Reg2RG(config)
    _teach(network.state_dict(), [known.index(w) for w in (".", *PIECES, "</s>")])
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    sizes = {k: v for k, v in asdict(config).items() if k != "max_regions"}
    (folder / "reg2rg.json").write_text(json.dumps(sizes), encoding="utf-8")
    return folder


def _teach(state: dict[str, torch.Tensor], chain: list[int]) -> None:
    for key, value in state.items():
        if key.endswith(("o_proj.weight", "down_proj.weight")):
            value.zero_()
    words = state["embedding_layer.weight"]
    head = state["lang_model.base_model.model.lm_head.weight"]
    head.zero_()
    for n, (now, then) in enumerate(pairwise(chain)):
        words[now] = torch.eye(DIM)[n]
        head[then] = torch.eye(DIM)[n]


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom with its true masks."""
    folder = tmp_path_factory.mktemp("patient")
    case = finish(make_case(Recipe(5, scan=Scan(rows=64, step_mm=8.0))))
    write_nifti(case.volume, folder / "ct.nii.gz")
    write_segmentation(case.masks, folder / "masks.seg.nrrd")
    return folder


def command(patient: Path, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["draft", str(patient / "ct.nii.gz"), "--segmentation", str(patient / "masks.seg.nrrd"), "-o", str(output)]
    line = [sys.executable, "-m", "RegionReportLib.cli.main", *words, *more]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)


def of_model(report: Report) -> dict[str, Any]:
    return {s.id: s for s in report.sentences if s.origin.author is Author.MODEL}


def test_one_pass_gives_each_region_its_own_words(model: Path, patient: Path, tmp_path: Path) -> None:
    done = command(patient, tmp_path / "out", "--writer", "reg2rg", "--model", str(model), "--compat")
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["settings"]
    assert (settings["writer"], settings["compat"], settings["model"]) == ("reg2rg", "True", str(model))
    report = report_from_json((tmp_path / "out" / "report.json").read_bytes())
    assert report.writer == "reg2rg"
    said = of_model(report)
    assert {n: s.text for n, s in said.items()} == {
        "reg2rg-abdomen-1": "There is a hypodense lesion in the liver.",
        "reg2rg-abdomen-2": "No stone is seen.",
        "reg2rg-bone-1": "Vertebral corpus heights are preserved.",
        "reg2rg-heart-1": "The size is normal.",
        "reg2rg-heart-2": "No pericardial effusion.",
        "reg2rg-lung-1": "Everything is ordinary.",
        "reg2rg-pleura-1": "There is a nodule in the left upper lobe.",
        "reg2rg-pleura-2": "No pleural effusion was",  # the model itself ended there
    }
    places = {n: {(a.place.region_id, a.source) for a in s.anchors} for n, s in said.items()}
    assert places["reg2rg-heart-1"] == {("heart_great_vessels", AnchorSource.MODEL)}  # no place named: what was shown
    assert places["reg2rg-bone-1"] == {("bones", AnchorSource.WORDING)}
    assert places["reg2rg-lung-1"] == set()  # shown the lungs, it spoke of bone: which of them it is, nobody knows
    assert said["reg2rg-lung-1"].regions == ("lungs",)
    assert {a.place.name for a in said["reg2rg-pleura-1"].anchors} == {"left lung, upper zone"}
    assert said["reg2rg-heart-2"].polarity is Polarity.ABSENT
    assert all(s.origin.model.startswith("Reg2RG ") and "one pass" in s.origin.model for s in said.values())
    own = {s.id: s.text for s in report.sentences if s.origin.author is not Author.MODEL}
    assert own["reg2rg-lung-doubt"] == "The model took the lungs for the bones; its words may be about either."
    assert own["mediastinum-unsaid"] == (
        "Not assessed: oesophagus (not segmented); mediastinum (the model wrote nothing); "
        "thyroid gland (not segmented)."
    )
    assert {r for s in report.sentences for r in s.regions} == set(REGION_IDS)


def test_all_at_once_asks_each_region_alone(model: Path, patient: Path) -> None:
    volume = finish(read_volume(patient / "ct.nii.gz"))
    masks = read_segmentation(patient / "masks.seg.nrrd", grid=volume.grid)
    by, seen = writer(WriterChoice("reg2rg", str(model), "cpu")), []
    work = draft(volume, segmenter("classical"), by, created_at="2026-01-01T00:00:00+00:00", masks=masks)
    said = of_model(finish(work, seen.append).report)
    # Each region was slot 0 of its own prompt, so each got the words for slot 0, which call themselves abdomen.
    shown = {n.split("-")[1] for n in said}
    assert shown == {"abdomen", "bone", "heart", "lung", "mediastinum", "pleura", "trachea"}
    assert {s.text for s in said.values()} == {"There is a hypodense lesion in the liver.", "No stone is seen."}
    assert {a.place.region_id for n, s in said.items() if n.endswith("-1") for a in s.anchors} == {"upper_abdomen"}
    again: list[Progress] = []
    work = draft(volume, segmenter("classical"), by, created_at="2026-01-01T00:00:00+00:00", masks=masks)
    assert of_model(finish(work, again.append).report) == said
    assert not any(p.stage == "opening the model" for p in again)  # it is open
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    heard = [(p.fraction, p.sentence.id) for p in seen if isinstance(p, Wrote)]
    assert sorted(n for _, n in heard) == sorted(said)
    assert max(f for f, _ in heard) < 0.99  # while the others are still being written
    first = next(p.fraction for p in seen if p.stage == "opening the model")
    assert first == pytest.approx(0.14)  # what is left is long


def drafted(client: WorkerClient, job: Draft) -> list[Any]:
    """Run a job to its end, which is the last thing told; the limit only keeps a broken test from running for ever."""
    client.start(job)
    told: list[Any] = []
    for _ in range(60000):
        told += client.poll()
        if told and isinstance(told[-1], Drafted | Failed):
            return told
        time.sleep(0.002)
    raise AssertionError(told[-3:])


@pytest.mark.slow
def test_the_worker_keeps_the_model_open(model: Path, patient: Path, tmp_path: Path) -> None:
    moved = tmp_path / "model"
    shutil.copytree(model, moved)
    client = WorkerClient(worker_command(sys.executable))
    scan = ScanFile(str(patient / "ct.nii.gz"))

    def job(number: int, **more: Any) -> Draft:
        return Draft(f"j{number}", scan, str(tmp_path / f"out{number}"), "2026-01-01T00:00:00+00:00", **more)

    try:
        wish: dict[str, Any] = {"writer": "reg2rg", "model": str(moved), "device": "cpu", "compat": True}
        first = drafted(client, job(1, **wish))
        assert isinstance(first[-1], Drafted), first[-1]
        heard = [m.sentence for m in first if isinstance(m, SentenceWritten)]
        report = report_from_json((tmp_path / "out1" / "report.json").read_bytes())
        assert sorted(s["id"] for s in heard) == sorted(s.id for s in report.sentences)
        assert of_model(report)
        shutil.rmtree(moved)
        assert isinstance(drafted(client, job(2))[-1], Drafted)  # the measured writer in between lets nothing go
        third = drafted(client, job(3, **wish))
        assert isinstance(third[-1], Drafted), third[-1]
        missing = drafted(client, job(4, writer="reg2rg", model=str(tmp_path / "none")))[-1]
        assert missing.kind is ErrorKind.NEED_MISSING
        assert "tokenizer.json of Llama-2-7b-chat" in missing.reason
    finally:
        client.close()


def test_a_writer_without_its_model_says_what_to_do(
    patient: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "models"))
    done = command(patient, tmp_path / "out", "--writer", "reg2rg")
    assert done.returncode == 4
    assert "--model FOLDER" in done.stderr
    assert "regionreport models" in done.stderr
    assert not (tmp_path / "out").exists()
    with pytest.raises(NeedMissing, match="no model folder"):
        writer(WriterChoice("reg2rg", str(tmp_path / "absent")))
    with pytest.raises(InputRefused, match="takes no model"):
        writer(WriterChoice("measured", str(tmp_path)))
    with pytest.raises(InputRefused, match="reg2rg alone"):
        writer(WriterChoice("measured", compat=True))
    with pytest.raises(ValueError, match="known are measured, reg2rg"):
        WriterChoice("poet")
    (tmp_path / "models" / "reg2rg").mkdir(parents=True)
    assert writer(WriterChoice("reg2rg")).name == "reg2rg"


def test_what_a_writer_lacks_is_known_before_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path))
    assert lacking("measured") == ""
    assert "give it with --model FOLDER" in lacking("reg2rg")
    (tmp_path / "reg2rg").mkdir()
    (tmp_path / "reg2rg" / "tokenizer.json").touch()
    assert lacking("reg2rg") == f"{tmp_path / 'reg2rg'} lacks pytorch_model.bin"
    (tmp_path / "reg2rg" / "pytorch_model.bin").touch()
    assert lacking("reg2rg") == ""
