"""`junit.xml`: a run as CI systems read it, a test case a gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from dltf.campaign.gates import figures
from dltf.report.wording import readable

_BOUNDS = ("at_least", "at_most")


def junit(summary: Mapping[str, Any]) -> bytes:
    """Return the XML: a case for the campaign, which fails where it is not finished, and one for each gate."""
    name = readable(summary["name"])
    gates = summary.get("gates", [])
    suite = ET.Element("testsuite", {"name": f"dltf {name}", "time": f"{summary['seconds']['total']:.3f}"})
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(summary):
        ET.SubElement(properties, "property", {"name": readable(key), "value": readable(value)})
    unfinished = "" if summary["finished"] else "the run is not finished: it was interrupted"
    cases = [_case(suite, name, "campaign finished", unfinished)]
    cases += [_case(suite, name, _title(gate), "" if gate["holds"] else _failure(gate)) for gate in gates]
    counts = {"tests": str(len(cases)), "failures": str(sum(cases)), "errors": "0", "skipped": "0"}
    suite.attrib.update(counts)
    ET.SubElement(suite, "system-out").text = readable(summary["verdict"])
    root = ET.Element("testsuites", counts)
    root.append(suite)
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _case(suite: ET.Element, campaign: str, title: str, failure: str) -> bool:
    """Add a test case; return whether it failed."""
    case = ET.SubElement(suite, "testcase", {"classname": f"dltf.{campaign}", "name": readable(title), "time": "0"})
    if failure:
        ET.SubElement(case, "failure", {"message": readable(failure), "type": "gate"}).text = readable(failure)
    return bool(failure)


def _title(gate: Mapping[str, Any]) -> str:
    of = f" of each {gate['slice']}" if "slice" in gate else ""
    return f"gate {gate['figure']}{of} {_bounds(gate)}"


def _failure(gate: Mapping[str, Any]) -> str:
    value = "no value" if gate["value"] is None else f"{gate['value']:.6g}"
    at = f" at {gate['slice']} = {gate['worst']}" if "worst" in gate else ""
    why = f" ({gate['why']})" if "why" in gate else ""
    return f"{gate['figure']} is {value}{at}, and the bound is {_bounds(gate)}{why}"


def _bounds(gate: Mapping[str, Any]) -> str:
    return ", ".join(f"{bound} {gate[bound]:g}" for bound in _BOUNDS if bound in gate)


def _properties(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "verdict", summary["verdict"]
    yield from ((key, str(summary[key])) for key in ("strategy", "seed", "reproducible", "findings_sha256"))
    yield from ((name, str(value)) for name, value in figures(summary).items() if value is not None)
    for role, variant in summary["variants"].items():
        yield f"{role}.file", variant.get("file", "")
        yield f"{role}.sha256", variant.get("sha256", "")
