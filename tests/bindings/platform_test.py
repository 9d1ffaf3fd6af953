"""The check of a wheel's platform tag, on this build's own extension."""

import pytest

import guided_stop_gradient as gsg
from bazel import make_wheel
from tests.bindings import run_pytest

EXTENSION = gsg._native.__file__


def test_the_tag_that_the_wheel_has():
    make_wheel.check_platform(EXTENSION, "manylinux_2_39_x86_64")


@pytest.mark.parametrize("limits, message", [
    ({(2, 5): {"GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}},
     r"needs GLIBC_2\.\d+; manylinux_2_5_x86_64 promises no more than 2\.5"),
    ({(2, 5): {"GLIBCXX": (3, 4, 8), "CXXABI": (1, 3, 13)}},
     r"needs GLIBC(XX)?_[\d.]+; manylinux_2_5_x86_64 promises"),
])
def test_symbols_that_are_too_new(monkeypatch, limits, message):
    monkeypatch.setattr(make_wheel, "CPP_LIMITS", limits)
    with pytest.raises(SystemExit, match=message):
        make_wheel.check_platform(EXTENSION, "manylinux_2_5_x86_64")


def test_libraries_that_are_not_the_system_s(monkeypatch):
    monkeypatch.setattr(make_wheel, "LIBRARIES",
                        make_wheel.LIBRARIES - {"libm.so.6"})
    with pytest.raises(SystemExit, match="needs libm.so.6, which a manylinux"):
        make_wheel.check_platform(EXTENSION, "manylinux_2_39_x86_64")


def test_other_tags():
    with pytest.raises(SystemExit, match="linux_x86_64 is not a manylinux tag"):
        make_wheel.check_platform(EXTENSION, "linux_x86_64")


if __name__ == "__main__":
    run_pytest.main(__file__)
