"""The report as one HTML file: readable and printable without scripts, with a picture of each region beside its text.

Text is escaped without exception; nothing is loaded from anywhere (the page forbids it to itself).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from html import escape as escape_markup
from pathlib import Path

import numpy as np

from ..anatomy import regions as anatomy
from ..imaging.box import Box
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..report.document import Report, Status
from ..report.place import Place
from ..report.sentence import Polarity, Sentence
from .picture import Mark, Plane, jpeg, slice_picture
from .standing import VERDICT_SIGN, authorship, authorship_line, kept, state_line
from .style import CSS

# The plane that shows most of a region in one picture.
_BEST_PLANE = {
    "lungs": Plane.CORONAL,
    "airways": Plane.CORONAL,
    "mediastinum": Plane.AXIAL,
    "heart_great_vessels": Plane.AXIAL,
    "bones": Plane.SAGITTAL,
    "upper_abdomen": Plane.CORONAL,
}
_FOCAL_PICTURES = 3
_PICTURE_PX = 400
# A finding is focal if its box is clearly smaller than its region's.
_FOCAL_SHARE = 0.3
# Control characters and lone surrogates have no place in an HTML document.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of the page: `id` to link to, JPEG bytes and a caption."""

    id: str
    jpeg: bytes
    caption: str


def report_html(report: Report, volume: Volume | None = None, masks: RegionMasks | None = None) -> str:
    """Return the report as an HTML page, with pictures if the volume and its masks are given."""
    keep = {s.id for s in kept(report)}
    sections = []
    for region, sentences in report.by_region():
        figures = []
        if region is not None and volume is not None and masks is not None:
            figures = _figures(report, region, volume, masks)
        sections.append(_section(report, region, [s for s in sentences if s.id in keep], figures))
    signed = report.status is Status.SIGNED
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in report.notes)
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        "<meta name=viewport content='width=device-width'>"
        f"<title>Chest CT report</title><style>{CSS}</style></head><body>"
        f"<header><h1>Chest CT</h1><p class='{'signed' if signed else 'draft'}'>{escape(state_line(report))}</p>"
        f"{_study(report)}{notes}</header>{''.join(sections)}{_measurements(report)}"
        f"<footer><p>{escape(authorship_line(report))}</p><p>{escape(state_line(report))}</p></footer></body></html>\n"
    )


def _study(report: Report) -> str:
    study = report.study
    if study.dicom is None:
        who = "No DICOM: patient and study identifiers are not known to this report."
    else:
        d = study.dicom
        who = f"Patient {d.patient_name or '–'} ({d.patient_id or '–'}), study {d.study_date or '–'}"
        who += f" {d.study_description}".rstrip()
    # The name alone: folders tell of the computer, and often of patients.
    spacing = " × ".join(f"{s:.2f}" for s in study.grid.spacing_mm)
    return f"<p class=study>{escape(who)}<br>{escape(Path(study.path).name)}, voxels of {spacing} mm</p>"


def _section(report: Report, region: anatomy.Region | None, sentences: list[Sentence], figures: list[Figure]) -> str:
    if region is None:
        if not sentences:
            return ""
        title, colour, coverage = "Without a place", "#888", ""
    else:
        title, colour = region.name, "#{:02x}{:02x}{:02x}".format(*region.color_rgb)
        coverage = report.coverage[region.id].value
        note = report.coverage_notes.get(region.id)
        coverage += f": {note}" if note else ""
    lines = "".join(_sentence(s) for s in sentences) or "<li class=none>No sentence.</li>"
    pictures = "".join(
        f"<figure id='{escape(f.id)}'>"
        f"<img alt='{escape(f.caption)}' src='data:image/jpeg;base64,{base64.b64encode(f.jpeg).decode()}'>"
        f"<figcaption>{escape(f.caption)}</figcaption></figure>"
        for f in figures
    )
    return (
        f"<section style='--c:{colour}'><h2>{escape(title)}<small>{escape(coverage)}</small></h2>"
        f"<div class=row><ul>{lines}</ul><div class=pictures>{pictures}</div></div></section>"
    )


def _sentence(sentence: Sentence) -> str:
    text = escape(sentence.text)
    if sentence.key_phrase is not None:
        start, stop = sentence.key_phrase
        before, phrase, after = sentence.text[:start], sentence.text[start:stop], sentence.text[stop:]
        text = f"{escape(before)}<b>{escape(phrase)}</b>{escape(after)}"
    places = "; ".join(_where(a.place) for a in sentence.anchors) or "no place"
    flags = "".join(
        f"<span class=flag>{escape(f.message)}{escape(f' — {f.answer}' if f.answer else '')}</span>"
        for f in sentence.flags
    )
    quiet = " class=quiet" if sentence.polarity is Polarity.UNCERTAIN and not sentence.evidence else ""
    return (
        f"<li{quiet} id='{escape(sentence.id)}'><span class=state>{VERDICT_SIGN[sentence.verdict]}</span>{text}"
        f"<small>{escape(places)} · {escape(authorship(sentence))}</small>{flags}</li>"
    )


