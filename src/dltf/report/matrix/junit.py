"""`junit.xml` of a matrix: a test case for each gate, and one for each variant that could not be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from dltf.report.matrix.gates import Gate
from dltf.report.matrix.reading import words
from dltf.report.matrix.rows import Row
from dltf.report.wording import readable


def junit(written: Mapping[str, Any], rows: Sequence[Row], gates: Sequence[Gate], verdict: str) -> bytes:
    """Return the XML: a gate that does not hold fails, as the command does; a variant that could not be had is skipped.

    To fail for such a variant, set a gate on its verdict.
    """
    name = readable(words(written, "name") or "matrix")
    suite = ET.Element("testsuite", {"name": f"dltf {name}", "time": "0"})
    for gate in gates:
        case = _case(suite, name, f"gate {gate.figure} of {gate.variant}, {gate.bound}")
        if not gate.holds:
            why = f" ({gate.why})" if gate.why else ""
            _told(case, "failure", f"{gate.figure} of {gate.variant} is {gate.value}, the bound is {gate.bound}{why}")
    for row in rows:
        if row.failed:
            case = _case(suite, name, f"variant {row.name}")
            _told(case, "skipped", f"{row.level}: {row.reason}")
    counts = {"tests": str(len(suite)), "failures": _count(suite, "failure"), "errors": "0"}
    counts["skipped"] = _count(suite, "skipped")
    suite.attrib.update(counts)
    ET.SubElement(suite, "system-out").text = readable(verdict)
    root = ET.Element("testsuites", counts)
    root.append(suite)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _case(suite: ET.Element, matrix: str, title: str) -> ET.Element:
    named = {"classname": f"dltf.{matrix}", "name": readable(title), "time": "0"}
    return ET.SubElement(suite, "testcase", named)


def _told(case: ET.Element, kind: str, message: str) -> None:
    told = ET.SubElement(case, kind, {"message": readable(message)})
    if kind == "failure":
        told.set("type", "matrix")
        told.text = readable(message)


def _count(suite: ET.Element, kind: str) -> str:
    return str(len(suite.findall(f"testcase/{kind}")))
