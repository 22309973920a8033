"""True sentences about a phantom: what is there, with place and size, and what is not there.

They are exact because the patient is known. Each says which region it belongs to and which lesions it tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..anatomy.regions import Coverage, Side
from ..imaging.masks import RegionMasks
from ..report.sentence import Polarity
from .lesions import Lesion
from .recipe import FindingKind


@dataclass(frozen=True, slots=True)
class TrueSentence:
    """A sentence that holds for the patient: `lesions` are the numbers of those it tells of, none for an absence."""

    text: str
    region_id: str
    polarity: Polarity
    kind: FindingKind | None = None
    side: Side | None = None
    lesions: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the sentence as plain JSON values."""
        return {
            "text": self.text,
            "region": self.region_id,
            "polarity": self.polarity.value,
            "kind": self.kind.value if self.kind else None,
            "side": self.side.value if self.side else None,
            "lesions": list(self.lesions),
        }


_PRESENT: dict[FindingKind, tuple[str, ...]] = {
    FindingKind.NODULE: (
        "Solid nodule of {mm} mm in the {side} {lobe} lobe.",
        "{Side} {lobe} lobe nodule measuring {mm} mm, solid.",
        "There is a {mm} mm solid nodule in the {zone} zone of the {side} lung.",
    ),
    FindingKind.EFFUSION: (
        "{Amount} {side} pleural effusion of about {ml} mL.",
        "Free pleural fluid on the {side}, about {ml} mL.",
        "{Side} pleural effusion, {amount}, with an estimated volume of {ml} mL.",
    ),
    FindingKind.ATELECTASIS: (
        "Dependent atelectasis of the {side} lung.",
        "Atelectatic lung in the dependent part of the {side} lung, about {ml} mL.",
    ),
    FindingKind.PNEUMOTHORAX: (
        "{Side} pneumothorax of about {ml} mL.",
        "Free air in the {side} pleural space in front of the lung, about {ml} mL: pneumothorax.",
    ),
    FindingKind.CONSOLIDATION: (
        "Consolidation with air bronchograms in the {side} {lobe} lobe, about {ml} mL.",
        "Airspace consolidation of about {ml} mL in the {zone} zone of the {side} lung.",
    ),
    FindingKind.EMPHYSEMA: (
        "Centrilobular emphysema of both lungs, more in the upper zones, {percent} % of the lung volume.",
        "Emphysema with upper zone predominance; low attenuation of {percent} % of the lungs.",
    ),
    FindingKind.CARDIOMEGALY: (
        "The heart is enlarged, cardiothoracic ratio {ratio}.",
        "Cardiomegaly with a cardiothoracic ratio of {ratio}.",
    ),
    FindingKind.CORONARY_CALCIUM: (
        "Coronary artery calcification, about {mm3} mm³.",
        "Calcified plaques of the coronary arteries.",
    ),
    FindingKind.AORTIC_CALCIUM: (
        "Calcified plaques of the aortic wall, about {mm3} mm³.",
        "Atherosclerotic wall calcification of the thoracic aorta.",
    ),
    FindingKind.LOW_BONE_DENSITY: (
        "Low trabecular density of the vertebral bodies, {hu} HU.",
        "Reduced bone density, {hu} HU in the vertebral bodies.",
    ),
    FindingKind.STEATOSIS: (
        "Diffusely reduced liver attenuation in keeping with steatosis.",
        "Fatty liver.",
    ),
    FindingKind.LYMPHADENOPATHY: (
        "Enlarged {lobe} lymph node, {mm} mm in short axis.",
        "{Lobe} lymph node of {mm} mm short axis diameter.",
    ),
}
_ABSENT: dict[str, tuple[tuple[FindingKind, tuple[str, ...]], ...]] = {
    "lungs": (
        (FindingKind.NODULE, ("No pulmonary nodule.", "No nodule in either lung.")),
        (FindingKind.CONSOLIDATION, ("No consolidation.", "No airspace consolidation.")),
        (FindingKind.EFFUSION, ("No pleural effusion.", "No pleural fluid on either side.")),
        (FindingKind.PNEUMOTHORAX, ("No pneumothorax.",)),
        (FindingKind.EMPHYSEMA, ("No emphysema.",)),
    ),
    "mediastinum": (
        (FindingKind.LYMPHADENOPATHY, ("No enlarged mediastinal lymph nodes.", "No mediastinal lymphadenopathy.")),
    ),
    "heart_great_vessels": (
        (FindingKind.CARDIOMEGALY, ("The heart is of normal size.", "Heart not enlarged.")),
        (FindingKind.CORONARY_CALCIUM, ("No coronary artery calcification.",)),
        (FindingKind.AORTIC_CALCIUM, ("No calcification of the aortic wall.",)),
    ),
    "bones": ((FindingKind.LOW_BONE_DENSITY, ("Bone density is within normal limits.",)),),
    "upper_abdomen": ((FindingKind.STEATOSIS, ("Normal liver attenuation.", "No hepatic steatosis.")),),
}
_AIRWAYS = ("Trachea and main bronchi are patent.", "The central airways are open and of normal calibre.")


def true_sentences(
    lesions: Sequence[Lesion], planted: frozenset[FindingKind], masks: RegionMasks, rng: np.random.Generator
) -> tuple[TrueSentence, ...]:
    """Return the sentences of a case; an absence is said only where the region is wholly in the scan.

    `planted` are the kinds that the patient has, in the scan or outside it: none of them is denied.
    """
    out = [_present(lesion, rng) for lesion in lesions]
    for region_id, kinds in _ABSENT.items():
        if masks.coverage[region_id] is Coverage.COMPLETE or (region_id == "upper_abdomen" and _sees(masks, "liver")):
            out += [
                TrueSentence(_one(texts, rng), region_id, Polarity.ABSENT, kind)
                for kind, texts in kinds
                if kind not in planted
            ]
    if masks.coverage["airways"] is not Coverage.ABSENT:
        out.append(TrueSentence(_one(_AIRWAYS, rng), "airways", Polarity.ABSENT))
    return tuple(out)


def _sees(masks: RegionMasks, structure: str) -> bool:
    return bool(masks.structure(structure).any())


def _one(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def _present(lesion: Lesion, rng: np.random.Generator) -> TrueSentence:
    p = lesion.planted
    side = p.side.value if p.side else ""
    ml = lesion.volume_ml
    amount = "small" if ml < 200 else "moderate" if ml < 600 else "large"
    words = {
        "side": side,
        "Side": side.capitalize(),
        "zone": p.zone.value if p.zone else "",
        "lobe": p.lobe,
        "Lobe": p.lobe[:1].upper() + p.lobe[1:],
        "amount": amount,
        "Amount": amount.capitalize(),
        "mm": f"{p.size:.0f}",
        "ml": f"{max(1, round(ml, -1 if ml > 100 else 0)):.0f}",
        "mm3": f"{p.size:.0f}",
        "percent": f"{p.size:.0f}",
        "ratio": f"{p.size:.2f}",
        "hu": f"{p.size:.0f}",
    }
    text = _one(_PRESENT[p.kind], rng).format(**words)
    return TrueSentence(text, p.region_id, Polarity.PRESENT, p.kind, p.side, (p.number,))
