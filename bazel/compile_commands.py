"""Writes compile_commands.json, for clangd and clang-tidy.

./bazelw run //bazel:compile_commands [-- <target pattern>, default //...]
"""

import json
import os
import shutil
import subprocess
import sys

# Flags of GCC that Clang does not know.
GCC_ONLY = {"-fno-canonical-system-headers"}


def bazel(*arguments):
    program = "bazel" if shutil.which("bazel") else "bazelisk"
    return subprocess.check_output([program, *arguments], text=True)


def main():
    workspace = os.environ["BUILD_WORKSPACE_DIRECTORY"]
    os.chdir(workspace)
    pattern = sys.argv[1] if len(sys.argv) > 1 else "//..."
    # The folders of Bazel's execution root that outlive a build.
    folders = {
        "external": os.path.join(bazel("info", "output_base").strip(),
                                 "external"),
        "bazel-out": bazel("info", "output_path").strip(),
    }

    def absolute(argument):
        top, slash, rest = argument.partition("/")
        return folders.get(top, top) + slash + rest

    actions = json.loads(bazel(
        "aquery", "--output=jsonproto", f"mnemonic(CppCompile, {pattern})"))
    commands = []
    for action in actions.get("actions", []):
        arguments = action["arguments"]
        source = arguments[arguments.index("-c") + 1]
        if source.startswith(("external/", "bazel-out/")):
            continue
        commands.append({
            "directory": workspace,
            "file": os.path.join(workspace, source),
            "arguments": [absolute(a) for a in arguments if a not in GCC_ONLY],
        })
    with open("compile_commands.json", "w", encoding="utf-8") as output:
        json.dump(commands, output, indent=1)
    print(f"compile_commands.json: {len(commands)} files")


if __name__ == "__main__":
    main()
