"""A project of its own builds @gsg//gsg_core with the lines of the page.

They are in other_workspace/, and docs/using_gsg_core.md must show them. Without
Bazel on PATH (a build by bazelisk elsewhere) the build is skipped. Where Bazel
keeps its downloads in the usual place nothing is fetched.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

# On a machine that reaches Debian and PyPI alone, what Bazel 4 would fetch from
# elsewhere for itself.
OFFLINE = """load("@gsg//bazel/repo:offline.bzl", "offline_bazel_builtins")
offline_bazel_builtins()
"""
HERE = pathlib.Path("tests/workspace/other_workspace")
SAMPLE = "loss -0.853553, pair 0\ndloss/dp21 = (-0.176777, 0.176777)\n"


class OtherWorkspaceTest(unittest.TestCase):

    def test_the_page_shows_the_lines(self):
        page = pathlib.Path("docs/using_gsg_core.md").read_text(encoding="utf-8")
        for name in ("WORKSPACE.txt", "BUILD.txt", "bazelrc.txt"):
            self.assertIn((HERE / name).read_text(encoding="utf-8"), page)

    def test_the_lines_build(self):
        if not shutil.which("bazel"):
            self.skipTest("no bazel on PATH")
        repository = pathlib.Path(os.path.realpath("WORKSPACE")).parent
        work = pathlib.Path(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]))
        mine = work / "mine"
        mine.mkdir()
        (work / "gsg").symlink_to(repository)
        for name, file in (("BUILD", "BUILD.txt"), (".bazelrc", "bazelrc.txt")):
            shutil.copy(HERE / file, mine / name)
        lines = (HERE / "WORKSPACE.txt").read_text(encoding="utf-8")
        core = lines.index("load(")
        (mine / "WORKSPACE").write_text(lines[:core] + OFFLINE + lines[core:],
                                        encoding="utf-8")
        shutil.copy("tests/gsg_core/sample.cc", mine / "mine.cc")
        # <root>/<output base>/external/com_google_absl/absl/base/config.h
        header = "external/com_google_absl/absl/base/config.h"
        base = pathlib.Path(os.path.realpath(pathlib.Path(
            os.environ["TEST_SRCDIR"], header.partition("/")[2])))
        cache = base.parents[5] / "cache/repos/v1"
        options = [f"--repository_cache={cache}"] if cache.exists() else []
        environment = {"PATH": os.environ["PATH"], "HOME": str(work)}
        bazel = ["bazel", f"--output_user_root={work}/out", "--max_idle_secs=10"]
        try:
            build = subprocess.run(
                [*bazel, "run", "--jobs=1", "--noshow_progress", *options, "//:mine"],
                cwd=mine, env=environment, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            self.assertEqual(build.returncode, 0, build.stderr[-6000:])
            self.assertEqual(build.stdout, SAMPLE)
        finally:
            subprocess.run([*bazel, "shutdown"], cwd=mine, env=environment)
            # Bazel's folders are read-only.
            subprocess.run(["chmod", "-R", "u+w", work / "out"])


if __name__ == "__main__":
    unittest.main()
