"""Rooms depend on rooms above them in rooms.txt only, and the page says so.

`graph` is the dependency graph of the programs as Bazel has it. In
docs/architecture.md the list stands between two comments. That page also shows the
diff that //tests/gsg_core:second_selection_test applies.
"""

import pathlib
import re
import unittest

HERE = pathlib.Path("tests/workspace")
# Made by Bazel, or used by all.
NOT_ROOMS = ("bazel", "bazel/config", "")
# Aliases, so that programs are called //trainers:<name>, and the programs that
# `study` starts as processes.
ALLOWED = {("trainers", "trainers/programs")}


def rooms():
    lines = (HERE / "rooms.txt").read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines]


def edges(dot):
    """Pairs (package, package it depends on) of `bazel query --output=graph`."""
    pattern = r'"//([^":]*):[^"]*" -> "//([^":]*):'
    return {pair for pair in re.findall(pattern, dot) if pair[0] != pair[1]}


class RoomsTest(unittest.TestCase):

    def test_arrows_go_one_way(self):
        order = {room: i for i, room in enumerate(rooms())}
        found = edges((HERE / "program_deps").read_text(encoding="utf-8"))
        self.assertGreater(len(found), 50)
        for user, used in sorted(found - ALLOWED):
            if used in NOT_ROOMS:
                continue
            self.assertIn(user, order, "is not in tests/workspace/rooms.txt")
            self.assertIn(used, order, "is not in tests/workspace/rooms.txt")
            self.assertLess(
                order[used], order[user],
                f"//{user} depends on //{used}, which rooms.txt has below it")

    def test_the_page_has_the_same_list(self):
        page = pathlib.Path("docs/architecture.md").read_text(encoding="utf-8")
        block = re.search(r"<!-- rooms -->\n```\n(.*?)```\n<!-- /rooms -->",
                          page, re.DOTALL)
        self.assertIsNotNone(block, "docs/architecture.md: no list of rooms")
        self.assertEqual(block.group(1),
                         (HERE / "rooms.txt").read_text(encoding="utf-8"))

    def test_the_page_shows_the_diff_that_is_tested(self):
        page = pathlib.Path("docs/architecture.md").read_text(encoding="utf-8")
        diff = pathlib.Path("tests/gsg_core/second_selection.diff").read_text(
            encoding="utf-8")
        self.assertIn(f"```diff\n{diff}```\n", page)

    def test_an_arrow_upwards_is_found(self):
        found = edges('"//trainers/image:image" -> "//trainers/train:train"\n'
                      '"//trainers/train:train" -> "@libtorch//:libtorch"')
        self.assertEqual(found, {("trainers/image", "trainers/train")})


if __name__ == "__main__":
    unittest.main()
