"""Writes libraries that stand in for NVIDIA's, so that torch loads without those.

    cuda_stand_ins.py <compiler> <folder of torch's libraries> <folder to write to>

PyPI's torch for Linux is the one for GPUs. Importing it loads libtorch_cuda.so, which
is linked to cuBLAS, cuDNN and others: 2.7 GB of which nothing is called where no GPU is
used. A stand-in has the name of such a library and the names of the functions that
torch's libraries want of it, each of which ends the process. So that none is called on
a machine that has a GPU, loading a stand-in hides the GPUs from the process.
"""

import collections
import pathlib
import re
import subprocess
import sys

# Libraries that torch's are linked to, but for libcudart and libcupti, which are small
# and have an effect without a GPU: the start of the functions' names.
PREFIXES = {
    "libcublas.so.13": "cublas",
    "libcublasLt.so.13": "cublasLt",
    "libcudnn.so.9": "cudnn",
    "libcufft.so.12": "cufft",
    "libcufile.so.0": "cuFile",
    "libcurand.so.10": "curand",
    "libcusolver.so.12": "cusolver",
    "libcusparse.so.12": "cusparse",
    "libcusparseLt.so.0": "cusparseLt",
    "libnccl.so.2": "nccl",
    "libnvshmem_host.so.3": "nvshmem",
}
# Those that `import torch` wants to find, and does not call.
EMPTY = ("libnvJitLink.so.13", "libnvrtc.so.13", "libnvrtc-builtins.so.13.0")

_HIDE_GPUS = """
#include <stdlib.h>
__attribute__((constructor)) static void HideGpus(void) {
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
}
"""


def wanted(folder):
    """{library: {(function, version or ""): True}} of torch's libraries there."""
    by_length = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))
    functions = collections.defaultdict(set)
    for library in sorted(pathlib.Path(folder).glob("*.so")):
        lines = subprocess.check_output(["nm", "-D", "--undefined-only", library],
                                        text=True).split("\n")
        for name in (line.split()[-1] for line in lines if line):
            name, _, version = name.replace("@@", "@").partition("@")
            for stand_in, prefix in by_length:
                if re.match(prefix + "[A-Z_a-z]", name):
                    functions[stand_in].add((name, version))
                    break
    return functions


def write(compiler, library, functions, out):
    versions = collections.defaultdict(list)
    for name, version in sorted(functions):
        versions[version].append(name)
    code = _HIDE_GPUS + "".join(
        f"void {name}(void) {{ abort(); }}\n" for name, _ in sorted(functions))
    script = out / "script"
    script.write_text("".join(
        f"{version} {{ global: {' '.join(name + ';' for name in names)} }};\n"
        for version, names in versions.items() if version) or "{ global: *; };",
        encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-s", "-x", "c", "-", "-o", out / library,
                    f"-Wl,-soname,{library}", f"-Wl,--version-script={script}"],
                   input=code, text=True, check=True)
    script.unlink()


def main():
    compiler, torch_libraries, out = sys.argv[1:]
    out = pathlib.Path(out)
    out.mkdir(parents=True)
    functions = wanted(torch_libraries)
    for library in (*PREFIXES, *EMPTY):
        write(compiler, library, functions[library], out)


if __name__ == "__main__":
    main()
