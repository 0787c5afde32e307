// SPDX-License-Identifier: Apache-2.0
//
// Account: the actor behind the service of bank.proto. It behaves in every way
// that a client can meet, and tells what its handlers do.

#ifndef TROLLEY_TESTS_RPC_ACCOUNT_H_
#define TROLLEY_TESTS_RPC_ACCOUNT_H_

#include <optional>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/rpc/server_streams.h"
#include "trolley/tests/rpc/bank.pb.h"

namespace trolley::rpc_test {

class Account : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  using List = ServerStreaming<ListEntriesRequest, Entry>;
  using Import = ClientStreaming<Entry, Balance>;
  using Chat = BidiStreaming<Line, Line>;
  using Receives =
      Protocol<Balance(GetBalanceRequest), DepositRequest, Balance(FailRequest),
               Balance(ThrowRequest), Balance(HoldRequest),
               Blob(GetBlobRequest), List, Balance(Import), Chat>;

  Balance On(const GetBalanceRequest&) {
    Balance balance;
    balance.set_cents(cents_);
    balance.set_handlers(handlers_);
    balance.set_written(written_);
    balance.set_traceparent(trace().ToTraceparent());
    balance.set_seconds_left(
        absl::ToDoubleSeconds(deadline() - context().Now()));
    return balance;
  }
  void On(const DepositRequest& m) { cents_ += m.cents(); }
  absl::StatusOr<Balance> On(const FailRequest& m) {
    return absl::Status(static_cast<absl::StatusCode>(m.code()), m.text());
  }
  absl::StatusOr<Balance> On(const ThrowRequest& m) {
    throw std::runtime_error(m.text());
  }
  Task<absl::StatusOr<Balance>> On(HoldRequest) {
    const Counted counted(*this);
    co_await Sleep(absl::InfiniteDuration());
    co_return Balance();
  }
  Blob On(const GetBlobRequest& m) {
    Blob blob;
    blob.set_data(std::string(m.size(), 'x'));
    return blob;
  }

  Task<absl::Status> On(List call) {
    const Counted counted(*this);
    Entry entry;
    entry.set_note(std::string(call.request().bytes(), 'n'));
    for (int64_t i = 0; i < call.request().count(); ++i) {
      entry.set_cents(i);
      absl::Status sent = co_await call.Write(entry);
      if (!sent.ok()) co_return sent;
      ++written_;
    }
    if (call.request().hold()) co_await Sleep(absl::InfiniteDuration());
    co_return absl::Status(static_cast<absl::StatusCode>(call.request().code()),
                           "after them");
  }
  Task<absl::StatusOr<Balance>> On(Import call) {
    const Counted counted(*this);
    Balance sum;
    for (;;) {
      absl::StatusOr<std::optional<Entry>> entry = co_await call.Read();
      if (!entry.ok()) co_return entry.status();
      if (!entry->has_value()) co_return sum;
      if ((*entry)->note() == "wait") {
        co_await Sleep(absl::InfiniteDuration());
      }
      if ((*entry)->note() == "enough") co_return sum;
      sum.set_cents(sum.cents() + (*entry)->cents());
    }
  }
  Task<absl::Status> On(Chat call) {
    const Counted counted(*this);
    for (;;) {
      absl::StatusOr<std::optional<Line>> line = co_await call.Read();
      if (!line.ok()) co_return line.status();
      if (!line->has_value()) co_return absl::OkStatus();
      absl::Status sent = co_await call.Write(**line);
      if (!sent.ok()) co_return sent;
    }
  }

 private:
  struct Counted {
    explicit Counted(Account& account) : account(account) {
      ++account.handlers_;
    }
    ~Counted() { --account.handlers_; }
    Account& account;
  };

  int64_t cents_ = 0;
  int handlers_ = 0;
  int64_t written_ = 0;
};

}  // namespace trolley::rpc_test

#endif  // TROLLEY_TESTS_RPC_ACCOUNT_H_
