"""The measured writer: sentences from measurements alone, grouped by region, each with its place and evidence.

It says only what was measured, and what was not looked at: never that something is absent which nobody looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..anatomy.regions import Coverage, Region, regions
from ..progress import Progress, Work
from ..report.measurement import Measurement
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Polarity, Sentence
from .chest_lines import abdomen_lines, airway_lines, bone_lines, heart_lines, mediastinum_lines
from .findings import Findings, Line
from .finer_lines import heights_told, lobe_lines, nodule_lines
from .lung_lines import lung_lines
from .vessel_lines import aortic_diameter
from .writer import Seen

NAME = "measured"
ORIGIN = Origin(Author.MEASURED)

_LINES: dict[str, Callable[[Findings], Iterator[Line]]] = {
    "airways": airway_lines,
    "mediastinum": mediastinum_lines,
    "heart_great_vessels": heart_lines,
    "bones": bone_lines,
    "upper_abdomen": abdomen_lines,
}

NOT_ASSESSED: dict[str, str] = {
    "lungs": "nodules, interstitial pattern, bronchial disease",
    "airways": "airway wall and contents, lobar and segmental bronchi",
    "mediastinum": "lymph nodes, masses, oesophagus, thyroid",
    "heart_great_vessels": "coronary stenosis, valves, pericardium, aortic diameter, pulmonary arteries",
    "bones": "fractures, focal lesions, degenerative change, chest wall",
    "upper_abdomen": "focal lesions, gallbladder, adrenal glands, kidneys, bowel",
}


class MeasuredWriter:
    """The writer that needs no model."""

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        return NAME

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the sentences in report order."""
        yield Progress(0.0, "sentences")
        return write_measured(seen.measurements, seen.masks.coverage, seen.masks.coverage_notes, seen.places)


def write_measured(
    measurements: Iterable[Measurement],
    coverage: dict[str, Coverage],
    coverage_notes: dict[str, str],
    places: Iterable[Place],
) -> tuple[Sentence, ...]:
    """Return the sentences of all six regions in report order.

    A region that the scan does not hold gets one sentence that says so, and nothing else. Ids read
    `<region>-<number>` and are the same for the same measurements.
    """
    findings = Findings(measurements, places)
    return tuple(
        sentence
        for region in regions()
        for sentence in _paragraph(region, findings, coverage[region.id], coverage_notes.get(region.id, ""))
    )


def _paragraph(region: Region, findings: Findings, coverage: Coverage, note: str) -> Iterator[Sentence]:
    if coverage is Coverage.ABSENT:
        # Masks from elsewhere may lack a region that the scan holds: then the note says so.
        text = f"{region.name} not assessed: {note}." if note else f"{region.name} not covered by this scan."
        yield _sentence(region, 1, Line(text, region.name, (), Polarity.UNCERTAIN))
        return
    for number, line in enumerate(_lines(region, findings, coverage, note), start=1):
        yield _sentence(region, number, line)


def _lines(region: Region, findings: Findings, coverage: Coverage, note: str) -> Iterator[Line]:
    place = findings.place(region.id)
    places = (place,) if place else ()
    if coverage is Coverage.PARTIAL:
        phrase = f"{region.name} only partly covered by this scan"
        text = f"{phrase}: {note.rstrip('.')}." if note else f"{phrase}."
        yield Line(text, phrase, (), Polarity.UNCERTAIN, places)
    if region.id == "lungs":
        yield from lung_lines(findings, coverage)
        yield from lobe_lines(findings)
        yield from nodule_lines(findings)
    else:
        yield from _LINES[region.id](findings)
    yield Line(f"Not assessed: {not_assessed(region.id, findings)}.", "Not assessed", (), Polarity.UNCERTAIN, places)


def not_assessed(region_id: str, findings: Findings) -> str:
    """Return what nobody looked at in a region, without what was measured on this scan."""
    words = NOT_ASSESSED[region_id].split(", ")
    if region_id == "lungs" and findings.known("count", "lung_nodule") is not None:
        words.remove("nodules")
    if region_id == "heart_great_vessels":
        if all(aortic_diameter(findings, which) is not None for which in ("ascending", "descending")):
            words.remove("aortic diameter")
        if findings.known("transverse_diameter", "pulmonary_artery") is not None:
            words[words.index("pulmonary arteries")] = "pulmonary artery branches and their filling"
        if findings.known("fluid_volume", "pericardial_effusion") is not None:
            words[words.index("pericardium")] = "pericardial thickening"
    if region_id == "bones" and heights_told(findings):
        words[words.index("fractures")] = "other fractures"
    return ", ".join(words)


def _sentence(region: Region, number: int, line: Line) -> Sentence:
    own = [m.place for m in line.evidence if m.place is not None]
    places = dict.fromkeys(line.places or own)  # each place once, in order
    source = AnchorSource.MEASUREMENT if line.evidence else AnchorSource.HEADING
    start = line.text.index(line.phrase)
    return Sentence(
        id=f"{region.id}-{number}",
        text=line.text,
        regions=(region.id,),
        anchors=tuple(Anchor(place, source) for place in places),
        polarity=line.polarity,
        origin=ORIGIN,
        evidence=tuple(m.id for m in line.evidence),
        key_phrase=(start, start + len(line.phrase)),
        placeless=not places,
    )
