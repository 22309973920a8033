"""Any sequence of edits, undo, redo and attempts to sign keeps the promises of a report's life."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import REGION_IDS, Side, Zone
from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.box import Box
from RegionReportLib.report import edits as e
from RegionReportLib.report.apply import apply
from RegionReportLib.report.audit import read_trail
from RegionReportLib.report.canonical import canonical
from RegionReportLib.report.document import Report, Status
from RegionReportLib.report.edit_json import edit_from_dict, edit_to_dict
from RegionReportLib.report.json_form import report_from_dict, report_from_json, report_to_dict
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.replay import replay
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.signing import verify_signature
from RegionReportLib.report.store import Draft, create_draft, open_draft
from RegionReportLib.report.undo import difference, inverse
from RegionReportLib.report.verify import verify

# Mostly what fits, so that lives go on, and always some of what does not.
OLD = [f"s{n}" for n in range(1, 6)]
NEW = [f"r{n}" for n in range(1, 7)]
IDS = st.sampled_from(OLD * 3 + NEW)
NEW_IDS = st.sampled_from(NEW * 3 + OLD[:2])
WORDS = ["Right pleural fluid 310 mL.", "Left fluid.", "No nodule – größer als 4 mm.", "Ratio 0.56; fluid.", "x"]
TEXTS = st.sampled_from([*WORDS, *WORDS, "", " . "]) | st.text(max_size=12)
SPANS = st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 8), st.integers(0, 12)))
POLARITIES = st.none() | st.sampled_from(Polarity)
NUMBERS = st.floats(-200, 200)
BOXES = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda p: Box(p, (p[0] + 10, p[1] + 20, p[2] + 30)))
REGIONS = st.sampled_from(REGION_IDS)
SIDES = st.none() | st.sampled_from(Side)
ANCHORS = st.builds(
    lambda region, box, side: Anchor(Place(region, box, box.center_mm, side=side), AnchorSource.READER),
    REGIONS,
    BOXES,
    SIDES,
)
FOUND = ANCHORS.map(lambda anchor: replace(anchor, source=AnchorSource.VOXTELL))
WRITTEN = st.builds(
    lambda one, text, anchor, support: Sentence(
        one, text, (anchor.place.region_id,), (replace(anchor, source=AnchorSource.MODEL, dispersion_mm=3.5),),
        Polarity.PRESENT, Origin(Author.MODEL, "demo 01ab", "demonstration"), asked_about="lungs", support=support,
    ),
    NEW_IDS, st.sampled_from(WORDS), ANCHORS, st.none() | st.floats(0, 1),
)  # fmt: skip
PLACES = st.sampled_from(
    [
        ("lungs", None, None, None),
        ("lungs", "lung_right", Side.RIGHT, None),
        ("lungs", "lung_right", Side.RIGHT, Zone.LOWER),
        ("bones", None, None, None),
        ("bones", None, Side.LEFT, None),
    ]
)
FLAG = Flag(FlagKind.SIDE, "left in the text, right in the image", True, (), ("m1",))
SHOUT = Flag(FlagKind.UNIT, "an x")
QUIET = Flag(FlagKind.EMPTY_REGION, "no x")
EDITS: st.SearchStrategy[e.Edit] = st.one_of(
    st.builds(e.ChangeText, IDS, TEXTS, SPANS, POLARITIES),
    st.builds(e.Accept, IDS),
    st.builds(e.Reject, IDS),
    st.builds(e.Restore, IDS),
    st.builds(
        e.Add, NEW_IDS, TEXTS, st.lists(REGIONS, max_size=2).map(tuple), st.lists(ANCHORS, max_size=2).map(tuple),
        st.sampled_from(Polarity), SPANS, st.one_of(st.none(), st.none(), IDS),
    ),
    st.builds(e.Split, IDS, st.integers(0, 25), NEW_IDS),
    st.builds(e.Merge, st.lists(IDS, min_size=1, max_size=3).map(tuple), st.none() | TEXTS, POLARITIES),
    st.builds(e.Move, IDS, st.none() | IDS),
    st.builds(lambda one, place, keep: e.RetieToPlace(one, *place, keep), IDS, PLACES, st.booleans()),
    st.builds(e.RetieToBox, IDS, REGIONS, BOXES, SIDES, st.booleans()),
    st.builds(e.OfferPlaces, IDS, st.lists(FOUND, max_size=2).map(tuple)),
    st.builds(
        e.Redraft, REGIONS, st.lists(IDS, max_size=2).map(tuple), st.lists(WRITTEN, max_size=2).map(tuple),
        st.just("demo"), st.just("demo 01ab"), st.none() | st.integers(0, 9), st.none() | IDS,
    ),
    st.builds(e.MarkViewed, IDS),
    st.builds(e.MarkPlaceless, IDS),
    st.builds(e.AnswerFlag, st.just("s2") | IDS, st.just(FLAG.key), st.sampled_from(["seen", "", "again"])),
    st.builds(e.AnswerFlag, st.none() | IDS, st.sampled_from([SHOUT.key, QUIET.key]), st.just("seen")),
)  # fmt: skip
CONTROLS = st.sampled_from(["undo", "undo", "redo", "reopen", "judge", "sign", "judge and sign"])
ACTS = st.integers(0, 3).flatmap(lambda n: CONTROLS if n == 0 else EDITS)

ANY_LIFE = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def shout(report: Report) -> Report:
    """A check of flags: whoever says x is flagged, and the report is while nobody does."""
    sentences = tuple(
        replace(s, flags=tuple(f for f in s.flags if f.key != SHOUT.key) + ((SHOUT,) if "x" in s.text else ()))
        for s in report.sentences
    )
    quiet = not any("x" in s.text for s in sentences)
    return replace(report, sentences=sentences, flags=(QUIET,) if quiet else ())


def judgements(report: Report) -> Iterator[e.Edit]:
    """What a patient reader would do to make a report ready."""
    for sentence in report.sentences:
        yield e.MarkViewed(sentence.id) if sentence.anchors else e.MarkPlaceless(sentence.id)
        for flag in sentence.flags:
            yield e.AnswerFlag(sentence.id, flag.key, "looked again")
        if sentence.verdict is Verdict.PENDING:
            yield e.Accept(sentence.id)
    for flag in report.flags:
        yield e.AnswerFlag(None, flag.key, "looked again")


def signable(report: Report) -> bool:
    """The rules of signing, told a second time from the document's plain JSON."""
    value = report_to_dict(report)
    kept = [s for s in value["sentences"] if s["verdict"] != "rejected"]
    flags = value["flags"] + [flag for s in kept for flag in s["flags"]]
    return (
        value["status"] == "draft"
        and bool(kept)
        and all(s["verdict"] in ("accepted", "edited", "added") for s in kept)
        and all(s["placeless"] or (s["anchors"] and s["viewed"]) for s in kept)
        and all(flag["answer"] and flag["answer"].strip() for flag in flags if flag["blocking"])
    )