def escape(text: str) -> str:
    """Return text as HTML, quotes included; characters that HTML forbids become U+FFFD."""
    return escape_markup(_FORBIDDEN.sub("\ufffd", text), quote=True)


def _where(place: Place) -> str:
    return f"{place.name} ({place.spot})"


def _measurements(report: Report) -> str:
    rows = []
    for m in report.measurements:
        what = " ".join(w for w in (m.side.value if m.side else "", m.structure or m.region_id, m.zone or "") if w)
        value = "unknown" if m.value is None else f"{m.value:.4g} {m.unit if m.unit != '1' else ''}"
        cells = (m.quantity.replace("_", " "), what.replace("_", " "), value, m.reason, m.method)
        rows.append("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in cells) + "</tr>")
    head = "<tr><th>Quantity</th><th>Place</th><th>Value</th><th>Remark</th><th>Method</th></tr>"
    return f"<details><summary>Measurements ({len(rows)})</summary><table>{head}{''.join(rows)}</table></details>"


def _figures(report: Report, region: anatomy.Region, volume: Volume, masks: RegionMasks) -> list[Figure]:
    whole = next((p for p in report.places if p.region_id == region.id and not (p.structure or p.side or p.zone)), None)
    if whole is None:
        return []
    plane = _BEST_PLANE[region.id]
    frame = _frame(report)
    mark = Mark(region.id, frame=frame)
    picture = slice_picture(volume, masks, plane, _slice_point(region, plane, whole, masks), mark, _PICTURE_PX)
    figures = [Figure(f"fig-{region.id}", jpeg(picture), f"{region.name}, {plane.name.lower()}")]
    for sentence, place in _focal(report, region, whole)[:_FOCAL_PICTURES]:
        mark = Mark(region.id, place.box, frame)
        focal = slice_picture(volume, masks, Plane.AXIAL, place.box.center_mm, mark, _PICTURE_PX)
        figures.append(Figure(f"fig-{sentence.id}", jpeg(focal), f"{_topic(sentence)}{place.name}, axial"))
    return figures


def _topic(sentence: Sentence) -> str:
    """Return what a picture of a sentence is about, for its caption: the key phrase, if it has one."""
    start, stop = sentence.key_phrase or (0, 0)
    return f"{sentence.text[start:stop]}: " if stop else ""


def _frame(report: Report) -> Box:
    """Return the box around all regions with a margin, so that pictures show the patient and not the table."""
    box = report.places[0].box
    for place in report.places[1:]:
        box = box.union(place.box)
    margin = 15.0
    low = (box.min_mm[0] - margin, box.min_mm[1] - margin, box.min_mm[2] - margin)
    return Box(low, (box.max_mm[0] + margin, box.max_mm[1] + margin, box.max_mm[2] + margin))


def _focal(report: Report, region: anatomy.Region, whole: Place) -> list[tuple[Sentence, Place]]:
    """Return the sentences of a region that say something is present in a small place, with it, largest first."""
    limit = _FOCAL_SHARE * whole.box.volume_ml
    found = []
    for sentence in kept(report):
        places = [a.place for a in sentence.anchors if a.place.region_id == region.id and a.place.box.volume_ml > 0]
        smallest = min(places, key=lambda place: place.box.volume_ml, default=whole)
        if sentence.polarity is Polarity.PRESENT and smallest.box.volume_ml < limit:
            found.append((sentence, smallest))
    return sorted(found, key=lambda pair: -pair[1].box.volume_ml)


def _slice_point(region: anatomy.Region, plane: Plane, whole: Place, masks: RegionMasks) -> tuple[float, ...]:
    """Return a RAS point on the slice that holds most of the region, found on every third voxel.

    A region with no voxel among them is shown where the report says.
    """
    coarse = masks.region(region.id, (slice(None, None, 3),) * 3)
    k, j, i = np.nonzero(coarse)
    if not len(k):
        return whole.point_mm
    along = masks.grid.to_ras(np.stack([i, j, k], axis=-1) * 3.0)[:, plane.value[0]]
    counts, edges = np.histogram(along, bins=max(8, int(np.ptp(along) / 6)))
    point = list(whole.point_mm)
    most = int(np.argmax(counts))
    point[plane.value[0]] = float((edges[most] + edges[most + 1]) / 2)
    return tuple(point)
