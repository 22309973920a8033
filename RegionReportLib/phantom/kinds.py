"""The findings that a phantom can have: their names, what their size means, which take a side or a zone.

The first 18 that CT-RATE labels are all among them (Hamamci et al., arXiv 2403.17834); `CT_RATE` maps its labels.
"""

from __future__ import annotations

from enum import Enum


class FindingKind(str, Enum):
    """The findings that a phantom can have."""

    NODULE = "nodule"
    EFFUSION = "effusion"
    PNEUMOTHORAX = "pneumothorax"
    CONSOLIDATION = "consolidation"
    ATELECTASIS = "atelectasis"
    EMPHYSEMA = "emphysema"
    CARDIOMEGALY = "cardiomegaly"
    CORONARY_CALCIUM = "coronary_calcium"
    AORTIC_CALCIUM = "aortic_calcium"
    LOW_BONE_DENSITY = "low_bone_density"
    STEATOSIS = "steatosis"
    LYMPHADENOPATHY = "lymphadenopathy"
    GROUND_GLASS = "ground_glass"
    FIBROSIS = "fibrosis"
    MOSAIC = "mosaic"
    PERIBRONCHIAL = "peribronchial"
    BRONCHIECTASIS = "bronchiectasis"
    SEPTAL = "septal"
    MEDICAL_MATERIAL = "medical_material"
    PERICARDIAL_EFFUSION = "pericardial_effusion"
    HIATAL_HERNIA = "hiatal_hernia"
    AIRWAY_SECRETION = "airway_secretion"
    BONE_LESION = "bone_lesion"
    LIVER_CYST = "liver_cyst"


K = FindingKind
FIRST_KINDS: tuple[FindingKind, ...] = tuple(K)[:12]
"""What `Recipe.random` draws from; the patients of its seeds are measured against, so the list does not grow."""

# CT-RATE's label of each finding, in the order of its classifier. Its "lung opacity" is mostly ground glass.
CT_RATE: dict[str, FindingKind] = {
    "Medical material": K.MEDICAL_MATERIAL,
    "Arterial wall calcification": K.AORTIC_CALCIUM,
    "Cardiomegaly": K.CARDIOMEGALY,
    "Pericardial effusion": K.PERICARDIAL_EFFUSION,
    "Coronary artery wall calcification": K.CORONARY_CALCIUM,
    "Hiatal hernia": K.HIATAL_HERNIA,
    "Lymphadenopathy": K.LYMPHADENOPATHY,
    "Emphysema": K.EMPHYSEMA,
    "Atelectasis": K.ATELECTASIS,
    "Lung nodule": K.NODULE,
    "Lung opacity": K.GROUND_GLASS,
    "Pulmonary fibrotic sequela": K.FIBROSIS,
    "Pleural effusion": K.EFFUSION,
    "Mosaic attenuation pattern": K.MOSAIC,
    "Peribronchial thickening": K.PERIBRONCHIAL,
    "Consolidation": K.CONSOLIDATION,
    "Bronchiectasis": K.BRONCHIECTASIS,
    "Interlobular septal thickening": K.SEPTAL,
}

# What `size` means for each kind, its unit and the range that the anatomy can hold.
SIZES: dict[FindingKind, tuple[str, float, float]] = {
    K.NODULE: ("mm", 3.0, 45.0),
    K.EFFUSION: ("mL", 30.0, 1200.0),
    K.PNEUMOTHORAX: ("mL", 30.0, 1200.0),
    K.CONSOLIDATION: ("mL", 10.0, 600.0),
    K.ATELECTASIS: ("mL", 10.0, 300.0),
    K.EMPHYSEMA: ("%", 3.0, 40.0),
    K.CARDIOMEGALY: ("ratio", 0.51, 0.66),
    K.CORONARY_CALCIUM: ("mm3", 20.0, 1500.0),
    K.AORTIC_CALCIUM: ("mm3", 20.0, 3000.0),
    K.LOW_BONE_DENSITY: ("HU", 30.0, 99.0),
    K.STEATOSIS: ("HU", -10.0, 38.0),
    K.LYMPHADENOPATHY: ("mm", 11.0, 35.0),
    K.GROUND_GLASS: ("mL", 15.0, 900.0),
    K.FIBROSIS: ("mm", 15.0, 70.0),  # how far the bands reach from the pleura
    K.MOSAIC: ("%", 12.0, 60.0),  # share of the lungs that is too dark
    K.PERIBRONCHIAL: ("mm", 1.5, 4.0),  # thickness of the wall
    K.BRONCHIECTASIS: ("mm", 4.0, 14.0),  # inner diameter
    K.SEPTAL: ("mm", 0.8, 2.5),  # thickness of the septa
    K.MEDICAL_MATERIAL: ("pieces", 1.0, 9.0),
    K.PERICARDIAL_EFFUSION: ("mm", 5.0, 30.0),  # largest thickness
    K.HIATAL_HERNIA: ("mm", 20.0, 75.0),
    K.AIRWAY_SECRETION: ("mm", 4.0, 12.0),
    K.BONE_LESION: ("mm", 5.0, 22.0),
    K.LIVER_CYST: ("mm", 6.0, 60.0),
}
SIDED = (
    K.NODULE,
    K.EFFUSION,
    K.PNEUMOTHORAX,
    K.CONSOLIDATION,
    K.ATELECTASIS,
    K.GROUND_GLASS,
    K.FIBROSIS,
    K.PERIBRONCHIAL,
    K.BRONCHIECTASIS,
    K.SEPTAL,
)
"""Kinds that lie on one side; peribronchial and septal thickening lie on both unless a side is given."""
ZONED = (K.NODULE, K.CONSOLIDATION, K.GROUND_GLASS, K.FIBROSIS, K.BRONCHIECTASIS)
REPEATABLE = (
    *(kind for kind in SIDED if kind not in (K.PERIBRONCHIAL, K.SEPTAL)),
    K.LYMPHADENOPATHY,
    K.BONE_LESION,
    K.LIVER_CYST,
)

VARIETIES: dict[FindingKind, tuple[str, ...]] = {
    K.NODULE: ("solid", "ground-glass", "calcified"),
    K.ATELECTASIS: ("dependent", "linear"),
    K.EMPHYSEMA: ("confluent", "centrilobular"),
    K.MEDICAL_MATERIAL: ("pacemaker", "catheter", "wires"),
}
"""What a kind can look like; without a choice it is the first, but the seed chooses among materials."""
