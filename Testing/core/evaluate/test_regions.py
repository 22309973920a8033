"""Region linking is scored by hand-made tables; on the published texts nothing may be memorised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.evaluate.regions import RegionText, half_of, link_all, read_region_texts, share_right
from RegionReportLib.grounding import lexicon
from RegionReportLib.grounding.mentions import ground_sentence
from RegionReportLib.grounding.sentences import sentences_of


def split(text: str) -> list[str]:
    return [text[p.start : p.stop] for p in sentences_of(text)]


def link(text: str, before: str | None) -> tuple[tuple[str, ...], str]:
    mentions = ground_sentence(text, before=before)
    return mentions.regions, mentions.statement.value


def text(case: str, label: str, region_id: str, reference: str) -> RegionText:
    return RegionText(case, label, region_id, reference, "")


def always(region_id: str):  # type: ignore[no-untyped-def]
    return lambda sentence, before: ((region_id,), "normal")


def test_a_sentence_in_two_regions_of_a_case_counts_once_with_both_labels() -> None:
    texts = [
        text("valid_1_a_1", "lung", "lungs", "Same."),
        text("valid_1_a_1", "heart", "heart_great_vessels", "Same."),
    ]
    (one,) = link_all(texts, split, always("lungs"))
    assert one.labels == {"lungs", "heart_great_vessels"} and one.right
    assert share_right([one]).total == 1


def test_a_sentence_linked_wrongly_once_counts_as_wrong() -> None:
    links = iter((("lungs",), ("bones",)))
    texts = [text("valid_1_a_1", "lung", "lungs", "Same."), text("valid_1_a_1", "pleura", "lungs", "Same.")]
    (one,) = link_all(texts, split, lambda sentence, before: (next(links), "normal"))
    assert not one.right


def test_great_vessels_linked_to_the_heart_are_right_where_the_labels_put_them_elsewhere() -> None:
    texts = [text("valid_1_a_1", "abdomen", "upper_abdomen", "Thoracic aorta diameter is normal.")]
    (one,) = link_all(texts, split, always("heart_great_vessels"))
    assert one.right and not one.strictly_right
    texts = [text("valid_1_a_1", "abdomen", "upper_abdomen", "The liver is normal.")]
    (one,) = link_all(texts, split, always("heart_great_vessels"))
    assert not one.right


def test_the_linker_is_told_the_region_of_the_sentence_before_in_the_same_text_only() -> None:
    seen: list[str | None] = []

    def spy(sentence: str, before: str | None) -> tuple[tuple[str, ...], str]:
        seen.append(before)
        return ("lungs",), "normal"

    texts = [text("valid_1_a_1", "lung", "lungs", "One. Two."), text("valid_2_a_1", "lung", "lungs", "Three.")]
    link_all(texts, split, spy)
    assert seen == [None, "lungs", None]


def test_scans_of_one_patient_fall_in_one_half_and_both_halves_occur() -> None:
    assert half_of("valid_7_a_1.nii.gz") == half_of("valid_7_b_2.nii.gz")
    assert {half_of(f"valid_{n}_a_1") for n in range(40)} == {"A", "B"}


def test_tables_are_read_and_an_unknown_region_is_refused(tmp_path: Path) -> None:
    head = "AccNum,GT_combined_report,Pred_combined_report\n"
    (tmp_path / "thyroid_reports.csv").write_text(head + 'valid_1_a_1.nii.gz,"Big, wide.",Small.\n', encoding="utf-8")
    (one,) = read_region_texts(tmp_path)
    assert (one.region_id, one.reference, one.prediction) == ("mediastinum", "Big, wide.", "Small.")
    (tmp_path / "toe_reports.csv").write_text(head, encoding="utf-8")
    with pytest.raises(ValueError, match="toe"):
        read_region_texts(tmp_path)


@pytest.fixture(scope="session")
def published(real_data: Path) -> Path:
    folder = real_data.parent / "reg2rg"
    if not folder.is_dir():
        pytest.skip(f"published region texts not found at {folder}")
    return folder


@pytest.mark.real_data
def test_published_sentences_are_linked_as_well_in_the_half_that_nobody_looked_at(published: Path) -> None:
    linked = link_all(read_region_texts(published), split, link)
    assert len(linked) > 15_000
    shares = [share_right([one for one in linked if half_of(one.case) == half]).percent for half in "AB"]
    assert min(s for s in shares if s is not None) >= 97.5
    assert abs((shares[0] or 0) - (shares[1] or 0)) < 1.0


@pytest.mark.real_data
def test_no_sentence_of_the_published_texts_is_in_the_code_or_the_lexicon(published: Path) -> None:
    folder = Path(lexicon.__file__).parent
    own = " ".join(" ".join(p.read_text(encoding="utf-8").lower().split()) for p in folder.glob("*") if p.is_file())
    known = {s.lower().rstrip(".") for t in read_region_texts(published) for s in split(t.reference)}
    assert not [s for s in known if len(s.split()) >= 4 and s in own]


@pytest.mark.real_data
def test_real_reports_are_flagged_rarely_beyond_comparisons(real_data: Path) -> None:
    # Comparisons are in those reports, so their flags are true; others would be read as noise.
    from RegionReportLib.grounding.mentions import mentions_of

    sentences = []
    for path in sorted((real_data / "reports").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            sentences += split(entry.get("findings") or entry["report"])
    assert len(sentences) > 500
    assert sum(bool(mentions_of(s).comparisons) for s in sentences) <= 0.02 * len(sentences)
    assert sum(q.is_size and q.unit is None for s in sentences for q in mentions_of(s).quantities) <= 2
