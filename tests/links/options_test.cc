// SPDX-License-Identifier: Apache-2.0
//
// Every number of every options struct of bus/ and actors/ at its extremes. It
// must work, or be refused with the name of the field
// (tests/bus/option_fields.h). Durations have a test of their own.

#include <fcntl.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

struct Add {
  int what;
};

class Sum : public Actor {
 public:
  int On(const Add& m) { return sum_ += m.what; }

 private:
  int sum_ = 0;
};

// Asks another actor in turn, which takes a reply slot of its loop.
class Asker : public Actor {
 public:
  explicit Asker(Ref<Sum> to) : to_(std::move(to)) {}
  Task<absl::StatusOr<int>> On(const Add& m) {
    Add add = m;
    co_return co_await to_.Ask(add, absl::InfiniteDuration());
  }

 private:
  const Ref<Sum> to_;
};

// A bus that does what a bus does. ResourceExhausted: a limit is met.
absl::Status UseBus(const BusOptions& options) {
  auto bus = Bus::Create(options);
  if (!bus.ok()) return bus.status();
  auto sum = (*bus)->Spawn<Sum>({});
  if (!sum.ok()) return sum.status();
  if (options.for_tests.single_threaded) {
    sum->Tell(Add{1});
    (*bus)->RunUntilIdle();
  } else {
    for (int i = 1; i <= 100; ++i) {
      const auto answer = sum->AskAndWait(Add{1}, absl::InfiniteDuration());
      if (!answer.ok()) return answer.status();
      EXPECT_EQ(*answer, i);
    }
    auto asker = (*bus)->Spawn<Asker>({}, *sum);
    if (!asker.ok() && absl::IsResourceExhausted(asker.status())) {
      EXPECT_EQ(options.loops[0].max_actors, 1u);
    } else {
      const auto answer = asker->AskAndWait(Add{1}, absl::InfiniteDuration());
      EXPECT_EQ(answer.ok(), options.loops[0].max_pending_asks > 0)
          << answer.status();
    }
  }
  EXPECT_TRUE((*bus)->Shutdown(absl::Seconds(60)).clean);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfABus) {
  AtExtremes<BusOptions>(
      [](BusOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, loops, ended_actors_kept, log, log_limits,
                       for_tests);
      },
      UseBus);
  AtExtremes<TestOptions>(
      [](TestOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, sys, clock, instance_id, single_threaded);
      },
      [](const TestOptions& seams) { return UseBus({.for_tests = seams}); });
  for (const size_t loops : {size_t{0}, size_t{256}, size_t{1'000}}) {
    BusOptions options;
    options.loops.resize(loops);
    const absl::Status used = UseBus(options);
    EXPECT_EQ(used.code(), absl::StatusCode::kInvalidArgument) << used;
    EXPECT_TRUE(absl::StrContains(used.message(), "BusOptions::loops"));
  }
}

TEST(OptionsTest, EveryNumberOfALog) {
  AtExtremes<LogOptions>(
      [](LogOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, lines_at_once, interval, max_sources,
                       max_waiting_lines, max_waiting_bytes, patience);
      },
      [](const LogOptions& limits) { return UseBus({.log_limits = limits}); });
}

TEST(OptionsTest, EveryNumberOfALoop) {
  AtExtremes<LoopOptions>(
      [](LoopOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, poller, factory, messages_per_slice,
                       messages_per_turn, events_per_wait, turns_between_polls,
                       spin, thread_name, cpus, max_actors, max_pending_asks);
      },
      [](const LoopOptions& loop) { return UseBus({.loops = {loop}}); });
}

