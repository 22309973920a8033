"""The audit trail as the page shows it: who did what, when, about which sentence, from which words to which."""

from __future__ import annotations

from typing import Any

from ..anatomy import regions as anatomy
from ..report.audit import Entry
from ..report.store import Draft
from ..report.verify import verify

Json = dict[str, Any]

_KINDS = {
    "created": "drafted",
    "accept": "accepted",
    "reject": "rejected",
    "restore": "took back",
    "add": "added",
    "split": "divided",
    "merge": "joined",
    "move": "moved",
    "undo": "undid",
    "redo": "did again",
    "change_text": "changed the words",
    "retie_to_place": "tied to a place",
    "retie_to_box": "tied to a drawn box",
    "offer_places": "given places that VoxTell found",
    "redraft": "had a region written anew",
    "mark_viewed": "viewed the place",
    "mark_placeless": "stated that it has no place",
    "answer_flag": "overrode a flag",
    "checked": "flags looked for again",
}
_LONGEST = 90


def trail(draft: Draft) -> Json:
    """Return the trail of an open draft, and in words whether its files are intact."""
    known = {sentence.id: sentence.text for sentence in draft.report.sentences}
    return {
        "kind": "trail",
        "intact": _intact(draft),
        "entries": [_entry(entry, known) for entry in draft.history()],
    }


def _intact(draft: Draft) -> str:
    findings = [f"{one.file}: {one.message}" for one in verify(draft.folder) if one.serious]
    if findings:
        return "Not intact: " + "; ".join(findings)
    count = len(draft.history())
    return f"Intact: {count} {'entry' if count == 1 else 'entries'}, each with the digest of the one before."


def _entry(entry: Entry, known: dict[str, str]) -> Json:
    act = entry.act
    return {
        "seq": entry.seq,
        "at": act.at,
        "actor": act.actor,
        "kind": _KINDS.get(act.kind, act.kind.replace("_", " ")),
        "about": _about(act.data, known) if not act.words else _detail(act.data),
        "words": [{"id": w.sentence_id, "before": w.before, "after": w.after} for w in act.words],
        "digest": entry.digest,
    }


def _about(data: Json, known: dict[str, str]) -> str:
    """The sentence that an act is about, by its words as they are now, and what was done to it."""
    sentence_id = data.get("sentence_id")
    text = known.get(sentence_id, "a sentence that is gone") if isinstance(sentence_id, str) else ""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return " · ".join(part for part in (text and f"{sentence_id} “{text}”", _detail(data)) if part)


def _detail(data: Json) -> str:
    """What an act says beyond its kind: the place, the reason, the name."""
    parts = []
    if isinstance(region_id := data.get("region"), str) and region_id in anatomy.REGION_IDS:
        structure = data.get("structure")
        place = anatomy.structure(structure).name if structure else anatomy.region(region_id).name
        parts.append(", ".join(str(one) for one in (place, data.get("side"), data.get("zone")) if one))
    if isinstance(flag := data.get("flag"), list) and len(flag) > 1:
        parts.append(str(flag[1]))
    if reason := data.get("reason"):
        parts.append(f"because: {reason}")
    if writer := data.get("writer"):
        seed = data.get("seed")
        parts.append(
            f"by {' '.join((writer, data.get('model', ''))).strip()}{'' if seed is None else f', seed {seed}'}"
        )
    if name := data.get("name"):
        parts.append(f"by {name}")
    if of := data.get("of"):
        parts.append(f"entry {of}")
    return " · ".join(parts)
