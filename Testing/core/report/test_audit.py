"""The trail: chained, exact to the byte, and impossible to bend unnoticed."""

from __future__ import annotations

import json

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.apply import apply
from RegionReportLib.report.audit import START, Act, Entry, Words, chain, changed_words, from_line, read_trail, to_line
from RegionReportLib.report.canonical import canonical, sha256
from RegionReportLib.report.document import Report
from RegionReportLib.report.edits import Add, ChangeText, Merge


def trail(length: int = 4) -> list[Entry]:
    entries: list[Entry] = []
    for n in range(length):
        act = Act(f"2026-01-01T00:00:0{n}Z", "Dr Ä", "accept", {"n": n}, (Words("s1", None, f"word {n}"),))
        entries.append(chain(act, entries[-1].head if entries else START))
    return entries


def content(entries: list[Entry]) -> bytes:
    return b"".join(to_line(entry) for entry in entries)


def test_each_line_is_canonical_json_whose_digest_covers_the_line_before() -> None:
    first, second = (json.loads(line) for line in content(trail(2)).splitlines())
    assert (first["seq"], first["previous"]) == (1, "0" * 64)
    assert second["previous"] == first["digest"]
    digest = second.pop("digest")
    assert digest == sha256(canonical(second))


def test_a_trail_reads_back_as_it_was_written() -> None:
    assert read_trail(content(trail())) == tuple(trail())


def test_the_same_acts_give_the_same_bytes() -> None:
    assert content(trail()) == content(trail())


TAMPERING = {
    "is not what was written": lambda ls: [ls[0], ls[1].replace(b"word 1", b"word 7"), *ls[2:]],
    "line 2 does not follow": lambda ls: [ls[0], *ls[2:]],
    "line 1 does not follow": lambda ls: ls[1:],
    "line 2 does not follow the line before": lambda ls: [ls[0], ls[2], ls[1], ls[3]],
    "line 3 does not follow": lambda ls: [*ls[:2], ls[1], *ls[2:]],
    "line 4 is damaged": lambda ls: [*ls[:3], ls[3][:40] + b"\n"],
    "line 4 has no end": lambda ls: [*ls[:3], ls[3][:-1]],
    "line 3 is damaged": lambda ls: [*ls[:2], b"\n", *ls[2:]],
    "line 2 is not what was written: it": lambda ls: [ls[0], ls[1].replace(b'"seq":2', b'"seq": 2'), *ls[2:]],
}


@pytest.mark.parametrize("message", TAMPERING)
def test_tampering_is_named_with_its_line(message: str) -> None:
    lines = content(trail()).splitlines(keepends=True)
    with pytest.raises(InputRefused, match=message):
        read_trail(b"".join(TAMPERING[message](lines)))


def test_an_entry_made_anew_with_its_own_digest_breaks_the_one_after() -> None:
    entries = trail()
    forged = chain(Act("2026-01-01T00:00:01Z", "Dr Ä", "reject", {}), entries[0].head)
    with pytest.raises(InputRefused, match="line 3 does not follow"):
        read_trail(content([entries[0], forged, *entries[2:]]))


def test_every_single_flipped_bit_of_a_line_is_noticed() -> None:
    line = to_line(trail(1)[0])
    for at in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[at] ^= 1 << bit
            with pytest.raises(InputRefused):
                from_line(bytes(flipped), START)


def test_the_words_of_an_act_are_those_that_changed(drafted: Report) -> None:
    edited = apply(drafted, ChangeText("s1", "Right fluid."))
    assert changed_words(drafted, edited) == (Words("s1", "Right pleural fluid 310 mL.", "Right fluid."),)
    added = apply(drafted, Add("r1", "New."))
    assert changed_words(drafted, added) == (Words("r1", None, "New."),)
    merged = apply(drafted, Merge(("s4", "s5"), "Both."))
    assert changed_words(drafted, merged) == (
        Words("s4", "Cardiothoracic ratio 0.56.", "Both."),
        Words("s5", "Old rib fractures.", None),
    )
