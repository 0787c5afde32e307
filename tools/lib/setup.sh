# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced after say.sh. ensure_packages installs the packages that the build
# needs on Debian 12 or 13. If none is missing, it only runs one dpkg-query.

setup_dir=$(dirname "${BASH_SOURCE[0]}")
os_release=/etc/os-release

# packages_in FILE RELEASE: prints the names in a file such as
# tools/lib/packages, one on each line, without those that are only for another
# release.
packages_in() {
  sed -e "s/ *# only $2\\b.*//" -e '/# only /d' \
    -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"
}

# Prints those of the given names that are not installed.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" \
    2>/dev/null | sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# The numbers and names of the supported releases.
declare -A debian_releases=([12]=bookworm [13]=trixie)

# Sets debian_release to the number of this machine's release. Ends the script
# if it is not supported.
require_debian() {
  local ID='' VERSION_ID='' PRETTY_NAME='an unknown system'
  if [[ -r $os_release ]]; then . "$os_release"; fi
  if [[ $ID != debian || -z ${debian_releases[${VERSION_ID:-none}]:-} ]]; then
    die "this builds with the packages of Debian 12 (bookworm) or 13 (trixie);" \
      "here is $PRETTY_NAME. A container does:
  docker run -it --rm -v \"\$PWD\":/src -w /src debian:13 tools/$(basename "$0")"
  fi
  debian_release=$VERSION_ID
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "apt-get and dpkg-query are not on the PATH; add /usr/bin to it."
  fi
}

by_hand() {
  echo "  apt-get update && apt-get install --no-install-recommends -y $*"
}

# Prints the command that gives the rights of root; nothing if we have them.
as_root() {
  if ((EUID == 0)); then return; fi
  if ! command -v sudo >/dev/null; then
    die "installing packages needs root, and there is no sudo. Have root run:
$(by_hand "$@")"
  fi
  # Without a terminal no password can be typed, so sudo must not ask for one.
  if [[ -t 0 ]]; then echo sudo; else echo 'sudo -n'; fi
}

# Runs a command. Its output goes to the log, and to the terminal if there is
# one.
shown_or_logged() {
  local log=$1
  shift
  if on_terminal; then
    "$@" </dev/null 2>&1 | tee -a "$log" >&2
    return "${PIPESTATUS[0]}"
  fi
  "$@" </dev/null >>"$log" 2>&1
}

explain_apt_failure() {
  local log=$1
  shift
  if ! on_terminal; then tail -n 5 "$log" >&2; fi
  local unreachable='Could not resolve|Temporary failure|Could not connect'
  unreachable+='|unreachable|timed out|Connection failed'
  if grep -qE "$unreachable" "$log"; then
    die "the packages could not be fetched: this machine does not reach the" \
      "Debian archive. Run this again once it does, or have root run:
$(by_hand "$@")"
  fi
  die "apt-get did not install the packages. Its log is $log;" \
    "to see what it says, have root run:
$(by_hand "$@")"
}

install_packages() {
  local root log
  root=$(as_root "$@") || exit 1
  log=$(mktemp -t trolleybus-setup.XXXXXX) || die "cannot write to /tmp."
  # Waits for the lock, because some machines update themselves at boot.
  local apt
  read -ra apt <<<"$root"
  apt+=(env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2)
  say "Installing from the Debian archive (up to 800 MB unpacked, once):"
  say "  $*"
  # Goes on after a failed update: the lists on this machine may be enough.
  shown_or_logged "$log" "${apt[@]}" update || true
  shown_or_logged "$log" "${apt[@]}" install -y --no-install-recommends "$@" ||
    explain_apt_failure "$log" "$@"
  rm -f "$log"
}

# Installs the packages of tools/lib/packages and the given ones if they are
# missing.
ensure_packages() {
  require_debian
  local wanted missing
  mapfile -t wanted < <(packages_in "$setup_dir/packages" "$debian_release")
  mapfile -t missing < <(missing_packages "${wanted[@]}" "$@")
  if ((${#missing[@]} == 0)); then return; fi
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages "${wanted[@]}" "$@")
  if ((${#missing[@]} != 0)); then
    die "apt-get ended well, but these are not installed: ${missing[*]}"
  fi
}
