"""A zipped DICOM series that is sent becomes a report with its identifiers; of several the reader chooses one."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import ROW, exported, within
from dicom_made import ROOT, zipped

from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.progress import finish

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def volume(scan: Path) -> Volume:
    """The phantom, which was written as NIfTI."""
    return finish(read_volume(scan))


def send(page: Page, server: Any, file: Path) -> None:
    """Send a file as a reader does."""
    page.goto(server.url)
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#file", file)


def study(server: Any) -> Any:
    """The study of the open report."""
    return server.do(lambda door: door.desk.session.report.study)


@pytest.mark.slow
def test_a_zipped_series_is_drafted_and_leaves_as_dicom_and_fhir(
    page: Page, server: Any, volume: Volume, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom", reason="DICOM exports need highdicom: regionreport[dicom]")
    send(page, server, zipped(tmp_path / "chest.zip", ("Thorax", volume)))
    page.wait_for_selector(ROW, timeout=90_000)
    assert study(server).dicom.series_instance_uid == f"{ROOT}.1"
    assert study(server).dicom.patient_id == "P-17"
    shown = server.do(lambda door: door.desk._volume_node.GetImageData().GetDimensions())
    assert shown == volume.hu.shape[::-1]
    with zipfile.ZipFile(exported(page, "dicom")) as files:
        assert {Path(name).suffix for name in files.namelist()} == {".dcm"}
        assert len(files.namelist()) == 2  # the SR and the SEG that it points at
    bundle = json.loads(exported(page, "fhir").read_text(encoding="utf-8"))
    assert bundle["resourceType"] == "Bundle"
    assert exported(page, "seg").read_bytes()[128:132] == b"DICM"


def test_of_several_series_the_reader_chooses(page: Page, server: Any, volume: Volume, tmp_path: Path) -> None:
    shifted = Volume((volume.hu + np.int16(1)).astype(np.int16), volume.grid, volume.provenance)
    file = zipped(tmp_path / "study.zip", ("Soft <b>kernel</b>", volume), ("Lung kernel", shifted))
    send(page, server, file)
    page.wait_for_selector("#series[open]")
    names = page.locator("#series .pick").all_inner_texts()
    assert [name.split(" · ")[0] for name in names] == ["Soft <b>kernel</b>", "Lung kernel"]
    assert f"{len(volume.hu)} slices" in names[0]
    page.click("#series .pick:has-text('Lung kernel')")
    page.wait_for_selector(ROW, timeout=90_000)
    assert study(server).dicom.series_instance_uid == f"{ROOT}.2"
    assert page.is_hidden("#series")


def test_a_reader_who_takes_none_of_the_series_keeps_nothing(
    page: Page, server: Any, volume: Volume, tmp_path: Path
) -> None:
    send(page, server, zipped(tmp_path / "unwanted.zip", ("One", volume), ("Two", volume)))
    page.wait_for_selector("#series[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#series", state="hidden")
    within(page, lambda: server.do(lambda door: door.asked) is None)
    assert not server.do(lambda door: [f for f in door.place.scans.iterdir() if "unwanted" in f.name])
    assert page.locator(ROW).count() == 0
