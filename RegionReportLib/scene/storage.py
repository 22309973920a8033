"""A report in the scene: its files as text nodes that are saved with it and come back byte for byte.

One report is up to three text nodes (the report as it is, its audit trail, the draft that the trail starts from) and
references to its volume and segmentation. A scene may hold several. The draft folder stays the place of work; this is
the copy that travels with the scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import InputRefused
from ..report.canonical import sha256
from ..report.document import Report
from ..report.report_file import report_from_bytes
from .nodes import nodes_of, remove
from .space import SceneProblem

KIND = "RegionReport.kind"
DIGEST = "RegionReport.sha256"
VOLUME_ROLE = "RegionReport.volume"
SEGMENTATION_ROLE = "RegionReport.segmentation"
AUDIT_ROLE = "RegionReport.audit"
DRAFT_ROLE = "RegionReport.draft"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in any locale
_UTF8 = 3  # VTK_ENCODING_UTF_8; a text node's default, US-ASCII, loses every umlaut
_REPORT, _AUDIT, _DRAFT = "report", "audit", "draft"


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The contents of a draft folder: report.json, audit.jsonl and draft.json, empty where there is none."""

    report: bytes
    audit: bytes = b""
    draft: bytes = b""


def keep_report(
    scene: Any, files: ReportFiles, volume_node: Any, segmentation_node: Any = None, into: Any = None
) -> Any:
    """Put a report into the scene, as a new one or in place of the one in node `into`; return its node.

    Raises InputRefused if the `files.report` of a new one is no report. One brought up to date after each act is not
    read again, which would take longer than the act.
    """
    name = _name(report_from_bytes(files.report)) if into is None else str(into.GetName())
    node = _text(scene, _REPORT, name, files.report, into)
    for role, kind, content in ((AUDIT_ROLE, _AUDIT, files.audit), (DRAFT_ROLE, _DRAFT, files.draft)):
        part = node.GetNodeReference(role)
        if content:
            node.SetNodeReferenceID(role, _text(scene, kind, f"{name} {kind}", content, part).GetID())
        else:
            remove(scene, part)
    node.SetNodeReferenceID(VOLUME_ROLE, volume_node.GetID())
    node.SetNodeReferenceID(SEGMENTATION_ROLE, None if segmentation_node is None else segmentation_node.GetID())
    return node


def report_nodes(scene: Any) -> list[Any]:
    """Return the nodes of all reports in a scene, in the order in which they were added."""
    return [node for node in nodes_of(scene, "vtkMRMLTextNode") if node.GetAttribute(KIND) == _REPORT]


def files_of(node: Any) -> ReportFiles:
    """Return the files of a report as they were put in; InputRefused if a text was changed in the scene."""
    parts = (node.GetNodeReference(role) for role in (AUDIT_ROLE, DRAFT_ROLE))
    audit, draft = (b"" if part is None else _content(part) for part in parts)
    return ReportFiles(_content(node), audit, draft)


def report_of(node: Any) -> Report:
    """Return the report that a node holds; InputRefused if it is none or was changed in the scene."""
    return report_from_bytes(_content(node))


def volume_node_of(node: Any) -> Any:
    """Return the volume node that a report is about; SceneProblem if it is no longer there."""
    volume = node.GetNodeReference(VOLUME_ROLE)
    if volume is None:
        raise SceneProblem(f"The CT of {node.GetName()} is no longer in the scene; load it and choose it again.")
    return volume


def segmentation_node_of(node: Any) -> Any:
    """Return the segmentation node of a report, None if it has none or lost it."""
    return node.GetNodeReference(SEGMENTATION_ROLE)


def remove_report(scene: Any, node: Any) -> None:
    """Take a report and its texts out of the scene; volume and segmentation stay."""
    for part in (node.GetNodeReference(AUDIT_ROLE), node.GetNodeReference(DRAFT_ROLE), node):
        remove(scene, part)


def _name(report: Report) -> str:
    """Return a name that is short enough for a selector and may become part of a file name."""
    kind = "Addendum" if report.predecessor else "Report"
    try:
        at = datetime.fromisoformat(report.created_at.replace("Z", "+00:00"))
    except ValueError:  # a report of another program may tell its time in other ways
        return kind
    return f"{kind} {at.day} {_MONTHS[at.month - 1]} {at:%H.%M}"


def _text(scene: Any, kind: str, name: str, content: bytes, into: Any) -> Any:
    node = into or scene.CreateNodeByClass("vtkMRMLTextNode")
    if into is None:
        node.UnRegister(None)
        node.SetAttribute(KIND, kind)
        # Short text would be kept as an XML attribute, which turns tabs into blanks.
        node.SetForceCreateStorageNode(node.CreateStorageNodeAlways)
    node.SetName(name)
    text = content.decode("utf-8")
    if node.GetText() != text:
        node.SetText(text, _UTF8)
    node.SetAttribute(DIGEST, sha256(content))
    return node if into is not None else scene.AddNode(node)


def _content(node: Any) -> bytes:
    text = (node.GetText() or "").encode("utf-8")
    # A file written in text mode on one system and read on another may come back with other line ends.
    for content in (text, text.replace(b"\r\n", b"\n")):
        if sha256(content) == node.GetAttribute(DIGEST):
            return content
    raise InputRefused(f"{node.GetName()} was changed in the scene outside of RegionReport: it is not what was stored")
