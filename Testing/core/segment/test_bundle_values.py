"""A bundle's configuration is read as data: references and literals are followed, nothing is run."""

from __future__ import annotations

from typing import Any

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.segment.bundle_values import Values

TABLE: dict[str, Any] = {
    "fine": True,
    "options": {"sizes": [96, 64], "fine": "@fine"},
    "pixdim": "$[1.5, 1.5, 1.5] if @options#fine else [3.0, 3.0, 3.0]",
    "other": "$'model.pt' if not @options::fine else 'fine.pt'",
    "root": ".",
    "path": "$@root + '/models/' + @other",
    "half": "$@options#sizes#1 // 2 - 1",
    "last": "$@options['sizes'][1] * 2 >= 128",
    "list": "@parts",
    "parts": [{"size": "@options#sizes#0"}, -1],
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "ring": "@ring_2",
    "ring_2": "$@ring",
    "sum_ring": "$@sum_ring + 1",
}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("pixdim", [1.5, 1.5, 1.5]),
        ("options", {"sizes": [96, 64], "fine": True}),
        ("path", "./models/fine.pt"),
        ("half", 31),
        ("last", True),
        ("list", [{"size": 96}, -1]),
        ("options#sizes#0", 96),
    ],
)
def test_references_and_literal_expressions_are_followed(key: str, expected: object) -> None:
    assert Values(TABLE, "inference.json").value(key) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$__import__('os').system('true')",
        "$open('/etc/passwd').read()",
        "$().__class__.__base__.__subclasses__()",
        "$[x for x in (1, 2)]",
        "$(lambda: 1)()",
        "$'a' * 1000000000",
        "$[0] * 1000000000",
        "$2 ** 1000000",
        "$f'{1}'",
        "$name_of_nothing",
        "$1 +",
        "$1 / 0",
        "$" + "(" * 300 + "1" + ")" * 300,
        "$" + "1 + " * 200 + "1",
    ],
)
def test_any_other_expression_is_refused_and_named(text: str) -> None:
    values = Values({"network_def": {"size": text}}, "inference.json")
    with pytest.raises(InputRefused, match=r"^inference\.json: network_def#size is the Python expression .* not run"):
        values.value("network_def")


def test_what_is_not_asked_for_is_not_read() -> None:
    assert Values(TABLE, "inference.json").value("root") == "."
    with pytest.raises(InputRefused, match="device is the Python expression"):
        Values(TABLE, "inference.json").value("device")


@pytest.mark.parametrize("key", ["ring", "ring_2", "sum_ring"])
def test_references_in_a_circle_are_refused(key: str) -> None:
    with pytest.raises(InputRefused, match="refers to itself"):
        Values(TABLE, "inference.json").value(key)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputRefused, match=r"^inference\.json: options#depth is not there"):
        Values(TABLE, "inference.json").value("options#depth")
    with pytest.raises(InputRefused, match="nowhere is not there"):
        Values({"size": "$@nowhere + 1"}, "inference.json").value("size")


def test_parts_of_other_files_are_refused() -> None:
    with pytest.raises(InputRefused, match="size takes a part of another file"):
        Values({"size": "%train.json::size"}, "inference.json").value("size")
