"""The commands that take a report folder further: show, export, verify, sign, history."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import Conflict, InputRefused
from ..export.offers import Wishes
from ..export.standing import VERDICT_SIGN, authorship, authorship_line, state_line
from ..export.writing import write_offers
from ..grounding.contradictions import check
from ..report import verify as report_verify
from ..report.sentence import Sentence
from ..report.signing import may_sign
from ..report.store import open_draft, report_of, view_draft
from ..review.model_words import agreement
from .watch import run, tell


def show(arguments: argparse.Namespace) -> None:
    """Print each sentence with its state, its place and its flags."""
    report = report_of(arguments.folder)
    for region, sentences in report.by_region():
        title = region.name if region else "Without a place"
        print(f"\n{title}" + (f"  [{report.coverage[region.id].value}]" if region else ""))
        for sentence in sentences:
            print(f"  {VERDICT_SIGN[sentence.verdict]} {sentence.text}")
            print("      " + " · ".join(filter(None, (_where(sentence), authorship(sentence), agreement(sentence)))))
            for flag in sentence.flags:
                print(f"      ⚠ {flag.message}")
    print(f"\n{authorship_line(report)}\n{state_line(report)}")


def export(arguments: argparse.Namespace) -> None:
    """Write a report in the asked formats, all or none."""
    wishes = Wishes(
        scan=arguments.series,
        grouping="structure" if arguments.structures else "region",
        organization=arguments.organization or "",
        wado_rs=arguments.wado_rs or "",
    )
    names = arguments.format or ("text", "html")
    work = write_offers(names, arguments.folder, arguments.output or arguments.folder, wishes)
    paths = run(work, arguments.json_progress)
    if arguments.json_progress:
        tell(done=[str(path) for path in paths])
    else:
        print(*paths, sep="\n")


def verify(arguments: argparse.Namespace) -> None:
    """Say whether a report and its trail are as they were written; InputRefused names what is not."""
    findings = report_verify.verify(arguments.folder)
    for finding in findings:
        print(f"{finding.file}: {finding.message}")
    serious = [f for f in findings if f.serious]
    if serious:
        raise InputRefused(f"{arguments.folder} is not as it was written: {len(serious)} finding(s), see above")
    print(f"{arguments.folder}: report and trail are intact")


def sign(arguments: argparse.Namespace) -> None:
    """Sign a report; Conflict with all reasons printed if something forbids it."""
    with open_draft(arguments.folder, actor=arguments.name, check=check) as draft:
        reasons = may_sign(draft.report, arguments.name)
        for reason in reasons:
            print(f"{reason.sentence_id or 'report'}: {reason.message}")
        if reasons:
            raise Conflict(f"not signed: {len(reasons)} reason(s), see above")
        draft.sign(arguments.name)
        print(state_line(draft.report))


def history(arguments: argparse.Namespace) -> None:
    """Print the trail: when, who, what, from which words to which."""
    for entry in view_draft(arguments.folder).history():
        act = entry.act
        print(f"{entry.seq:4} {act.at} {act.actor}: {act.kind.replace('_', ' ')}{_by(act.data)}")
        for words in act.words:
            print(f"       {words.sentence_id}: {words.before or '–'}")
            print(f"       {' ' * len(words.sentence_id)}→ {words.after or '–'}")


def _by(data: dict[str, Any]) -> str:
    """Return which program wrote what an act brought in, empty for acts of the reader alone."""
    if "writer" not in data:
        return ""
    seed = "" if data["seed"] is None else f", seed {data['seed']}"
    return f" of {data['region']} by {' '.join((data['writer'], data['model'])).strip()}{seed}"


def _where(sentence: Sentence) -> str:
    return "; ".join(f"⌖ {a.place.name} ({a.place.spot})" for a in sentence.anchors) or "⌖ no place"
