# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh and bazel.sh. test_embedding builds and tests workspaces
# like those of users: examples/embed, and the one that README.md prints.

# test_embedding ROOT EVENTS FULL [CONFIG...]: Bazel writes its events into
# EVENTS. With FULL 0, or optimized, it leaves out the test that each header
# compiles alone: that takes long, and optimization does not change its result.
test_embedding() {
  local root=$1 events=$2 full=$3 config printed arguments=()
  shift 3
  for config; do
    case $config in
      opt)
        arguments+=(-c opt)
        full=0
        ;;
      *) say "examples/embed knows no --config=$config: it is built without." ;;
    esac
  done
  if ((!full)); then
    arguments+=(--build_tag_filters=-headers --test_tag_filters=-headers)
  fi
  # The second workspace uses the results of the first one.
  arguments+=(--keep_going --test_summary=terse "--disk_cache=$events/cache")
  # Each file is compiled once, and not a second time for static programs.
  arguments+=(--force_pic)

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
