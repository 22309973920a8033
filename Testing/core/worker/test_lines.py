"""Messages survive the line; what is none is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.worker.lines import NotAMessage, from_worker, to_line, to_worker
from RegionReportLib.worker.messages import (
    Cancel,
    Draft,
    Drafted,
    ErrorKind,
    Failed,
    FindPlaces,
    FoundForSentence,
    Hello,
    Log,
    MasksArray,
    PlacesFound,
    ScanArray,
    ScanFile,
    SentenceWritten,
    Shutdown,
    StageProgress,
)

ARRAY = ScanArray(
    "a b.npy", ((1.0, 0.0, 0.5, -3.25),) * 4, "scene", "scene", ("note",), {"patient_name": "É^X"}, -1024.0
)
MASKS = MasksArray("m.npy", ("lung_right", "heart"), "classical 1", {"lungs": "full"}, {"bones": "cut"})


@pytest.mark.parametrize(
    "message",
    [
        Draft("j1", ARRAY, "/out put", "2026-01-01T00:00:00Z", masks=MASKS, labels="l.npy", prior=True),
        Draft("j2", ScanFile("C:\\Ä\\scan.nii", "1.2.3"), "out", "now"),
        FindPlaces("j3", "report", ("s1", "s2"), ARRAY, MASKS, "cuda:1", "models/voxtell"),
        Cancel("j1"),
        Shutdown(),
    ],
)
def test_what_goes_to_the_worker_arrives_unchanged(message: Draft | FindPlaces | Cancel | Shutdown) -> None:
    assert to_worker(to_line(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        Hello(1, "0.1.0", "3.12.10", 4711),
        StageProgress("j", 0.5, "segmenting", 1.25),
        SentenceWritten("j", {"id": "s", "anchors": [{"box": [[0.1, 1], [2, 3]]}], "key_phrase": None}),
        Drafted("j", "out", ("a", "b"), {"read": 1.5}, MASKS),
        Drafted("j", "out", (), {}),
        PlacesFound("j", (FoundForSentence("s1", "nodule", ({"region": "lungs"},), "Found."),), 1.5),
        Failed("j", ErrorKind.KILLED, "reason", "stage", "line\nline"),
    ],
)
def test_what_comes_from_the_worker_arrives_unchanged(message: Hello) -> None:
    assert from_worker(to_line(message)) == message


@given(st.text(alphabet=st.characters()), st.text())
def test_any_text_is_one_line_of_ascii(level: str, text: str) -> None:
    line = to_line(Log(level, text))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_worker(line) == Log(level, text)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else_is_raised(noise: bytes) -> None:
    with pytest.raises(NotAMessage):
        from_worker(noise)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"[]", "type"),
        (b'{"type": "Progress"}', "type"),
        (b'{"type": ["Log"]}', "type"),
        (b'{"type": "Log", "level": "info"}', "text"),
        (b'{"type": "Log", "level": "info", "text": "x", "more": 1}', "text"),
        (b'{"type": "Log", "level": "info", "text": 3}', "Log.text"),
        (b'{"type": "Hello", "protocol": true, "version": "", "python": "", "pid": 1}', "Hello.protocol"),
        (b'{"type": "Failed", "job": "j", "kind": "odd", "reason": "", "stage": "", "detail": ""}', "Failed.kind"),
        (b'{"type": "StageProgress", "job": "j", "fraction": "1", "stage": "", "elapsed_s": 0}', "fraction"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_a_line_that_does_not_fit_is_refused_with_the_place(line: bytes, word: str) -> None:
    with pytest.raises(NotAMessage, match=word):
        from_worker(line)


def test_each_side_reads_only_what_is_for_it() -> None:
    with pytest.raises(NotAMessage, match="Cancel"):
        from_worker(to_line(Cancel("j")))
    with pytest.raises(NotAMessage, match="Log"):
        to_worker(to_line(Log("info", "x")))


def test_a_number_that_is_none_does_not_cross_the_border() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_line(StageProgress("j", float("nan"), "stage", 0.0))
