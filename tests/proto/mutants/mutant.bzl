# SPDX-License-Identifier: Apache-2.0
"""frame_decoder_mutants: programs that must fail, and the test that they do."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//third_party/build:cc.bzl", "trolley_cc_library")

def _mutated_source_impl(ctx):
    ctx.actions.run(
        executable = ctx.executable._mutate,
        arguments = [
            ctx.file.src.path,
            ctx.outputs.out.path,
            ctx.attr.before,
            ctx.attr.after,
        ],
        inputs = [ctx.file.src],
        outputs = [ctx.outputs.out],
        mnemonic = "Mutate",
    )

_mutated_source = rule(
    implementation = _mutated_source_impl,
    attrs = {
        "after": attr.string(),
        "before": attr.string(),
        "out": attr.output(),
        "src": attr.label(allow_single_file = True),
        "_mutate": attr.label(
            cfg = "exec",
            default = ":mutate",
            executable = True,
        ),
    },
)

def frame_decoder_mutants(mutants):
    """Makes frame_decoder_mutants_test of `mutants`.

    Args:
      mutants: name -> (text in frame_decoder.cc, text instead of it).
    """
    native.sh_binary(
        name = "mutate",
        srcs = ["mutate.sh"],
    )
    for name, (before, after) in mutants.items():
        _mutated_source(
            name = name + "_source",
            after = after,
            before = before,
            out = name + ".cc",
            src = "//proto:frame_decoder.cc",
        )
        trolley_cc_library(
            name = name + "_decoder",
            testonly = True,
            srcs = [name + ".cc"],
            # What a mutation leaves unused or unreachable is no finding.
            copts = ["-w"],
            alwayslink = True,
            deps = ["//proto:frame_decoder_interface"],
        )
        cc_binary(
            name = name,
            testonly = True,
            linkstatic = True,
            deps = [
                name + "_decoder",
                "//tests/proto:frame_hostile_cases",
                "@com_google_googletest//:gtest_main",
            ],
        )
    native.sh_test(
        name = "frame_decoder_mutants_test",
        size = "small",
        srcs = ["mutants_test.sh"],
        args = ["$(rootpath %s)" % name for name in mutants],
        data = mutants.keys(),
        # A mutant may leak or overrun, which is not what it is here for.
        tags = ["nosan"],
    )
