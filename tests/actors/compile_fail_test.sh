#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Wrong code must not compile, and the error must name the types. For each verb
# there is one program of lines that are refused, each with another kind of
# message, and one program of correct lines. The second one shows that the
# errors do not come from a broken set-up. With g++, and with clang if it is
# installed.

set -uo pipefail

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

compilers=("${CXX:-g++}")
for other in g++ clang++-14; do
  [[ $other == "${compilers[0]}" ]] && continue
  if command -v "$other" >/dev/null; then
    compilers+=("$other")
  else
    echo "skipped: $other is not installed"
  fi
done

passed=0
failed=0

verdict() { # NAME PROBLEM
  if [[ -z $2 ]]; then
    echo "ok: $1"
    ((++passed))
  else
    printf '%s\nFAILED: %s\n' "$2" "$1"
    ((++failed))
  fi
}

# --- The actors, and what they take -----------------------------------------

cat >"$folder/shop.h" <<'HEADER'
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "trolley/actors/actor.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/stream.h"

namespace shop {
struct Deposit { int cents = 0; };
struct BigDeposit : Deposit {};
struct Voucher { operator Deposit() const { return {}; } };
struct Withdraw { int cents = 0; };
struct Secret {};
struct Twice {};
struct Lasting {};
struct Unmovable {
  explicit Unmovable(int) {}
  Unmovable(Unmovable&&) = delete;
};
template <int kOne>
struct Text { std::string text; int number = 0; };
enum Colour { kRed };
void Function();

// Takes values. The compiler says of each pair of types once what is wrong with
// it, so each verb has an actor class of its own.
template <int kVerb>
class Account : public trolley::Actor {
 public:
  void On(const Deposit&) {}
  void On(int) {}
  void On(bool) {}
  void On(std::string) {}
  template <int kOne>
  void On(const Text<kOne>&) {}
  void On(Twice) {}
  void On(const Twice&) {}
  void On(Lasting&) {}
  void On(const Unmovable&) {}
  using Actor::TellAfter;

 private:
  void On(const Secret&) {}
};
// Takes also what only refers to something.
template <int kVerb>
class Reader : public trolley::Actor {
 public:
  void On(const char*) {}
  void On(const Deposit*) {}
  void On(std::string_view) {}
  template <typename T>
  requires(std::is_same_v<T, absl::string_view> &&
           !std::is_same_v<T, std::string_view>)
  void On(T) {}
  void On(std::span<int>) {}
  void On(absl::Span<int>) {}
  void On(std::initializer_list<int>) {}
  void On(std::reference_wrapper<Deposit>) {}
  void On(void (*)()) {}
  using Actor::TellAfter;
};

// As Protobuf messages, to the compiler.
struct Wire {
  struct Descriptor { std::string full_name() const { return "shop.Wire"; } };
  static const Descriptor* descriptor();
  bool ParseFromArray(const void*, int) { return true; }
  bool SerializeToString(std::string*) const { return true; }
};
struct OtherWire : Wire {};
template <int kVerb>
struct Mark {};
template <int kVerb>
using AccountProtocol =
    trolley::Protocol<Deposit, int, bool, std::string, Text<0>, Mark<kVerb>>;
template <int kVerb>
struct MarkedWire : Wire {};
template <int kVerb>
using WireRemote = trolley::Remote<trolley::Protocol<Wire, MarkedWire<kVerb>>>;

template <typename A>
extern trolley::Ref<A> ref;
const absl::Duration t = absl::Seconds(1);
inline Deposit deposit;
inline std::string text = "text";
inline char chars[5] = "text";
inline int ints[3] = {1, 2, 3};
inline std::initializer_list<int> list = {1, 2, 3};
inline std::unique_ptr<int> owned;
}  // namespace shop
HEADER

