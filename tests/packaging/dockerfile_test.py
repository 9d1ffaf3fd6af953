"""The Dockerfiles read, agree with the rest of the repository and name no registry.

What they do is run by run_image.py, where there is an hour and debootstrap.
"""

import pathlib
import re
import tempfile
import unittest

from tests.packaging import dockerfile, run_image

NAMES = ("cpu", "cuda")

# The Python of Debian's releases, for which a stage of them builds the wheel.
DEBIAN_PYTHON = {"debian:12": "3.11"}

HOST = re.compile(r"\b[\w-]+(\.[\w-]+)*\.(ai|com|dev|io|net|org)\b")
INDEX_OPTIONS = re.compile(r"(^|\s)(-i|-f|--(extra-)?index-url|--find-links|"
                           r"--trusted-host)\b")


def text_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def hosts_in(text):
    """Lines of a Dockerfile that name a host, or where pip is to look."""
    found = []
    for line in text.splitlines():
        named = HOST.search(line) or "://" in line
        if named or not line.startswith("#") and INDEX_OPTIONS.search(line):
            found.append(line)
    return found


class DockerfilesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.texts = {name: text_of(f"packaging/docker/{name}.Dockerfile")
                     for name in NAMES}
        cls.stages = {name: dockerfile.parse(text)
                      for name, text in cls.texts.items()}
        cls.version = re.search(r'VERSION = "(.*)"',
                                text_of("bazel/version.bzl")).group(1)

    def test_what_is_copied_exists(self):
        for name, stages in self.stages.items():
            copied = [source for stage in stages for copy in stage.all("COPY")
                      for source in copy.words()[:-1]]
            self.assertEqual(copied, ["bazelw", "."])
            for source in copied:
                self.assertTrue(pathlib.Path(source).exists(), (name, source))

    def test_what_is_left_out_is_what_git_leaves_out(self):
        # Above all user.bazelrc, which is of this machine.
        ignored = {line.strip("/") for line in text_of(".gitignore").split()}
        left_out = {line.removeprefix("**/")
                    for line in text_of(".dockerignore").splitlines()
                    if not line.startswith("#")}
        self.assertEqual(left_out, ignored | {".git"})

    def test_the_wheels_are_built(self):
        targets = text_of("bindings/BUILD")
        for name, stages in self.stages.items():
            build, = [run.text.split(" && ")[0].split() for run in
                      stages[0].all("RUN") if "bazelw build" in run.text]
            config = ["--config=cuda"] if name == "cuda" else []
            self.assertEqual(build, ["./bazelw", "build", *config,
                                     "//bindings:wheel", "//bindings:train_wheel"])
        for target in ("wheel", "train_wheel"):
            self.assertIn(f'py_wheel(\n    name = "{target}"', targets)
        self.assertIn("\nbuild:cuda ", text_of(".bazelrc"))

    def test_the_two_differ_where_they_must(self):
        cpu, cuda = (self.stages[name][0] for name in NAMES)
        self.assertEqual((cpu.base, cpu.name), (cuda.base, cuda.name))
        for a, b in zip(cpu.instructions, cuda.instructions):
            self.assertEqual((a.name, a.text),
                             (b.name, b.text.replace(" --config=cuda", "")))
        ends = [[(i.name, i.text) for i in self.stages[name][1].instructions[-6:]]
                for name in NAMES]
        self.assertEqual(ends[0][1:], ends[1][1:])

    def test_versions(self):
        pins = text_of("bazel/repo/deps.bzl")
        programs = text_of("bindings/guided_stop_gradient_train/__init__.py")
        torch = re.search(r'^TORCH = "(.*)"', programs, re.M).group(1)
        for name, (build, image) in self.stages.items():
            labels = image.all("LABEL")[0].pairs()
            self.assertEqual(labels["org.opencontainers.image.version"],
                             self.version)
            self.assertEqual(image.base,
                             f"python:{DEBIAN_PYTHON[build.base]}-slim")
            requirements = re.findall(r"(\S+)==(\S+)", image.all("RUN")[0].text)
            self.assertEqual([package for package, _ in requirements][:2],
                             ["numpy", "torch"])
            for package, version in requirements:
                self.assertRegex(pins, rf'"{package}=={re.escape(version)}[" ]')
            self.assertTrue(dict(requirements)["torch"].startswith(f"{torch}."))

    def test_what_runs(self):
        self.assertIn("\ngsg = ", text_of(
            "bindings/guided_stop_gradient_train/entry_points.txt"))
        for name, (_, image) in self.stages.items():
            self.assertEqual(image.all("ENTRYPOINT")[0].command(), ["gsg"], name)
            user, = image.all("USER")
            self.assertIn(f"useradd {user.text} ", image.all("RUN")[-1].text)

    def test_no_registry_is_named(self):
        for name, text in self.texts.items():
            self.assertEqual(hosts_in(text), [], name)
            for stage in self.stages[name]:
                self.assertRegex(stage.base, r"^[a-z]+:[a-z0-9.-]+$")

    def test_names_of_registries_are_found(self):
        for line in ("FROM registry.example.org/python:3.11",
                     "RUN pip install -i mirror torch",
                     "RUN pip install --extra-index-url=x torch",
                     "RUN curl ftp://mirror/file"):
            self.assertNotEqual(hosts_in(line), [], line)
        self.assertEqual(hosts_in('LABEL org.opencontainers.image.title="gsg"'), [])


