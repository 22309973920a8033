"""The demonstration model that comes with the program: found where there is no other, packed, and what it must be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.draft import choose
from RegionReportLib.draft.choose import WriterChoice, cannot_redraft, lacking, model_folder, title_of
from RegionReportLib.errors import NeedMissing
from RegionReportLib.model import folders
from RegionReportLib.model.catalogue import SHIPPED
from RegionReportLib.model.folders import shipped_folder

from known_words import save_model

REPOSITORY = Path(__file__).parents[2]
LARGEST_MB = 25
WRITES = """
import json, sys
from RegionReportLib.draft.choose import WriterChoice, model_folder, writer
from RegionReportLib.draft.pipeline import draft
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import finish
from RegionReportLib.segment.choose import segmenter
case = training_case(2500001, (64, 64, 64))
choice = WriterChoice("region-tokens", device="cpu")
at = "2026-01-01T00:00:00+00:00"
made = finish(draft(case.volume, segmenter("classical"), writer(choice), created_at=at, masks=case.masks))
said = [s for s in made.report.sentences if s.origin.author.value == "model"]
print(json.dumps({"folder": str(model_folder(choice)), "regions": sorted({s.asked_about for s in said}),
    "labels": sorted({s.origin.label for s in said})}))
"""


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer without models, and an installation without the one of the program; returns where that would lie."""
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(folders, "_HERE", tmp_path / "installed")
    return tmp_path / "installed" / SHIPPED.folder


def test_without_any_model_the_writer_says_what_it_needs(nobody: Path) -> None:
    with pytest.raises(NeedMissing, match="give it with --model FOLDER"):
        model_folder(WriterChoice("region-tokens"))
    assert title_of("region-tokens") == "region tokens (our own language model)"
    assert "give it with --model FOLDER" in cannot_redraft("region-tokens")
    assert cannot_redraft("reg2rg") == "the reg2rg writer writes whole reports only"
    assert cannot_redraft("measured") == ""


def test_the_model_of_the_program_is_taken_where_there_is_no_other(
    nobody: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(nobody)
    assert model_folder(WriterChoice("region-tokens")) == nobody
    assert title_of("region-tokens") == "region tokens: demonstration model (phantoms only, not for patients)"
    assert lacking("region-tokens") == cannot_redraft("region-tokens") == ""
    with pytest.raises(NeedMissing):
        model_folder(WriterChoice("reg2rg"))
    assert main(["models"]) == 0
    digest = json.loads((nobody / "config.json").read_text())["digests"]["model.safetensors"]
    assert f"SHA-256 {digest[:12]}" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shipped"]["folder"] == str(nobody)

    own = tmp_path / "models" / "region-tokens"
    own.mkdir(parents=True)
    assert model_folder(WriterChoice("region-tokens")) == own
    assert title_of("region-tokens") == "region tokens (our own language model)"
    assert "no region-token model" in lacking("region-tokens")
    assert model_folder(WriterChoice("region-tokens", str(nobody))) == nobody


def test_listing_models_tells_that_none_came_with_the_program(nobody: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "not in this installation" in capsys.readouterr().out


def built(source: Path, target: Path) -> Path:
    """Copy what a wheel of a source tree holds into a folder, by the build's own rules."""
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    words = ["-c", "from setuptools import setup; setup()", "--quiet", "build_py", "--build-lib", str(target)]
    done = subprocess.run(
        [sys.executable, *words], cwd=source, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def test_a_wheel_holds_the_model_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for room in ("", "model"):
        (source / "RegionReportLib" / room).mkdir(parents=True, exist_ok=True)
        (source / "RegionReportLib" / room / "__init__.py").write_text("")
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / name, source / name)
    demo = source / "RegionReportLib" / "model" / SHIPPED.folder
    demo.mkdir()
    names = {"model.safetensors", "config.json", "tokenizer.json", "card.json"}
    for name in names:
        (demo / name).write_text(name)
    packed = built(source, tmp_path / "wheel") / "RegionReportLib" / "model" / SHIPPED.folder
    assert {f.name for f in packed.iterdir()} == names


@pytest.fixture
def shipped() -> Path:
    """The folder of the model in this repository."""
    folder = shipped_folder()
    if folder is None:
        pytest.skip(f"no demonstration model in RegionReportLib/model/{SHIPPED.folder} yet")
    return folder


def test_it_is_small_and_its_card_tells_its_digest_and_what_to_call_it(shipped: Path) -> None:
    assert folders.size_of(shipped) <= LARGEST_MB * 1e6
    card = json.loads((shipped / "card.json").read_text(encoding="utf-8"))
    content = json.loads((shipped / "config.json").read_text(encoding="utf-8"))
    assert content["digests"]["model.safetensors"] in json.dumps(card)
    assert "demonstration model" in card["label"] and "not for patients" in card["label"]
    assert {f.name for f in shipped.iterdir()} >= {"model.safetensors", "config.json", "tokenizer.json", "card.json"}
    assert main(["models", "check", str(shipped)]) == 0


@pytest.mark.slow
def test_from_a_wheel_it_writes_about_each_region_of_a_phantom(shipped: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "RegionReportLib", source / "RegionReportLib", ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / name, source / name)
    wheel = built(source, tmp_path / "wheel")
    environment = {"PYTHONPATH": str(wheel), "REGIONREPORT_MODELS": str(tmp_path / "none"), "PATH": ""}
    run = [sys.executable, "-P", "-c", WRITES] if sys.version_info >= (3, 11) else [sys.executable, "-c", WRITES]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert Path(told["folder"]).is_relative_to(wheel)
    assert len(told["regions"]) == 6
    assert told["labels"] and all("demonstration model" in label for label in told["labels"])
    assert choose.WRITERS["region-tokens"].by_region
