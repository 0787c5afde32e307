# SPDX-License-Identifier: Apache-2.0
"""Tests of the bus: the quick one, and the one with the figures of the docs."""

load("//third_party/build:cc.bzl", "trolley_cc_test")

# For a test whose threads meet in an absl::Mutex; see tsan_absl.cc.
TSAN_DEPS = select({
    "//tests/bus:tsan": ["//tests/bus:tsan_absl"],
    "//conditions:default": [],
})

def bus_test(name, deps = [], full = False, size = "medium", **kwargs):
    """A test over //tests/bus:harness.

    Args:
      name: of the test; its source is <name>.cc.
      deps: beside the harness and what it stands on.
      full: whether --full makes it do more; then there is <name>_full too,
        with the tag that `tools/test --full` runs.
      size: of the quick one.
      **kwargs: as in trolley_cc_test.
    """
    deps = deps + [
        "//actors:actor",
        "//tests/bus:ask_until",
        "//tests/bus:harness",
        "//tests/bus:inside",
        "//tests/bus:interleaved",
        "//tests/lib:process",
        "@com_google_absl//absl/synchronization",
    ]
    trolley_cc_test(
        name = name,
        size = size,
        main = False,
        deps = deps,
        **kwargs
    )
    if full:
        trolley_cc_test(
            name = name + "_full",
            srcs = [name + ".cc"],
            size = "enormous",
            args = ["--full"],
            main = False,
            tags = ["full"],
            deps = deps,
            **kwargs
        )
