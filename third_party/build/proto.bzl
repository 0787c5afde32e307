# SPDX-License-Identifier: Apache-2.0
"""trolley_proto_library: a .proto and its C++, over the system's protoc."""

load("@rules_cc//cc:defs.bzl", "cc_proto_library")
load("@rules_proto//proto:defs.bzl", "proto_library")
load(":grpc_codegen.bzl", "grpc_codegen")

def trolley_proto_library(
        name,
        srcs = None,
        deps = [],
        grpc = False,
        visibility = None):
    """A proto_library, its C++ and, if asked for, its gRPC stubs.

    proto/link.proto is imported by other .proto files as
    "trolley/proto/link.proto", and its code included as
    "trolley/proto/link.pb.h". One path for both, and one that an embedder's
    own files cannot have: Protobuf refuses at start a program that holds two
    files of one import path.

    Args:
      name: ends in _proto. For link_proto these targets are made:
        link_proto: for the `deps` of other protos;
        link_cc_proto: for the `deps` of C++;
        link_cc_grpc: the same with "trolley/proto/link.grpc.pb.h"; if grpc.
      srcs: defaults to link.proto.
      deps: protos imported, such as @com_google_protobuf//:duration_proto.
      grpc: whether the file holds services.
      visibility: of all targets.
    """
    if not name.endswith("_proto"):
        fail("{}: the name of a proto library ends in _proto".format(name))
    base = name[:-len("_proto")]
    proto_library(
        name = name,
        srcs = srcs or [base + ".proto"],
        import_prefix = "trolley/" + native.package_name(),
        strip_import_prefix = "/" + native.package_name(),
        visibility = visibility,
        deps = deps,
    )
    cc_proto_library(
        name = base + "_cc_proto",
        visibility = visibility,
        deps = [":" + name],
    )
    if not grpc:
        return
    codegen = base + "_grpc_codegen"
    grpc_codegen(
        name = codegen,
        proto = ":" + name,
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = base + "_cc_grpc",
        srcs = [":" + codegen],
        hdrs = [":" + codegen],
        # gRPC's headers, and those of newer Abseils, are past Bazel's default.
        copts = ["-std=c++20"],
        includes = [codegen],
        tags = ["grpc"],
        visibility = visibility,
        deps = [
            ":" + base + "_cc_proto",
            "@com_github_grpc_grpc//:grpc++",
        ],
    )