# A message, and a word that the compiler says of it. To Account, that is what
# is sent; to Reader it would be, but the sender does not say so.
account_wrong=(
  "&deposit|shop::Deposit"
  "text.c_str()|const char"
  "\"text\"|[5]"
  "chars|[5]"
  "ints|[3]"
  "std::string_view(text)|string_view"
  "absl::string_view(text)|string_view"
  "std::span<int>(ints)|span<int"
  "absl::Span<int>(ints)|Span<int>"
  "list|initializer_list<int>"
  "std::ref(deposit)|reference_wrapper<shop::Deposit>"
  "&Function|void (*)()"
  "BigDeposit()|shop::BigDeposit"
  "Voucher()|shop::Voucher"
  "1L|long"
  "'c'|char"
  "1.5|double"
  "kRed|shop::Colour"
  "Withdraw()|shop::Withdraw"
  "Secret()|private"
  "Twice()|ambiguous"
  "Lasting()|shop::Lasting"
  "std::move(owned)|unique_ptr<int"
)
reader_wrong=(
  "&std::as_const(deposit)|const shop::Deposit"
  "text.c_str()|const char"
  "\"text\"|[5]"
  "std::string_view(text)|string_view"
  "absl::string_view(text)|string_view"
  "std::span<int>(ints)|span<int"
  "absl::Span<int>(ints)|Span<int>"
  "list|initializer_list<int>"
  "std::ref(deposit)|reference_wrapper<shop::Deposit>"
  "&Function|void (*)()"
)
remote_wrong=(
  "OtherWire()|shop::OtherWire"
  "Deposit()|shop::Deposit"
  "\"text\"|[5]"
  "text.c_str()|const char"
)
# Type|arguments|word. V is another number for each verb.
account_misnamed=(
  "Withdraw|1|shop::Withdraw"
  "const char*|\"x\"|const char"
  "const Deposit|1|const shop::Deposit"
  "Deposit&|deposit|shop::Deposit"
  "char[5]|\"text\"|char"
  "Text<V>|1|cannot be built"
  "Text<V>|\"x\", 1L << 40|cannot be built"
)

account_right=(
  "Deposit{1}" "deposit" "std::as_const(deposit)" "std::move(deposit)" "1"
  "true" "text" "std::string(\"x\")" "Text<0>{.text = \"x\"}"
)
# Type|arguments.
account_named=(
  "Deposit|" "Deposit|1" "Text<0>|\"x\"" "Text<0>|\"x\", 2" "std::string|\"x\""
  "std::string|3, 'x'" "std::string|std::string_view(text)" "Unmovable|1"
  "int|1"
)
reader_named=(
  "const char*|text.c_str()" "const Deposit*|&deposit"
  "std::string_view|text" "absl::string_view|text" "std::span<int>|ints"
  "absl::Span<int>|ints" "std::initializer_list<int>|list"
  "std::reference_wrapper<Deposit>|deposit" "void (*)()|&Function"
)

# Each verb, with its actor A, a message X as a whole, or its type T and what it
# is built from.
whole=(
  'ref<A>.Tell(X)'
  'ref<A>.TellWith({}, X)'
  '(void)ref<A>.Send(X)'
  '(void)ref<A>.SendWithin(X, t)'
  '(void)ref<A>.AskWhenRoom(X, t)'
  'ref<A>.AskThen(X, t, nullptr)'
  '(void)ref<A>.Ask(X, t)'
  '(void)ref<A>.AskAndWait(X, t)'
  'A().TellAfter(static_cast<A*>(nullptr), t, X)'
)
named=(
  'ref<A>.Tell<T>(X)'
  'ref<A>.TellWith<T>(trolley::TellOptions(), X)'
  '(void)ref<A>.Send<T>(X)'
  '(void)ref<A>.SendWithin<T>(t, X)'
  '(void)ref<A>.AskWhenRoom<T>(t, X)'
  '(void)ref<A>.AskWhenRoom<T>(t, X)' # AskThen() takes whole messages only
  '(void)ref<A>.Ask<T>(t, X)'
  '(void)ref<A>.AskAndWait<T>(t, X)'
  'A().TellAfter<T>(static_cast<A*>(nullptr), t, X)'
)
timer=8  # the last; an actor's own