TEST(OptionsTest, TheMostThatIsNamedIsTaken) {
  LoopOptions loop;
  loop.max_actors = LoopOptions::kMostActors;
  loop.events_per_wait = LoopOptions::kMostEventsPerWait;
  EXPECT_TRUE(UseBus({.loops = {loop}}).ok());
  ++loop.max_actors;
  EXPECT_EQ(UseBus({.loops = {loop}}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(OptionsTest, EveryNumberOfASpawn) {
  AtExtremes<SpawnOptions>(
      [](SpawnOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, name, loop, mailbox_capacity, urgent_reserve,
                       mailbox_bytes, overflow);
      },
      [](const SpawnOptions& options) {
        auto bus = Bus::Create({});
        auto sum = (*bus)->Spawn<Sum>(options);
        if (!sum.ok()) return sum.status();
        for (int i = 0; i < 100; ++i) {
          EXPECT_TRUE(sum->AskAndWait(Add{1}, absl::InfiniteDuration()).ok());
        }
        EXPECT_TRUE((*bus)->Shutdown(absl::Seconds(60)).clean);
        return absl::OkStatus();
      });
}

// A value that only a cast can make.
TEST(OptionsTest, AnOverflowThatDoesNotExistIsRefused) {
  auto bus = Bus::Create({});
  const absl::Status refused =
      (*bus)->Spawn<Sum>({.overflow = static_cast<Overflow>(7)}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(refused.message(), "overflow")) << refused;
}

class End : public Actor {
 public:
  End(absl::Status& status, absl::Notification& ended)
      : status_(status), ended_(ended) {}
  void On(const PipePiece&) {}
  void On(const PipeEnd& end) {
    status_ = absl::Status(end.status.code(), end.status.message());
    ended_.Notify();
  }

 private:
  absl::Status& status_;
  absl::Notification& ended_;
};

// Reads two pieces of one byte.
absl::Status UsePipeReader(const PipeReaderOptions& options) {
  int fds[2];
  EXPECT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
  {
    const ScopedFd writer(RealSys(), fds[1]);
    const bool lines = options.format == PipeFormat::kLines;
    EXPECT_EQ(RealSys().Write(fds[1], {lines ? "a\nb\n" : "\1a\1b", 4}), 4);
  }
  absl::Status status;
  absl::Notification ended;
  auto bus = Bus::Create({});
  auto end = (*bus)->Spawn<End>({}, status, ended);
  EXPECT_TRUE(
      (*bus)
          ->Spawn<PipeReader>({}, ScopedFd(RealSys(), fds[0]), *end, options)
          .ok());
  ended.WaitForNotification();
  EXPECT_EQ(status.ok(), ValidatePipeReaderOptions(options).ok());
  return status;
}

TEST(OptionsTest, EveryNumberOfAPipeReader) {
  for (const PipeFormat format : {PipeFormat::kLines, PipeFormat::kDelimited}) {
    AtExtremes<PipeReaderOptions>(
        [](PipeReaderOptions& o, auto visit) {
          TROLLEY_FIELDS(o, visit, format, max_piece_bytes, read_bytes);
        },
        [format](PipeReaderOptions options) {
          options.format = format;
          return UsePipeReader(options);
        });
  }
  const absl::Status used =
      UsePipeReader({.format = static_cast<PipeFormat>(7)});
  EXPECT_EQ(used.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(used.message(), "format")) << used;
}

TEST(OptionsTest, EveryNumberOfAUnixSocket) {
  const TempFolder folder;
  AtExtremes<UnixListenOptions>(
      [](UnixListenOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, mode, backlog, type);
      },
      [&](const UnixListenOptions& options) {
        auto socket = ListenUnix(RealSys(), folder / "s", options);
        if (!socket.ok()) return socket.status();
        struct stat file = {};
        EXPECT_EQ(RealSys().Stat((folder / "s").c_str(), &file), 0);
        EXPECT_EQ(file.st_mode & 07777, options.mode);
        return absl::OkStatus();
      });
}

class Watcher : public Actor {
 public:
  explicit Watcher(absl::Notification& up) : up_(up) {}
  void On(const LinkUp&) { up_.Notify(); }
  void On(const LinkDown&) {}

 private:
  absl::Notification& up_;
};

// A listener and a link to it, until both say that it is up. What is refused
// ends at once, with a line in the log.
absl::Status UseLinks(const UnixListenerOptions& listening,
                      UnixLinkOptions dialling) {
  absl::Status valid = ValidateUnixListenerOptions(listening);
  if (valid.ok()) valid = ValidateUnixLinkOptions(dialling);
  const TempFolder folder;
  std::string log;
  absl::Notification up;
  absl::Notification ended;
  BusOptions options;
  options.log = [&log](absl::string_view line) {
    absl::StrAppend(&log, std::string(line), "\n");
  };
  auto bus = Bus::Create(options);
  auto socket = ListenUnix(
      RealSys(), folder / "s",
      {.type = valid.ok() ? dialling.type : UnixSocketType::kStream});
  if (!socket.ok()) return socket.status();
  auto listener =
      (*bus)->Spawn<UnixListener>({}, *std::move(socket), listening);
  auto watcher = (*bus)->Spawn<Watcher>({}, up);
  dialling.watcher = *watcher;
  auto link = (*bus)->Spawn<UnixLink>({}, folder / "s", dialling);
  if (valid.ok()) {
    up.WaitForNotification();
  } else {
    const Address refused = ValidateUnixLinkOptions(dialling).ok()
                                ? listener->address()
                                : link->address();
    refused.WhenEnded([&](const ActorEnd&) { ended.Notify(); });
    ended.WaitForNotification();
    StateOf(**bus)->log().Flush(absl::InfiniteDuration());
    EXPECT_TRUE(absl::StrContains(log, valid.message())) << log;
  }
  (*bus)->Shutdown(absl::ZeroDuration());
  return valid;
}

template <typename Visit>
void VisitLink(LinkOptions& o, Visit visit) {
  TROLLEY_FIELDS(o, visit, max_frame_bytes, credit_bytes, outbox_bytes,
                 outbox_messages, max_pending_asks, handshake_deadline,
                 write_deadline, heartbeat, reconnect, backoff_first,
                 backoff_last, jitter_seed, watcher);
}

// What Unix sockets add holds no number. A field of theirs that is not named
// here makes the struct longer.
static_assert(sizeof(UnixLinkOptions) ==
              sizeof(LinkOptions) + sizeof(UnixLinkOptions::allowed_uids) +
                  /*the type, with padding*/ sizeof(size_t));
static_assert(sizeof(UnixListenerOptions) ==
              sizeof(ListenerOptions) + sizeof(UnixListenerOptions::link));

TEST(OptionsTest, EveryNumberOfALinkThatDials) {
  AtExtremes<UnixLinkOptions>(
      [](UnixLinkOptions& o, auto visit) {
        VisitLink(o, visit);
        VisitFields("type", visit, o.type);
      },
      [](const UnixLinkOptions& options) { return UseLinks({}, options); });
}

TEST(OptionsTest, EveryNumberOfAListenerAndItsLinks) {
  AtExtremes<UnixLinkOptions>(
      [](UnixLinkOptions& o, auto visit) {
        VisitLink(o, visit);
        VisitFields("type", visit, o.type);
      },
      [](const UnixLinkOptions& options) {
        return UseLinks({.link = options}, {});
      });
  AtExtremes<UnixListenerOptions>(
      [](UnixListenerOptions& o, auto visit) {
        ListenerOptions& of_any_kind = o;
        TROLLEY_FIELDS(of_any_kind, visit, max_connections,
                       pause_without_descriptors);
      },
      [](const UnixListenerOptions& options) { return UseLinks(options, {}); });
}

}  // namespace
}  // namespace trolley
