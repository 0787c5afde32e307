// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bench/lib/bench.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/report.h"

namespace trolley::bench {
namespace {

constexpr char kUsage[] =
    "usage: %s [--reps=5] [--quick] [--filter=TEXT] [--csv=FILE] [--list]\n"
    "  --reps    repetitions, interleaved\n"
    "  --quick   one, at a hundredth of the size, to see that it works\n"
    "  --filter  only rows whose WORKLOAD/PROGRAM contains TEXT; several texts "
    "are\n            separated by commas\n"
    "  --csv     columns workload,who,unit,better,median,min,max\n"
    "  --list    list the workloads and programs\n";

struct Options {
  int reps = 5;
  double scale = 1;
  bool list = false;
  bool describe = false;
  std::string csv;
  std::vector<std::string> filters;
  std::string only;  // of a process that measures one case
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) parts.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const size_t equals = std::min(arg.find('='), arg.size());
    const std::string name = arg.substr(0, equals);
    const std::string value =
        equals == arg.size() ? "" : arg.substr(equals + 1);
    if (arg == "--quick") {
      options.reps = 1;
      options.scale = 0.01;
    } else if (arg == "--list") {
      options.list = true;
    } else if (arg == "--describe") {
      options.describe = true;
    } else if (name == "--reps" && std::atoi(value.c_str()) > 0) {
      options.reps = std::atoi(value.c_str());
    } else if (name == "--filter") {
      options.filters = Split(value);
    } else if (name == "--csv" && !value.empty()) {
      options.csv = value;
    } else if (name == "--only" && !value.empty()) {
      options.only = value;
    } else if (name == "--scale" && std::atof(value.c_str()) > 0) {
      options.scale = std::atof(value.c_str());
    } else {
      std::fprintf(stderr, kUsage, argv[0]);
      std::exit(arg == "--help" ? 0 : 2);
    }
  }
  return options;
}

std::string NameOf(const Case& c) { return c.workload.name + "/" + c.who; }

bool Wanted(const Case& c, const std::vector<std::string>& filters) {
  const std::string name = NameOf(c);
  return filters.empty() ||
         std::any_of(filters.begin(), filters.end(), [&](auto& filter) {
           return name.find(filter) != std::string::npos;
         });
}

// Runs this program again for one case; its two figures are what it prints.
Figures InOwnProcess(const Case& c, double scale) {
  char self[PATH_MAX] = {};
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
    Die("cannot find this program");
  }
  const std::string command = "'" + std::string(self) +
                              "' '--only=" + NameOf(c) +
                              "' --scale=" + std::to_string(scale);
  std::FILE* output = popen(command.c_str(), "r");
  double value = 0, p99 = 0, before = 0, after = 0;
  if (output == nullptr ||
      std::fscanf(output, "%lf %lf %lf %lf", &value, &p99, &before, &after) !=
          4 ||
      pclose(output) != 0) {
    Die("this failed: " + command);
  }
  return Figures(value, p99);
}

// For run.py, which runs each case of several programs in a process of its own:
// what there is to know of a case, and what one repetition of it came to.
void Describe(const Case& c) {
  const Workload& w = c.workload;
  std::printf("%s\t%s\t%s\t%s\t%s%s%s\n", w.name.c_str(), c.who.c_str(), w.unit,
              w.higher_is_better ? "higher" : "lower",
              w.two_cpus ? "two_cpus " : "", w.blocks ? "blocks " : "",
              w.has_p99 ? "p99 " : "");
}

void RunOnly(const Case& c, double scale) {
  const bool probe = c.workload.two_cpus;
  const double before = probe ? LineRoundTrip() : 0;
  const Figures figures = c.run(scale);
  const double after = probe ? LineRoundTrip() : 0;
  std::printf("%.9g %.9g %.0f %.0f\n", figures.value, figures.p99, before,
              after);
}

