/// The commands and their options, as they come from the command line. Each answers its exit
/// status, and throws a Failure where it cannot do its work.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "harness/checker.hpp"
#include "harness/results.hpp"

namespace forkproof::app {

inline constexpr int kHolds = 0, kViolated = 1, kBadInput = 2, kCannotRun = 3;

/// Why a command ends early: one line for standard error, and the exit status. The one exception
/// of the command, beside those of the parser of arguments.
struct Failure {
  int status;
  std::string message;
};

/// Where results are written besides standard output.
struct ReportOptions {
  bool json = false;
  std::string junit;
};

struct CheckOptions {
  std::vector<std::string> paths;
  std::string system;  // empty: all that can be had
  std::string engines = "replay,random", profile = "both", time, traces, seed, jobs;
  std::string combination;  // of the matrix, the only one; empty: all
  ReportOptions report;
};
int check(const CheckOptions& options);

struct ReplayOptions {
  std::vector<std::string> paths;
  std::string system = "impl";
  ReportOptions report;
};
int replay(const ReplayOptions& options);

struct FileOptions {
  std::string file, output, system = "impl", format = "tree";
  bool force = false, slab = false;
};
int run_script(const FileOptions& options);
int minimize(const FileOptions& options);
int convert(const FileOptions& options);
int show(const FileOptions& options);

struct RecordOptions {
  std::string output, system = "impl", profile = "linux-6", count = "300", seed = "1";
};
int record(const RecordOptions& options);

struct ExploreOptions {
  std::string system = "impl", profile = "linux-6", tasks = "3", pages = "1", depth, ops;
  std::string seconds, memory = "4096", jobs, emit, project, pid_max, pid_cursor;
  bool symmetry = false, merge = false, faults = false, kthreads = false, json = false;
};
int explore(const ExploreOptions& options);

struct ProveOptions {
  std::vector<std::string> names;  // of obligations, or of families of them; none: all
  std::string solver = "z3", emit, traces, jobs;
  bool list = false, markdown = false, twins = false, no_cache = false, json = false;
};
int prove(const ProveOptions& options);
/// The engine of `check`: all obligations, a case each. Why not, where the build has no Z3.
std::string prove_all(harness::Results& results);

/// With the words of the command line as options of ci/mutants.sh, whose exit status is the answer.
int mutants(const std::vector<std::string>& words);

struct SpecOptions {
  bool rules = false, invariants = false, ops = false, sometimes = false, steps = false;
  bool json = false, markdown = false;
};
int spec(const SpecOptions& options);

/// The system of this name, or a Failure.
std::unique_ptr<harness::Checker> open(const std::string& system);

/// The trace in a file, or a Failure; `form` learns whether it was text.
Script load(const std::string& file, bool* text = nullptr);

}  // namespace forkproof::app
