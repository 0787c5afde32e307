# SPDX-License-Identifier: Apache-2.0
"""The C++ rules of this repository: cc_* with its include paths and warnings.

A header bus/loop/loop.h is included as "trolley/bus/loop/loop.h", here and in an
embedder's workspace. Put every header in `hdrs`: those in `srcs` do not get
that path.
"""

# Set here, not in .bazelrc, because an embedder's .bazelrc is not ours.
_LANGUAGE = ["-std=c++20"]

# With -O2, g++ 12 and later copy two neighbouring fields by one load of 16
# bytes. If they were written one by one just before, the load waits until both
# have left the processor's store buffer.
_CODE = ["-fno-tree-slp-vectorize"]

# Ours alone, and asked for in .bazelrc: an embedder's compiler may warn of more
# than ours does, and their build must not break for it.
_WARNINGS = select({
    "//third_party/build:strict": [
        "-Wall",
        "-Wextra",
        "-Werror",
        # Designated initializers name what differs from the default; that is
        # why Options structs have defaults.
        "-Wno-missing-field-initializers",
    ],
    "//conditions:default": [],
})

def _copts(kwargs):
    return _LANGUAGE + _CODE + _WARNINGS + kwargs.pop("copts", [])

def _with_includes(kwargs):
    copts = _copts(kwargs)
    return dict(
        kwargs,
        copts = copts,
        include_prefix = "trolley/" + native.package_name(),
        strip_include_prefix = "/" + native.package_name(),
    )

def trolley_cc_library(name, **kwargs):
    """cc_library whose headers are "trolley/<package>/<file>.h"."""
    native.cc_library(name = name, **_with_includes(kwargs))

def trolley_cc_binary(name, **kwargs):
    """cc_binary with our warnings and language version."""
    copts = _copts(kwargs)
    native.cc_binary(name = name, copts = copts, **kwargs)

def trolley_cc_test(name, deps = [], size = "small", main = True, **kwargs):
    """cc_test with GoogleTest and its main.

    Args:
      name: of the test; `srcs` defaults to <name>.cc.
      deps: beside GoogleTest.
      size: as in cc_test; also its time limit.
      main: False for a test that brings a main of its own.
      **kwargs: as in cc_test.
    """
    copts = _copts(kwargs)
    gtest = "gtest_main" if main else "gtest"
    native.cc_test(
        name = name,
        srcs = kwargs.pop("srcs", [name + ".cc"]),
        size = size,
        copts = copts,
        deps = deps + ["@com_google_googletest//:" + gtest],
        **kwargs
    )
