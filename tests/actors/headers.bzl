# SPDX-License-Identifier: Apache-2.0
"""headers: what a C++ library is compiled against, for a test that compiles."""

def _headers_impl(ctx):
    headers = ctx.attr.of[CcInfo].compilation_context.headers
    return [DefaultInfo(
        files = headers,
        runfiles = ctx.runfiles(transitive_files = headers),
    )]

headers = rule(
    implementation = _headers_impl,
    attrs = {"of": attr.label(providers = [CcInfo])},
)
