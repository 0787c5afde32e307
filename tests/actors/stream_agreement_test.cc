// SPDX-License-Identifier: Apache-2.0
//
// Pitfall 52 for streams: a seeded script (read, write, long write, accept,
// cancel, drain, close) gives the same log on every poller, with completions
// and without. The log of the simulated world is the one to match.

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trolley/actors/stream.h"
#include "trolley/tests/actors/stream_rig.h"

namespace trolley::internal {
namespace {

constexpr int kLinks = 4;
constexpr int kSteps = 80;
constexpr int kSeeds = 40;
// Less than any kernel's pipe or socket holds, and more.
constexpr size_t kFits = 4000;
constexpr size_t kFitsNot = 400'000;

// A stream, and the test's end of what it reads and writes.
struct Link {
  std::optional<Stream> stream;
  ScopedFd peer;
  bool sockets = false;
  bool reading = false;
  bool writing = false;
  size_t put = 0;    // bytes for the stream that it may not have read
  size_t given = 0;  // by the stream, since the peer was last drained
};

class Script {
 public:
  Script(StreamRig& rig, uint64_t seed) : rig_(rig), random_(seed) {}

  std::vector<std::string> Play() {
    Listen();
    rig_.Spawn([this](Worker& self) -> Task<absl::Status> {
      context_ = self.context();
      accepting_.emplace(self.context(), std::move(listener_));
      for (;;) {
        absl::StatusOr<ScopedFd> connection = co_await accepting_->Accept();
        if (!connection.ok()) co_return absl::OkStatus();
        Say("accepted " + std::to_string(++accepted_));
      }
    });
    rig_.Run();
    for (Link& link : links_) Open(link);
    std::vector<std::string> lines;
    for (int step = 0; step < kSteps; ++step) {
      std::string line = Step() + " ->";
      rig_.Run();
      // What happens in one step happens in no order that is promised.
      std::sort(said_.begin(), said_.end());
      for (const std::string& said : said_) line += " " + said + ";";
      said_.clear();
      lines.push_back(std::move(line));
    }
    accepting_->CancelReading();
    rig_.Run();
    for (Link& link : links_) link.stream.reset();
    accepting_.reset();
    return lines;
  }

 private:
  void Say(std::string what) { said_.push_back(std::move(what)); }
  std::string Of(const Link& link) const {
    return std::to_string(&link - links_);
  }

  void Listen() {
    address_.sun_family = AF_UNIX;
    const std::string name = "trolley-agree-" + std::to_string(::getpid());
    std::memcpy(address_.sun_path + 1, name.data(), name.size());
    size_ = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    listener_ = NewSocket();
    EXPECT_EQ(rig_.sys().Bind(listener_.get(), address(), size_), 0);
    EXPECT_EQ(rig_.sys().Listen(listener_.get(), kSteps), 0);
  }
  ScopedFd NewSocket() {
    return ScopedFd(
        rig_.sys(),
        rig_.sys().Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          0));
  }
  const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }

