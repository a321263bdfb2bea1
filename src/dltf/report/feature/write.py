"""Writing the report of generated tests: `report.html` for people, and `junit.xml` for CI where there are gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from dltf.errors import ReportError
from dltf.report.feature.view import gathered, headline
from dltf.report.page import rendered
from dltf.report.wording import readable
from dltf.report.write import JUNIT, REPORT
from dltf.store.folder import write_whole

PACK = "pack"


def write_feature_report(result: Mapping[str, Any], folder: Path) -> Path:
    """Write the report of what `generate.json` and the pack hold into `folder`, whole; return the page's path.

    Raise `ReportError` where the report cannot be made, whatever the reason.
    """
    try:
        manifest = json.loads((folder / PACK / "manifest.json").read_text(encoding="utf-8"))["tests"]
        shown = gathered(result, manifest, folder / PACK)
        html = rendered(
            shown, ("feature.html.j2", "macros.html.j2", "matrix_parts.html.j2"), ("report.css", "feature.css")
        ).encode(errors="backslashreplace")
        xml = _junit(result) if result.get("gates") else None
    # Finished tests are worth more than their report: what a bug of ours brings up is told as such.
    except Exception as error:
        raise ReportError(
            f"the report of the tests cannot be made: {type(error).__name__}: {error}",
            hint=f"the tests themselves are whole, in {folder}",
        ) from error
    if xml is not None:
        write_whole(folder / JUNIT, xml)
    write_whole(folder / REPORT, html)
    return folder / REPORT


def _junit(result: Mapping[str, Any]) -> bytes:
    name = readable(f"dltf {result['name']}")
    failures = sum(not gate["holds"] for gate in result["gates"])
    counts = {"tests": str(len(result["gates"])), "failures": str(failures), "errors": "0", "skipped": "0"}
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts})
    for gate in result["gates"]:
        bounds = ", ".join(f"{bound} {gate[bound]:g}" for bound in ("at_least", "at_most") if bound in gate)
        title = readable(f"gate {gate['figure']} {bounds}")
        case = ET.SubElement(suite, "testcase", {"classname": name, "name": title, "time": "0"})
        if not gate["holds"]:
            value = "no value" if gate["value"] is None else f"{gate['value']:.6g}"
            told = readable(f"{gate['figure']} is {value}, and the bound is {bounds}")
            ET.SubElement(case, "failure", {"message": told, "type": "gate"}).text = told
    ET.SubElement(suite, "system-out").text = readable(headline(result))
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
