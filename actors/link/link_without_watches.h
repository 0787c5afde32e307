// SPDX-License-Identifier: Apache-2.0
//
// LinkWithoutWatches: for an actor of your own that takes the messages of Link
// (actors/link/link.h), and leads to no actors that could be watched. It
// answers the messages of a RemoteWatch: the watch is told that it is lost
// (Unimplemented).
//
//   class MyLink : public trolley::Actor, public trolley::LinkWithoutWatches {
//    public:
//     using LinkWithoutWatches::On;
//     absl::Status On(const trolley::LinkTell& tell);
//     ...
//   };
//
// Ownership: a base class without members.
// Threads:   as any handler.

#ifndef TROLLEY_ACTORS_LINK_LINK_WITHOUT_WATCHES_H_
#define TROLLEY_ACTORS_LINK_LINK_WITHOUT_WATCHES_H_

#include "absl/status/status.h"
#include "trolley/actors/link/link.h"

namespace trolley {

class LinkWithoutWatches {
 public:
  void On(internal::LinkWatch&& watch) {
    watch.down->TellLost(absl::UnimplementedError(
        "this link leads to no actors that could be watched"));
  }
  void On(const internal::LinkUnwatch&) {}
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_WITHOUT_WATCHES_H_
