# SPDX-License-Identifier: Apache-2.0
"""trolley_py_test: a Python 3 program as a test.

Bazel 4's own py_test starts `python`, a command Debian does not have.
"""

def trolley_py_test(name, srcs = [], args = [], data = [], size = "small", **kwargs):
    """Passes when <name>.py, of this package, exits with 0.

    Args:
      name: of the test, and without .py of its program.
      srcs: the modules it imports.
      args: of the program; may use $(location).
      data: files it reads.
      size: as in cc_test.
      **kwargs: as in sh_test.
    """
    main = name + ".py"
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//third_party/build:python_test.sh"],
        args = ["$(location {})".format(main)] + args,
        data = [main] + srcs + data,
        **kwargs
    )
