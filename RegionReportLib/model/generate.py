"""Writes the texts of a scan's regions with the region-token network: all at once, streamed sentence by sentence.

What the regions share is read once; a region can be written again alone from the same reading. Where findings are
settled before a text, each gets a sentence of its own and the rest of the text follows. Each sentence comes with how
sure the model was of its words, how well it agrees with the image, and its boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..progress import Work
from .generate_many import write_studies
from .generate_study import FindBoxes, OpenStudy, RegionText, SentenceWritten, Settings, Support, WrittenSentence

__all__ = [
    "FindBoxes",
    "OpenStudy",
    "RegionText",
    "SentenceWritten",
    "Settings",
    "Support",
    "WrittenSentence",
    "write_regions",
]


def write_regions(
    study: OpenStudy, region_ids: Sequence[str] | None = None, settings: Settings | None = None
) -> Work[tuple[RegionText, ...]]:
    """Return the texts of regions, by default of all that have a prompt, in the order asked for.

    Yields `SentenceWritten` for each sentence as soon as it is whole, and `Progress` at each word. The same study and
    settings give the same texts, for one region alone or among others.
    """
    names = tuple(study.prompts) if region_ids is None else tuple(region_ids)
    (texts,) = yield from write_studies([study], settings, [names])
    return texts