  void Open(Link& link) {
    int fds[2] = {-1, -1};
    link.sockets = random_.Below(3) != 0;
    if (link.sockets) {
      EXPECT_EQ(
          rig_.sys().Socketpair(
              AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
          0);
    } else {
      EXPECT_EQ(rig_.sys().Pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    }
    link.stream.emplace(*context_, ScopedFd(rig_.sys(), fds[0]));
    link.peer = ScopedFd(rig_.sys(), fds[1]);
    link.put = link.given = 0;
  }

  Task<absl::Status> Read(Link& link, size_t most) {
    link.reading = true;
    std::string buffer(most, '\0');
    absl::StatusOr<size_t> n =
        co_await link.stream->Read(absl::MakeSpan(buffer));
    link.reading = false;
    if (n.ok()) {
      link.put -= *n;
      Say(Of(link) + " read " + buffer.substr(0, *n));
    } else {
      Say(Of(link) + " read: " + absl::StatusCodeToString(n.status().code()));
    }
    co_return absl::OkStatus();
  }

  Task<absl::Status> Write(Link& link, size_t bytes) {
    link.writing = true;
    const std::string text(bytes, 'w');
    absl::Status written = co_await link.stream->Write(text);
    link.writing = false;
    Say(Of(link) + " wrote " + std::to_string(bytes) + ": " +
        absl::StatusCodeToString(written.code()));
    co_return absl::OkStatus();
  }

  // Starts `task` as the worker's, between its turns.
  void Begin(std::function<Task<absl::Status>()> task) {
    rig_.Spawn([task = std::move(task)](Worker&) { return task(); });
  }

  std::string Drain(Link& link) {
    size_t total = 0;
    for (bool any = true; any;) {
      any = false;
      char to[4096];
      ssize_t n = 0;
      while ((n = rig_.sys().Read(link.peer.get(), absl::MakeSpan(to))) > 0) {
        total += n;
        any = true;
      }
      rig_.Run();
    }
    link.given = 0;
    return "drained " + std::to_string(total);
  }

  std::string Step() {
    Link& link = links_[random_.Below(kLinks)];
    const std::string name = Of(link) + (link.sockets ? "s" : "p");
    switch (random_.Below(9)) {
      case 0:
      case 1: {
        const std::string bytes(1 + random_.Below(20), 'a' + random_.Below(26));
        if (!link.peer || link.put + bytes.size() > kFits) return "nothing";
        link.put += bytes.size();
        rig_.sys().Write(link.peer.get(), bytes);
        return "put " + name + " " + bytes;
      }
      case 2:
      case 3: {
        const size_t most = 1 + random_.Below(30);
        if (link.reading) return "nothing";
        Begin([this, &link, most] { return Read(link, most); });
        return "read " + name + " " + std::to_string(most);
      }
      case 4: {
        const bool fits = random_.Below(2) == 0;
        if (!link.sockets || link.writing || (fits && link.given > 0)) {
          return "nothing";
        }
        const size_t bytes = fits ? kFits : kFitsNot;
        link.given += bytes;
        Begin([this, &link, bytes] { return Write(link, bytes); });
        return "write " + name + " " + std::to_string(bytes);
      }
      case 5:
        if (!link.peer || !link.sockets) return "nothing";
        return "drain " + name + " " + Drain(link);
      case 6:
        link.stream->CancelReading();
        return "cancel " + name;
      case 7:
        clients_.push_back(NewSocket());
        EXPECT_EQ(rig_.sys().Connect(clients_.back().get(), address(), size_),
                  0);
        return "connect";
      default:
        if (random_.Below(3) != 0) return "nothing";
        if (link.peer) {
          // With bytes unread it would be a reset, and whose comes first is the
          // kernel's to say.
          const std::string last = link.sockets ? Drain(link) : "";
          link.peer.reset();
          return "close " + name + " " + last;
        }
        if (link.reading || link.writing) return "nothing";
        link.stream.reset();
        Open(link);
        return "new " + name;
    }
  }

  StreamRig& rig_;
  SimRandom random_;
  std::optional<ActorContext> context_;
  Link links_[kLinks];
  std::optional<Stream> accepting_;
  int accepted_ = 0;
  std::vector<std::string> said_;
  sockaddr_un address_ = {};
  socklen_t size_ = 0;
  ScopedFd listener_;
  std::vector<ScopedFd> clients_;
};

TEST(StreamAgreementTest, P16_Pitfall52_OneScriptGivesOneLogOnEveryPoller) {
  ::signal(SIGPIPE, SIG_IGN);
  int played = 0;
  int results = 0;
  std::map<std::string, std::string> refused;
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    std::vector<std::string> expected;
    {
      StreamRig rig("sim", seed);
      Script script(rig, seed);
      expected = script.Play();
    }
    for (const std::string& line : expected) {
      results += std::count(line.begin(), line.end(), ';');
    }
    for (const std::string& name : StreamRig::Names()) {
      StreamRig rig(name, seed + 1000);
      if (!rig.refused().ok()) {
        refused[name] = rig.refused().ToString();
        continue;
      }
      Script script(rig, seed);
      const std::vector<std::string> lines = script.Play();
      ++played;
      for (int step = 0; step < kSteps; ++step) {
        ASSERT_EQ(lines[step], expected[step])
            << name << " and sim differ, seed " << seed << ", step " << step
            << (step > 0 ? ", after: " + lines[step - 1] : "");
      }
    }
  }
  for (const auto& [name, why] : refused) {
    std::cout << "left out: " << name << ": " << why << "\n";
  }
  std::cout << played << " plays agree on " << results << " results\n";
}

}  // namespace
}  // namespace trolley::internal
