"""Counts the test cases of Bazel runs.

Arguments: for each run a path P, where P.json is Bazel's build event file and
P.status its exit status. Prints a line per test target and, last, the counts;
exits with 1 if anything failed or nothing passed.
"""

import collections
import json
import os
import sys
import urllib.parse
import xml.etree.ElementTree


def count_cases(uri):
    """Counts the outcomes in one test.xml."""
    counts = collections.Counter()
    root = xml.etree.ElementTree.parse(urllib.parse.urlparse(uri).path)
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif case.find("skipped") is not None:
            counts["skipped"] += 1
        elif case.get("status") != "notrun":
            counts["passed"] += 1
    return counts


def read_run(path):
    """Returns {label: Counter of outcomes} of one Bazel run."""
    targets = collections.defaultdict(collections.Counter)
    statuses = {}
    if os.path.exists(path + ".json"):
        for line in open(path + ".json", encoding="utf-8"):
            event = json.loads(line)
            if "testResult" in event["id"]:
                label = event["id"]["testResult"]["label"]
                for output in event["testResult"].get("testActionOutput", []):
                    if output["name"] == "test.xml":
                        targets[label] += count_cases(output["uri"])
            elif "testSummary" in event["id"]:
                label = event["id"]["testSummary"]["label"]
                statuses[label] = event["testSummary"]["overallStatus"]
            elif event.get("aborted") and "targetCompleted" in event["id"]:
                label = event["id"]["targetCompleted"]["label"]
                statuses.setdefault(label, event["aborted"]["reason"])
            elif "targetCompleted" in event["id"]:
                if not event["completed"].get("success"):
                    label = event["id"]["targetCompleted"]["label"]
                    statuses.setdefault(label, "FAILED TO BUILD")
    # A crash, a timeout or a broken build fails, whatever the cases say.
    for label, status in statuses.items():
        if status not in ("PASSED", "FLAKY") and not targets[label]["failed"]:
            print(f"{label}: {status}")
            targets[label]["failed"] += 1
    with open(path + ".status", encoding="utf-8") as status:
        bazel_failed = status.read().strip() != "0"
    if bazel_failed and not any(c["failed"] for c in targets.values()):
        targets["bazel itself"]["failed"] += 1
    return targets


def describe(counts):
    text = f"{counts['passed']} passed, {counts['failed']} failed"
    return text + f", {counts['skipped']} skipped" * (counts["skipped"] > 0)


def main():
    total = collections.Counter()
    for path in sys.argv[1:]:
        for label, counts in sorted(read_run(path).items()):
            print(f"{os.path.basename(path)}  {label}: {describe(counts)}")
            total += counts
    print(describe(total))
    sys.exit(total["failed"] > 0 or total["passed"] == 0)


if __name__ == "__main__":
    main()