class ParserTest(unittest.TestCase):

    def test_what_it_reads(self):
        build, image = dockerfile.parse(
            "# A comment.\n"
            "FROM debian:12 AS build\n"
            "COPY a b /c/\n"
            "\n"
            "FROM python:3.11-slim\n"
            'ENV A=1 B="two words"\n'
            "RUN --mount=type=bind,from=build,source=/w,target=/v \\\n"
            "    one && \\\n"
            "# within\n"
            "    two\n"
            'CMD ["a", "b c"]\n')
        self.assertEqual((build.base, build.name, image.name),
                         ("debian:12", "build", None))
        copy, = build.instructions
        self.assertEqual((copy.line, copy.words()), (3, ["a", "b", "/c/"]))
        env, run, cmd = image.instructions
        self.assertEqual(env.pairs(), {"A": "1", "B": "two words"})
        self.assertEqual(run.text, "one && \\\n    two")
        self.assertEqual(run.mount(),
                         {"from": "build", "source": "/w", "target": "/v"})
        self.assertEqual(cmd.command(), ["a", "b c"])

    def test_what_it_refuses(self):
        for text, message in (
                ("", "there is no FROM"),
                ("RUN a", "line 1: RUN: stands before FROM"),
                ("FROM a as b", "line 1: FROM: is not BASE"),
                ("FROM a\nrun b", "line 2: unknown instruction 'run'"),
                ("FROM a\nADD b c", "line 2: unknown instruction 'ADD'"),
                ("FROM a\nRUN b \\", "line 2: ends with a backslash"),
                ("FROM a\nRUN b \\\n\n  c", "line 3: empty"),
                ("FROM a\nRUN", "line 2: RUN: has nothing behind it"),
                ("FROM a\nCOPY --chown=b c d", "line 2: COPY: unknown flag --chown=b"),
                ("FROM a\nCOPY --from=b c d", "no stage above is called b"),
                ("FROM a\nRUN --mount=type=cache,target=/c d", "--mount is not"),
                ("FROM a\nRUN --mount=type=bind,from=b,source=/,target=/t d",
                 "no stage above is called b"),
                ("FROM a\nCOPY b", "needs a source and a destination"),
                ("FROM a\nENV A", "'A' is not one more NAME=value"),
                ("FROM a\nENTRYPOINT gsg", "not a list in JSON"),
                ("FROM a\nCMD {}", "not a list of strings"),
                ("FROM a\nUSER b c", "takes one word"),
                ("# syntax=other/parser\nFROM a", "no parser directives")):
            with self.assertRaises(dockerfile.DockerfileError) as raised:
                dockerfile.parse(text)
            self.assertIn(message, str(raised.exception))


class ImageTest(unittest.TestCase):

    def test_instructions_are_done(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        root, wheels = (pathlib.Path(scratch.name) / n for n in ("root", "wheels"))
        root.mkdir()
        wheels.mkdir()
        (wheels / "a.whl").touch()
        calls = []

        def call(words):
            calls.append(words)
            lent.append(sorted(p.name for p in root.glob("lent/*")))

        lent = []
        image = run_image.Image(root, wheels, call)
        for instruction in dockerfile.parse(
                "FROM a AS build\nFROM b\nENV A=1\n"
                "RUN --mount=type=bind,from=build,source=/,target=/lent one\n"
                'USER gsg\nWORKDIR /data\nENTRYPOINT ["gsg"]\n')[1].instructions:
            image.apply(instruction)
        image.execute(["gsg", "--help"])
        self.assertEqual(lent, [["a.whl"], []])
        self.assertFalse((root / "lent").exists())
        self.assertTrue((root / "data").is_dir())
        run, entry = calls
        self.assertEqual(run[:2], ["chroot", "--userspec=root"])
        self.assertEqual(run[-4:], ["/", "/bin/sh", "-c", "one"])
        self.assertIn("A=1", run)
        self.assertEqual(entry[1], "--userspec=gsg")
        self.assertEqual(entry[-3:], ["/data", "gsg", "--help"])
        with self.assertRaisesRegex(dockerfile.DockerfileError, "line 2: COPY"):
            image.apply(dockerfile.parse("FROM a\nCOPY b /c")[0].instructions[0])

    def test_images_are_drawn(self):
        with tempfile.TemporaryDirectory() as scratch:
            run_image.draw(pathlib.Path(scratch) / "photos", count=3)
            files = sorted(pathlib.Path(scratch).glob("photos/*.png"))
            self.assertEqual(len({file.read_bytes() for file in files}), 3)


if __name__ == "__main__":
    unittest.main()
