"""The words by which a report names the findings that simulated patients have; only patterns, no reading.

Patterns apply to lower-case text. They are written from the language of chest reports, so that paraphrases are read
too; `phantom_findings` decides what is affirmed, denied or left open.
"""

from __future__ import annotations

import re

# Between two words of one phrase: up to four more that start no other item of a list.
_GAP = r"(?:\s+(?!or\b|nor\b|and\b|aort|coronar)\w+){0,4}\s+"
_CALCIUM = r"(?:calcif\w+|plaques?|atheroscl\w+)"
_REGION = r"calcium (?:measured )?in the heart and aorta region"

MENTIONS: dict[str, str] = {
    "nodule": r"nodul(?:e|es|ar)\b|\bmass(?:es)?\b",
    "effusion": r"pleural (?:effusions?|fluid)|hydrothora\w+"
    r"|(?:effusion|fluid)(?: \w+){0,2} (?:in|of) (?:the |both )?(?:\w+ )?pleura\w*(?: spaces?)?"
    r"|pleural spaces? (?:contains?|holds?)[^.;]*?(?:effusion|fluid)|pleural spaces?(?= (?:is|are) free of fluid)",
    "pneumothorax": r"pneumothora(?:x|ces)|air outside the (?:right |left )?lungs?(?= measured)",
    "consolidation": r"consolidat\w+|infiltrat\w+",
    "atelectasis": r"atelecta\w+",
    "emphysema": r"emphysem\w+",
    "cardiomegaly": r"cardiomegaly|cardiac enlargement|enlargement of the heart|enlarged heart"
    r"|heart (?:is )?(?:not )?(?:\w+ )?enlarged|(?:heart|cardiac) size is (?:\w+ )?increased"
    r"|cardiothoracic ratio [^;:]*\benlarged",
    "coronary_calcium": rf"{_REGION}|{_CALCIUM}{_GAP}coronar(?:y|ies)(?: arter\w+)?(?: walls?)?"
    rf"|coronar(?:y|ies)(?:\s+(?!or\b|nor\b|aort)\w+){{0,5}}?\s+{_CALCIUM}",
    "aortic_calcium": rf"{_REGION}|{_CALCIUM}{_GAP}aort\w+(?: wall)?"
    rf"|aort(?:a|ic)(?:\s+(?!or\b|nor\b|coronar)\w+){{0,6}}?\s+{_CALCIUM}",
    "low_bone_density": r"osteop(?:eni|oro)\w+|demineralisation|(?:low|reduced) (?:trabecular|bone|bony) density"
    r"|(?:bones|vertebral bodies) are of (?:reduced|low) density",
    "steatosis": r"steatosis|hepatosteatosis|fatty liver|(?:reduced|low) (?:liver|hepatic) attenuation",
    "lymphadenopathy": r"lymphadenopathy|(?:lymph )?nodes?\b",
    "ground_glass": r"ground-glass (?:opaci\w+|attenuation|changes?|type)|haz(?:e|y opaci\w+)|infiltrat\w+",
    "fibrosis": r"fibro(?:sis|tic)\w*(?: \w*(?:bands?|changes?|sequelae?))?|scar(?:ring|s)?\b"
    r"|pleuroparenchymal sequelae?",
    "mosaic": r"mosaic(?: attenuation)?(?: pattern)?|air trapping",
    "peribronchial": r"peribroncho?\w* thickening|bronchial walls? thickening|thickening of the bronchial walls?"
    r"|bronchial walls? (?:is|are) (?:not )?(?:\w+ )?thickened",
    "bronchiectasis": r"bronchiecta\w+|(?:dilated|ectatic)(?:, [\w-]+)? bronchi\b|bronchial dilat\w+",
    "septal": r"septal thickening|thickening of (?:the )?(?:interlobular )?septa|thickened (?:interlobular )?septa"
    r"|septa (?:is|are) (?:not )?(?:\w+ )?thickened",
    "medical_material": r"pacemakers?|(?:central )?venous (?:catheters?|lines?)|central lines?"
    r"|(?:sternal|sternotomy|cerclage) wires?|sternotomy|medical (?:devices?|material)|foreign material",
    "pericardial_effusion": r"pericardial (?:effusions?|fluid)|fluid in the pericardium"
    r"|pericardium(?= is free of fluid)",
    "hiatal_hernia": r"hiatal hernias?|hiatus hernias?",
    "airway_secretion": r"secretions?|mucus|mucous plugs?",
    "bone_lesion": r"bone lesions?|(?:sclerotic|lytic|destructive) (?:foc\w+|lesions?|bone lesions?)"
    r"|(?<=contains a )dense foc\w+|(?<=shows a )dense foc\w+"
    r"|(?:lytic|sclerotic) or (?:lytic|sclerotic|destructive) lesions?"
    r"|lesions?(?: is seen)? (?:in|of) the bones",
    "liver_cyst": r"cyst(?:s|ic)?\b|(?:liver|hepatic) lesions?|homogeneous without focal lesion",
}
FINDINGS: tuple[str, ...] = tuple(MENTIONS)
PATTERNS: dict[str, re.Pattern[str]] = {name: re.compile(pattern) for name, pattern in MENTIONS.items()}