// One line that stays where it is on a terminal; a line for each repetition
// elsewhere.
class Progress {
 public:
  void Show(int rep, int reps, const Case& c) {
    if (!terminal_) return;
    std::fprintf(stderr, "\r\033[K%d of %d: %s", rep + 1, reps,
                 NameOf(c).c_str());
  }
  void EndOf(int rep, int reps) {
    std::fprintf(stderr, "%srepetition %d of %d done\n",
                 terminal_ ? "\r\033[K" : "", rep + 1, reps);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO);
};

void RunOnce(const Case& c, const std::string& suffix, double scale,
             Report& report) {
  const Workload& w = c.workload;
  const double before = w.two_cpus ? LineRoundTrip() : 0;
  const Figures figures = w.own_process ? InOwnProcess(c, scale) : c.run(scale);
  const char* distance = w.two_cpus ? Distance(before, LineRoundTrip()) : "";
  const std::string name = w.name + suffix;
  report.Add(name, c, distance, figures.value);
  if (w.has_p99) report.Add(name + "_p99", c, distance, figures.p99);
}

}  // namespace

void Bench::Add(const Workload& workload, std::string who, Run run) {
  cases_.push_back({workload, std::move(who), std::move(run)});
}

int Bench::Main(int argc, char** argv) {
  KeepFreedMemory();
  const Options options = Parse(argc, argv);
  if (std::thread::hardware_concurrency() < 2) Die("this needs two CPUs");
  std::vector<const Case*> wanted;
  for (const Case& c : cases_) {
    if (!options.only.empty() && NameOf(c) == options.only) {
      RunOnly(c, options.scale);
      return 0;
    }
    if (Wanted(c, options.filters)) wanted.push_back(&c);
  }
  if (wanted.empty() || !options.only.empty()) {
    Die("nothing there matches; see --list");
  }
  if (options.describe) {
    for (const Case* c : wanted) Describe(*c);
    return 0;
  }
  if (options.list) {
    for (const Case* c : wanted) std::printf("%s\n", NameOf(*c).c_str());
    return 0;
  }

  const bool awake = AwakeCpus().held();
  std::printf(
      "CPUs 0 and 1, a cache line's round trip %.0f ns now; idle CPUs "
      "%s\n",
      LineRoundTrip(),
      awake ? "kept awake, but in rows named _halting"
            : "may halt: /dev/cpu_dma_latency needs root");
  std::fflush(stdout);
  Report report;
  Progress progress;
  for (int rep = 0; rep < options.reps; ++rep) {
    for (const Case* c : wanted) {
      progress.Show(rep, options.reps, *c);
      {
        AwakeCpus hold;
        RunOnce(*c, "", options.scale, report);
      }
      if (awake && c->workload.blocks) {
        RunOnce(*c, "_halting", options.scale, report);
      }
    }
    progress.EndOf(rep, options.reps);
  }
  report.Print();
  if (!options.csv.empty() && !report.WriteCsv(options.csv)) {
    Die("cannot write " + options.csv);
  }
  return 0;
}

uint64_t Scaled(uint64_t full, double scale) {
  return std::max<uint64_t>(1000, static_cast<uint64_t>(full * scale));
}

double Millions(uint64_t count, int64_t nanoseconds) {
  return 1e3 * static_cast<double>(count) / static_cast<double>(nanoseconds);
}

Figures Percentiles(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

void Die(const std::string& what) {
  std::fprintf(stderr, "benchmark: %s\n", what.c_str());
  std::exit(1);
}

double ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  long pages = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) {
    Die("cannot read /proc/self/statm");
  }
  std::fclose(file);
  return static_cast<double>(resident) *
         static_cast<double>(sysconf(_SC_PAGESIZE));
}

Figures OnCpu0(const std::function<Figures()>& run) {
  Figures figures(0);
  std::thread([&] {
    PinTo(0);
    figures = run();
  }).join();
  return figures;
}

}  // namespace trolley::bench