@ANY_LIFE
@given(edits=st.lists(EDITS, max_size=25))
def test_any_edits_keep_ids_unique_survive_json_and_are_undone_to_the_byte(
    drafted: Report, edits: list[e.Edit]
) -> None:
    report = drafted
    inverses: list[e.PutBack] = []
    for edit in edits:
        before = canonical(report_to_dict(report))
        assert edit_from_dict(edit_to_dict(edit)) == edit or repr(edit) >= "\ud800"
        try:
            after = apply(report, edit)
        except Conflict:
            assert canonical(report_to_dict(report)) == before
            continue
        ids = [s.id for s in after.sentences]
        assert len(set(ids)) == len(ids)
        assert report_from_dict(report_to_dict(after)) == after
        back = inverse(report, edit)
        assert apply(after, back) == report
        assert apply(report, inverse(after, back)) == after
        inverses.append(back)
        report = after
    for back in reversed(inverses):
        report = apply(report, back)
    assert canonical(report_to_dict(report)) == canonical(report_to_dict(drafted))
    assert difference(report, drafted) == e.PutBack()


def live(draft: Draft, acts: list[e.Edit | str]) -> Draft:
    """Do all acts; refused ones must change nothing."""
    for act in acts:
        if act in ("judge", "judge and sign") and draft.report.status is Status.DRAFT:
            for edit in judgements(draft.report):
                draft.apply(edit)
        before = draft.report, draft.head
        if act == "reopen":
            draft.close()
            draft = open_draft(draft.folder, actor="Dr B", clock=lambda: NOON, check=shout)
            assert (draft.report, draft.head, draft.notes) == (*before, ())
        elif act in ("sign", "judge and sign"):
            attempt_to_sign(draft)
        elif act != "judge":
            try:
                getattr(draft, act)() if isinstance(act, str) else draft.apply(act)
            except Conflict:
                assert (draft.report, draft.head) == before
    return draft


def attempt_to_sign(draft: Draft) -> None:
    allowed = signable(draft.report)
    try:
        signed = draft.sign("Dr A")
    except Conflict:
        assert not allowed
        assert draft.report.status is Status.SIGNED or not signable(draft.report)
        return
    assert allowed
    assert verify_signature(signed)


NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


@ANY_LIFE
@given(acts=st.lists(ACTS, max_size=25))
def test_any_life_replays_to_the_same_bytes_and_never_signs_what_may_not_be(
    drafted: Report, acts: list[e.Edit | str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "draft"
        initial = create_draft(folder, drafted, actor="writer", clock=lambda: NOON, check=shout)
        draft = live(open_draft(folder, actor="Dr A", clock=lambda: NOON, check=shout), acts)
        draft.close()
        trail = read_trail((folder / "audit.jsonl").read_bytes())
        again = replay(report_from_json((folder / "draft.json").read_bytes()), trail)
        assert canonical(report_to_dict(again)) == canonical(report_to_dict(draft.report))
        assert report_from_json((folder / "report.json").read_bytes()) == draft.report
        assert verify(folder) == ()
        if draft.report.status is Status.SIGNED:
            return
        with open_draft(folder, actor="Dr A", clock=lambda: NOON, check=shout) as draft:
            with pytest.raises(Conflict, match="nothing to undo"):
                while True:
                    draft.undo()
            assert draft.report == initial
        assert (folder / "report.json").read_bytes() == (folder / "draft.json").read_bytes()


def test_the_patient_reader_gets_to_sign(drafted: Report, tmp_path: Path) -> None:
    # Without this the property above could hold because nothing is ever signed.
    create_draft(tmp_path / "d", drafted, check=shout)
    draft = live(
        open_draft(tmp_path / "d", actor="Dr A", check=shout), ["judge", e.ChangeText("s1", "x"), "judge", "sign"]
    )
    assert draft.report.status is Status.SIGNED
    draft.close()
