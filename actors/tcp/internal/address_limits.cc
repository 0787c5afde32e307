// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/internal/address_limits.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace trolley::internal {

void AddressLimits::Fill(Entry& entry, Instant now) const {
  const double seconds = absl::ToDoubleSeconds(now - entry.at);
  entry.at = now;
  entry.left = std::min<double>(most_new_, entry.left + seconds * most_new_);
}

void AddressLimits::ForgetIdle(Instant now) {
  const auto forget = [&](bool full_ones_only) {
    absl::erase_if(entries_, [&](auto& one) {
      Entry& entry = one.second;
      if (entry.open > 0) return false;
      Fill(entry, now);
      return !full_ones_only || entry.left >= most_new_;
    });
  };
  forget(/*full_ones_only=*/true);
  if (entries_.size() - with_connections_ >= kMostIdle) {
    forget(/*full_ones_only=*/false);
  }
}

absl::Status AddressLimits::Admit(const std::string& address, Instant now) {
  // mutant: P6_AddressesAreNeverForgotten
  if (entries_.size() - with_connections_ >= kMostIdle) ForgetIdle(now);
  const auto [at, is_new] = entries_.try_emplace(address);
  Entry& entry = at->second;
  if (is_new) entry = {.left = static_cast<double>(most_new_), .at = now};
  Fill(entry, now);
  // mutant: P14_AnAddressMayComeAsOftenAsItLikes
  if (entry.left < 1) {
    ++too_often_;
    return absl::ResourceExhaustedError(
        absl::StrCat(address, " has opened ", most_new_,
                     " connections within a second, which is "
                     "TcpListenerOptions::max_new_per_second"));
  }
  entry.left -= 1;
  if (entry.open >= most_open_) {
    ++too_many_;
    return absl::ResourceExhaustedError(
        absl::StrCat(address, " has ", entry.open,
                     " connections open, which is "
                     "TcpListenerOptions::max_connections_per_address"));
  }
  if (entry.open++ == 0) ++with_connections_;
  return absl::OkStatus();
}

void AddressLimits::Leave(const std::string& address) {
  const auto at = entries_.find(address);
  assert(at != entries_.end() && at->second.open > 0);
  if (--at->second.open == 0) --with_connections_;
}

}  // namespace trolley::internal
