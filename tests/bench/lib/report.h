// SPDX-License-Identifier: Apache-2.0
//
// Report: what came out, as tables and as CSV. For benchmarks only.
//
// Ownership: Bench::Main's. Borrows the cases.
// Threads:   main()'s, one.
// Bounds:    a row for each case, and a figure for each of its repetitions.

#ifndef TROLLEY_TESTS_BENCH_LIB_REPORT_H_
#define TROLLEY_TESTS_BENCH_LIB_REPORT_H_

#include <map>
#include <string>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

class Report {
 public:
  // One figure. `distance` is empty where it does not matter.
  void Add(const std::string& workload, const Case& of,
           const std::string& distance, double value);

  // One table for each workload, to standard output.
  void Print() const;

  // workload,who,unit,better,median,min,max. Where figures were taken at
  // several distances, those of the distance with the most of them.
  // False: the file could not be written.
  bool WriteCsv(const std::string& path) const;

 private:
  struct Row {
    std::string who;
    std::vector<double> values;

    double Median() const;
    double Min() const;
    double Max() const;
    double Spread() const;  // (max - min) / median
    bool IsResult() const;  // the spread is small enough
  };
  struct Table {
    std::string workload;
    const Case* first;
    std::map<std::string, std::vector<Row>> by_distance;
  };

  // `raw` names the row that the others are compared with.
  static void PrintRows(const std::string& distance, const std::string& raw,
                        const std::vector<Row>& rows, bool higher_is_better);

  std::vector<Table> tables_;  // in order of appearance
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_REPORT_H_
