# SPDX-License-Identifier: Apache-2.0
"""debian_absl: Debian's Abseil under the labels it has upstream.

What links what is read from the pkg-config files of the package, so one rule
serves every version of it.
"""

# The packages of Abseil, and the public targets of each that a program may
# name. One that the installed version lacks is left out.
_TARGETS = {
    "absl/algorithm": ["algorithm", "container"],
    "absl/base": [
        "base",
        "config",
        "core_headers",
        "dynamic_annotations",
        "log_severity",
        "no_destructor",
        "nullability",
    ],
    "absl/cleanup": ["cleanup"],
    "absl/container": [
        "btree",
        "fixed_array",
        "flat_hash_map",
        "flat_hash_set",
        "inlined_vector",
        "node_hash_map",
        "node_hash_set",
    ],
    "absl/debugging": [
        "failure_signal_handler",
        "leak_check",
        "stacktrace",
        "symbolize",
    ],
    "absl/flags": [
        "commandlineflag",
        "config",
        "flag",
        "marshalling",
        "parse",
        "reflection",
        "usage",
    ],
    "absl/functional": [
        "any_invocable",
        "bind_front",
        "function_ref",
        "overload",
    ],
    "absl/hash": ["hash"],
    "absl/log": [
        "absl_check",
        "absl_log",
        "check",
        "die_if_null",
        "flags",
        "globals",
        "initialize",
        "log",
        "log_entry",
        "log_sink",
        "log_sink_registry",
        "log_streamer",
    ],
    "absl/memory": ["memory"],
    "absl/meta": ["type_traits"],
    "absl/numeric": ["bits", "int128"],
    "absl/random": [
        "bit_gen_ref",
        "distributions",
        "random",
        "seed_gen_exception",
        "seed_sequences",
    ],
    "absl/status": ["status", "statusor"],
    "absl/strings": ["cord", "str_format", "string_view", "strings"],
    "absl/synchronization": ["synchronization"],
    "absl/time": ["time"],
    "absl/types": [
        "any",
        "bad_optional_access",
        "bad_variant_access",
        "compare",
        "optional",
        "span",
        "variant",
    ],
    "absl/utility": ["utility"],
}

# --no-as-needed, whatever the command line around it says: with shared
# libraries of the embedder's own (a plain cc_test has them) their symbols do
# not count as needed for gold and lld, and the program would not start.
_LIBRARY = "-Wl,--push-state,--no-as-needed,-l{},--pop-state"

_CC_LIBRARY = """
cc_library(
    name = "{name}",
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
    deps = {deps},
)
"""

_ALIAS = """
alias(
    name = "{name}",
    actual = "//:{actual}",
    visibility = ["//visibility:public"],
)
"""

_PACKAGE = "libabsl-dev"

def _pkg_config_files(ctx):
    """The absl_*.pc of the package, by their names without .pc."""
    for architecture in ctx.path("/usr/lib").readdir():
        folder = architecture.get_child("pkgconfig")
        if not folder.get_child("absl_base.pc").exists:
            continue
        return {
            file.basename[:-len(".pc")]: file
            for file in folder.readdir()
            if file.basename.startswith("absl_") and
               file.basename.endswith(".pc")
        }
    return fail(("@{} is taken from Debian, but /usr/lib/*/pkgconfig/" +
                 "absl_base.pc is not there. Install it with:\n" +
                 "  apt-get install {}").format(ctx.name, _PACKAGE))

def _words(text, key):
    """The words of the line `key: words, and more words`."""
    for line in text.splitlines():
        if line.startswith(key + ":"):
            return line[len(key) + 1:].replace(",", " ").split(" ")
    return []

def _library_of(name, text):
    """The target for one pkg-config file: its library, and what it requires."""
    return _CC_LIBRARY.format(
        deps = repr([
            ":" + word
            for word in _words(text, "Requires")
            if word.startswith("absl_")
        ]),
        linkopts = repr([
            _LIBRARY.format(word[len("-l"):])
            for word in _words(text, "Libs")
            if word.startswith("-labsl_")
        ]),
        name = name,
    )

def _actual(ctx, package, target, files):
    """What CMake and pkg-config call //package:target, or None."""
    if not ctx.path("/usr/include/" + package).exists:
        return None
    folder = package.split("/")[-1]
    for name in [folder + "_" + target, target, folder]:
        if "absl_" + name in files:
            return "absl_" + name
    return None

def _debian_absl_impl(ctx):
    files = _pkg_config_files(ctx)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))
    ctx.file("BUILD.bazel", "".join([
        _library_of(name, ctx.read(file))
        for name, file in files.items()
    ]), executable = False)
    for package, targets in _TARGETS.items():
        ctx.file(package + "/BUILD.bazel", "".join([
            _ALIAS.format(actual = _actual(ctx, package, target, files), name = target)
            for target in targets
            if _actual(ctx, package, target, files)
        ]), executable = False)

debian_absl = repository_rule(
    implementation = _debian_absl_impl,
    local = True,
)
