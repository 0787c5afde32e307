# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh and bazel.sh. test_embedding builds and tests what stands
# for other people's workspaces: examples/embed, and the one README.md prints.

# test_embedding ROOT EVENTS [CONFIG...]: writes what Bazel did into EVENTS.
test_embedding() {
  local root=$1 events=$2 config printed arguments=()
  shift 2
  for config; do
    case $config in
      # That each header compiles alone does not depend on it.
      opt) arguments+=(-c opt --build_tag_filters=-headers
        --test_tag_filters=-headers) ;;
      *) say "examples/embed knows no --config=$config: it is built without." ;;
    esac
  done
  # What one workspace compiled, the other need not.
  arguments+=(--keep_going --test_summary=terse "--disk_cache=$events/cache")

  # One folder for each checkout, so that a second run builds what changed.
  printed=$(bazel_output_root)/printed/$(cksum <<<"$root" | cut -d ' ' -f 1)
  python3 "$root/tools/lib/readme_workspace.py" "$root" "$printed"

  test_workspace "$root/examples/embed" "$events/embed.json" "${arguments[@]}"
  test_workspace "$printed/hello" "$events/printed.json" "${arguments[@]}"
}

# test_workspace FOLDER EVENTS.json ARGUMENTS...
test_workspace() {
  local folder=$1 events=$2
  shift 2
  bazel_in "$folder" test "$@" "--build_event_json_file=$events" -- //...
  # Two idle servers are one too many for a small machine.
  bazel_in "$folder" shutdown
}
