# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh and setup.sh. test_on_release runs tools/test on another
# Debian release. debootstrap installs the release in a folder, and chroot
# enters it. The kernel is that of this machine. The folder stays, so that a
# second run installs nothing and builds only changes; remove it by hand.

# test_on_release NAME ROOT ARGUMENTS...: runs tools/test ARGUMENTS in a copy of
# the tree at ROOT. Returns its exit code.
test_on_release() {
  local release=$1 root=$2 folder
  shift 2
  [[ " ${debian_releases[*]} " == *" $release "* ]] ||
    usage_error "there is no release '$release': ${debian_releases[*]}."
  ((EUID == 0)) || die "--release needs root: debootstrap and chroot do."
  ensure_packages debootstrap
  folder=${TMPDIR:-/tmp}/trolleybus-$release
  make_release "$release" "$folder"
  copy_tree "$root" "$folder/src"
  # Uses mounts of its own, which disappear when it ends, also after an error.
  unshare --mount --propagation private bash -c "$inside_release" \
    release "$folder" "$@"
}

# Run by bash in its own mounts: FOLDER ARGUMENTS...
inside_release='
  folder=$1
  shift
  mount --bind "$folder" "$folder" && mount -t proc proc "$folder/proc" &&
    mount --rbind /dev "$folder/dev" && mount --rbind /sys "$folder/sys" ||
    exit 1
  in_release() {
    chroot "$folder" env -i HOME=/root LANG=C.UTF-8 CI="${CI:-}" \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  }
  in_release /src/tools/test "$@"
  code=$?
  # A Bazel server that still runs would keep the mounts.
  in_release bash -c "cd /src && . tools/lib/say.sh && . tools/lib/bazel.sh &&
    bazel_in /src shutdown"
  exit $code
'

# Makes the folder again if debootstrap did not finish it.
make_release() {
  local release=$1 folder=$2
  if [[ -e $folder/etc/trolleybus-release ]]; then return; fi
  say "Making Debian $release in $folder (about 250 MB, and 1 GB of packages)."
  rm -rf "$folder"
  debootstrap --variant=minbase "$release" "$folder" >&2 ||
    die "debootstrap did not make $folder; its log is in debootstrap/ there."
  echo "$release" >"$folder/etc/trolleybus-release"
}

# Copies the tree without the files of Git and the output of Bazel.
copy_tree() {
  local from=$1 to=$2
  mkdir -p "$to"
  find "$to" -mindepth 1 -maxdepth 1 ! -name 'bazel-*' -exec rm -rf {} +
  tar -C "$from" -cf - --exclude=./.git --exclude='bazel-*' . |
    tar -C "$to" -xf - || die "the tree at $from was not copied to $to."
}
