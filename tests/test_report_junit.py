"""`junit.xml`: what a CI system reads of a run."""

from __future__ import annotations

import copy
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_run import write_run

from dltf.report.junit import junit


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = write_run(tmp_path_factory.mktemp("run"))
    told: dict[str, Any] = json.loads(run.summary.read_text())
    return told


@pytest.fixture
def suite(summary: dict[str, Any]) -> ET.Element:
    return suite_of(summary)


def suite_of(summary: dict[str, Any]) -> ET.Element:
    root = ET.fromstring(junit(summary))
    assert root.tag == "testsuites"
    found = root.find("testsuite")
    assert found is not None
    for name in ("tests", "failures", "errors", "skipped"):
        assert root.get(name) == found.get(name)
    assert found.get("tests") == str(len(found.findall("testcase")))
    assert found.get("failures") == str(len(found.findall("testcase/failure")))
    return found


def failures(suite: ET.Element) -> dict[str, str]:
    cases = {case.get("name", ""): case.find("failure") for case in suite.findall("testcase")}
    return {name: failure.get("message", "") for name, failure in cases.items() if failure is not None}


def test_each_gate_is_a_case_and_one_that_does_not_hold_a_failure_with_value_and_bound(suite: ET.Element) -> None:
    names = [case.get("name") for case in suite.findall("testcase")]
    assert names == ["campaign finished", "gate natural_rate at_most 0.05", "gate crashes at_most 0"]
    assert failures(suite) == {
        "gate natural_rate at_most 0.05": "natural_rate is 0.1, and the bound is at_most 0.05",
    }


def test_without_gates_there_is_the_campaign_alone(summary: dict[str, Any]) -> None:
    suite = suite_of(summary | {"gates": []})
    assert suite.get("tests") == "1"
    assert suite.get("failures") == "0"


def test_an_unfinished_run_fails(summary: dict[str, Any]) -> None:
    assert failures(suite_of(summary | {"finished": False, "gates": []})) == {
        "campaign finished": "the run is not finished: it was interrupted"
    }


def test_a_gate_that_could_not_be_evaluated_fails_with_its_reason(summary: dict[str, Any]) -> None:
    gate = {"figure": "findings", "value": None, "at_least": 0.5, "holds": False, "why": "nothing was searched"}
    assert failures(suite_of(summary | {"gates": [gate]})) == {
        "gate findings at_least 0.5": "findings is no value, and the bound is at_least 0.5 (nothing was searched)"
    }


def test_a_gate_on_slices_names_the_worst_of_them(summary: dict[str, Any]) -> None:
    gate = {"figure": "natural_rate", "value": 0.2, "at_most": 0.1, "holds": False, "slice": "label", "worst": "3"}
    gate |= {"slices": 10, "beyond": 2, "fewest": 10}
    assert failures(suite_of(summary | {"gates": [gate]})) == {
        "gate natural_rate of each label at_most 0.1": "natural_rate is 0.2 at label = 3, and the bound is at_most 0.1"
    }


def test_the_key_figures_are_properties(suite: ET.Element, summary: dict[str, Any]) -> None:
    told = {one.get("name"): one.get("value") for one in suite.findall("properties/property")}
    assert told["findings"] == "49"
    assert told["verdict"] == summary["verdict"]
    assert told["candidate.sha256"] == "1" * 64


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text())
def test_it_is_xml_whatever_the_names_are(summary: dict[str, Any], name: str, why: str) -> None:
    hostile = copy.deepcopy(summary) | {"name": name, "verdict": why}
    hostile["gates"] = [{"figure": name, "value": None, "at_most": 0, "holds": False, "why": why}]
    hostile["variants"]["candidate"]["file"] = name
    assert suite_of(hostile).get("failures") == "1"


def test_a_property_test_of_real_bytes_would_find_control_characters(summary: dict[str, Any]) -> None:
    text = junit(summary | {"name": "a\x00b\x1b\ud800\ufffe<&>]]>"}).decode()
    assert "a\\x00b\\x1b\\ud800\\ufffe&lt;&amp;&gt;" in text
