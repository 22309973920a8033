"""The lines of the Export menu: what is enabled can be written, what is not says why, and both agree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.errors import Conflict, InputRefused, NeedMissing, RegionReportError
from RegionReportLib.export.formats import FORMAT_NAMES, FORMATS
from RegionReportLib.export.offers import Offer, Wishes, offers
from RegionReportLib.export.writing import write_offers
from RegionReportLib.imaging.mask_files import MASKS_NAME
from RegionReportLib.imaging.seg_nrrd import read_segmentation, write_segmentation
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.report_file import report_bytes
from RegionReportLib.report.signing import sign
from RegionReportLib.report.store import create_draft

TIED = {"seg", "dicom", "fhir"}


@pytest.fixture
def draft(dicom_case: Any, tmp_path: Path) -> Path:
    """The report folder of the small oblique series, with its masks by structure."""
    return laid_down(dicom_case, tmp_path / "draft", dicom_case.report)


def laid_down(case: Any, folder: Path, report: Report) -> Path:
    if report.signature is None:
        create_draft(folder, report, actor="writer")
    else:
        folder.mkdir()
        (folder / "report.json").write_bytes(report_bytes(report))
    write_segmentation(case.masks, folder / "segmentation.seg.nrrd", segments="structure")
    return folder


def reasons(folder: Path, **more: Any) -> dict[str, str]:
    return {offer.name: offer.reason for offer in offers(folder, **more) if offer.reason is not None}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_draft_of_a_series_that_is_there_can_leave_in_every_format(draft: Path, tmp_path: Path) -> None:
    made = offers(draft)
    assert [offer.name for offer in made] == ["text", "html", "pictures", "json", "masks", "seg", "dicom", "fhir"]
    assert reasons(draft) == {}
    written = finish(write_offers([offer.name for offer in made], draft, tmp_path / "out"))
    assert names_in(tmp_path / "out") == {path.name for path in written} == {offer.file_name for offer in made}
    assert all(path.is_file() and path.stat().st_size > 100 for path in written)


def test_what_points_at_images_is_marked_as_a_draft_until_it_is_signed(dicom_case: Any, draft: Path) -> None:
    marked = {offer.name for offer in offers(draft) if "unsigned draft" in offer.title}
    assert marked == {"dicom", "fhir"}
    signed = sign(dicom_case.report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    assert not any("unsigned" in offer.title for offer in offers(draft, signed))


def test_each_format_can_be_written_alone_and_only_its_files_appear(draft: Path, tmp_path: Path) -> None:
    for offer in offers(draft):
        finish(write_offers([offer.name], draft, tmp_path / offer.name))
        also = {"segmentation.dcm"} if offer.name == "dicom" else set()
        assert names_in(tmp_path / offer.name) == {offer.file_name} | also


def test_the_segmentation_alone_is_the_one_that_the_report_points_at(draft: Path, tmp_path: Path) -> None:
    finish(write_offers(["seg"], draft, tmp_path / "alone"))
    finish(write_offers(["seg", "dicom"], draft, tmp_path / "both"))
    alone, both = (tmp_path / name / "segmentation.dcm" for name in ("alone", "both"))
    assert alone.read_bytes() == both.read_bytes()
    report = pydicom.dcmread(tmp_path / "both" / "report.dcm")
    referred = {
        instance.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    assert pydicom.dcmread(alone).SOPInstanceUID in referred


def test_pictures_are_those_of_the_scan(draft: Path, tmp_path: Path) -> None:
    finish(write_offers(["html", "pictures"], draft, tmp_path / "out"))
    assert b"data:image/jpeg" in (tmp_path / "out" / "report-with-pictures.html").read_bytes()
    assert b"data:image/jpeg" not in (tmp_path / "out" / "report.html").read_bytes()


def test_structures_become_segments_of_their_own_when_wished(draft: Path, tmp_path: Path) -> None:
    finish(write_offers(["seg"], draft, tmp_path / "fine", Wishes(grouping="structure")))
    finish(write_offers(["seg"], draft, tmp_path / "coarse"))

    def tracked(name: str) -> set[str]:
        return {s.TrackingID for s in pydicom.dcmread(tmp_path / name / "segmentation.dcm").SegmentSequence}

    assert {"heart", "aorta"} <= tracked("fine")
    assert "heart_great_vessels" in tracked("coarse") and not {"heart", "aorta"} & tracked("coarse")


def test_the_masks_leave_as_they_are_or_by_structure(draft: Path, tmp_path: Path) -> None:
    finish(write_offers(["masks"], draft, tmp_path / "as_is"))
    finish(write_offers(["masks"], draft, tmp_path / "fine", Wishes(grouping="structure")))
    own = draft / "segmentation.seg.nrrd"
    assert (tmp_path / "as_is" / "segmentation.seg.nrrd").read_bytes() == own.read_bytes()
    assert (
        read_segmentation(tmp_path / "fine" / "segmentation.seg.nrrd").structures == read_segmentation(own).structures
    )


# what is not possible says why, and writing says the same


def same_when_written(folder: Path, target: Path, **more: Any) -> dict[str, str]:
    """Return the reasons after proof that writing ends with the same words and leaves nothing, and the rest works."""
    told = reasons(folder, **more)
    wishes = more.get("wishes")
    for name in FORMAT_NAMES:
        if name in told:
            with pytest.raises(RegionReportError) as refusal:
                finish(write_offers([name], folder, target, wishes))
            assert str(refusal.value) == told[name] and "\n" not in told[name]
            assert not target.exists()
        else:
            finish(write_offers([name], folder, target.with_name(f"can-{name}"), wishes))
    return told


def test_a_scan_that_did_not_come_from_dicom_keeps_what_needs_none(dicom_case: Any, tmp_path: Path) -> None:
    study = replace(dicom_case.report.study, dicom=None)
    folder = laid_down(dicom_case, tmp_path / "draft", replace(dicom_case.report, study=study))
    told = same_when_written(folder, tmp_path / "out")
    assert set(told) == TIED
    assert all("did not come from DICOM" in reason for reason in told.values())


def test_a_series_that_is_gone_keeps_what_needs_no_slices(dicom_case: Any, tmp_path: Path) -> None:
    study = replace(dicom_case.report.study, path=str(tmp_path / "gone"))
    folder = laid_down(dicom_case, tmp_path / "draft", replace(dicom_case.report, study=study))
    told = same_when_written(folder, tmp_path / "out")
    assert set(told) == {"pictures", "seg", "dicom"}
    assert all(str(tmp_path / "gone") in reason and "is not there" in reason for reason in told.values())
    assert reasons(folder, wishes=Wishes(scan=dicom_case.folder)) == {}
    assert set(reasons(folder, wishes=Wishes(scan=tmp_path / "elsewhere"))) == {"pictures", "seg", "dicom"}


def test_without_masks_beside_it_a_report_has_words_only(draft: Path, tmp_path: Path) -> None:
    (draft / "segmentation.seg.nrrd").unlink()
    told = same_when_written(draft, tmp_path / "out")
    assert set(told) == {"pictures", "masks", "seg", "dicom"}
    assert all("has no segmentation.seg.nrrd" in reason for reason in told.values())


def test_a_series_that_names_no_patient_makes_no_fhir(dicom_case: Any, tmp_path: Path) -> None:
    source = replace(dicom_case.report.study.dicom, patient_id="", patient_name=" ")
    report = replace(dicom_case.report, study=replace(dicom_case.report.study, dicom=source))
    told = same_when_written(laid_down(dicom_case, tmp_path / "draft", report), tmp_path / "out")
    assert set(told) == {"fhir"} and "names no patient" in told["fhir"]


def test_a_series_without_a_frame_of_reference_has_no_dicom_report(dicom_case: Any, tmp_path: Path) -> None:
    source = replace(dicom_case.report.study.dicom, frame_of_reference_uid="")
    report = replace(dicom_case.report, study=replace(dicom_case.report.study, dicom=source))
    told = same_when_written(laid_down(dicom_case, tmp_path / "draft", report), tmp_path / "out")
    assert set(told) == {"seg", "dicom"} and "Frame of Reference" in told["seg"]


def test_a_report_that_is_not_what_was_signed_does_not_leave_as_signed(dicom_case: Any, tmp_path: Path) -> None:
    signed = sign(dicom_case.report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    forged = signed.with_sentences(
        (replace(signed.sentences[0], text="Other words in its place."), *signed.sentences[1:])
    )
    told = same_when_written(laid_down(dicom_case, tmp_path / "draft", forged), tmp_path / "out")
    assert set(told) == {"dicom", "fhir"}
    assert all("is not what was signed" in reason for reason in told.values())


def test_a_package_that_is_not_installed_is_named_without_loading_any(draft: Path) -> None:
    # In an interpreter that has all but highdicom and shows what it loaded.
    code = (
        "import sys, importlib.machinery as m\n"
        "old = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = lambda name, *rest: None if name == 'highdicom' else old(name, *rest)\n"
        "from pathlib import Path\n"
        "from RegionReportLib.export.offers import offers\n"
        "for o in offers(Path(sys.argv[1])):\n"
        "    print(o.name, o.reason)\n"
        "print('loaded', *(n for n in ('highdicom', 'fhir', 'torch', 'pynetdicom') if n in sys.modules))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(draft)], capture_output=True, text=True, check=True, env=dict(os.environ)
    ).stdout.splitlines()
    lacking = [line for line in told if "highdicom" in line]
    assert [line.split()[0] for line in lacking] == ["seg", "dicom"]
    assert all("pip install 'regionreport[dicom]'" in line for line in lacking)
    assert told[-1] == "loaded"


def test_what_is_missing_at_writing_is_of_the_kind_that_callers_act_on(
    draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportLib.export.offers.find_spec", lambda name: None)
    with pytest.raises(NeedMissing):
        finish(write_offers(["dicom"], draft, tmp_path / "out"))


# all or nothing


def test_an_export_that_is_closed_leaves_nothing_and_keeps_what_was_there(draft: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "report.txt").write_text("the earlier text")
    steps = count(lambda: write_offers(FORMAT_NAMES, draft, tmp_path / "counted"))
    for stop in range(1, steps, 3):
        work = write_offers(FORMAT_NAMES, draft, target)
        for _ in range(stop):
            next(work)
        work.close()
        assert names_in(target) == {"report.txt"}
        assert (target / "report.txt").read_text() == "the earlier text"


def count(work: Callable[[], Any]) -> int:
    seen: list[Progress] = []
    finish(work(), seen.append)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    return len(seen)


def test_one_format_that_fails_takes_the_others_with_it(dicom_case: Any, draft: Path, tmp_path: Path) -> None:
    lost = tmp_path / "series"
    lost.mkdir()
    for path in sorted(dicom_case.folder.iterdir())[:-1]:
        (lost / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputRefused, match="lacks 1 of the 14 slices"):
        finish(write_offers(["text", "dicom"], draft, tmp_path / "out", Wishes(scan=lost)))
    assert not (tmp_path / "out").exists()


def test_another_scan_at_the_same_path_gets_no_pictures(dicom_case: Any, draft: Path, tmp_path: Path) -> None:
    other = tmp_path / "series"
    other.mkdir()
    for path in dicom_case.folder.iterdir():
        image = pydicom.dcmread(path)
        image.RescaleIntercept = 7
        image.save_as(other / path.name)
    with pytest.raises(InputRefused, match="voxels differ"):
        finish(write_offers(["pictures"], draft, tmp_path / "out", Wishes(scan=other)))


@pytest.mark.parametrize("name", ["json", "masks"])
def test_the_files_that_a_draft_lives_by_are_not_written_over(draft: Path, name: str) -> None:
    before = {path.name: path.read_bytes() for path in draft.iterdir()}
    with pytest.raises(Conflict, match="own folder"):
        finish(write_offers(["text", name], draft, draft / ".." / draft.name))
    assert {path.name: path.read_bytes() for path in draft.iterdir()} == before


def test_names_that_are_none_are_refused(draft: Path, tmp_path: Path) -> None:
    for names in ([], ["pdf"], ["text", "docx"]):
        with pytest.raises(InputRefused, match="there is no format"):
            finish(write_offers(names, draft, tmp_path / "out"))


def test_a_folder_without_a_report_has_nothing_to_offer(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no report folder"):
        offers(tmp_path)


def test_the_report_of_a_door_counts_and_not_the_file(dicom_case: Any, draft: Path) -> None:
    study = replace(dicom_case.report.study, dicom=None)
    assert set(reasons(draft, report=replace(dicom_case.report, study=study))) == TIED


def test_a_report_is_written_as_its_trail_tells_it(draft: Path, dicom_case: Any, tmp_path: Path) -> None:
    (draft / "report.json").unlink()  # as a crash may leave it
    finish(write_offers(["json"], draft, tmp_path / "out"))
    assert report_from_json((tmp_path / "out" / "report.json").read_bytes()) == dicom_case.report


def test_listing_the_formats_loads_no_package_and_names_the_files_that_are_written() -> None:
    code = (
        "import sys\nfrom RegionReportLib.export.formats import FORMATS\n"
        "print(*(m for m in ('numpy', 'scipy', 'pydicom') if m in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == ""
    assert {one.file_name for one in FORMATS if one.name == "masks"} == {MASKS_NAME}


def test_an_offer_cannot_be_changed(draft: Path) -> None:
    offer = offers(draft)[0]
    with pytest.raises(AttributeError):
        offer.reason = "no"  # type: ignore[misc]
    assert offer == Offer("text", "Plain text for the RIS", "report.txt")
