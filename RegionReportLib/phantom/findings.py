"""The register of findings: which function plants which kind, and in which order.

Another kind of finding is one more planter with its line here. Findings of the whole patient (heart size, bone and
liver density) are values of the habitus, set before the anatomy is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

from ..progress import Progress, Work
from .airway_findings import plant_bronchiectasis, plant_peribronchial, plant_secretion
from .central_findings import plant_bone_lesion, plant_hernia, plant_liver_cyst, plant_pericardial_effusion
from .haze_findings import plant_fibrosis, plant_ground_glass, plant_mosaic, plant_septal
from .lesions import Garden
from .lung_findings import (
    plant_atelectasis,
    plant_consolidation,
    plant_effusion,
    plant_emphysema,
    plant_nodule,
    plant_pneumothorax,
)
from .material import plant_material
from .other_findings import plant_aortic_calcium, plant_coronary_calcium, plant_node
from .recipe import Finding, FindingKind

# In the order of planting: what lies in the mediastinum pushes the pleura aside, so it comes before the lungs are
# looked at; what fills much of a lung comes before what needs a free place in it; haze and holes take their share of
# what is left.
PLANTERS: dict[FindingKind, Callable[[Garden, Finding], None]] = {
    FindingKind.PERICARDIAL_EFFUSION: plant_pericardial_effusion,
    FindingKind.HIATAL_HERNIA: plant_hernia,
    FindingKind.LYMPHADENOPATHY: plant_node,
    FindingKind.EFFUSION: plant_effusion,
    FindingKind.PNEUMOTHORAX: plant_pneumothorax,
    FindingKind.CONSOLIDATION: plant_consolidation,
    FindingKind.ATELECTASIS: plant_atelectasis,
    FindingKind.NODULE: plant_nodule,
    FindingKind.BRONCHIECTASIS: plant_bronchiectasis,
    FindingKind.GROUND_GLASS: plant_ground_glass,
    FindingKind.FIBROSIS: plant_fibrosis,
    FindingKind.MOSAIC: plant_mosaic,
    FindingKind.SEPTAL: plant_septal,
    FindingKind.PERIBRONCHIAL: plant_peribronchial,
    FindingKind.EMPHYSEMA: plant_emphysema,
    FindingKind.CORONARY_CALCIUM: plant_coronary_calcium,
    FindingKind.AORTIC_CALCIUM: plant_aortic_calcium,
    FindingKind.AIRWAY_SECRETION: plant_secretion,
    FindingKind.BONE_LESION: plant_bone_lesion,
    FindingKind.LIVER_CYST: plant_liver_cyst,
    FindingKind.MEDICAL_MATERIAL: plant_material,
}


def plant(garden: Garden, findings: tuple[Finding, ...]) -> Work[None]:
    """Plant all findings that are placed; those of the whole patient are left out here."""
    for kind, planter in PLANTERS.items():
        for finding in findings:
            if finding.kind is kind:
                yield Progress(len(garden.planted) / (2 * len(findings) + 1), f"placing {kind.value}")
                planter(garden, finding)
