# SPDX-License-Identifier: Apache-2.0
"""Debian's Abseil under the labels it has upstream."""

# The packages of Abseil, and of each the public targets Debian's version has.
_TARGETS = {
    "absl/algorithm": ["algorithm", "container"],
    "absl/base": [
        "base",
        "config",
        "core_headers",
        "dynamic_annotations",
        "log_severity",
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
    "absl/functional": ["any_invocable", "bind_front", "function_ref"],
    "absl/hash": ["hash"],
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
    "absl/strings": ["cord", "str_format", "strings"],
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

# Headers of one target call into the libraries of others, so every target
# offers them all and --as-needed leaves out what a program does not use.
_LIBRARIES = [
    "bad_any_cast_impl",
    "bad_optional_access",
    "bad_variant_access",
    "base",
    "city",
    "civil_time",
    "cord",
    "cord_internal",
    "cordz_functions",
    "cordz_handle",
    "cordz_info",
    "cordz_sample_token",
    "debugging_internal",
    "demangle_internal",
    "examine_stack",
    "exponential_biased",
    "failure_signal_handler",
    "flags_commandlineflag",
    "flags_commandlineflag_internal",
    "flags_config",
    "flags_internal",
    "flags_marshalling",
    "flags_parse",
    "flags_private_handle_accessor",
    "flags_program_name",
    "flags_reflection",
    "flags_usage",
    "flags_usage_internal",
    "graphcycles_internal",
    "hash",
    "hashtablez_sampler",
    "int128",
    "leak_check",
    "log_severity",
    "low_level_hash",
    "malloc_internal",
    "periodic_sampler",
    "random_distributions",
    "random_internal_platform",
    "random_internal_pool_urbg",
    "random_internal_randen",
    "random_internal_randen_hwaes",
    "random_internal_randen_hwaes_impl",
    "random_internal_randen_slow",
    "random_internal_seed_material",
    "random_seed_gen_exception",
    "random_seed_sequences",
    "raw_hash_set",
    "raw_logging_internal",
    "scoped_set_env",
    "spinlock_wait",
    "stacktrace",
    "status",
    "statusor",
    "str_format_internal",
    "strerror",
    "strings",
    "strings_internal",
    "symbolize",
    "synchronization",
    "throw_delegate",
    "time",
    "time_zone",
]

_ROOT = """
cc_library(
    name = "debian",
    linkopts = ["-Wl,--push-state,--as-needed"] + {libraries} + [
        "-Wl,--pop-state",
        "-pthread",
    ],
    visibility = ["//visibility:public"],
)
"""

_TARGET = """
cc_library(
    name = "{name}",
    visibility = ["//visibility:public"],
    deps = ["//:debian"],
)
"""

def _build_files():
    files = {"BUILD.bazel": _ROOT.format(
        libraries = repr(["-labsl_" + name for name in _LIBRARIES]),
    )}
    for package, targets in _TARGETS.items():
        files[package + "/BUILD.bazel"] = "".join(
            [_TARGET.format(name = name) for name in targets],
        )
    return files

ABSL_BUILD_FILES = _build_files()
