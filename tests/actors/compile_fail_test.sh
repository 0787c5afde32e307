#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What must not compile does not, and the compiler's words name both types: the
# actor and the message it does not take. Each case is a snippet; one of them is
# right, so that a broken set-up does not pass for a refusal.

set -uo pipefail

compiler=${CXX:-c++}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

includes=()
while IFS= read -r path; do includes+=("-I$path"); done < <(
  find -L . -type d -path '*/_virtual_includes/*' -name trolley -prune \
    -printf '%h\n' | sort -u)
if ((${#includes[@]} == 0)); then
  echo "no headers found below $PWD"
  exit 1
fi

passed=0
failed=0

# compile NAME CODE: the exit code of the compiler; its words are in $words.
compile() {
  cat >"$folder/$1.cc" <<SNIPPET
#include "trolley/actors/actor.h"
namespace shop {
struct Deposit { int cents; };
struct Withdraw { int cents; };
struct Unmovable { Unmovable(Unmovable&&) = delete; };
class Account : public trolley::Actor {
 public:
  void On(const Deposit&) {}
  void On(const Unmovable&) {}
};
inline void Use(trolley::Ref<Account> account, trolley::Bus& bus) {
  (void)account, (void)bus;
  $2;
}
}  // namespace shop
SNIPPET
  words=$("$compiler" -std=c++20 -fsyntax-only "${includes[@]}" \
    "$folder/$1.cc" 2>&1)
}

verdict() { # NAME PROBLEM
  if [[ -z $2 ]]; then
    echo "ok: $1"
    ((++passed))
  else
    printf '%s\nFAILED: %s\n' "$2" "$1"
    ((++failed))
  fi
}

if compile good 'account.Tell(Deposit{1})'; then
  verdict GoodCodeCompiles ""
else
  verdict GoodCodeCompiles "$words"
fi

refused() { # NAME CODE WORD...
  local name=$1 code=$2 problem="" word
  shift 2
  if compile "$name" "$code"; then
    problem="it compiled: $code"
  else
    for word; do
      [[ $words == *"$word"* ]] || problem="no word of '$word' in: $words"
    done
  fi
  verdict "$name" "$problem"
}

refused TellOfAMessageItDoesNotTake 'account.Tell(Withdraw{1})' \
  'ActorHandles<shop::Account, shop::Withdraw>' 'has no On() for this message'
refused AskOfAMessageItDoesNotTake \
  'account.AskAndWait(Withdraw{1}, absl::Seconds(1)).IgnoreError()' \
  'ActorHandles<shop::Account, shop::Withdraw>'
refused TellOfSomethingElse 'account.Tell(std::string("x"))' \
  'shop::Account' 'string'
refused ARefOfAnotherActor 'trolley::Ref<trolley::Actor> other = account' \
  'Account'

echo "$passed passed, $failed failed"
((failed == 0))
