"""The Export menu: what is possible comes as a file, what is not says why."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import exported, opened, within

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_every_format_of_a_scan_without_dicom_is_a_file_or_explained(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.click("#export")
    page.wait_for_selector("#exporting button[data-offer=text]")
    for name in ("seg", "dicom", "fhir"):
        assert page.is_disabled(f"#exporting button[data-offer={name}]")
        assert "did not come from DICOM" in page.inner_text(f"#why-{name}")
    page.keyboard.press("Escape")
    assert "DRAFT, not signed" in exported(page, "text").read_text(encoding="utf-8")
    assert json.loads(exported(page, "json").read_text(encoding="utf-8"))["status"] == "draft"
    assert exported(page, "masks").read_bytes() == (report / "segmentation.seg.nrrd").read_bytes()


def test_an_export_at_once_does_not_keep_the_3d_view_empty(page: Page, server: Any, report: Path) -> None:
    from RegionReportLib.scene.surfaces import missing_surfaces

    opened(page, server, report)
    exported(page, "text")
    within(page, lambda: server.do(lambda door: not missing_surfaces(door.desk.segmentation_node)))


def test_the_page_with_pictures_has_the_pictures_of_the_folder(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    pictures = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", exported(page, "pictures").read_text(encoding="utf-8"))
    assert len(pictures) == len(re.findall("data:image/jpeg", (report / "report.html").read_text(encoding="utf-8"))) > 5
    assert all(base64.b64decode(one)[:2] == b"\xff\xd8" for one in pictures)


def test_the_scene_bundle_opens_as_a_review_elsewhere(page: Page, server: Any, report: Path, tmp_path: Path) -> None:
    slicer = pytest.importorskip("slicer")
    from RegionReportLib.scene.storage import files_of, report_nodes, segmentation_node_of, volume_node_of

    from scene_host import Host

    opened(page, server, report)
    file = exported(page, "mrb")
    with zipfile.ZipFile(file) as bundle:
        assert any(name.endswith(".mrml") for name in bundle.namelist())
    path = tmp_path / "scene.mrb"
    path.write_bytes(file.read_bytes())
    host = Host()
    scene = host.scene
    assert scene.ReadFromMRB(str(path), True, slicer.vtkMRMLMessageCollection())
    (node,) = report_nodes(scene)
    files = files_of(node)
    assert (files.draft, files.audit) == tuple((report / name).read_bytes() for name in ("draft.json", "audit.jsonl"))
    assert volume_node_of(node).GetImageData().GetNumberOfPoints() > 10_000
    assert segmentation_node_of(node).GetSegmentation().GetNumberOfSegments() >= 6


def test_an_export_that_fails_says_why_and_leaves_the_review(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.click("#export")
    page.wait_for_selector("#exporting button[data-offer=masks]:enabled")
    (report / "segmentation.seg.nrrd").unlink()
    page.click("#exporting button[data-offer=masks]")
    page.wait_for_function("() => document.getElementById('message').textContent.includes('segmentation.seg.nrrd')")
    page.wait_for_selector("#busy", state="hidden")
    assert page.locator(".one[data-id]").count() > 10
    assert page.request.get(server.url + "export/nonsense/report.txt").status == 404
