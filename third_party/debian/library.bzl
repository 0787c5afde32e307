# SPDX-License-Identifier: Apache-2.0
"""debian_library: an installed Debian library under its upstream labels.

Headers need no mention: the compiler finds them in /usr/include. The targets
only say what to link, so each BUILD file here is a few lines.
"""

def _debian_library_impl(ctx):
    if not ctx.path(ctx.attr.probe).exists:
        fail(("@{name} is taken from Debian, but {probe} is not there. " +
              "Install it with:\n  apt-get install {package}").format(
            name = ctx.name,
            probe = ctx.attr.probe,
            package = ctx.attr.package,
        ))
    for path, label in ctx.attr.build_files.items():
        ctx.symlink(Label(label), path)
    for path, text in ctx.attr.generated.items():
        ctx.file(path, text, executable = False)
    for path, target in ctx.attr.links.items():
        if not ctx.path(target).exists:
            fail("@{}: {} is missing; run: apt-get install {}".format(
                ctx.name,
                target,
                ctx.attr.package,
            ))
        ctx.symlink(target, path)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))

debian_library = repository_rule(
    implementation = _debian_library_impl,
    attrs = {
        "build_files": attr.string_dict(doc = "Path here: label of its text."),
        "generated": attr.string_dict(doc = "Path here: its text."),
        "links": attr.string_dict(doc = "Path here: absolute path it links to."),
        "package": attr.string(doc = "Debian package(s) to name when missing."),
        "probe": attr.string(doc = "A file that is there when installed."),
    },
    local = True,
)
