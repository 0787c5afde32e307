// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/internal/tcp_dialer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/tcp/internal/connect_tcp.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

TcpDialer::TcpDialer(std::string endpoint, TcpLinkOptions options)
    : endpoint_(std::move(endpoint)),
      parsed_(TcpEndpoint::Parse(endpoint_)),
      options_(std::move(options)) {}

absl::Status TcpDialer::Check() {
  absl::Status valid = ValidateTcpLinkOptions(options_);
  if (!valid.ok()) return valid;
  if (!parsed_.ok()) return parsed_.status();
  if (!parsed_->address.has_value() && !options_.blocking) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TcpLinkOptions::blocking is empty, and ", parsed_->host,
        " is a name that has to be looked up; it is that of a BlockingPool"));
  }
  return absl::OkStatus();
}

Task<absl::StatusOr<std::vector<TcpAddress>>> TcpDialer::LookUp() const {
  if (parsed_->address.has_value()) {
    co_return std::vector<TcpAddress>(1, *parsed_->address);
  }
  auto looking = options_.blocking.Run(
      [look_up = options_.lookup, host = parsed_->host, port = parsed_->port] {
        return look_up(host, port);
      },
      options_.lookup_timeout);
  absl::StatusOr<std::vector<TcpAddress>> found = co_await looking;
  if (found.ok() && found->empty()) {
    found = absl::NotFoundError("the name has no address");
  }
  if (!found.ok()) {
    co_return absl::Status(found.status().code(),
                           absl::StrCat("cannot look up ", parsed_->host, ": ",
                                        Printable(found.status().message())));
  }
  // mutant: P6_AllAddressesOfANameAreTried
  if (found->size() > kMostTcpAddresses) found->resize(kMostTcpAddresses);
  co_return found;
}

Task<absl::StatusOr<LinkSocket>> TcpDialer::Dial(ActorContext context) {
  absl::StatusOr<std::vector<TcpAddress>> addresses = co_await LookUp();
  if (!addresses.ok()) co_return addresses.status();
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string reasons;
  for (const TcpAddress& address : *addresses) {
    absl::StatusOr<ScopedFd> fd = co_await ConnectTcp(
        context, address, options_.socket, options_.connect_timeout);
    if (fd.ok()) {
      LinkSocket connected{
          .fd = *std::move(fd),
          .peer = {.name = address.ToString(), .identity = address.ip()}};
      co_return std::move(connected);
    }
    code = fd.status().code();
    absl::StrAppend(&reasons, reasons.empty() ? "" : "; ",
                    fd.status().message());
  }
  // Of an address the reason says it all.
  co_return absl::Status(code,
                         parsed_->address.has_value()
                             ? reasons
                             : absl::StrCat(parsed_->host, ": ", reasons));
}

}  // namespace trolley::internal
