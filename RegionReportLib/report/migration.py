"""Older report files become today's, step by step; newer ones are refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..errors import InputRefused
from .document import SCHEMA
from .json_form import Json


class NewerSchema(InputRefused):
    """The file was written by a newer program, which an older one must not overwrite."""


Step = Callable[[Json], Json]

# From the number of a schema version to the step that makes the next one of it.
STEPS: Mapping[int, Step] = {}

_NAME = re.compile(r"regionreport\.report/([1-9][0-9]{0,5})")


def migrate(document: object, steps: Mapping[int, Step] = STEPS, target: str = SCHEMA) -> Json:
    """Return the content of a report file in the schema `target`; InputRefused for newer and foreign ones."""
    wanted = _version(target)
    if not isinstance(document, dict):
        raise InputRefused(f"not a report: expected a JSON object, got {type(document).__name__}")
    version = _version(document.get("schema"))
    if version > wanted:
        raise NewerSchema(f"this report has schema {document['schema']}; this program knows up to {target}")
    while version < wanted:
        if version not in steps:
            raise InputRefused(f"no step leads from schema regionreport.report/{version} to {target}")
        document = {**steps[version](document), "schema": f"regionreport.report/{version + 1}"}
        version += 1
    return document


def _version(name: object) -> int:
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise InputRefused(f"not a report of schema {SCHEMA}: found {name!r:.80}")
    return int(match[1])
