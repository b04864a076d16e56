/// How `check` and `replay` tell what they do and what they found.
#pragma once
#include "app/commands.hpp"
#include "harness/campaign.hpp"

namespace forkproof::app {

/// A line on standard error that says how far it is, if that is a terminal.
class Progress {
 public:
  Progress();
  ~Progress();
  void show(const harness::Results& results);
  void show(const std::string& line);

 private:
  bool is_due() const;

  bool on_;
  bool shown_ = false;
  harness::Clock::time_point last_;
};

/// Ends a run when somebody interrupts it.
harness::Watch watch(Progress& progress);

/// Every violation as a report, and what cannot be read on standard error.
void print_cases(const harness::Results& results);

/// The last line of a run: `holds: 222 traces, 2610 ops in 0.01 s ...`
void print_totals(const harness::Results& results);

/// A case for each file that cannot be read.
void add_errors(const std::vector<std::string>& errors, harness::Results& results);

/// Writes what the options ask for, and answers the exit status of the run.
int conclude(const harness::Results& results, const ReportOptions& options);

}  // namespace forkproof::app
