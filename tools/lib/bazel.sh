# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh. bazel_in runs Bazel the same way on a terminal, in a
# pipe and in CI.

# The folder of Bazel's output. It is Bazel's own default below $HOME, so that
# running bazel by hand uses the same one; or in /tmp if $HOME is not writable.
bazel_output_root() {
  if [[ ${HOME:-} == /?* && -d $HOME && -w $HOME ]] &&
    mkdir -p "$HOME/.cache/bazel" 2>/dev/null && [[ -w $HOME/.cache/bazel ]]; then
    echo "$HOME/.cache/bazel/_bazel_$(id -un)"
  else
    echo "${TMPDIR:-/tmp}/trolleybus-bazel-$EUID"
  fi
}

# Bazel ignores the bazel-* links that it made. But it searches those that
# another user, or a run with another $HOME, has left here. So this removes
# them; Bazel makes new ones.
remove_foreign_links() {
  local folder=$1 output_root=$2 link
  for link in "$folder"/bazel-*; do
    if [[ -L $link && $(readlink "$link") != "$output_root"/* ]]; then
      rm -f "$link"
    fi
  done
}

# bazel_in FOLDER COMMAND ARGUMENTS...: runs Bazel in that workspace.
bazel_in() {
  local folder=$1 command=$2 output_root quiet=()
  shift 2
  output_root=$(bazel_output_root)
  remove_foreign_links "$folder" "$output_root"
  if ! on_terminal; then
    quiet+=(--noshow_progress --curses=no --color=no)
  fi
  (cd "$folder" &&
    env HOME="${HOME:-/}" bazel "--output_user_root=$output_root" \
      "$command" "${quiet[@]}" "$@" </dev/null)
}
