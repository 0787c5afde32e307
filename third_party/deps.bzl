# SPDX-License-Identifier: Apache-2.0
"""Dependencies of Trolleybus, for its own WORKSPACE and for an embedder's.

Each is taken from a package of Debian 12 or 13, under the name and the labels
the project itself gives them when built from source. What the embedder declared
before calling trolleybus_deps() is kept.
"""

load("//third_party/absl:debian_absl.bzl", "debian_absl")
load("//third_party/debian:folder.bzl", "debian_folder")
load("//third_party/debian:library.bzl", "debian_library")

def _maybe(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def trolleybus_deps():
    """Declares each dependency the calling WORKSPACE has not declared yet."""
    _bazel_deps()
    _library_deps()

def _bazel_deps():
    """What Bazel itself, or the rules of others, would otherwise download."""
    _maybe(
        debian_folder,
        name = "rules_cc",
        package = "bazel-rules-cc",
        path = "/usr/share/bazel/rules/cc",
        # This rules_cc is newer than the Bazel beside it, which has no
        # use_cpp_toolchain; these two files ask for the toolchain by name.
        replace_in = [
            "cc/private/rules_impl/cc_flags_supplier.bzl",
            "cc/private/rules_impl/compiler_flag.bzl",
        ],
        replacements = {
            ", \"use_cpp_toolchain\"": "",
            "use_cpp_toolchain()": "[\"@bazel_tools//tools/cpp:toolchain_type\"]",
        },
    )
    _maybe(
        debian_folder,
        name = "rules_java",
        package = "bazel-rules-java",
        path = "/usr/share/bazel/rules/java",
    )
    _maybe(
        debian_folder,
        name = "rules_proto",
        package = "bazel-rules-proto",
        path = "/usr/share/bazel/rules/proto",
    )
    _maybe(
        debian_folder,
        name = "bazel_skylib",
        package = "bazel-skylib",
        path = "/usr/share/bazel/tools/skylib",
    )
    _maybe(
        debian_folder,
        name = "platforms",
        package = "bazel-platforms",
        path = "/usr/share/bazel/platforms",
    )
    _maybe(
        debian_library,
        # Asked for by every cc_test, used only by `bazel coverage`.
        name = "remote_coverage_tools",
        build_files = {"BUILD.bazel": "//third_party/debian:coverage.BUILD"},
        package = "bazel-bootstrap",
        probe = "/usr/bin/bazel",
    )

def _library_deps():
    _maybe(debian_absl, name = "com_google_absl")
    _maybe(
        debian_library,
        name = "com_google_protobuf",
        build_files = {"BUILD.bazel": "//third_party/debian:protobuf.BUILD"},
        links = {
            "bin/protoc": "/usr/bin/protoc",
            "include/google/protobuf": "/usr/include/google/protobuf",
        },
        package = "libprotobuf-dev protobuf-compiler",
        probe = "/usr/include/google/protobuf/message.h",
    )
    _maybe(
        debian_library,
        name = "com_github_grpc_grpc",
        build_files = {
            "BUILD.bazel": "//third_party/debian:grpc.BUILD",
            "src/compiler/BUILD.bazel": "//third_party/debian:grpc_compiler.BUILD",
        },
        links = {
            "src/compiler/bin/grpc_cpp_plugin": "/usr/bin/grpc_cpp_plugin",
        },
        package = "libgrpc++-dev protobuf-compiler-grpc",
        probe = "/usr/include/grpcpp/grpcpp.h",
    )
    _maybe(
        debian_library,
        name = "com_google_googletest",
        build_files = {"BUILD.bazel": "//third_party/debian:googletest.BUILD"},
        package = "libgtest-dev libgmock-dev",
        probe = "/usr/include/gmock/gmock.h",
    )
    _maybe(
        debian_library,
        name = "com_github_google_benchmark",
        build_files = {"BUILD.bazel": "//third_party/debian:benchmark.BUILD"},
        package = "libbenchmark-dev",
        probe = "/usr/include/benchmark/benchmark.h",
    )
    _maybe(
        debian_library,
        name = "openssl",
        build_files = {"BUILD.bazel": "//third_party/debian:openssl.BUILD"},
        package = "libssl-dev",
        probe = "/usr/include/openssl/ssl.h",
    )
    _maybe(
        debian_library,
        name = "com_github_axboe_liburing",
        build_files = {"BUILD.bazel": "//third_party/debian:liburing.BUILD"},
        package = "liburing-dev",
        probe = "/usr/include/liburing.h",
    )
