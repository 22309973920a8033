"""The region-token network as a writer: a small network that says known words, from its folder to a checked report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.cli.main import main
from RegionReportLib.draft.choose import WriterChoice, writer
from RegionReportLib.draft.pipeline import Draft, draft
from RegionReportLib.draft.region_token_writer import RegionTokenWriter
from RegionReportLib.draft.streaming import Wrote
from RegionReportLib.draft.writer import Seen
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.model.card import card_of
from RegionReportLib.phantom.case import PhantomCase
from RegionReportLib.phantom.study import training_case
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Polarity, Sentence
from RegionReportLib.segment.choose import segmenter

from known_words import CLEAR, LABEL, NODULE, save_model

WHEN = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the network; a nodule with boxes, then a denial, about every region."""
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def patient() -> PhantomCase:
    return training_case(12, (40, 48, 48))


@pytest.fixture(scope="module")
def drafted(model: Path, patient: PhantomCase) -> tuple[Draft, list[Progress]]:
    told: list[Progress] = []
    by = writer(WriterChoice("region-tokens", str(model), "cpu"))
    work = draft(patient.volume, segmenter("classical"), by, created_at=WHEN, masks=patient.masks)
    return finish(work, told.append), told


def of_model(sentences: tuple[Sentence, ...]) -> dict[str, Sentence]:
    return {s.id: s for s in sentences if s.origin.author is Author.MODEL}


def test_every_region_that_the_scan_holds_gets_the_models_words(
    drafted: tuple[Draft, list[Progress]], patient: PhantomCase
) -> None:
    said = of_model(drafted[0].report.sentences)
    held = [r for r in REGION_IDS if patient.masks.coverage[r] is not Coverage.ABSENT]
    assert {n: s.text for n, s in said.items()} == {
        f"model-{r}-{n}": text for r in held for n, text in ((1, NODULE), (2, CLEAR))
    }
    assert drafted[0].report.writer == "region-tokens"
    assert [said[f"model-lungs-{n}"].polarity for n in (1, 2)] == [Polarity.PRESENT, Polarity.ABSENT]


def test_each_sentence_says_that_the_model_is_for_demonstration(
    drafted: tuple[Draft, list[Progress]], model: Path
) -> None:
    digest = card_of(model).digest
    origins = {(s.origin.model, s.origin.label) for s in of_model(drafted[0].report.sentences).values()}
    assert origins == {(f"{LABEL} {digest[:12]}", LABEL)}


def test_what_was_written_about_a_region_knows_so_and_how_far_the_image_bears_it_out(
    drafted: tuple[Draft, list[Progress]],
) -> None:
    for sentence in drafted[0].report.sentences:
        assert sentence.asked_about is not None
        assert sentence.asked_about in sentence.id
        assert (sentence.support is not None) == (sentence.origin.author is Author.MODEL)
    said = of_model(drafted[0].report.sentences)
    assert "lungs" in said["model-bones-1"].regions and said["model-bones-1"].asked_about == "bones"
    note = said["model-lungs-1"].anchors[0].note
    assert f"agreement with the image {said['model-lungs-1'].support:.2f}" in note


def test_boxes_come_first_with_their_existence_and_spread(drafted: tuple[Draft, list[Progress]]) -> None:
    said = of_model(drafted[0].report.sentences)
    boxes, words = said["model-lungs-1"].anchors[:2], said["model-lungs-1"].anchors[2:]
    for anchor in boxes:
        assert anchor.source is AnchorSource.MODEL and anchor.place.region_id == "lungs"
        assert anchor.confidence is not None and anchor.confidence > 0.9
        assert anchor.dispersion_mm is not None and f"lie {anchor.dispersion_mm:.0f} mm apart" in anchor.note
        assert "mm apart" in anchor.note and "agreement with the image" in anchor.note
    assert {a.place.name for a in words} == {"left lung"}
    assert all(a.source is not AnchorSource.MODEL and a.dispersion_mm is None for a in words)
    assert not any("box found" in a.note for a in said["model-lungs-2"].anchors)  # a denial has no mark
    assert "mean word chance" in said["model-lungs-2"].anchors[0].note


