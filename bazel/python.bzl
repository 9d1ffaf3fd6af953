"""gsg_py_binary and gsg_py_test: programs and tests in Python of this repository."""

def _gsg_py(rule, name, srcs, **kwargs):
    rule(
        name = name,
        srcs = [name + ".py"] + srcs,
        main = name + ".py",
        # An empty __init__.py that Bazel puts into runfiles hides packages behind
        # folders.
        legacy_create_init = False,
        python_version = "PY3",
        **kwargs
    )

def gsg_py_binary(name, srcs = [], **kwargs):
    """A program whose file has its name.

    Args:
      name: The rule's name; name.py is the program.
      srcs: Its other files.
      **kwargs: As of py_binary.
    """
    _gsg_py(native.py_binary, name, srcs, **kwargs)

def gsg_py_test(name, srcs = [], **kwargs):
    """A test whose file has its name.

    Args:
      name: The rule's name; name.py is the test.
      srcs: Its other files.
      **kwargs: As of py_test.
    """
    _gsg_py(native.py_test, name, srcs, **kwargs)
