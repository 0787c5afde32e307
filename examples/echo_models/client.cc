// SPDX-License-Identifier: Apache-2.0
//
// echo_client: measures an echo service at a number of clients: messages a
// second, how long an answer takes, and what a client costs the server in
// memory. Data on stdout, everything else on stderr.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/examples/echo_models/clients.h"
#include "trolley/examples/echo_models/server_memory.h"
#include "trolley/examples/output/output.h"

ABSL_FLAG(std::string, socket, "", "where the service is: a Unix socket");
ABSL_FLAG(int, clients, 1, "connections, each with one message under way");
ABSL_FLAG(int, bytes, 64, "of a message; 1 to 65536");
// Not absl::Duration: flags of that size are read with a fence, which
// ThreadSanitizer does not know.
ABSL_FLAG(std::string, duration, "2s",
          "how long to measure, after a first answer for each client");
ABSL_FLAG(int64_t, rounds, 0,
          "instead of a duration: this many messages of each client");
ABSL_FLAG(std::string, timeout, "10s", "for one answer");
ABSL_FLAG(std::string, label, "", "a name for the first column");
ABSL_FLAG(std::string, output, "table", "table, csv or json");

namespace {

constexpr int kMostClients = 100'000;

int Usage(const std::string& what) {
  std::fprintf(stderr, "echo_client: %s\nTry --help.\n", what.c_str());
  return 2;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "echo_client: %s\n",
               std::string(status.message()).c_str());
  return EXIT_FAILURE;
}

struct Row {
  std::string label;
  int clients = 0;
  int bytes = 0;
  double seconds = 0;
  uint64_t messages = 0;
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
  int64_t server_bytes_per_client = -1;  // -1: not known
};

// What n per cent of the answers took at most, in microseconds.
double Percentile(std::vector<uint32_t>& latencies, int percent) {
  if (latencies.empty()) return 0;
  const size_t at = (latencies.size() - 1) * percent / 100;
  std::nth_element(latencies.begin(), latencies.begin() + at, latencies.end());
  return latencies[at] / 1e3;
}

// A label that reads the same in CSV and JSON, whatever it was.
std::string Plain(const std::string& label) {
  std::string plain;
  for (const char c : label) {
    const bool harmless = c >= ' ' && c != '"' && c != '\\' && c != ',';
    plain += harmless ? c : '_';
  }
  return plain;
}

void Print(const Row& row, const std::string& output) {
  const char* form =
      output == "csv"
          ? "label,clients,bytes,seconds,messages,messages_per_second,p50_us,"
            "p99_us,max_us,server_bytes_per_client\n"
            "%s,%d,%d,%.6f,%lu,%.1f,%.3f,%.3f,%.3f,%ld\n"
      : output == "json"
          ? "{\"label\":\"%s\",\"clients\":%d,\"bytes\":%d,\"seconds\":%.6f,"
            "\"messages\":%lu,\"messages_per_second\":%.1f,\"p50_us\":%.3f,"
            "\"p99_us\":%.3f,\"max_us\":%.3f,\"server_bytes_per_client\":%ld}\n"
          : "label:              %s\n"
            "clients:            %d\n"
            "bytes a message:    %d\n"
            "seconds:            %.3f\n"
            "messages:           %lu\n"
            "messages a second:  %.0f\n"
            "answer, median:     %.1f us\n"
            "answer, 99 %%:       %.1f us\n"
            "answer, slowest:    %.1f us\n"
            "server's memory:    %ld bytes a client (-1: not known)\n";
  std::printf(form, Plain(row.label).c_str(), row.clients, row.bytes,
              row.seconds, row.messages, row.per_second, row.p50_us, row.p99_us,
              row.max_us, row.server_bytes_per_client);
}

