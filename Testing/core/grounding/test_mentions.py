"""What single sentences name, against expectations written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.grounding.mentions import Mentions, ground_sentence, mentions_of
from RegionReportLib.report.sentence import Polarity

L, A, M, H, B, U = REGION_IDS
YES, NO, MAYBE = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN

# Sentence, region it is about, polarity, and the parts of the lungs or the sides it names, in words.
CASES: list[tuple[str, str | None, Polarity, str]] = [
    # lungs and pleura
    ("There is a 6 mm nodule in the right upper lobe.", L, YES, "right upper lobe"),
    (
        "A subpleural nodule is seen in the lateral segment of the middle lobe of the right lung.",
        L,
        YES,
        "right middle lobe",
    ),
    ("Small nodule in the middle lobe.", L, YES, "right middle lobe"),
    ("Nodules in both lungs.", L, YES, "both"),
    ("Bilateral ground-glass opacities, lower lobe predominant.", L, YES, "both lower lobe"),
    ("Consolidation in the lingula.", L, YES, "left lingula"),
    ("Atelectasis at the left lung base.", L, YES, "left lower zone"),
    ("Fibrotic scarring at both apices.", L, YES, "both upper zone"),
    ("Emphysema is present in the upper lobes of both lungs.", L, YES, "both upper lobe"),
    (
        "Linear atelectasis in the left lower lobe and the right middle lobe.",
        L,
        YES,
        "left lower lobe; right middle lobe",
    ),
    ("RUL consolidation.", L, YES, "right upper lobe"),
    ("No nodule or mass in either lung.", L, NO, "both"),
    ("No consolidation.", L, NO, ""),
    ("The lungs are clear.", L, NO, ""),
    ("Both lungs are well aerated and no infiltration was seen.", L, NO, "both"),
    ("Aeration of both lungs is normal.", L, NO, "both"),
    ("Large right pleural effusion.", L, YES, "right"),
    ("Pleural effusion is seen on the left.", L, YES, "left"),
    ("No pleural effusion, bilateral pleural thickening.", L, YES, "both"),
    ("No pleural effusion or pneumothorax.", L, NO, ""),
    ("Pleural effusion-thickening was not detected.", L, NO, ""),
    ("Pneumothorax, effusion and thickening were not observed.", L, NO, ""),
    ("Small left apical pneumothorax.", L, YES, "left upper zone"),
    ("Right hydropneumothorax with an air-fluid level.", L, YES, "right"),
    ("The costophrenic sinuses are open.", L, NO, ""),
    ("Ground glass areas may be due to infection in the right lung.", L, MAYBE, "right"),
    ("Possible nodule in the left lung.", L, MAYBE, "left"),
    ("Pneumonia cannot be excluded in the left lower lobe.", L, MAYBE, "left lower lobe"),
    ("A mosaic attenuation pattern is seen in both lungs.", L, YES, "both"),
    ("Tree-in-bud nodules in the posterobasal segment of the right lower lobe.", L, YES, "right lower lobe"),
    ("There are sequelae changes in both upper zones.", L, YES, "both upper zone"),
    ("Bronchiectasis in the left lower lobe.", L, YES, "left lower lobe"),
    ("Interlobular septal thickening is noted.", L, YES, ""),
    ("A cavitary lesion, 3.2 x 4 cm, in the apicoposterior segment of the left upper lobe.", L, YES, "left upper lobe"),
    ("Thickening of the right major fissure.", L, YES, "right"),
    ("Nodule adjacent to the descending aorta.", L, YES, ""),
    ("In the lung window, no active infiltration was found.", L, NO, ""),
    ("Haemothorax on the right.", L, YES, "right"),
    ("Honeycombing at the lung bases.", L, YES, "lower zone"),
    ("No lung mass; pleural plaques are calcified.", L, YES, ""),
    ("Opacities in the upper and lower lobes of both lungs.", L, YES, "both upper lobe; both lower lobe"),
    ("Fibrosis of the middle and lower zones of the left lung.", L, YES, "left middle zone; left lower zone"),
    # airways
    ("Trachea and both main bronchi are open.", A, NO, "both"),
    ("The trachea is in the midline.", A, NO, ""),
    ("No occlusive pathology was detected in the trachea and both main bronchi.", A, NO, "both"),
    ("Endotracheal tube tip is 3 cm above the carina.", A, YES, ""),
    ("The right main bronchus is narrowed.", A, YES, "right"),
    ("Bronchial wall thickening is present.", A, YES, ""),
    ("There is a tracheal diverticulum.", A, YES, ""),
    ("The air passages of the lobar and segmental bronchi are patent.", A, NO, ""),
    ("Secretions in the lumen of the trachea.", A, YES, ""),
    ("Saber sheath trachea.", A, YES, ""),
    # mediastinum
    ("No enlarged mediastinal lymph nodes.", M, NO, ""),
    ("Enlarged right paratracheal and subcarinal lymph nodes.", M, YES, "right"),
    ("Lymphadenopathy in the aortopulmonary window.", M, YES, ""),
    ("Hiatal hernia is seen.", M, YES, ""),
    ("Sliding-type hiatus hernia at the lower end of the oesophagus.", M, YES, ""),
    ("The esophagus is within normal limits.", M, NO, ""),
    ("Oesophageal calibre is normal.", M, NO, ""),
    ("A hypodense nodule of 10 mm in the right thyroid lobe.", M, YES, "right"),
    ("The thyroid gland is enlarged.", M, YES, ""),
    ("Thymic remnant in the anterior mediastinum.", M, YES, ""),
    ("Pneumomediastinum is present.", M, YES, ""),
    ("Mediastinal structures cannot be evaluated optimally without contrast.", M, MAYBE, ""),
    ("No pathological lymph node was found.", M, NO, ""),
    ("Bilateral hilar lymph nodes up to 9 mm.", M, YES, "both"),
    ("Prevascular lymph nodes with a short axis of 8 mm.", M, YES, ""),
    # heart and great vessels
    ("Heart size is normal.", H, NO, ""),
    ("The heart is enlarged.", H, YES, ""),
    ("Cardiomegaly.", H, YES, ""),
    ("No pericardial effusion.", H, NO, ""),
    ("Pericardial thickening is seen.", H, YES, ""),
    ("The cardiothoracic ratio is 0.56.", H, YES, ""),
    ("Coronary artery calcifications.", H, YES, ""),
    ("Calcified atheromatous plaques in the aortic arch.", H, YES, ""),
    ("The ascending aorta measures 42 mm.", H, YES, ""),
    ("Thoracic aorta diameter is normal.", H, NO, ""),
    ("The pulmonary trunk is dilated to 33 mm.", H, YES, ""),
    ("No filling defect in the pulmonary arteries.", H, NO, ""),
    ("Pacemaker leads end in the right ventricle.", H, YES, "right"),
    ("Mediastinal main vascular structures are normal.", H, NO, ""),
    ("The superior vena cava is patent.", H, NO, ""),
    ("Central venous catheter with its tip in the SVC.", H, YES, ""),
    ("Left ventricular hypertrophy.", H, YES, "left"),
    ("Median sternotomy and coronary bypass.", H, YES, ""),
    ("Aneurysmatic dilatation of the descending aorta.", H, YES, ""),
    ("The aortic arch is above normal.", H, YES, ""),
    # bones and chest wall
    ("No lytic or destructive bone lesion.", B, NO, ""),
    ("Vertebral body heights are preserved.", B, NO, ""),
    ("Compression fracture of T7.", B, YES, ""),
    ("Displaced fractures of the right 5th and 6th ribs.", B, YES, "right"),
    ("Degenerative changes of the thoracic spine.", B, YES, ""),
    ("Bilateral gynaecomastia.", B, YES, "both"),
    ("Coarse calcifications in the left breast.", B, YES, "left"),
    ("No axillary lymphadenopathy.", B, NO, ""),
    ("Osteoporosis.", B, YES, ""),
    ("Sclerotic lesion in the left scapula.", B, YES, "left"),
    ("Hypodense lesion in the subcutaneous tissue of the chest wall.", B, YES, ""),
    ("Old healed clavicle fracture on the left.", B, YES, "left"),
    ("Costal cartilages are calcified.", B, YES, ""),
    ("The sternum is intact.", B, NO, ""),
    # upper abdomen
    ("The liver is unremarkable.", U, NO, ""),
    ("Hepatic steatosis.", U, YES, ""),
    ("Hypodense lesion in the right lobe of the liver.", U, YES, "right"),
    ("Cholelithiasis without wall thickening of the gallbladder.", U, YES, ""),
    ("Cortical cyst in the left kidney.", U, YES, "left"),
    ("Both adrenal glands are normal.", U, NO, "both"),
    ("Splenomegaly.", U, YES, ""),
    ("No free fluid in the abdomen.", U, NO, ""),
    ("Upper abdominal organs included in the sections are normal.", U, NO, ""),
    ("Diverticula of the colon.", U, YES, ""),
    ("Renal calculi on both sides.", U, YES, "both"),
    ("Bochdalek hernia on the left.", U, YES, "left"),
    ("Thickening of the left adrenal gland, adenoma?", U, YES, "left"),
    ("Perihepatic ascites.", U, YES, ""),
    # nothing named
    ("Follow-up is recommended.", None, YES, ""),
    ("Thank you for the referral.", None, YES, ""),
    # not a denial of what stands before or behind
    ("Right pleural effusion is seen, and no pneumothorax was detected.", L, YES, "right"),
    ("There is consolidation in the right lung but no effusion.", L, YES, "right"),
    ("Nodules were observed in the left lung; pleural effusion was not detected.", L, YES, "left"),
    ("The effusions observed on the left in March were not detected.", L, NO, "left"),
    ("No change in the nodule of the right lung.", L, YES, "right"),
    ("A nodule without calcification in the left lung.", L, YES, "left"),
    ("Bilateral pleural effusion, pneumothorax were not detected.", L, NO, "both"),
]


def named(mentions: Mentions) -> str:
    """The parts, or else the sides, that a sentence names, in words."""
    both = {"right left": "both", "left right": "both"}
    words = []
    for part in mentions.parts:
        sides = " ".join(s.value for s in part.sides)
        what = part.lobe if part.lobe == "lingula" else f"{part.lobe} lobe" if part.lobe else f"{part.zone.value} zone"
        words.append(f"{both.get(sides, sides)} {what}".strip())
    sides = " ".join(s.value for s in mentions.sides)
    return "; ".join(words) or both.get(sides, sides)


@pytest.mark.parametrize(("text", "region", "polarity", "where"), CASES, ids=[c[0][:60] for c in CASES])
def test_a_sentence_names(text: str, region: str | None, polarity: Polarity, where: str) -> None:
    found = mentions_of(text)
    assert (found.regions[0] if found.regions else None) == region
    assert found.polarity is polarity
    assert named(found) == where
    if found.key_phrase is not None:
        start, stop = found.key_phrase
        assert 0 <= start < stop <= len(text) and text[start:stop].strip() == text[start:stop]


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("There is a large right pleural effusion.", "pleural effusion"),
        ("Calcific atheromatous plaques are seen.", "Calcific atheromatous plaques"),
        ("The lungs are clear.", "lungs"),
        ("No pathological lesion, mass or nodule was found.", "mass or nodule"),
        ("No mass in the lungs and no effusion.", "mass in the lungs"),
        ("No nodule in the left lung.", "nodule in the left lung"),
        ("Thank you for the referral.", None),
    ],
)
def test_the_key_phrase_is_the_finding_with_its_place_close_by(text: str, phrase: str | None) -> None:
    span = mentions_of(text).key_phrase
    assert (text[slice(*span)] if span else None) == phrase


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("No pleural or pericardial effusion.", {L, H}),
        ("The heart and the liver are normal.", {H, U}),
        ("Lymph nodes in the mediastinum and both axillae.", {M, B}),
    ],
)
def test_a_sentence_may_name_several_regions(text: str, regions: set[str]) -> None:
    assert regions <= set(mentions_of(text).regions)


def test_the_sentence_before_decides_where_nothing_is_named() -> None:
    assert ground_sentence("The lumen is open.", before=A).regions[0] == A
    assert ground_sentence("It is wider than normal.", before=H).regions[0] == H
    assert ground_sentence("The largest is 9 mm.", before=M).regions[0] == M
    assert ground_sentence("It is wider than normal.").regions == ()


def test_the_sentence_before_does_not_outweigh_an_organ() -> None:
    assert ground_sentence("The liver is normal.", before=L).regions[0] == U
    assert ground_sentence("No pericardial effusion.", before=L).regions[0] == H


def test_a_heading_is_the_default_and_yields_to_an_organ() -> None:
    assert ground_sentence("No abnormality.", heading="Mediastinum").regions[0] == M
    assert ground_sentence("Unremarkable.", heading="BONES").regions[0] == B
    assert ground_sentence("The liver is normal.", heading="LUNGS").regions[0] == U


def test_the_window_means_the_lungs_only_where_no_organ_is_named() -> None:
    assert mentions_of("When examined in the lung parenchyma window; no lesion is seen.").regions[0] == L
    assert mentions_of("When examined in the lung window; the trachea is open.").regions[0] == A


def test_each_finding_has_its_own_polarity() -> None:
    found = {f.id: f.polarity for f in mentions_of("No pleural effusion, bilateral pleural thickening.").findings}
    assert found["pleural_effusion"] is NO and found["thickening"] is YES
    found = {f.id: f.polarity for f in mentions_of("Consolidation is seen, possibly with atelectasis.").findings}
    assert found["consolidation"] is YES and found["atelectasis"] is MAYBE


def test_levels_are_read_and_a_rib_needs_its_side() -> None:
    assert mentions_of("Fractures of T7 and Th9-10, and of L1.").levels == (
        "vertebrae_T7",
        "vertebrae_T9",
        "vertebrae_T10",
        "vertebrae_L1",
    )
    assert mentions_of("Fracture of the right 5th and 6th ribs.").levels == ("rib_right_5", "rib_right_6")
    assert mentions_of("Fracture of the 5th rib.").levels == ()
    assert mentions_of("Fracture of T14.").levels == ()


@pytest.mark.parametrize(
    ("text", "compares"),
    [
        ("The nodule is unchanged.", True),
        ("Increased since the previous examination.", True),
        ("Larger than before.", True),
        ("Newly developed consolidation.", True),
        ("Previous sternotomy.", False),
        ("The left side is wide compared to the right.", False),
        ("Suboptimal since the examination was without contrast.", False),
        ("There is new bone formation.", False),
        ("The nodule is small.", False),
    ],
)
def test_comparisons_with_an_earlier_examination_are_recognised(text: str, compares: bool) -> None:
    assert bool(mentions_of(text).comparisons) is compares


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read_and_reads_the_same_twice(text: str) -> None:
    mentions_of.cache_clear()
    first = mentions_of(text)
    mentions_of.cache_clear()
    assert mentions_of(text) == first
    for place in first.places:
        assert 0 <= place.start < place.stop <= len(text)


WORDS = st.sampled_from(
    [
        "no",
        "left",
        "right",
        "lung",
        "upper lobe",
        "not observed",
        "may",
        "nodule",
        ",",
        ";",
        "5 mm",
        "x",
        "aorta",
        "both",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=60))
def test_any_order_of_the_fields_words_can_be_read(words: list[str]) -> None:
    found = mentions_of(" ".join(words))
    assert set(found.regions) <= set(REGION_IDS)


@pytest.mark.parametrize("unit", ["left ", "may nodule; ", "not observed ", "1x2 mm - 3 ", "upper lobe of the ", "5 "])
def test_reading_costs_steps_in_proportion_to_the_length(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Counted by lines run, not by a clock: eight times the text may cost at most nine times the lines.
    import sys

    def cost(text: str) -> int:
        lines = 0

        def count(frame: object, event: str, argument: object) -> object:
            nonlocal lines
            lines += event == "line"
            return count

        mentions_of.cache_clear()
        before = sys.gettrace()
        sys.settrace(count)
        try:
            mentions_of(text)
        finally:
            sys.settrace(before)
        return lines

    cost(unit * 10)  # fills the caches of word forms
    assert cost(unit * 640) <= 9 * cost(unit * 80)
