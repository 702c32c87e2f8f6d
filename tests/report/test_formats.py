# SPDX-License-Identifier: Apache-2.0
"""The golden SARIF and JUnit files, read as other programs read them."""

import json
import urllib.parse
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import sarif

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted(path.parent for path in (ROOT / "tests/golden/report").glob("*/run.json"))
ids = [case.name for case in CASES]


def finished(run, stage):
    return run[stage]["value"] if run[stage]["state"] == "finished" else None


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_sarif_is_what_the_standard_says(case):
    run = json.loads((case / "run.json").read_text())
    log = json.loads((case / "lint.sarif").read_text())
    jsonschema.Draft202012Validator(sarif.LOG).validate(log)
    lint = finished(run, "lint")
    if lint is None:
        assert [one["invocations"][0]["executionSuccessful"] for one in log["runs"]] in ([], [False])
        return
    (one,) = log["runs"]
    assert one["invocations"][0]["executionSuccessful"]
    rules = one["tool"]["driver"]["rules"]
    assert len(one["results"]) == len(lint["findings"])
    for result, finding in zip(one["results"], lint["findings"]):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["properties"]["onChangedLine"] == finding["on_changed_line"]
        assert (result["level"] == "note") != finding["on_changed_line"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"] == {"startLine": max(finding["line"], 1), "startColumn": max(finding["column"], 1)}
        assert urllib.parse.unquote(place["artifactLocation"]["uri"]) == finding["path"]
        assert not urllib.parse.urlsplit(place["artifactLocation"]["uri"]).scheme, "relative, whatever its name is"
    assert len(one["invocations"][0]["toolExecutionNotifications"]) == len(lint["unlinted"])


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_junit_is_what_its_readers_count(case):
    run = json.loads((case / "run.json").read_text())
    all_suites = ElementTree.parse(case / "tests.xml").getroot()
    assert all_suites.tag == "testsuites"
    endings = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for element in [all_suites, *all_suites.findall("testsuite")]:
        cases = list(element.iter("testcase"))
        assert int(element.get("tests")) == len(cases)
        for tag, attribute in endings.items():
            assert int(element.get(attribute)) == sum(one.find(tag) is not None for one in cases)
        assert float(element.get("time")) == pytest.approx(sum(float(one.get("time")) for one in cases), abs=0.01)
    for one in all_suites.iter("testcase"):
        assert one.get("name") and one.get("classname") and one.get("file")
        assert sum(one.find(tag) is not None for tag in endings) <= 1
    build, plan = finished(run, "build"), finished(run, "plan")
    if build is None or plan is None:
        assert int(all_suites.get("tests")) == 0
        return
    statuses = [result["status"] for result in build["results"]]
    assert int(all_suites.get("failures")) == statuses.count("fail")
    assert int(all_suites.get("errors")) >= statuses.count("error")
    names = {one.get("name") for one in all_suites.iter("testcase")}
    assert len(names) > 0
