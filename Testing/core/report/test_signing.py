"""What may be signed, what a signature locks, and what follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from RegionReportLib.errors import Conflict
from RegionReportLib.report import edits as e
from RegionReportLib.report.apply import apply
from RegionReportLib.report.document import Report, Status
from RegionReportLib.report.json_form import report_from_dict, report_to_dict
from RegionReportLib.report.sentence import Flag, FlagKind
from RegionReportLib.report.signing import TrailHead, addendum, may_sign, sign, verify_signature

AT = "2026-01-03T10:00:00+00:00"
EMPTY = Flag(FlagKind.EMPTY_REGION, "no sentence on the airways")


@pytest.fixture
def ready(drafted: Report) -> Report:
    """A report that may be signed: s1 and s2 viewed and accepted, s3 placeless, s4 rejected, s5 edited."""
    flag = drafted.sentence("s2").flags[0]
    report = drafted
    for edit in (
        e.MarkViewed("s1"),
        e.Accept("s1"),
        e.MarkViewed("s2"),
        e.Accept("s2"),
        e.AnswerFlag("s2", flag.key, "the image is right"),
        e.MarkPlaceless("s3"),
        e.Accept("s3"),
        e.Reject("s4"),
        e.MarkViewed("s5"),
        e.ChangeText("s5", "Healed rib fractures."),
    ):
        report = apply(report, edit)
    return report


def reasons(report: Report, name: str = "Dr A") -> list[tuple[str | None, str]]:
    return [(r.sentence_id, r.message) for r in may_sign(report, name)]


def test_a_fresh_draft_names_every_sentence(drafted: Report) -> None:
    assert reasons(drafted) == [(f"s{n}", "not judged yet") for n in range(1, 6)]


def test_a_report_that_is_ready_has_no_reasons(ready: Report) -> None:
    assert reasons(ready) == []


Spoil = Callable[[Report], Report]


def swap(sentence_id: str, **changes: object) -> Spoil:
    return lambda r: r.with_sentences(replace(s, **changes) if s.id == sentence_id else s for s in r.sentences)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "sentence_id", "message"),
    [
        (lambda r: apply(r, e.Add("r1", "Unseen.", anchors=r.sentence("s1").anchors)), "r1", "not been viewed"),
        (lambda r: apply(r, e.Add("r1", "Nowhere.")), "r1", "has no place"),
        (lambda r: apply(r, e.RetieToPlace("s1", "bones")), "s1", "not been viewed"),
        (lambda r: apply(r, e.Restore("s4")), "s4", "not judged"),
        (lambda r: apply(r, e.Accept("s4")), "s4", "not been viewed"),
        (swap("s5", text="..."), "s5", "no words"),
        (swap("s1", flags=(Flag(FlagKind.SIZE, "12 mm, measured 5 mm"),)), "s1", "12 mm, measured 5 mm"),
        (swap("s1", flags=(Flag(FlagKind.SIZE, "12 mm", answer=" "),)), "s1", "open flag"),
        (lambda r: replace(r, flags=(EMPTY,)), None, "no sentence on the airways"),
    ],
)
def test_one_open_question_forbids_signing(ready: Report, spoil: Spoil, sentence_id: str, message: str) -> None:
    spoiled = spoil(ready)
    assert len(reasons(spoiled)) == 1
    assert reasons(spoiled)[0][0] == sentence_id
    assert message in reasons(spoiled)[0][1]
    with pytest.raises(Conflict, match="cannot be signed"):
        sign(spoiled, "Dr A", AT)


def test_what_does_not_forbid_signing(ready: Report) -> None:
    remark = Flag(FlagKind.COMPARISON, "a remark", blocking=False)
    for harmless in (
        swap("s1", flags=(remark,))(ready),
        swap("s1", flags=(Flag(FlagKind.SIZE, "12 mm", answer="measured along the other axis"),))(ready),
        swap("s4", flags=(Flag(FlagKind.SIZE, "on a rejected sentence"),))(ready),
        replace(ready, flags=(replace(EMPTY, answer="dictated apart"),)),
    ):
        assert reasons(harmless) == []


def test_the_signer_needs_a_name_and_the_report_a_sentence(ready: Report) -> None:
    assert "name" in reasons(ready, " ")[0][1]
    nothing = ready
    for sentence in ready.sentences:
        nothing = apply(nothing, e.Reject(sentence.id))
    assert reasons(nothing) == [(None, "the report has no sentence to sign")]


def test_the_refusal_names_the_first_reasons_and_counts_the_rest(drafted: Report) -> None:
    with pytest.raises(Conflict, match=r"s1: not judged yet; .*s3: not judged yet \(and 2 more\)"):
        sign(drafted, "Dr A", AT)


def test_a_signature_holds_until_anything_changes(ready: Report) -> None:
    signed = sign(ready, " Dr A ", AT, TrailHead(7, "f" * 64))
    assert signed.signature is not None
    assert (signed.status, signed.signature.name, signed.signature.signed_at) == (Status.SIGNED, "Dr A", AT)
    assert (signed.signature.trail_length, signed.signature.trail_sha256) == (7, "f" * 64)
    assert signed.sentences == ready.sentences
    assert verify_signature(signed)
    assert verify_signature(report_from_dict(report_to_dict(signed)))
    for changed in (
        replace(signed, notes=("added",)),
        swap("s1", text="Left pleural fluid 310 mL.")(signed),
        swap("s1", viewed=False)(signed),
        replace(signed, signature=replace(signed.signature, name="Dr B")),
        replace(signed, signature=replace(signed.signature, signed_at="2025-01-01T00:00:00+00:00")),
        replace(signed, signature=replace(signed.signature, trail_length=6)),
        replace(signed, measurements=(replace(signed.measurements[0], value=311), signed.measurements[1])),
    ):
        assert not verify_signature(changed)


def test_signing_twice_and_checking_a_draft_are_refused(ready: Report) -> None:
    with pytest.raises(Conflict, match="signed already"):
        sign(sign(ready, "Dr A", AT), "Dr B", AT)
    with pytest.raises(Conflict, match="not signed"):
        verify_signature(ready)


def test_an_addendum_is_a_new_draft_that_names_what_it_adds_to(ready: Report) -> None:
    signed = sign(ready, "Dr A", AT)
    assert signed.signature is not None
    new = addendum(signed, "report-2", "2026-02-01T00:00:00+00:00")
    assert (new.id, new.predecessor, new.status, new.signature) == ("report-2", "report-1", Status.DRAFT, None)
    assert new.sentences == ()
    assert (new.study, new.places, new.measurements, new.coverage) == (
        signed.study,
        signed.places,
        signed.measurements,
        signed.coverage,
    )
    assert "report-1" in new.notes[0]
    assert signed.signature.content_sha256 in new.notes[0]
    assert may_sign(new, "Dr A")[0].message == "the report has no sentence to sign"
    written = apply(apply(new, e.Add("a1", "Also old.", anchors=signed.sentence("s1").anchors)), e.MarkViewed("a1"))
    assert verify_signature(sign(written, "Dr A", AT))


def test_an_addendum_needs_a_sound_signed_report_and_its_own_id(ready: Report) -> None:
    signed = sign(ready, "Dr A", AT)
    with pytest.raises(Conflict, match="not signed"):
        addendum(ready, "report-2", AT)
    with pytest.raises(Conflict, match="not what was signed"):
        addendum(replace(signed, notes=("changed",)), "report-2", AT)
    with pytest.raises(Conflict, match="id of its own"):
        addendum(signed, "report-1", AT)
