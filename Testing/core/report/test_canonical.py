"""One form for each value, and a reader that takes nothing ambiguous."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.canonical import canonical, parse, readable, sha256


def test_the_canonical_form_is_sorted_tight_and_plain_utf8() -> None:
    assert canonical({"b": [1, 2.5, None, True], "a": "größer\n"}) == '{"a":"größer\\n","b":[1,2.5,null,true]}'.encode()


def test_the_digest_is_sha256() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(b"") == hashlib.sha256().hexdigest()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(values)
def test_reading_gives_back_what_was_written_and_the_same_bytes(value: object) -> None:
    for write in (canonical, readable):
        assert parse(write(value)) == value
        assert write(parse(write(value))) == write(value)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9)))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "-Infinity",
        "1e999",
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        "9007199254740992",
        "1" * 5000,
        '"\\ud800"',
        '{"\\udc00": 1}',
        "[" * 100_000,
        "01",
        "'a'",
        "[1,]",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'"\xed\xa0\x80"',
    ],
)
def test_ambiguous_and_broken_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(InputRefused):
        parse(text)


def test_whole_surrogate_pairs_in_escapes_are_characters() -> None:
    assert parse(json.dumps("\U0001fac1")) == "\U0001fac1"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1, 2}, [b"x"]])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(InputRefused, match="no JSON form"):
        canonical(value)
