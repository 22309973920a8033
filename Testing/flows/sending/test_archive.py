"""A real archive keeps what was sent to it, by both ways, and tells at once what it does not want."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.cli.main import main
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence

requests = pytest.importorskip("requests", reason="the package requests is not installed")
pytest.importorskip("pynetdicom", reason="the package pynetdicom is not installed")


def test_an_archive_keeps_byte_for_byte_what_was_sent_by_dicomweb(
    archive: Any, series: list[Path], netrc: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    netrc(archive.auth[1])
    assert main(["send", str(series[0].parent), "--dicomweb", archive.web, "--yes"]) == 0
    told = capsys.readouterr()
    assert "Müller^Ada (P-17)" in told.out and "5 CT" in told.out and "5 files sent" in told.out
    assert "credentials: netrc" in told.out and archive.auth[1] not in told.out + told.err
    for path in series:
        assert archive.stored(pydicom.dcmread(path).SOPInstanceUID) == path.read_bytes()


def test_an_archive_keeps_what_was_sent_by_c_store(archive: Any, series: list[Path]) -> None:
    where = f"127.0.0.1:{archive.dicom_port}"
    assert main(["send", *map(str, series), "--dimse", where, "--aet", "ORTHANC", "--yes"]) == 0
    for path in series:
        assert archive.keeps(path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, write_series: Callable[..., list[Path]]) -> Path:
    """A SEG and an SR on a series, as the DICOM export writes them."""
    pytest.importorskip("highdicom", reason="the package highdicom is not installed")
    from RegionReportLib.export.dicom_export import export_dicom

    folder = tmp_path_factory.mktemp("exported")
    write_series(folder / "series", slices=10)
    volume = finish(read_volume(folder / "series"))
    labels = np.zeros(volume.grid.shape_kji, dtype=np.uint8)
    labels[1:4, 2:19, 3:12], labels[2:5, 2:19, 15:27] = 1, 2
    coverage = dict.fromkeys(REGION_IDS, Coverage.ABSENT) | {"lungs": Coverage.COMPLETE}
    masks = RegionMasks(labels, volume.grid, ("lung_right", "lung_left"), "by hand", coverage, {})
    box = masks.box((slice(1, 4), slice(2, 19), slice(3, 12)))
    place = Place("lungs", box, box.center_mm, side=Side.RIGHT)
    sentence = Sentence("s1", "Dense right lung – größer.", ("lungs",), (Anchor(place, AnchorSource.MEASUREMENT),),
                        Polarity.PRESENT, Origin(Author.MEASURED), key_phrase=(0, 5))  # fmt: skip
    study = Study(str(folder / "series"), volume.digest(), volume.grid, volume.provenance.dicom)
    report = Report("r", study, coverage, {}, (place,), (), (sentence,), "measured", "by hand",
                    "2026-01-02T10:00:00+00:00")  # fmt: skip
    (folder / "out").mkdir()
    finish(export_dicom(report, masks, folder / "out", series=folder / "series"))
    return folder


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_an_archive_keeps_our_segmentation_and_our_report(
    archive: Any, exported: Path, netrc: Callable[[str], None], way: str
) -> None:
    netrc(archive.auth[1])
    to = {"dicomweb": ["--dicomweb", archive.web],
          "dimse": ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "ORTHANC"]}[way]  # fmt: skip
    assert main(["send", str(exported), *to, "--yes"]) == 0
    for path in (exported / "out").iterdir():
        assert archive.keeps(path)


def test_the_links_of_the_html_form_open_as_pictures_in_the_archive(archive: Any, exported: Path) -> None:
    from RegionReportLib.export.dicom_import import import_sr_seg
    from RegionReportLib.export.fhir import report_bundle
    from RegionReportLib.export.fhir_segments import seg_reference

    where = ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "ORTHANC"]
    assert main(["send", str(exported), *where, "--yes"]) == 0
    seg = exported / "out" / "segmentation.dcm"
    report, _ = import_sr_seg(exported / "out" / "report.dcm", seg)
    bundle = report_bundle(report, seg=seg_reference(seg), wado_rs=archive.web)
    selections = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "ImagingSelection"]
    subsets = [one["instance"][0].get("subset") for one in selections]
    right = next(s for s in pydicom.dcmread(seg).SegmentSequence if s.TrackingID == "lung_right")
    assert subsets == [None, [str(right.SegmentNumber)]]
    diagnostic = bundle["entry"][0]["resource"]
    page = base64.b64decode(diagnostic["presentedForm"][0]["data"]).decode()
    addresses = re.findall('href="([^"]+)"', page)
    assert len(addresses) == 2
    picture = requests.get(addresses[0], auth=archive.auth, timeout=20)
    assert picture.status_code == 200 and picture.headers["Content-Type"].startswith("image/")


def test_wrong_credentials_are_told_at_once(
    archive: Any, series: list[Path], netrc: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    netrc("wr0ng-pass")
    assert main(["send", str(series[0]), "--dicomweb", archive.web, "--yes"]) == 3
    told = capsys.readouterr()
    assert "refuses the credentials: 401" in told.err and "0 of 1 files" in told.err
    assert "wr0ng-pass" not in told.out + told.err and told.err.count("\n") == 1


def test_a_foreign_ae_title_is_told_at_once(
    archive: Any, series: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "OTHER"]
    assert main(["send", str(series[0]), *where, "--yes"]) == 3
    assert "rejects the AE title" in capsys.readouterr().err
