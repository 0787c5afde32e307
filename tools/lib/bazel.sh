# SPDX-License-Identifier: Apache-2.0
#
# Sourced after say.sh. bazel_in runs Bazel the same way on a terminal, in a
# pipe and in CI.

# Bazel keeps its output below $HOME; give it a place when there is none.
bazel_home_is_usable() {
  local cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}
  [[ -n ${HOME:-} && $HOME == /* ]] || return 1
  if [[ -e $cache ]]; then
    [[ -d $cache && -w $cache ]]
  else
    mkdir -p "$cache" 2>/dev/null
  fi
}

# bazel_in FOLDER COMMAND ARGUMENTS...: runs Bazel in that workspace.
bazel_in() {
  local folder=$1 command=$2
  shift 2
  local startup=() quiet=()
  if ! bazel_home_is_usable; then
    startup+=("--output_user_root=${TMPDIR:-/tmp}/trolleybus-bazel-$EUID")
  fi
  if ! on_terminal; then
    quiet+=(--noshow_progress --curses=no --color=no --noshow_loading_progress)
    quiet+=(--ui_event_filters=-info)
  fi
  (cd "$folder" &&
    env HOME="${HOME:-/}" bazel "${startup[@]}" "$command" "${quiet[@]}" "$@" \
      </dev/null)
}
