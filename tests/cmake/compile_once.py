"""A compiler launcher that compiles a file once with the same compiler and options.

    compile_once.py <folder of results> <compiler> <arguments>

The ways of taking gsg_core differ in what CMake makes of them, not in its objects.
Sources must not change meanwhile, and dependencies of a result taken from the folder
are not written.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys

# What names the result and does not decide it.
NAMES = ("-o", "-MF", "-MT")


def main():
    folder, *command = sys.argv[1:]
    if "-c" not in command:
        sys.exit(subprocess.call(command))
    deciding = [argument for before, argument in zip(["", *command], command)
                if before not in NAMES]
    key = hashlib.sha256("\0".join(deciding).encode()).hexdigest()
    kept = pathlib.Path(folder, key)
    output = command[command.index("-o") + 1]
    if not kept.exists():
        status = subprocess.call(command)
        if status != 0:
            sys.exit(status)
        shutil.copy(output, kept)
    else:
        shutil.copy(kept, output)


if __name__ == "__main__":
    main()
