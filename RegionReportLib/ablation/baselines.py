"""The two writers that a network must beat: one that says that all is normal, one that only measures."""

from __future__ import annotations

from functools import cache

from ..anatomy.regions import REGION_IDS
from ..draft.measured_writer import write_measured
from ..evaluate.existence import ConfidentBox
from ..evaluate.phantom_findings import read_findings
from ..grounding.places import places_of
from ..phantom.case import PhantomCase
from ..phantom.grammar import expansions, tidy
from ..phantom.phrases import phrase_table
from ..progress import finish
from ..report.measurement import Measurement
from ..report.place import AnchorSource
from ..report.sentence import Sentence
from .told import ToldReport, ToldSentence


@cache
def normal_template() -> ToldReport:
    """Return the one report that everybody gets: every finding denied, region by region, in the phantoms' own words."""
    table = phrase_table().findings
    denials = ((phrases.region_id, next(expansions(phrases.absent[0]))) for phrases in table.values())
    said = sorted(denials, key=lambda pair: REGION_IDS.index(pair[0]))
    return ToldReport(tuple(ToldSentence(region_id, tidy(text)) for region_id, text in said))


def measured_report(phantom: PhantomCase, measurements: tuple[Measurement, ...]) -> ToldReport:
    """Return what the measured writer says of the scan of a phantom, on its true masks.

    The box of a sentence that affirms a finding is the place where it was measured; that place is sure.
    """
    masks = phantom.masks
    sentences = write_measured(measurements, masks.coverage, masks.coverage_notes, finish(places_of(masks)))
    return ToldReport(tuple(ToldSentence(s.regions[0], s.text, boxes=_boxes(s)) for s in sentences))


def _boxes(sentence: Sentence) -> tuple[ConfidentBox, ...]:
    if not any(statement.affirmed for statement in read_findings(sentence.text)):
        return ()
    measured = (a.place.box for a in sentence.anchors if a.source is AnchorSource.MEASUREMENT)
    return tuple(ConfidentBox(box, 1.0) for box in dict.fromkeys(measured))
