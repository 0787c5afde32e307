// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bench/lib/report.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace trolley::bench {
namespace {

// Beyond it a figure says more about the machine than about the code.
constexpr double kMostSpread = 0.3;

bool IsRaw(const std::string& who) { return who.rfind("raw.", 0) == 0; }

std::string Ratio(double value, double to, bool certain) {
  if (to == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%s%.2f", certain ? "" : "~", value / to);
  return text;
}

}  // namespace

double Report::Row::Median() const {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half]
                           : (sorted[half - 1] + sorted[half]) / 2;
}

double Report::Row::Min() const {
  return *std::min_element(values.begin(), values.end());
}

double Report::Row::Max() const {
  return *std::max_element(values.begin(), values.end());
}

double Report::Row::Spread() const {
  const double range = Max() - Min();
  return range == 0 ? 0 : range / Median();
}

bool Report::Row::IsResult() const {
  return values.size() >= 3 && Spread() <= kMostSpread;
}

void Report::Add(const std::string& workload, const Case& of,
                 const std::string& distance, double value) {
  auto table = std::find_if(
      tables_.begin(), tables_.end(),
      [&](const Table& table) { return table.workload == workload; });
  if (table == tables_.end()) {
    table = tables_.insert(table, Table{workload, &of, {}});
  }
  std::vector<Row>& rows = table->by_distance[distance];
  auto row = std::find_if(rows.begin(), rows.end(),
                          [&](const Row& row) { return row.who == of.who; });
  if (row == rows.end()) row = rows.insert(row, Row{of.who, {}});
  row->values.push_back(value);
}

void Report::Print() const {
  for (const Table& table : tables_) {
    std::printf("\n%s, %s, %s is better\n", table.workload.c_str(),
                table.first->workload.unit,
                table.first->workload.higher_is_better ? "higher" : "lower");
    std::printf("  %-22s %-5s %12s %12s %12s %6s %2s %7s %7s\n", "who", "cpus",
                "median", "min", "max", "spread", "of", "/ raw", "/ peer");
    for (const auto& [distance, rows] : table.by_distance) {
      PrintRows(distance, table.first->who, rows,
                table.first->workload.higher_is_better);
    }
  }
  std::printf(
      "\n/ raw is the ratio to the first raw mechanism, / peer to the best "
      "peer.\n~ marks what is no result: fewer than 3 repetitions, or a "
      "spread, (max - min) / median,\nabove %.0f %%.\n",
      kMostSpread * 100);
}

void Report::PrintRows(const std::string& distance,
                       const std::string& reference,
                       const std::vector<Row>& rows, bool higher_is_better) {
  const Row* raw = nullptr;
  const Row* peer = nullptr;
  for (const Row& row : rows) {
    if (row.who == reference && IsRaw(row.who)) raw = &row;
    if (IsRaw(row.who) || row.who == "trolley") continue;
    if (peer == nullptr ||
        (row.Median() > peer->Median()) == higher_is_better) {
      peer = &row;
    }
  }
  for (const Row& row : rows) {
    std::string to_raw = "-", to_peer = "-";
    if (raw != nullptr) {
      to_raw =
          Ratio(row.Median(), raw->Median(), row.IsResult() && raw->IsResult());
    }
    if (peer != nullptr) {
      to_peer = Ratio(row.Median(), peer->Median(),
                      row.IsResult() && peer->IsResult());
    }
    std::printf("%s %-22s %-5s %12.4g %12.4g %12.4g %5.0f%% %2zu %7s %7s\n",
                row.IsResult() ? " " : "~", row.who.c_str(), distance.c_str(),
                row.Median(), row.Min(), row.Max(), 100 * row.Spread(),
                row.values.size(), to_raw.c_str(), to_peer.c_str());
  }
}

bool Report::WriteCsv(const std::string& path) const {
  std::FILE* csv = std::fopen(path.c_str(), "w");
  if (csv == nullptr) return false;
  std::fputs("workload,who,unit,better,median,min,max\n", csv);
  for (const Table& table : tables_) {
    auto count = [](const std::vector<Row>& rows) {
      size_t values = 0;
      for (const Row& row : rows) values += row.values.size();
      return values;
    };
    auto most = std::max_element(
        table.by_distance.begin(), table.by_distance.end(),
        [&](auto& a, auto& b) { return count(a.second) < count(b.second); });
    const Workload& workload = table.first->workload;
    std::set<std::string> written;
    const auto write = [&](const std::vector<Row>& rows) {
      for (const Row& row : rows) {
        if (!written.insert(row.who).second) continue;
        std::fprintf(csv, "%s,%s,%s,%s,%.5g,%.5g,%.5g\n",
                     table.workload.c_str(), row.who.c_str(), workload.unit,
                     workload.higher_is_better ? "higher" : "lower",
                     row.Median(), row.Min(), row.Max());
      }
    };
    write(most->second);
    // Those that were measured at another distance only, as it may move.
    for (const auto& [distance, rows] : table.by_distance) write(rows);
  }
  return std::fclose(csv) == 0;
}

}  // namespace trolley::bench
