"""The page that shows a cohort at a glance: what was found, what failed and why, how long it took, each draft."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from statistics import median
from urllib.parse import quote

from ..anatomy import regions as anatomy
from ..progress import Progress, Work, part
from ..report.files import write_atomically
from ..report.sentence import Polarity
from .manifest import Entry, Manifest
from .tables import MEASUREMENTS_NAME, SENTENCES_NAME, Tally, write_tables

SUMMARY_NAME = "summary.html"
# So many failures of one kind are listed; the manifest has all of them.
_LISTED = 50
_SLOWEST = 10
_SAID = tuple(polarity.value for polarity in Polarity)

_CSS = """
:root{color-scheme:light dark;--ink:#1c2126;--soft:#667;--line:#dde1e6;--page:#fff;--bar:#4a7fb5}
@media(prefers-color-scheme:dark){:root{--ink:#dfe3e8;--soft:#98a2ad;--line:#333a42;--page:#15181c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:70rem;margin:1.5rem auto;
padding:0 1rem}
h1{font-size:1.3rem}h2{font-size:1rem;border-top:1px solid var(--line);padding-top:.8rem}
table{border-collapse:collapse;font-size:.85rem}
td,th{text-align:left;padding:.15rem 1.2rem .15rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{display:inline-block;height:.7em;background:var(--bar);border-radius:2px}
.note{color:var(--soft);font-size:.85rem}a{color:inherit}
""".strip()


def summarise(manifest: Manifest) -> Work[Path]:
    """Write both tables and the summary page of a cohort into its folder; return the page's path."""
    tally = yield from part(write_tables(manifest), 0.0, 0.9)
    yield Progress(0.9, "writing the summary")
    path = manifest.folder / SUMMARY_NAME
    page = "\n".join(_page(manifest, tally))
    write_atomically(path, page.encode())
    return path


def _page(manifest: Manifest, tally: Tally) -> Iterator[str]:
    counts = manifest.counts()
    name = escape(manifest.folder.absolute().name)
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Cohort {name}</title><style>{_CSS}</style>'
    yield f"<h1>Cohort {name}</h1>"
    waiting = f", {counts.waiting + counts.running:,} still to do" if counts.waiting + counts.running else ""
    yield f"<p>{counts.total:,} studies: {counts.done:,} drafted, {counts.failed:,} failed{waiting}. "
    yield f"{tally.sentences:,} sentences, {sum(tally.flags.values()):,} flags. Drafts, not read by a radiologist.</p>"
    yield f'<p class="note">All sentences and measurements: <a href="{SENTENCES_NAME}">{SENTENCES_NAME}</a>, '
    yield f'<a href="{MEASUREMENTS_NAME}">{MEASUREMENTS_NAME}</a>.</p>'
    yield from _findings(tally)
    yield from _failures(manifest)
    yield from _times(manifest)
    yield from _drafts(manifest)


def _findings(tally: Tally) -> Iterator[str]:
    for region in map(anatomy.region, anatomy.REGION_IDS):
        covered = {how: n for (place, how), n in tally.coverage.items() if place == region.id}
        yield f"<h2>{escape(region.name)}</h2>"
        shown = ", ".join(f"{escape(how)} in {n:,}" for how, n in sorted(covered.items()))
        yield f'<p class="note">Covered: {shown or "in no study"}.</p>'
        yield from _table(("finding", *_SAID, ""), _said(tally, region.id))
    flagged = (f'<td>{escape(kind)}</td><td class="n">{n:,}</td>' for kind, n in tally.flags.most_common())
    yield "<h2>Flags</h2>"
    yield from _table(("contradiction", "sentences"), flagged)


def _said(tally: Tally, region_id: str) -> Iterator[str]:
    """Rows of a region's findings, those first that most studies have."""
    names = sorted({finding for place, finding, _ in tally.findings if place == region_id})
    for finding in sorted(names, key=lambda name: -tally.findings[region_id, name, "present"]):
        numbers = [tally.findings[region_id, finding, said] for said in _SAID]
        bar = f'<span class="bar" style="width:{20 * numbers[0] / tally.studies:.2f}rem"></span>'
        counts = "".join(f'<td class="n">{n:,}</td>' for n in numbers)
        yield f"<td>{escape(finding.replace('_', ' '))}</td>{counts}<td>{bar}</td>"


def _failures(manifest: Manifest) -> Iterator[str]:
    yield "<h2>Failed</h2>"
    kinds: Counter[str] = Counter()
    rows = []
    for entry in manifest.entries("state = 'failed'"):
        kinds[entry.kind or ""] += 1
        if kinds[entry.kind or ""] <= _LISTED:
            rows.append(f"<td>{escape(entry.row.id)}</td><td>{escape(entry.kind or '')}</td>"
                        f"<td>{escape(entry.reason or '')}</td>")  # fmt: skip
    if kinds:
        yield "<p>" + ", ".join(f"{escape(kind)}: {n:,}" for kind, n in kinds.most_common()) + "</p>"
    yield from _table(("study", "kind", "reason"), rows)
    if sum(kinds.values()) > len(rows):
        yield f'<p class="note">The first {_LISTED} of each kind; the manifest has all.</p>'


def _times(manifest: Manifest) -> Iterator[str]:
    stages: defaultdict[str, list[float]] = defaultdict(list)
    slowest: list[tuple[float, str]] = []
    for entry in manifest.entries("state = 'done'"):
        for stage, seconds in entry.seconds.items():
            stages[stage].append(seconds)
        slowest.append((sum(entry.seconds.values()), entry.row.id))
    yield "<h2>Time</h2>"
    rows = (
        f'<td>{escape(stage)}</td><td class="n">{median(times):.2f} s</td><td class="n">{max(times):.2f} s</td>'
        f'<td class="n">{sum(times) / 3600:.2f} h</td>'
        for stage, times in stages.items()
    )
    yield from _table(("stage", "median", "longest", "all together"), rows)
    yield "<p>Slowest studies</p>"
    slow = sorted(slowest, key=lambda one: (-one[0], one[1]))[:_SLOWEST]
    yield from _table(
        ("study", "seconds"), (f'<td>{escape(name)}</td><td class="n">{seconds:.1f}</td>' for seconds, name in slow)
    )


def _drafts(manifest: Manifest) -> Iterator[str]:
    yield "<h2>Drafts</h2><details><summary>All drafts</summary><ol>"
    for entry in manifest.entries("state = 'done'"):
        yield f'<li><a href="{quote(entry.folder)}/report.html">{escape(entry.row.id)}</a>{_size(entry)}</li>'
    yield "</ol></details></html>"


def _size(entry: Entry) -> str:
    return "" if entry.size is None else f' <span class="note">{entry.size / 1e6:.1f} MB</span>'


def _table(heads: tuple[str, ...], rows: Iterable[str]) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        yield "<p>None.</p>"
        return
    yield "<table><tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"
    for row in rows:
        yield f"<tr>{row}</tr>"
    yield "</table>"
