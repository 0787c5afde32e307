// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/echo_models/clients.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/wait_limit.h"

namespace echo {
namespace {

trolley::Instant Now() { return trolley::MonotonicClock().Now(); }

uint32_t Nanoseconds(absl::Duration d) {
  return static_cast<uint32_t>(std::min<int64_t>(
      absl::ToInt64Nanoseconds(d), std::numeric_limits<uint32_t>::max()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Clients>> Clients::Connect(
    const Options& options) {
  trolley::ScopedFd poller(trolley::RealSys(),
                           trolley::RealSys().EpollCreate1(EPOLL_CLOEXEC));
  std::unique_ptr<Clients> made(new Clients(options, std::move(poller)));
  made->buffer_.resize(options.message_bytes);
  for (int i = 0; i < options.count; ++i) {
    const absl::Status connected = made->ConnectOne();
    if (!connected.ok()) return connected;
  }
  return made;
}

// Blocks while the server has too many to accept, which ConnectUnix would not.
absl::Status Clients::ConnectOne() {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, options_.path.data(),
              std::min(options_.path.size(), sizeof(address.sun_path) - 1));
  trolley::ScopedFd fd(
      trolley::RealSys(),
      trolley::RealSys().Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const size_t number = clients_.size();
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    return trolley::ErrnoStatus(
        -errno, trolley::SysCall::kConnect,
        absl::StrCat("client ", number + 1, " of ", options_.count));
  }
  fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = number}};
  if (epoll_ctl(poller_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
    return trolley::ErrnoStatus(-errno, trolley::SysCall::kEpollCtl, "ADD");
  }
  Client& client = clients_.emplace_back();
  client.fd = std::move(fd);
  client.message.assign(options_.message_bytes,
                        static_cast<char>('a' + number % 26));
  return absl::OkStatus();
}

absl::Status Clients::Send(size_t which) {
  Client& client = clients_[which];
  // Another one each time, or an old answer would do for a new question.
  const uint64_t number = ++client.sent;
  std::memcpy(client.message.data(), &number,
              std::min(sizeof(number), client.message.size()));
  client.received = 0;
  client.start = Now();
  const ssize_t n = send(client.fd.get(), client.message.data(),
                         client.message.size(), MSG_NOSIGNAL);
  if (n == static_cast<ssize_t>(client.message.size())) return absl::OkStatus();
  if (n < 0) {
    return trolley::ErrnoStatus(-errno, trolley::SysCall::kSendmsg,
                                absl::StrCat("client ", which + 1));
  }
  return absl::InternalError(absl::StrCat("client ", which + 1, ": only ", n,
                                          " bytes went out at once"));
}

absl::StatusOr<bool> Clients::Receive(size_t which) {
  Client& client = clients_[which];
  const ssize_t n = read(client.fd.get(), buffer_.data(), buffer_.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    return absl::UnavailableError(absl::StrCat("the server closed connection ",
                                               which + 1, " after ",
                                               client.sent - 1, " answers"));
  }
  const size_t got = static_cast<size_t>(n);
  if (client.received + got > client.message.size() ||
      std::memcmp(buffer_.data(), client.message.data() + client.received,
                  got) != 0) {
    return absl::DataLossError(absl::StrCat("the answer to message ",
                                            client.sent, " of client ",
                                            which + 1, " is another"));
  }
  client.received += got;
  return client.received == client.message.size();
}

absl::StatusOr<Clients::Results> Clients::Run(uint64_t rounds,
                                              absl::Duration duration) {
  Results results;
  std::vector<uint64_t> answered(clients_.size());
  const trolley::Instant start = Now();
  const trolley::Instant end = start + duration;
  for (size_t i = 0; i < clients_.size(); ++i) {
    if (const absl::Status sent = Send(i); !sent.ok()) return sent;
  }
  trolley::Instant now = start;
  for (size_t waiting = clients_.size(); waiting > 0;) {
    epoll_event events[256];
    trolley::WaitLimit limit(trolley::MonotonicClock(),
                             Now() + options_.patience);
    const int found = epoll_wait(poller_.get(), events, 256, limit.millis());
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) {
      return absl::DeadlineExceededError(
          absl::StrCat(waiting, " clients had no answer within ",
                       absl::FormatDuration(options_.patience)));
    }
    for (int i = 0; i < found; ++i) {
      const size_t which = events[i].data.u64;
      const absl::StatusOr<bool> complete = Receive(which);
      if (!complete.ok()) return complete.status();
      if (!*complete) continue;
      now = Now();
      ++results.messages;
      if (results.latencies.size() < kMostSamples) {
        results.latencies.push_back(Nanoseconds(now - clients_[which].start));
      }
      if (++answered[which] < rounds && now < end) {
        if (const absl::Status sent = Send(which); !sent.ok()) return sent;
      } else {
        --waiting;
      }
    }
  }
  results.took = now - start;
  return results;
}

}  // namespace echo
