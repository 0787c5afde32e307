# SPDX-License-Identifier: Apache-2.0
"""mutants_test: tests over a copy of what they test that makes mistakes."""

load("//third_party/build:cc.bzl", "trolley_cc_binary")

def _mutated_impl(ctx):
    outputs = []
    arguments = ctx.actions.args()
    arguments.add_all([ctx.file.mutate, ctx.file.table])
    for source in ctx.files.srcs:
        output = ctx.actions.declare_file(ctx.label.name + "/" + source.short_path)
        outputs.append(output)
        arguments.add_all([source.short_path, source.path, output.path])
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [arguments],
        inputs = ctx.files.srcs + ctx.files.engine + [ctx.file.mutate, ctx.file.table],
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

# Fails where the table and the marks in the sources do not fit.
_mutated = rule(
    implementation = _mutated_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".cc", ".h"], mandatory = True),
        "table": attr.label(allow_single_file = True, mandatory = True),
        "mutate": attr.label(
            allow_single_file = True,
            default = "//tests/mutants:mutate.py",
        ),
        "engine": attr.label(default = "//tests/mutants:engine"),
    },
)

def mutants_test(name, srcs, deps, table = "table.py", args = [], data = [], main = False):
    """Every mistake of `table` turns the test it names red; without one all pass.

    Args:
      name: of the test.
      srcs: what is copied: the code with the mistakes, whatever else includes
        its headers, and the tests with their main().
      deps: of all of that, and nothing that links the code itself.
      table: the mistakes; see mutant.py.
      args: of the program; may use $(location).
      data: what the program reads or runs.
      main: whether to link GoogleTest's, because no source has one.
    """
    copy = name + "_copy"

    # Built for the test alone, and so not where it is left out.
    manual = {"tags": ["manual"], "testonly": True}
    _mutated(
        name = copy,
        srcs = srcs,
        table = table,
        **manual
    )
    for kind in ["headers", "sources"]:
        native.filegroup(
            name = copy + "_" + kind,
            srcs = [copy],
            output_group = kind,
            **manual
        )
    native.cc_library(
        name = name + "_code",
        srcs = [copy + "_sources"],
        hdrs = [copy + "_headers"],
        # What a mistake leaves unused or ambiguous to read is no finding.
        copts = [
            "-std=c++20",
            "-w",
        ],
        include_prefix = "trolley",
        linkopts = ["-pthread"],
        strip_include_prefix = copy,
        deps = deps + [
            "//tests/mutants:mutant",
            "@com_google_googletest//:gtest",
        ] + (["@com_google_googletest//:gtest_main"] if main else []),
        alwayslink = True,
        **manual
    )
    program = name + "_program"
    trolley_cc_binary(
        name = program,
        deps = [name + "_code"],
        **manual
    )
    test = "//tests/mutants:mutants_test.py"
    native.sh_test(
        name = name,
        size = "medium",
        timeout = "eternal",  # one program after the other for each mutant
        srcs = ["//third_party/build:python_test.sh"],
        args = [
            "$(location %s)" % label
            for label in [test, table, program]
        ] + args,
        data = [
            program,
            table,
            test,
            "//tests/mutants:engine",
            "//tests/tidy:cases.py",
        ] + data,
        tags = [
            "mutants",
            "nosan",  # they are wrong on purpose
        ],
    )