def test_a_region_that_was_not_recognised_is_told(drafted: tuple[Draft, list[Progress]]) -> None:
    own = {s.id: s.text for s in drafted[0].report.sentences if s.origin.author is Author.MEASURED}
    assert own["model-lungs-doubt"].startswith("The model did not recognise the lungs (chance 0.00)")


def test_sentences_are_told_while_others_are_still_written(drafted: tuple[Draft, list[Progress]]) -> None:
    draft_, told = drafted
    heard = [(p.fraction, p.sentence.id) for p in told if isinstance(p, Wrote)]
    assert sorted(n for _, n in heard) == sorted(of_model(draft_.report.sentences))
    assert heard[0][0] < heard[-1][0]
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)


def test_one_region_is_redrafted_without_reading_the_scan_again(
    model: Path, patient: PhantomCase, drafted: tuple[Draft, list[Progress]]
) -> None:
    report = drafted[0].report
    seen = Seen(patient.volume, patient.masks, report.places, report.measurements)
    by = writer(WriterChoice("region-tokens", str(model), "cpu"))
    assert isinstance(by, RegionTokenWriter)
    stages: list[list[str]] = [[], []]
    first, again = (finish(by.redraft(seen, "bones"), lambda p, n=n: stages[n].append(p.stage)) for n in (0, 1))
    assert of_model(first) == of_model(again)
    assert [s.text for s in of_model(first).values()] == [NODULE, CLEAR]
    assert "reading the slices" in stages[0] and "reading the slices" not in stages[1]
    drawn = finish(by.redraft(seen, "bones", seed=1))
    assert {s.regions[0] for s in drawn if s.id.startswith("model-bones")} <= {"bones", "lungs"}


def test_of_a_region_that_the_scan_does_not_hold_only_that_is_said(
    model: Path, patient: PhantomCase, drafted: tuple[Draft, list[Progress]]
) -> None:
    report = drafted[0].report
    less = replace(patient.masks, coverage={**patient.masks.coverage, "bones": Coverage.ABSENT}, coverage_notes={})
    by = RegionTokenWriter(model, "cpu")
    seen = Seen(patient.volume, less, report.places, report.measurements)
    for said in (finish(by.write(seen)), finish(by.redraft(seen, "bones"))):
        bones = [s for s in said if "bones" in s.regions]
        assert [s.text for s in bones] == ["Osseous structures not covered by this scan."]


def test_the_command_line_drafts_with_it(model: Path, patient: PhantomCase, tmp_path: Path) -> None:
    write_nifti(patient.volume, tmp_path / "ct.nii.gz")
    write_segmentation(patient.masks, tmp_path / "masks.seg.nrrd")
    words = ["draft", str(tmp_path / "ct.nii.gz"), "--segmentation", str(tmp_path / "masks.seg.nrrd")]
    assert main([*words, "-o", str(tmp_path / "out"), "--writer", "region-tokens", "--model", str(model)]) == 0
    report = report_from_json((tmp_path / "out" / "report.json").read_bytes())
    assert NODULE in {s.text for s in report.sentences if s.origin.model.startswith(LABEL)}


def test_a_folder_without_such_a_model_is_refused(tmp_path: Path, patient: PhantomCase) -> None:
    by = writer(WriterChoice("region-tokens", str(tmp_path), "cpu"))
    work = draft(patient.volume, segmenter("classical"), by, created_at=WHEN, masks=patient.masks)
    with pytest.raises(NeedMissing, match="no region-token model in"):
        finish(work)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(InputRefused, match="is not a table"):
        card_of(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputRefused, match="is not that of a region-token model"):
        card_of(tmp_path)