# fill TEMPLATE ACTOR X [TYPE]: the statement.
fill() {
  local s=$1
  s=${s//T>/"$4">}
  s=${s//A>/"$2">} s=${s//A()/"$2"()} s=${s//A\*/"$2"*}
  if [[ -n $3 ]]; then s=${s//X/"$3"}; else s=${s//, X/} s=${s//X/}; fi
  echo "$s"
}

# Statements, and for each a word, if it is wrong.
statements=()
words_of=()
add() { # STATEMENT [WORD]
  statements+=("$1")
  words_of+=("${2-}")
}

wrong_messages() {
  statements=() words_of=()
  local v kind
  for v in "${!whole[@]}"; do
    for kind in "${account_wrong[@]}"; do
      add "$(fill "${whole[v]}" "Account<$v>" "${kind%|*}" '')" "${kind##*|}"
    done
    for kind in "${reader_wrong[@]}"; do
      add "$(fill "${whole[v]}" "Reader<$v>" "${kind%|*}" '')" "${kind##*|}"
    done
    for kind in "${account_misnamed[@]}"; do
      kind=${kind//V>/1$v>}
      local rest=${kind#*|}
      # Another actor: the pair of types may have been spoken of above.
      add "$(fill "${named[v]}" "Account<1$v>" "${rest%|*}" "${kind%%|*}")" \
        "${kind##*|}"
    done
    ((v == timer)) && continue
    for kind in "${account_wrong[@]}"; do
      [[ $kind =~ \|(private|ambiguous)$ ]] ||
        add "$(fill "${whole[v]}" "AccountProtocol<$v>" "${kind%|*}" '')" \
          "${kind##*|}"
    done
    for kind in "${remote_wrong[@]}"; do
      add "$(fill "${whole[v]}" "WireRemote<$v>" "${kind%|*}" '')" "${kind##*|}"
    done
  done
  add 'trolley::Ref<trolley::Actor> other = ref<Account<0>>' 'Account'
  add 'trolley::Ref<trolley::Protocol<Withdraw>> other = ref<Account<20>>' \
    'shop::Withdraw'
  add '(void)Spawn<Deposit>({})' 'derive A from trolley::Actor'
  add '(void)Spawn<Account<21>>({}, "x")' 'no public constructor'
}

right_messages() {
  statements=() words_of=()
  local v kind
  for v in "${!whole[@]}"; do
    for kind in "${account_right[@]}"; do
      add "$(fill "${whole[v]}" "Account<$v>" "$kind" '')"
      ((v == timer)) ||
        add "$(fill "${whole[v]}" "AccountProtocol<$v>" "$kind" '')"
    done
    for kind in "${account_named[@]}"; do
      add "$(fill "${named[v]}" "Account<$v>" "${kind#*|}" "${kind%%|*}")"
    done
    for kind in "${reader_named[@]}"; do
      add "$(fill "${named[v]}" "Reader<$v>" "${kind#*|}" "${kind%%|*}")"
    done
  done
}

# --- What is awaited --------------------------------------------------------

# N is another number in each statement.
temporaries=(
  '(void)co_await account.Ask(Text<N>{.text = s}, t)|Text<N>'
  '(void)co_await account.Send(Text<N>{.text = s})|Text<N>'
  '(void)co_await account.Ask(Text<N>(), t)|Text<N>'
  '(void)co_await account.SendWithin(Text<N>{.text = s}, t)|Text<N>'
  '(void)co_await account.AskWhenRoom(Text<N>{.text = s}, t)|Text<N>'
  '(void)co_await account.Send(std::move(Of<N>()))|Text<N>'
  '(void)co_await account.Ask<Text<N>>(t, Text<N>{.text = s})|Text<N>'
  '(void)co_await account.Send<Text<N>>(Text<N>{.text = s})|Text<N>'
  '(void)co_await protocol.Ask(Text<0>{.text = s}, t)|Text<0>'
  '(void)co_await stream.Do(trolley::Ready::kReadable, trolley::SysCall::kRead, [s = s] { return ssize_t{0}; })|lambda'
)
right_awaits=(
  '(void)co_await account.Ask<Text<N>>(t, s)'
  '(void)co_await account.Send<Text<N>>(std::move(s), 2)'
  '(void)co_await account.SendWithin<Text<N>>(t, s)'
  '(void)co_await account.AskWhenRoom<Text<N>>(t, s)'
  '(void)co_await account.SendWithin(Of<N>(), t)'
  'auto ask = account.AskWhenRoom(Text<N>{.text = s}, t); (void)co_await ask'
  '(void)co_await account.Ask(Of<N>(), t)'
  '(void)co_await account.Send(Of<N>())'
  '(void)co_await account.Ask(Deposit{1}, t)'
  '(void)co_await account.Send(std::string("x"))'
  'auto ask = account.Ask(Text<N>{.text = s}, t); (void)co_await ask'
  'auto send = account.Send(std::move(Of<N>())); (void)co_await send'
  'auto ask = protocol.Ask(Text<0>{.text = s}, t); (void)co_await ask'
  '(void)co_await stream.Do(trolley::Ready::kReadable, trolley::SysCall::kRead, [this] { return ssize_t{0}; })'
  'co_await Sleep(t)'
  'co_await Nothing()'
)
# What an operation does not offer.
never=(
  'auto ask = account.Ask(Deposit{1}, t); ask.Cancel()|Cancel'
  'auto ask = account.Ask(Deposit{1}, t); ask.OnTimer()|OnTimer'
  'auto ask = account.Ask(Deposit{1}, t); auto other = ask|deleted'
  'auto ask = account.Ask(Deposit{1}, t); ask = account.Ask(Deposit{1}, t)|deleted'
  'auto send = account.Send(Deposit{1}); send.Cancel()|Cancel'
  'auto send = account.Send(Deposit{1}); auto other = std::move(send)|deleted'
  'auto sleep = Sleep(t); sleep.Cancel()|Cancel'
  'auto read = stream.Read({}); read.Cancel()|Cancel'
  'auto task = Nothing(); co_await task|Task'
)
awaits() { # STATEMENT...
  statements=() words_of=()
  local entry s w n=0
  for entry; do
    s=${entry%|*} w=""
    [[ $entry == *"|"* ]] && w=${entry##*|}
    ((++n))
    add "${s//N>/$n>}" "${w//N>/$n>}"
  done
}

# --- Compiling them ---------------------------------------------------------

# The program $folder/NAME.cc, a function in a line for each statement; in
# `lines`, the lines' numbers.
write_program() { # NAME RETURN_TYPE
  lines=()
  {
    echo '#include "shop.h"'
    echo 'namespace shop { template <int kN> Text<kN>& Of();'
    echo "struct Program : trolley::Actor { std::string s;"
    echo 'trolley::Ref<Account<0>> account; trolley::Ref<AccountProtocol<0>>'
    echo 'protocol; trolley::Stream stream{context(), trolley::ScopedFd()};'
    echo 'trolley::Task<> Nothing() { co_return; }'
    local i
    for i in "${!statements[@]}"; do
      lines+=($((i + 7)))
      if [[ $2 == void ]]; then
        echo "void F$i() { ${statements[i]}; }"
      else
        echo "trolley::Task<> F$i() { ${statements[i]}; co_return; }"
      fi
    done
    echo "};}"
  } >"$folder/$1.cc"
}

compile() { # NAME: the compiler's exit code; its words are in $words.
  words=$("$compiler" -std=c++20 -fsyntax-only -Wno-unused -I"$folder" \
    "${limit[@]}" "${includes[@]}" "$folder/$1.cc" 2>&1)
}

right() { # NAME RETURN_TYPE
  write_program "$1" "$2"
  local problem=""
  compile "$1" || problem=$words
  verdict "$compiler: $1, ${#statements[@]} statements" "$problem"
}

# Each statement has an error, with its word.
refused() { # NAME RETURN_TYPE
  write_program "$1" "$2"
  local i problem=""
  compile "$1" && problem="it compiled"
  for i in "${!statements[@]}"; do
    [[ $words == *"$1.cc:${lines[i]}:"* ]] ||
      problem+="no error for: ${statements[i]}"$'\n'
    [[ $words == *"${words_of[i]}"* ]] ||
      problem+="no word of '${words_of[i]}' for: ${statements[i]}"$'\n'
  done
  verdict "$compiler: $1, ${#statements[@]} statements" "$problem"
}

for compiler in "${compilers[@]}"; do
  limit=(-fmax-errors=0)
  "$compiler" --version | grep -q clang && limit=(-ferror-limit=0)
  right_messages
  right RightMessages void
  wrong_messages
  refused WrongMessages void
  awaits "${right_awaits[@]}"
  right RightAwaits Task
  awaits "${never[@]}"
  refused Never Task
  awaits "${temporaries[@]}"
  printf '%s\n' '#include "trolley/actors/internal/awaited.h"' \
    'static_assert(trolley::internal::kTemporariesMayDieTwice);' \
    >"$folder/Bug.cc"
  if compile Bug; then
    refused Temporaries Task
  else
    right Temporaries Task
  fi
done

echo "$passed passed, $failed failed"
((failed == 0))
