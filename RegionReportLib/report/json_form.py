"""Reports as JSON values and back, without loss.

Every value has a `..._to_dict` and a `..._from_dict`; both directions are written by hand, so the published schema
(`report.schema.json`) and not a class layout decides what a file holds. Reading refuses what does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar

import jsonschema

from ..anatomy.codes import Code
from ..anatomy.regions import Coverage, Side, Zone
from ..errors import InputRefused
from ..imaging.box import Box
from .canonical import parse
from .document import SCHEMA, Report, Signature, Status
from .measurement import Measurement
from .place import Anchor, AnchorSource, Place
from .sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict
from .study_form import study_from_dict, study_to_dict

Json: TypeAlias = dict[str, Any]
V = TypeVar("V")


def report_to_dict(report: Report) -> Json:
    """Return the whole report as JSON values, in the published schema."""
    return {
        "schema": SCHEMA,
        "id": report.id,
        "status": report.status.value,
        "created_at": report.created_at,
        "predecessor": report.predecessor,
        "writer": report.writer,
        "segmenter": report.segmenter,
        "notes": list(report.notes),
        "study": study_to_dict(report.study),
        "coverage": {region: c.value for region, c in report.coverage.items()},
        "coverage_notes": dict(report.coverage_notes),
        "sentences": [sentence_to_dict(s) for s in report.sentences],
        "measurements": [measurement_to_dict(m) for m in report.measurements],
        "places": [place_to_dict(p) for p in report.places],
        "flags": [flag_to_dict(f) for f in report.flags],
        "signature": None if report.signature is None else signature_to_dict(report.signature),
    }


def report_from_dict(value: object) -> Report:
    """Read a report from JSON values; InputRefused names what does not fit."""
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else type(value).__name__
        raise InputRefused(f"not a report of schema {SCHEMA}: found {found!r:.80}")
    error = jsonschema.exceptions.best_match(_validator().iter_errors(value))
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path) or "top level"
        raise InputRefused(f"report does not fit its schema at {where}: {error.message:.200}")
    try:
        return _report(value)
    except (ValueError, KeyError, TypeError, OverflowError) as cause:
        raise InputRefused(f"report is inconsistent: {cause!s:.300}") from cause


def report_from_json(text: str | bytes) -> Report:
    """Read a report from JSON text; InputRefused for text that is no strict JSON or does not fit."""
    return report_from_dict(parse(text))


def place_to_dict(place: Place) -> Json:
    """Return a place with its box `[[min x, y, z], [max x, y, z]]` and point in RAS millimetres."""
    return {
        "region": place.region_id,
        "structure": place.structure,
        "side": _name(place.side),
        "zone": _name(place.zone),
        "box_ras_mm": [list(place.box.min_mm), list(place.box.max_mm)],
        "point_ras_mm": list(place.point_mm),
    }


def place_from_dict(value: Json) -> Place:
    """Read a place; ValueError or KeyError if it is none."""
    low, high = value["box_ras_mm"]
    x, y, z = value["point_ras_mm"]
    return Place(
        region_id=value["region"],
        box=Box(tuple(low), tuple(high)),
        point_mm=(float(x), float(y), float(z)),
        structure=value["structure"],
        side=_optional(Side, value["side"]),
        zone=_optional(Zone, value["zone"]),
    )


def anchor_to_dict(anchor: Anchor) -> Json:
    """Return an anchor: its place plus source, confidence and note."""
    return {
        **place_to_dict(anchor.place),
        "source": anchor.source.value,
        "confidence": anchor.confidence,
        "note": anchor.note,
        **_known(dispersion_mm=anchor.dispersion_mm),
    }


def anchor_from_dict(value: Json) -> Anchor:
    """Read an anchor; ValueError or KeyError if it is none."""
    return Anchor(
        place=place_from_dict(value),
        source=AnchorSource(value["source"]),
        confidence=value["confidence"],
        note=value["note"],
        dispersion_mm=value.get("dispersion_mm"),
    )


def measurement_to_dict(measurement: Measurement) -> Json:
    """Return a measurement; an undefined value is null and `reason` says why."""
    code = measurement.code
    return {
        "id": measurement.id,
        "quantity": measurement.quantity,
        "region": measurement.region_id,
        "structure": measurement.structure,
        "side": _name(measurement.side),
        "zone": _name(measurement.zone),
        "value": measurement.value,
        "unit": measurement.unit,
        "uncertainty": measurement.uncertainty,
        "method": measurement.method,
        "reason": measurement.reason,
        "code": None if code is None else [code.scheme, code.value, code.meaning],
        "place": None if measurement.place is None else place_to_dict(measurement.place),
    }


def measurement_from_dict(value: Json) -> Measurement:
    """Read a measurement; ValueError or KeyError if it is none."""
    return Measurement(
        id=value["id"],
        quantity=value["quantity"],
        region_id=value["region"],
        structure=value["structure"],
        side=_optional(Side, value["side"]),
        zone=_optional(Zone, value["zone"]),
        value=value["value"],
        unit=value["unit"],
        uncertainty=value["uncertainty"],
        method=value["method"],
        reason=value["reason"],
        code=_optional(lambda parts: Code(*parts), value["code"]),
        place=_optional(place_from_dict, value["place"]),
    )


def sentence_to_dict(sentence: Sentence) -> Json:
    """Return a sentence with its anchors and flags."""
    return {
        "id": sentence.id,
        "text": sentence.text,
        "key_phrase": None if sentence.key_phrase is None else list(sentence.key_phrase),
        "regions": list(sentence.regions),
        "anchors": [anchor_to_dict(a) for a in sentence.anchors],
        "polarity": sentence.polarity.value,
        "evidence": list(sentence.evidence),
        "origin": _origin_to_dict(sentence.origin),
        "verdict": sentence.verdict.value,
        "verdict_before": None if sentence.verdict_before is None else sentence.verdict_before.value,
        "viewed": sentence.viewed,
        "placeless": sentence.placeless,
        "flags": [flag_to_dict(f) for f in sentence.flags],
        **_known(asked_about=sentence.asked_about, support=sentence.support),
    }


def sentence_from_dict(value: Json) -> Sentence:
    """Read a sentence; ValueError or KeyError if it is none."""
    return Sentence(
        id=value["id"],
        text=value["text"],
        key_phrase=_optional(lambda span: (span[0], span[1]), value["key_phrase"]),
        regions=tuple(value["regions"]),
        anchors=tuple(anchor_from_dict(a) for a in value["anchors"]),
        polarity=Polarity(value["polarity"]),
        evidence=tuple(value["evidence"]),
        origin=_origin(value["origin"]),
        verdict=Verdict(value["verdict"]),
        verdict_before=_optional(Verdict, value["verdict_before"]),
        viewed=value["viewed"],
        placeless=value["placeless"],
        flags=tuple(flag_from_dict(f) for f in value["flags"]),
        asked_about=value.get("asked_about"),
        support=value.get("support"),
    )


def _origin_to_dict(origin: Origin) -> Json:
    return {"author": origin.author.value, "model": origin.model, **_known(label=origin.label or None)}


def _origin(value: Json) -> Origin:
    return Origin(Author(value["author"]), value["model"], value.get("label", ""))


def _report(value: Json) -> Report:
    return Report(
        id=value["id"],
        study=study_from_dict(value["study"]),
        coverage={region: Coverage(c) for region, c in value["coverage"].items()},
        coverage_notes=dict(value["coverage_notes"]),
        places=tuple(place_from_dict(p) for p in value["places"]),
        measurements=tuple(measurement_from_dict(m) for m in value["measurements"]),
        sentences=tuple(sentence_from_dict(s) for s in value["sentences"]),
        writer=value["writer"],
        segmenter=value["segmenter"],
        created_at=value["created_at"],
        notes=tuple(value["notes"]),
        status=Status(value["status"]),
        signature=_optional(signature_from_dict, value["signature"]),
        predecessor=value["predecessor"],
        flags=tuple(flag_from_dict(f) for f in value["flags"]),
    )


def signature_to_dict(signature: Signature) -> Json:
    """Return a signature."""
    return {
        "name": signature.name,
        "signed_at": signature.signed_at,
        "content_sha256": signature.content_sha256,
        "trail_sha256": signature.trail_sha256,
        "trail_length": signature.trail_length,
    }


def signature_from_dict(value: Json) -> Signature:
    """Read a signature; TypeError if it is none."""
    return Signature(**value)


def flag_to_dict(flag: Flag) -> Json:
    """Return a flag with the reader's answer, if there is one."""
    return {
        "kind": flag.kind.value,
        "message": flag.message,
        "blocking": flag.blocking,
        "sentence_ids": list(flag.sentence_ids),
        "measurement_ids": list(flag.measurement_ids),
        "answer": flag.answer,
    }


def flag_from_dict(value: Json) -> Flag:
    """Read a flag; ValueError or KeyError if it is none."""
    return Flag(
        kind=FlagKind(value["kind"]),
        message=value["message"],
        blocking=value["blocking"],
        sentence_ids=tuple(value["sentence_ids"]),
        measurement_ids=tuple(value["measurement_ids"]),
        answer=value["answer"],
    )


def _known(**values: str | float | None) -> Json:
    """Return those that are known: keys that came later are left out, so that digests of older reports still hold."""
    return {key: value for key, value in values.items() if value is not None}


def _name(value: Side | Zone | None) -> str | None:
    return None if value is None else value.value


def _optional(make: Callable[[Any], V], value: object) -> V | None:
    return None if value is None else make(value)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
