"""Tables as people have them, and one clear line for each that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.evaluate.table import TextPair, pair_up, read_labels, read_pairs, read_texts, whole_reports

PUBLISHED = "AccNum,GT_combined_report,Pred_combined_report\n"


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_published_tables_name_their_region_by_file(tmp_path: Path) -> None:
    lung = written(tmp_path / "lung_reports.csv", PUBLISHED + 'valid_1_a_1.nii.gz,"Clear, both.",\n')
    heart = written(tmp_path / "heart_reports.csv", PUBLISHED + "valid_1_a_1.nii.gz,Normal.,Big.\n")
    assert read_pairs([lung, heart]) == (
        TextPair("valid_1_a_1", "lung", "Clear, both.", None),
        TextPair("valid_1_a_1", "heart", "Normal.", "Big."),
    )


def test_names_of_columns_may_be_those_of_others_and_a_mark_of_order_may_lead(tmp_path: Path) -> None:
    table = written(tmp_path / "a.csv", "\ufeffVolumename, Anatomy ,Sentence,other\n 1 ,Lung,Clear.,x\n")
    assert read_texts(table) == {("1", "lung"): "Clear."}
    table = written(tmp_path / "b.csv", 'case,text\r\n1,"Two\nlines."\r\n\r\n2, \r\n')
    assert read_texts(table) == {("1", None): "Two\nlines.", ("2", None): None}


def test_what_only_one_side_has_is_kept(tmp_path: Path) -> None:
    ours = {("1", "lung"): "A", ("1", "heart"): "B"}
    theirs = {("1", "lung"): "C", ("2", "lung"): "D"}
    assert pair_up(ours, theirs) == (
        TextPair("1", "lung", "A", "C"),
        TextPair("1", "heart", "B", None),
        TextPair("2", "lung", None, "D"),
    )


def test_whole_reports_join_the_regions_of_a_case_in_reading_order() -> None:
    pairs = [TextPair("1", "lung", "A.", "C."), TextPair("2", "lung", "E.", None), TextPair("1", "heart", "B.", None)]
    assert whole_reports(pairs) == (TextPair("1", None, "A. B.", "C."), TextPair("2", None, "E.", None))


def test_tables_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(InputRefused, match=r"share no case: the first are 'a' and 'b'"):
        pair_up({("a", None): "x"}, {("b", None): "y"})
    with pytest.raises(InputRefused, match="the prediction table has a column 'region', the reference table has none"):
        pair_up({("a", None): "x"}, {("a", "lung"): "y"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("case,text\n", "no rows"),
        ("case,words\n1,a\n", "no column named text or report .* columns: case, words"),
        ("name,text\n1,a\n", "no column named case or accnum"),
        ("case,text,report\n1,a,b\n", "more than one column named text or report"),
        ("case,text,text\n1,a,b\n", "names a column twice"),
        ("case,text\n1,a\n1,b\n", "row 3: case '1' occurs a second time"),
        ("case,region,text\n1,lung,a\n1,LUNG ,b\n", "row 3: case '1', region 'lung' occurs a second time"),
        ("case,region,text\n1,,a\n", "row without a region"),
        ("case,text\n ,a\n", "the case has no name"),
        ("case,text\n1,a,b\n", "row 2: expected 2 fields, got 3"),
        ("case;text\n1;a\n", "no column named case"),
        (f"case,text\n1,{'word ' * 6001}\n", "row 2: a text of 30005 characters is no report"),
        ('case,text\n1,"a"b\n', "no well-formed CSV"),
        ('case,text\n1,"open\n', "no well-formed CSV"),
        (b"case,text\n1,\xff\xfe\n", "no UTF-8 text"),
        (b"PK\x03\x04\x00\x00\xff", "no UTF-8 text"),
    ],
)
def test_malformed_tables_are_refused_with_the_file_and_the_cause(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(InputRefused, match=words) as refusal:
        read_texts(written(tmp_path / "table.csv", content))
    assert "table.csv" in str(refusal.value)


def test_pairs_need_both_columns_and_one_row_per_region(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no column named prediction"):
        read_pairs([written(tmp_path / "a.csv", "case,reference\n1,a\n")])
    table = written(tmp_path / "lung_reports.csv", PUBLISHED + "1,a,b\n")
    with pytest.raises(InputRefused, match="occurs a second time"):
        read_pairs([table, table])


def test_labels_are_read_by_name_and_must_be_zero_or_one(tmp_path: Path) -> None:
    table = written(tmp_path / "l.csv", "VolumeName,Nodule,age,Effusion\n1.nii.gz,1,77,0.0\n2.nii.gz, 0,5,1.0\n")
    labels = read_labels(table, ("Effusion", "Nodule"))
    assert labels == {("1", None): (False, True), ("2", None): (True, False)}
    with pytest.raises(InputRefused, match="no column named mass"):
        read_labels(table, ("Mass",))
    for bad in ("0.7", "", "yes", "nan"):
        with pytest.raises(InputRefused, match="row 2, 'Nodule': expected 0 or 1"):
            read_labels(written(tmp_path / "bad.csv", f"case,Nodule\n1,{bad}\n"), ("Nodule",))
