# SPDX-License-Identifier: Apache-2.0
"""Tests of links: with the default poller, and by completions."""

load("//third_party/build:cc.bzl", "trolley_cc_test")

def link_test(name, deps = [], io_uring = False, grpc = False, **kwargs):
    """A test over //tests/links:actors.

    Args:
      name: of the test; its source is <name>.cc, and it ends with _test.
      deps: beside the actors and links.
      grpc: whether it runs over gRPC, and over nothing else.
      io_uring: whether there is <name> with _io_uring_test, too.
      **kwargs: as in trolley_cc_test.
    """
    deps = deps + [
        ":actors_grpc" if grpc else ":actors",
        "//actors/unix:unix_link",
        "//tests/bus:inside",
        "//tests/lib:process",
    ]
    if grpc:
        kwargs["tags"] = ["grpc"]
    trolley_cc_test(
        name = name,
        deps = deps,
        **kwargs
    )
    if io_uring:
        trolley_cc_test(
            name = name[:-len("_test")] + "_io_uring_test",
            srcs = [name + ".cc"],
            local_defines = ['TROLLEY_TEST_POLLER=\\"io_uring\\"'],
            deps = deps,
            **kwargs
        )
