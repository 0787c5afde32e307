# SPDX-License-Identifier: Apache-2.0
"""debian_folder: a folder of an installed Debian package as a repository."""

def _missing(ctx):
    fail(("@{name} is taken from {path}, which is not there. Install it with:" +
          "\n  apt-get install {package}").format(
        name = ctx.name,
        path = ctx.attr.path,
        package = ctx.attr.package,
    ))

def _replace(ctx, path):
    """Puts an edited copy of path, a file of the folder, where its link was."""
    text = ctx.read(ctx.path(ctx.attr.path + "/" + path))
    for old, new in ctx.attr.replacements.items():
        if old not in text:
            fail("@{}: {} no longer holds {}; mend its replacements in {}.".format(
                ctx.name,
                path,
                repr(old),
                "third_party/deps.bzl",
            ))
        text = text.replace(old, new)
    ctx.delete(path)
    ctx.file(path, text, executable = False)

def _debian_folder_impl(ctx):
    folder = ctx.path(ctx.attr.path)
    if not folder.exists:
        _missing(ctx)
    if ctx.attr.replace_in:
        # A copy: writing through a link would edit the package's own file.
        result = ctx.execute(["cp", "-r", str(folder) + "/.", "."])
        if result.return_code:
            fail("@{}: cannot copy {}: {}".format(ctx.name, folder, result.stderr))
        for path in ctx.attr.replace_in:
            _replace(ctx, path)
        return
    for entry in folder.readdir():
        ctx.symlink(entry, entry.basename)

debian_folder = repository_rule(
    implementation = _debian_folder_impl,
    attrs = {
        "package": attr.string(doc = "Debian package(s) to name when missing."),
        "path": attr.string(doc = "The folder, absolute."),
        "replace_in": attr.string_list(doc = "Files to edit."),
        "replacements": attr.string_dict(doc = "What to replace in them."),
    },
    local = True,
)
