"""Lets the network write one study in several ways at once: parts hidden, all rows of the table as one batch.

The images are looked at once; rows differ only in which tokens reach the language model. Boxes and support scores rest
on the image and not on the tokens, so each row's are those of its own words.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..evaluate.existence import ConfidentBox
from ..model.box_frame import BoxFrame
from ..model.box_head import FoundBox, read_boxes
from ..model.generate import RegionText, Settings
from ..model.generate_many import write_studies
from ..model.generate_open import open_study
from ..model.inputs import StudyInputs
from ..model.network import RegionReporter
from ..model.visual_tokens import EncodedStudy
from ..progress import Progress, Work, part
from .judging import Put
from .told import JudgedClaim, ToldReport, ToldSentence


@dataclass(frozen=True, slots=True, eq=False)
class SeenStudy:
    """A study that the network has looked at once, for all rows."""

    network: RegionReporter
    encoded: EncodedStudy

    @torch.inference_mode()
    def support(self, sentences: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """Return the support score of sentences `(region, text)`, each asked once; empty if the network has none."""
        if self.network.support_score is None:
            return {}
        out: dict[tuple[str, str], float] = {}
        for region_id in dict.fromkeys(region for region, _ in sentences):
            texts = list(dict.fromkeys(text for region, text in sentences if region == region_id))
            scores = self.network.support(self.encoded, region_id, texts).tolist()
            out.update({(region_id, text): score for text, score in zip(texts, scores, strict=True)})
        return out

    def judge(self, claims: Sequence[Put]) -> tuple[JudgedClaim, ...]:
        """Put claims to the support score."""
        scores = self.support([(claim.region_id, claim.text) for claim in claims])
        return tuple(JudgedClaim(c.kind, scores[c.region_id, c.text]) for c in claims if scores)


@torch.inference_mode()
def look(network: RegionReporter, inputs: StudyInputs) -> SeenStudy:
    """Let the network, in evaluation mode, look at a study."""
    return SeenStudy(network, network.encode(inputs))


def write_rows(
    seen: SeenStudy, rows: Sequence[frozenset[str]], settings: Settings | None = None
) -> Work[dict[frozenset[str], ToldReport]]:
    """Return what the network writes with each set of parts hidden, in the words that each gets alone.

    A row's seconds are its share, by tokens, of the time of the batch.
    """
    hidden = tuple(dict.fromkeys(rows))
    began = time.perf_counter()
    opened = []
    for number, names in enumerate(hidden):
        with torch.inference_mode():
            encoded = seen.network.encode(seen.encoded, names)
        work = part(open_study(seen.network, encoded), 0.2 * number / len(hidden), 0.2 * (number + 1) / len(hidden))
        study = yield from work
        # Support is asked for all rows together below; of the boxes the unlikely ones are wanted too.
        boxes = _AllBoxes(seen.network, encoded) if seen.network.box_head is not None else None
        opened.append(replace(study, support=None, find_boxes=boxes))
    written = yield from part(write_studies(opened, settings), 0.2, 0.95)
    yield Progress(0.95, "judging the sentences")
    seconds = time.perf_counter() - began
    scores = seen.support([(s.region_id, s.text) for texts in written for text in texts for s in text.sentences])
    words = [sum(s.tokens for text in texts for s in text.sentences) for texts in written]
    return {
        names: ToldReport(_sentences(texts, scores), seconds * count / max(1, sum(words)))
        for names, texts, count in zip(hidden, written, words, strict=True)
    }


def _sentences(texts: Sequence[RegionText], scores: dict[tuple[str, str], float]) -> tuple[ToldSentence, ...]:
    return tuple(
        ToldSentence(
            s.region_id,
            s.text,
            boxes=tuple(ConfidentBox(found.box, found.existence) for found in s.boxes),
            support=scores.get((s.region_id, s.text)),
        )
        for text in texts
        for s in text.sentences
    )


class _AllBoxes:
    """Finds boxes as in use, but keeps those that are thought unlikely, whose calibration counts as well."""

    def __init__(self, network: RegionReporter, seen: EncodedStudy) -> None:
        assert network.box_head is not None
        self._head, self._frame = network.box_head, BoxFrame(seen.study.frame)
        self._features = network.features(seen).float()[None]

    @torch.inference_mode()
    def __call__(self, states: Tensor) -> tuple[tuple[FoundBox, ...], ...]:
        owner = torch.zeros(len(states), dtype=torch.long, device=states.device)
        return read_boxes(self._head(states.float(), self._features, owner), self._frame, threshold=0.0)
