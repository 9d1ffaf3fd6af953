"""Scores explore's tables against the truth of make_pictures.py.

    score.py --truth=DIR/truth.csv OUT [OUT...]

Prints precision and recall of each list as a Markdown table, a column for each
output folder OUT of explore:
  exact, resized, rotated   recall: planted pairs that are in one group of
                            duplicates.csv; exact ones must be called exact
  precision                 of the pairs (first, other) of duplicates.csv, those
                            that were planted
  foreign                   precision in the first 20 of outliers.csv, which is
                            also the recall, and average precision
  wrong                     average precision in labels.csv's "wrong" ones; of
                            the first 50, the share that was planted
Pairs of two copies of one original are right, too.
"""

import argparse
import csv
import os


def rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def average_precision(ranked, wanted):
    found, total = 0, 0.0
    for place, name in enumerate(ranked, 1):
        if name in wanted:
            found += 1
            total += found / place
    return total / len(wanted)


def score(truth, out):
    planted = {kind: [row for row in truth if row["planted"] == kind]
               for kind in ("exact", "resized", "rotated", "foreign", "wrong")}
    original = {row["file"]: row["of"] for row in truth if row["of"]}
    same = lambda a, b: original.get(a, a) == original.get(b, b)
    group, called, firsts = {}, {}, {}
    pairs = right = 0
    for row in rows(os.path.join(out, "duplicates.csv")):
        group[row["file"]] = row["group"]
        called[row["file"]] = row["copy"]
        if row["copy"] == "first":
            firsts[row["group"]] = row["file"]
        else:
            pairs += 1
            right += same(row["file"], firsts[row["group"]])
    result = {"copies: precision": right / max(pairs, 1)}
    for kind in ("exact", "resized", "rotated"):
        hits = [row for row in planted[kind] if row["file"] in group and
                group[row["file"]] == group.get(row["of"])]
        result[kind + ": recall"] = len(hits) / len(planted[kind])
    exact = [name for name, copy in called.items() if copy == "exact"]
    if exact:
        is_exact = {row["file"] for row in planted["exact"]}
        is_exact |= {row["of"] for row in planted["exact"]}
        result["called exact: precision"] = sum(
            name in is_exact for name in exact) / len(exact)
        result["called exact: recall"] = min(1, len(exact) /
                                             len(planted["exact"]))
    outliers = [row["file"] for row in rows(os.path.join(out, "outliers.csv"))]
    foreign = {row["file"] for row in planted["foreign"]}
    result["foreign: in the first 20"] = len(
        foreign.intersection(outliers[:20])) / len(foreign)
    result["foreign: average precision"] = average_precision(outliers, foreign)
    by_factor = sorted(rows(os.path.join(out, "outliers.csv")),
                       key=lambda row: -float(row["factor"]))
    result["foreign: average precision by factor"] = average_precision(
        [row["file"] for row in by_factor], foreign)
    labels = os.path.join(out, "labels.csv")
    if os.path.exists(labels):
        ranked = [row["file"] for row in rows(labels)]
        wrong = {row["file"] for row in planted["wrong"]}
        result["wrong: average precision"] = average_precision(ranked, wrong)
        result["wrong: in the first 50"] = len(
            wrong.intersection(ranked[:50])) / len(wrong)
        listed = [row["file"] for row in rows(labels)
                  if row["verdict"] == "wrong"]
        result["images called wrong"] = len(listed)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--truth", required=True)
    parser.add_argument("outputs", nargs="+")
    options = parser.parse_args()
    truth = rows(options.truth)
    columns = [score(truth, out) for out in options.outputs]
    names = [os.path.basename(out.rstrip("/")) for out in options.outputs]
    print("| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for key in columns[0]:
        print("| %s | %s |" % (key, " | ".join(
            "%d" % column[key] if key.startswith("images") else
            "%.3f" % column.get(key, float("nan")) for column in columns)))


if __name__ == "__main__":
    main()
