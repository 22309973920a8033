"""The register of findings: which function plants which kind, and in which order.

Another kind of finding is one more planter with its line here. Findings of the whole patient (heart size, bone and
liver density) are values of the habitus, set before the anatomy is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

from ..progress import Progress, Work
from .lesions import Garden
from .lung_findings import (
    plant_atelectasis,
    plant_consolidation,
    plant_effusion,
    plant_emphysema,
    plant_nodule,
    plant_pneumothorax,
)
from .other_findings import plant_aortic_calcium, plant_coronary_calcium, plant_node
from .recipe import Finding, FindingKind

# In the order of planting: nodes push the pleura aside, so they come before the lungs are looked at; what fills much
# of a lung comes before what needs a free place in it, and emphysema takes its share of what is left.
PLANTERS: dict[FindingKind, Callable[[Garden, Finding], None]] = {
    FindingKind.LYMPHADENOPATHY: plant_node,
    FindingKind.EFFUSION: plant_effusion,
    FindingKind.PNEUMOTHORAX: plant_pneumothorax,
    FindingKind.CONSOLIDATION: plant_consolidation,
    FindingKind.ATELECTASIS: plant_atelectasis,
    FindingKind.NODULE: plant_nodule,
    FindingKind.EMPHYSEMA: plant_emphysema,
    FindingKind.CORONARY_CALCIUM: plant_coronary_calcium,
    FindingKind.AORTIC_CALCIUM: plant_aortic_calcium,
}


def plant(garden: Garden, findings: tuple[Finding, ...]) -> Work[None]:
    """Plant all findings that are placed; those of the whole patient are left out here."""
    for kind, planter in PLANTERS.items():
        for finding in findings:
            if finding.kind is kind:
                yield Progress(len(garden.planted) / (2 * len(findings) + 1), f"placing {kind.value}")
                planter(garden, finding)
