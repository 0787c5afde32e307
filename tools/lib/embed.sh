# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh and bazel.sh. test_embedding builds and tests workspaces
# like those of users: examples/embed, and the one that README.md prints.

# test_embedding ROOT EVENTS [CONFIG...]: Bazel writes its events into EVENTS.
test_embedding() {
  local root=$1 events=$2 config printed arguments=()
  shift 2
  for config; do
    case $config in
      # Leaves out the test that each header compiles alone: optimization does
      # not change its result.
      opt) arguments+=(-c opt --build_tag_filters=-headers
        --test_tag_filters=-headers) ;;
      *) say "examples/embed knows no --config=$config: it is built without." ;;
    esac
  done
  # The second workspace uses the results of the first one.
  arguments+=(--keep_going --test_summary=terse "--disk_cache=$events/cache")

  # One folder for each checkout, so that a second run builds only changes.
  printed=$(bazel_output_root)/printed/$(cksum <<<"$root" | cut -d ' ' -f 1)
  python3 "$root/tools/lib/readme_workspace.py" "$root" "$printed"

  test_workspace "$root/examples/embed" "$events/embed.json" "${arguments[@]}"
  # The BUILD file is as printed: it lets no other package see the program, and
  # the test of the program is in another package.
  test_workspace "$printed/hello" "$events/printed.json" "${arguments[@]}" \
    --check_visibility=false
}

# test_workspace FOLDER EVENTS.json ARGUMENTS...
test_workspace() {
  local folder=$1 events=$2
  shift 2
  bazel_in "$folder" test "$@" "--build_event_json_file=$events" -- //...
  # A small machine has no memory for two idle servers.
  bazel_in "$folder" shutdown
}
