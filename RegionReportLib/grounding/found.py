"""What was found in a scan for the words of a sentence: an offer, of which nothing is in a report yet."""

from __future__ import annotations

from dataclasses import dataclass

from ..report.place import Anchor


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a sentence by its `phrase`: `anchors` to be offered, the largest part first.

    `words` say how it went, also what was found and is not offered.
    """

    sentence_id: str
    phrase: str
    anchors: tuple[Anchor, ...]
    words: str
