# SPDX-License-Identifier: Apache-2.0
"""The libraries that tools/bench measures beside the bus.

Nothing else needs them: their targets are `manual`, and a repository here is
looked at only when one of them is built. tools/lib/bench_packages installs them.
"""

load("//third_party/debian:library.bzl", "debian_library")

def _peer(package, probe, linkopts, copts = []):
    return struct(
        copts = copts,
        linkopts = linkopts,
        package = package,
        probe = "/usr/include/" + probe,
    )

# Their headers' own warnings are not errors here.
PEERS = {
    "asio": _peer("libasio-dev", "asio.hpp", ["-pthread"]),
    "caf": _peer(
        "libcaf-dev",
        "caf/all.hpp",
        ["-lcaf_core"],
        # 0.17 was written for C++11 and says what C++20 deprecates.
        copts = ["-Wno-deprecated-declarations"],
    ),
    "libev": _peer(
        "libev-dev",
        "ev.h",
        ["-lev"],
        # Its macros cast between its watchers, which begin alike.
        copts = ["-fno-strict-aliasing"],
    ),
    "libevent": _peer(
        "libevent-dev",
        "event2/event.h",
        [
            "-levent_core",
            "-levent_pthreads",
        ],
    ),
    "libuv": _peer("libuv1-dev", "uv.h", ["-luv"]),
    "moodycamel": _peer(
        "libconcurrentqueue-dev",
        "concurrentqueue/concurrentqueue.h",
        [],
    ),
    "nng": _peer("libnng-dev", "nng/nng.h", ["-lnng"]),
    "zeromq": _peer("libzmq3-dev", "zmq.h", ["-lzmq"]),
}

def trolleybus_bench_deps():
    """Declares the peers, for this repository's own WORKSPACE."""
    for name, peer in PEERS.items():
        debian_library(
            name = "peer_" + name,
            generated = {
                "BUILD.bazel": """
cc_library(
    name = "{}",
    linkopts = {},
    visibility = ["//visibility:public"],
)
""".format(name, repr(peer.linkopts)),
            },
            package = peer.package,
            probe = peer.probe,
        )
