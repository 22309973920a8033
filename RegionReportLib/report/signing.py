"""Signing: what forbids it, what it locks, how to check it, and the addendum that follows it.

The digest proves that a report is what was signed; it is no proof of who signed, since no key is involved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import Conflict
from .canonical import canonical, sha256
from .document import Report, Signature, Status
from .json_form import report_to_dict
from .sentence import Flag, Sentence, Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a report may not be signed, in words for the reader; `sentence_id` None if it concerns the whole report."""

    message: str
    sentence_id: str | None = None


@dataclass(frozen=True, slots=True)
class TrailHead:
    """How many entries a trail has and the digest of its last one."""

    length: int
    sha256: str


def may_sign(report: Report, name: str) -> tuple[Reason, ...]:
    """Return everything that forbids signing, in reading order; empty if the report may be signed."""
    reasons: list[Reason] = []
    if report.status is Status.SIGNED:
        reasons.append(Reason("the report is signed already; a change is an addendum"))
    if not name.strip() or not name.isprintable():
        reasons.append(Reason("the name of who signs is missing"))
    if all(s.verdict is Verdict.REJECTED for s in report.sentences):
        reasons.append(Reason("the report has no sentence to sign"))
    for sentence in report.sentences:
        reasons.extend(Reason(message, sentence.id) for message in _open_questions(sentence))
    reasons.extend(Reason(f"open flag: {flag.message}") for flag in report.flags if _is_open(flag))
    return tuple(reasons)


def sign(report: Report, name: str, at: str, trail: TrailHead | None = None) -> Report:
    """Return the report signed and locked; `at` is ISO 8601 with zone, `trail` what led to it.

    Raises Conflict with the first reasons if it may not be signed.
    """
    reasons = may_sign(report, name)
    if reasons:
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        told = "; ".join(f"{r.sentence_id}: {r.message}" if r.sentence_id else r.message for r in reasons[:3])
        raise Conflict(f"report {report.id} cannot be signed: {told}{more}")
    head = trail or TrailHead(0, "")
    signature = Signature(name.strip(), at, "", head.sha256, head.length)
    locked = replace(report, status=Status.SIGNED, signature=signature)
    return replace(locked, signature=replace(signature, content_sha256=content_sha256(locked)))


def content_sha256(report: Report) -> str:
    """Return the SHA-256 over the canonical JSON of a signed report, its signature included except for this digest.

    Name and time are covered, so that nobody signs with another's digest.
    """
    value = report_to_dict(report)
    if value["signature"] is None:
        raise Conflict(f"report {report.id} is not signed")
    del value["signature"]["content_sha256"]
    return sha256(canonical(value))


def verify_signature(report: Report) -> bool:
    """Tell whether a signed report is what was signed; Conflict if it is not signed."""
    digest = content_sha256(report)
    return report.signature is not None and report.signature.content_sha256 == digest


def addendum(signed: Report, report_id: str, created_at: str) -> Report:
    """Return a new draft about the same scan that names the signed report it adds to.

    It starts without sentences: what was signed stays as it is, and nobody signs a colleague's sentences again.
    Raises Conflict if `signed` is not signed, is not what was signed, or has the same id.
    """
    if not verify_signature(signed) or signed.signature is None:
        raise Conflict(f"report {signed.id} is not what was signed; no addendum can rest on it")
    if report_id == signed.id:
        raise Conflict(f"an addendum needs an id of its own, not {report_id!r}")
    by = signed.signature
    note = f"Addendum to report {signed.id}, signed by {by.name} at {by.signed_at} (SHA-256 {by.content_sha256})."
    return replace(
        signed,
        id=report_id,
        created_at=created_at,
        predecessor=signed.id,
        sentences=(),
        flags=(),
        notes=(note,),
        status=Status.DRAFT,
        signature=None,
    )


def _open_questions(sentence: Sentence) -> list[str]:
    if sentence.verdict is Verdict.PENDING:
        return ["not judged yet"]
    if sentence.verdict is Verdict.REJECTED:
        return []
    questions = []
    if not any(c.isalnum() for c in sentence.text):
        questions.append("has no words")
    if not sentence.placeless and not sentence.anchors:
        questions.append("has no place; tie it to one or mark it as having none")
    if sentence.anchors and not sentence.viewed:
        questions.append("its place has not been viewed")
    questions.extend(f"open flag: {flag.message}" for flag in sentence.flags if _is_open(flag))
    return questions


def _is_open(flag: Flag) -> bool:
    return flag.blocking and not (flag.answer or "").strip()
