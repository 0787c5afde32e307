# SPDX-License-Identifier: Apache-2.0
"""grpc_codegen: what gRPC's protoc plugin makes of one proto_library."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _import_path(proto, file):
    """The path by which other .proto files import `file`."""
    root = proto.proto_source_root
    if root == ".":
        return file.short_path
    if not file.path.startswith(root + "/"):
        fail("{} is not below its source root {}".format(file.path, root))
    return file.path[len(root) + 1:]

def _grpc_codegen_impl(ctx):
    proto = ctx.attr.proto[ProtoInfo]
    outputs = []
    imports = []
    for file in proto.direct_sources:
        path = _import_path(proto, file)
        imports.append(path)
        for suffix in [".grpc.pb.h", ".grpc.pb.cc"]:
            outputs.append(ctx.actions.declare_file(
                ctx.label.name + "/" + path[:-len(".proto")] + suffix,
            ))

    first = outputs[0]
    out_dir = first.path[:-len(imports[0][:-len(".proto")] + ".grpc.pb.h") - 1]

    arguments = ctx.actions.args()
    arguments.add("--plugin=protoc-gen-grpc=" + ctx.executable._plugin.path)
    arguments.add("--grpc_out=" + out_dir)
    arguments.add_all(proto.transitive_proto_path, format_each = "-I%s")
    arguments.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [arguments],
        inputs = proto.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = outputs,
        mnemonic = "GrpcCodegen",
        progress_message = "Generating gRPC code for %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs))]

grpc_codegen = rule(
    implementation = _grpc_codegen_impl,
    attrs = {
        "proto": attr.label(
            doc = "The proto_library with the services.",
            mandatory = True,
            providers = [ProtoInfo],
        ),
        "_plugin": attr.label(
            cfg = "host",
            default = "@com_github_grpc_grpc//src/compiler:grpc_cpp_plugin",
            executable = True,
        ),
        "_protoc": attr.label(
            cfg = "host",
            default = "@com_google_protobuf//:protoc",
            executable = True,
        ),
    },
)
