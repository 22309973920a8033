"""Splitting is checked on texts whose sentences are written out by hand, and must lose no character of any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from RegionReportLib.grounding.sentences import PieceKind, is_heading, pieces_of, sentences_of


def split(text: str) -> list[str]:
    return [text[p.start : p.stop] for p in sentences_of(text)]


def headed(text: str) -> list[tuple[str, str]]:
    return [(p.heading, text[p.start : p.stop]) for p in sentences_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("A nodule of 1.5 mm. No effusion.", ["A nodule of 1.5 mm.", "No effusion."]),
        ("It measures 3.2 x 4.1 cm. Next.", ["It measures 3.2 x 4.1 cm.", "Next."]),
        ("Nodule, approx. 5 mm in size. Next.", ["Nodule, approx. 5 mm in size.", "Next."]),
        ("Seen by Dr. Smith today. Next.", ["Seen by Dr. Smith today.", "Next."]),
        ("Known infection, e.g. TB, is possible. Next.", ["Known infection, e.g. TB, is possible.", "Next."]),
        ("Cyst vs. Abscess. Next.", ["Cyst vs. Abscess.", "Next."]),
        ("Image No. 45 shows it. Next.", ["Image No. 45 shows it.", "Next."]),
        ("Is it new? Yes! Done.", ["Is it new?", "Yes!", "Done."]),
        ("There is a lesion.There is a cyst.", ["There is a lesion.", "There is a cyst."]),
        ("(Small airway disease?) is likely. Next.", ["(Small airway disease?) is likely.", "Next."]),
        (
            "When examined in the lung parenchyma window; No lesion is seen. Next.",
            ["When examined in the lung parenchyma window; No lesion is seen.", "Next."],
        ),
        ("As far as can be observed: Heart size is normal.", ["As far as can be observed: Heart size is normal."]),
        ("1. First finding.\n2. Second finding.", ["First finding.", "Second finding."]),
        ("- nodule on the left\n- no effusion", ["nodule on the left", "no effusion"]),
        ("(1) Right nodule.\n(2) Left nodule.", ["Right nodule.", "Left nodule."]),
        ("A sentence that is\nwrapped softly. Next.", ["A sentence that is\nwrapped softly.", "Next."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("One\n\nTwo", ["One", "Two"]),
        ("The 12 mm. long cyst. Next.", ["The 12 mm. long cyst.", "Next."]),
        ("It measures 12 mm. There is more.", ["It measures 12 mm.", "There is more."]),
        (
            "A pattern (Airway disease? Vessel disease?) is seen. Next.",
            ["A pattern (Airway disease? Vessel disease?) is seen.", "Next."],
        ),
        ("An open (bracket. Next.", ["An open (bracket.", "Next."]),
        ("One…  Two.", ["One…", "Two."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences_are_split(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FINDINGS:\nLungs: Clear. No nodule.", [("Lungs", "Clear."), ("Lungs", "No nodule.")]),
        ("Heart: Normal. Bones: Intact.", [("Heart", "Normal."), ("Bones", "Intact.")]),
        ("Mediastinum - no lymph nodes.", [("Mediastinum", "no lymph nodes.")]),
        ("LUNGS\nClear.\nUPPER ABDOMEN\nNormal.", [("LUNGS", "Clear."), ("UPPER ABDOMEN", "Normal.")]),
        ("**Lungs.** Clear.", [("Lungs", "Clear.")]),
        ("## Heart and great vessels\nNormal.", [("Heart and great vessels", "Normal.")]),
        (
            "Clinical information: cough.\nFindings: No nodule.",
            [("Clinical information", "cough."), ("Findings", "No nodule.")],
        ),
        ("Lungs and pleura: Clear.", [("Lungs and pleura", "Clear.")]),
        ("Lines/tubes: None. Soft tissues: Normal.", [("Lines/tubes", "None."), ("Soft tissues", "Normal.")]),
        ("No heading here.", [("", "No heading here.")]),
        ("Largest: 9 mm.", [("", "Largest: 9 mm.")]),
    ],
)
def test_headings_are_recognised_and_carried(text: str, expected: list[tuple[str, str]]) -> None:
    assert headed(text) == expected


def test_ordinary_words_before_a_colon_are_no_heading() -> None:
    assert not is_heading("As far as can be observed")
    assert not is_heading("")
    assert is_heading("Trachea and bronchi")
    assert is_heading("IMPRESSION")


PIECES = st.sampled_from(
    [
        "Lungs:",
        "No nodule.",
        "1.",
        "- ",
        "\n",
        "\n\n",
        " ",
        "3.2 x 4 cm",
        "Dr. ",
        "e.g. ",
        "IMPRESSION\n",
        "A.",
        "?",
        "İ.",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_every_character_that_is_not_blank_is_in_exactly_one_piece(text: str) -> None:
    pieces = pieces_of(text)
    at = 0
    for piece in pieces:
        assert piece.start >= at and piece.stop > piece.start
        assert not text[at : piece.start].strip()
        assert text[piece.start : piece.stop].strip()
        at = piece.stop
    assert not text[at:].strip()


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_headings_stand_only_where_a_piece_says_so(text: str) -> None:
    heading = ""
    for piece in pieces_of(text):
        if piece.kind is PieceKind.HEADING:
            heading = piece.heading
        assert piece.heading == heading