void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Measure(const echo::Clients::Options& options, absl::Duration duration) {
  // One more client, so that a server that has never had any is not measured.
  const auto probe = trolley::ConnectUnix(trolley::RealSys(), options.path);
  if (!probe.ok()) return Fail(probe.status());
  const auto server =
      trolley::PeerCredentials(trolley::RealSys(), probe->get());
  if (!server.ok()) return Fail(server.status());
  echo::Clients::Options first = options;
  first.count = 1;
  auto one = echo::Clients::Connect(first);
  if (!one.ok()) return Fail(one.status());
  auto results = (*one)->Run(/*rounds=*/1, absl::InfiniteDuration());
  if (!results.ok()) return Fail(results.status());
  const absl::StatusOr<int64_t> before = echo::ServerMemory(server->pid);

  auto clients = echo::Clients::Connect(options);
  if (!clients.ok()) return Fail(clients.status());
  results = (*clients)->Run(/*rounds=*/1, absl::InfiniteDuration());
  if (!results.ok()) return Fail(results.status());
  const absl::StatusOr<int64_t> after = echo::ServerMemory(server->pid);

  const int64_t rounds = absl::GetFlag(FLAGS_rounds);
  results = rounds > 0 ? (*clients)->Run(rounds, absl::InfiniteDuration())
                       : (*clients)->Run(std::numeric_limits<uint64_t>::max(),
                                         duration);
  if (!results.ok()) return Fail(results.status());

  Row row;
  row.label = absl::GetFlag(FLAGS_label);
  row.clients = options.count;
  row.bytes = static_cast<int>(options.message_bytes);
  row.seconds = absl::ToDoubleSeconds(results->took);
  row.messages = results->messages;
  row.per_second = row.messages / std::max(row.seconds, 1e-9);
  row.p50_us = Percentile(results->latencies, 50);
  row.p99_us = Percentile(results->latencies, 99);
  row.max_us = Percentile(results->latencies, 100);
  if (before.ok() && after.ok()) {
    row.server_bytes_per_client = (*after - *before) / options.count;
  } else {
    std::fprintf(
        stderr, "echo_client: the server's memory is not known: %s\n",
        std::string((before.ok() ? after : before).status().message()).c_str());
  }
  Print(row, absl::GetFlag(FLAGS_output));
  return examples::EndOutput("echo_client", EXIT_SUCCESS);
}

int Main() {
  const int clients = absl::GetFlag(FLAGS_clients);
  if (clients < 1 || clients > kMostClients) {
    return Usage(absl::StrCat("--clients is 1 to ", kMostClients));
  }
  const int bytes = absl::GetFlag(FLAGS_bytes);
  if (bytes < 1 || bytes > static_cast<int>(echo::kMostMessageBytes)) {
    return Usage(absl::StrCat("--bytes is 1 to ", echo::kMostMessageBytes));
  }
  const std::string output = absl::GetFlag(FLAGS_output);
  if (output != "table" && output != "csv" && output != "json") {
    return Usage(absl::StrCat("--output=", output,
                              " is none of table, csv, "
                              "json"));
  }
  absl::Duration duration;
  absl::Duration timeout;
  if (absl::GetFlag(FLAGS_rounds) < 0 ||
      !absl::ParseDuration(absl::GetFlag(FLAGS_duration), &duration) ||
      !absl::ParseDuration(absl::GetFlag(FLAGS_timeout), &timeout) ||
      duration <= absl::ZeroDuration() || timeout < absl::Milliseconds(1) ||
      timeout > absl::Hours(1)) {
    return Usage(
        "--rounds is 0 or more, --duration above zero, --timeout 1ms to 1h; "
        "write times as 500ms or 2s");
  }
  if (absl::GetFlag(FLAGS_socket).empty()) {
    return Usage("where is the service? Give --socket=PATH");
  }
  RaiseDescriptorLimit();
  return Measure({.path = absl::GetFlag(FLAGS_socket),
                  .count = clients,
                  .message_bytes = static_cast<size_t>(bytes),
                  .patience = timeout},
                 duration);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "measures an echo service: each client has one message under way\n"
      "  echo_client --socket=/tmp/e.sock --clients=100 --output=csv\n"
      "The server's memory is what is resident in it and its children (shared "
      "pages by share)\nand their page tables; what the kernel keeps for its "
      "sockets and threads is not in it.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Usage(
        absl::StrCat("what is ", rest[1], "? Give --socket=", rest[1]));
  }
  return Main();
}
