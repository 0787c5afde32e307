# SPDX-License-Identifier: Apache-2.0
"""mutated: a copy of sources in which every mistake of table.py can be made."""

def _mutated_impl(ctx):
    outputs = []
    arguments = ctx.actions.args()
    arguments.add(ctx.file.mutate)
    for source in ctx.files.srcs:
        output = ctx.actions.declare_file(ctx.label.name + "/" + source.short_path)
        outputs.append(output)
        arguments.add_all([source.short_path, source.path, output.path])
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [arguments],
        inputs = ctx.files.srcs + [ctx.file.mutate, ctx.file.table],
        outputs = outputs,
        mnemonic = "Mutate",
    )
    return [
        DefaultInfo(files = depset(outputs)),
        OutputGroupInfo(
            headers = depset([f for f in outputs if f.extension == "h"]),
            sources = depset([f for f in outputs if f.extension == "cc"]),
        ),
    ]

# Fails if a line that a mistake is made in is not there, or is there twice.
mutated = rule(
    implementation = _mutated_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".cc", ".h"], mandatory = True),
        "mutate": attr.label(allow_single_file = True, default = ":mutate.py"),
        "table": attr.label(allow_single_file = True, default = ":table.py"),
    },
)
