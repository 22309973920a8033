"""The formats a report leaves in, by the names that menus and commands use. Light: nothing is loaded to list them."""

from __future__ import annotations

from dataclasses import dataclass

SEG_NAME = "segmentation.dcm"
# `imaging.mask_files.MASKS_NAME`, whose room would have to be loaded for it.
_MASKS_NAME = "segmentation.seg.nrrd"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: `name` in commands and messages, `title` as a menu line, `file_name` of what is written.

    `also` names a second file that is written with it, empty if there is none.
    """

    name: str
    title: str
    file_name: str
    also: str = ""


FORMATS = (
    Format("text", "Plain text for the RIS", "report.txt"),
    Format("html", "Web page, without pictures", "report.html"),
    Format("pictures", "Web page, with pictures of the scan", "report-with-pictures.html"),
    Format("json", "Report file (JSON)", "report.json"),
    Format("masks", "Region masks for 3D Slicer", _MASKS_NAME),
    Format("seg", "DICOM SEG: the region masks", SEG_NAME),
    Format("dicom", "DICOM SR and SEG: the report tied to its masks", "report.dcm", also=SEG_NAME),
    # Last: it points at the segments of a SEG that may be written with it.
    Format("fhir", "FHIR bundle: the report tied to its images", "report.fhir.json"),
)
FORMAT_NAMES = tuple(one.name for one in FORMATS)