# Normal statements that deny findings without naming them.
_NORMAL = r"(?:unremarkable|normal)"
NORMAL: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), tuple(findings.split()))
    for pattern, findings in (
        (r"\blungs (?:are )?clear\b", "nodule consolidation ground_glass"),
        (
            rf"\b(?:lung parenchyma is|lungs are) {_NORMAL}",
            "nodule consolidation ground_glass atelectasis fibrosis",
        ),
        (rf"\bpleura(?:l spaces)? (?:is|are) {_NORMAL}", "effusion pneumothorax"),
        (rf"^the mediastinum is {_NORMAL}", "lymphadenopathy hiatal_hernia"),
        (r"lymph nodes (?:[\w ]+ )?(?:are )?of normal size|normal-sized (?:\w+ )?lymph nodes", "lymphadenopathy"),
        (r"heart is of normal size|heart is of normal shape and size|heart size is (?:normal|within)", "cardiomegaly"),
        (r"heart and pericardium are unremarkable", "cardiomegaly pericardial_effusion"),
        (r"bone density is (?:normal|within normal)|normal bone density", "low_bone_density"),
        (rf"bones(?: shown)? are {_NORMAL}", "bone_lesion low_bone_density"),
        (
            r"normal (?:liver|hepatic) attenuation|(?:liver|hepatic) attenuation is (?:normal|within)"
            r"|liver is of normal (?:density|attenuation)",
            "steatosis",
        ),
        (rf"\bliver (?:is )?{_NORMAL}", "steatosis liver_cyst"),
        (rf"upper abdom\w+[^;]*(?:look|appear|are) {_NORMAL}", "steatosis liver_cyst"),
        (r"airways are (?:clear|open) throughout", "airway_secretion"),
    )
)

DENIAL = re.compile(r"\b(?:no|without|neither|nor|negative for|free of|absence of|free from)\b")
DENIED_AFTER = re.compile(
    r"\b(?:is|are|was|were)? ?not (?:\w+ )?(?:seen|identified|detected|present|visible|thickened|enlarged|found)\b"
    r"|\b(?:is|are) (?:free of|absent)\b|\babsent\b"
)
HEDGE = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|questionable|suspected|suspicion of|borderline|equivocal|may (?:represent|be)"
    r"|might (?:represent|be)|cannot be (?:excluded|ruled out)|not excluded"
    # One number for two places says of neither that it is there for certain.
    r"|likely|calcium in the heart and aorta region)\b"
)
SILENT = re.compile(r"\bnot (?:assessed|measured|evaluated|judged)\b")
CLAUSE = re.compile(r";|,? but\b|,? however\b|,? whereas\b")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")

BOTH = re.compile(r"\bbilateral(?:ly)?\b|\bboth (?:lungs|sides)\b|\bright and left\b|\bleft and right\b")
SIDE = re.compile(r"\b(right|left)\b")
LOBE = re.compile(r"\b(upper|middle|lower) lobe\b")
ZONE = re.compile(
    r"\b(?P<named>upper|middle|lower)(?: lung)? (?:zones?|fields?)\b|\b(?P<lobes>upper|lower) lobes\b"
    r"|(?P<apex>\bap(?:ex|ices|ical)\b)|(?P<base>\b(?:lung )?bas(?:es|al|e)\b)"
)
# Each number of "12 × 9 mm" is a length.
LENGTH = re.compile(r"\b(\d+(?:\.\d+)?)(?=(?:\s*[x×]\s*\d+(?:\.\d+)?)*\s*(mm|cm)\b(?![³3²2]))")
VOLUME = re.compile(r"(\d+(?:\.\d+)?)\s*ml\b")

# What a finding can have: findings of both lungs or of one organ are read without a side, most without a zone.
SIDED = frozenset(
    {
        *("nodule", "effusion", "pneumothorax", "consolidation", "atelectasis", "ground_glass"),
        *("fibrosis", "peribronchial", "bronchiectasis", "septal", "liver_cyst"),
    }
)
UNSIZED = frozenset({"cardiomegaly", "coronary_calcium", "aortic_calcium", "low_bone_density", "steatosis", "mosaic"})
ZONED = frozenset(
    {"nodule", "consolidation", "atelectasis", "emphysema", "ground_glass", "fibrosis", "bronchiectasis", "septal"}
)
