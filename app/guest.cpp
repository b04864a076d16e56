/// Commands on `--system qemu:KERNEL`: the whole command runs in a guest.
#include "app/guest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/arguments.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "harness/qemu/archive.hpp"
#include "harness/qemu/guest.hpp"
#include "harness/qemu/machine.hpp"
#include "harness/trace_file.hpp"

namespace forkproof::app {

namespace {

namespace fs = std::filesystem;
namespace qemu = harness::qemu;

constexpr std::string_view kPrefix = "qemu:";

/// Where a path is, from the root on. Links stay as they are named.
std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

/// What is not there is left to the command inside to complain of.
void add_input(qemu::Archive& archive, const std::string& path) {
  std::error_code error;
  if (path == "-") {
    std::ostringstream all;
    all << std::cin.rdbuf();
    archive.add_file(qemu::kInputFile, std::move(all).str());
  } else if (fs::is_directory(path, error)) {
    archive.add_folder(absolute(path));
    for (const std::string& file : harness::list_traces({path}).files)
      archive.copy_file(file, absolute(file));
  } else if (fs::is_regular_file(path, error) && std::ifstream(path)) {
    archive.copy_file(path, absolute(path));
  }
}

std::string file_system(const qemu::Job& job, const Traffic& traffic) {
  qemu::Archive archive;
  archive.copy_program(qemu::kInit);
  archive.add_file(qemu::kJobFile, print(job));
  archive.add_folder(job.folder);
  for (const std::string& path : traffic.inputs) add_input(archive, path);
  for (const std::string& path : traffic.outputs)
    archive.add_folder(fs::path(absolute(path)).parent_path().string());
  return std::move(archive).finish();
}

/// What the guest says of its command, as if it were said here.
void pass_on(qemu::Frame kind, std::string_view content) {
  switch (kind) {
    case qemu::Frame::out:
      std::fwrite(content.data(), 1, content.size(), stdout);
      std::fflush(stdout);
      break;
    case qemu::Frame::error:
      std::fwrite(content.data(), 1, content.size(), stderr);
      break;
    case qemu::Frame::file:
      if (const std::size_t end = content.find('\0'); end != content.npos)
        write_file(std::string(content.substr(0, end)), content.substr(end + 1));
      break;
    case qemu::Frame::begin:
    case qemu::Frame::alive:
    case qemu::Frame::status:
      break;
  }
}

/// A guest that came to no end is a run without a verdict.
int conclude_unknown(const std::string& system, const std::string& why, const Traffic& traffic) {
  harness::Results results;
  results.system = results.profile = system;
  harness::Case c;
  c.engine = c.name = "guest";
  c.system = system;
  c.violation = harness::unknown(why, 0, {});
  results.cases.push_back(std::move(c));
  if (!traffic.json) print_cases(results);
  return conclude(results, {.json = traffic.json, .junit = {}});
}

Traffic traffic_of(std::vector<std::string> inputs, const ReportOptions& report) {
  if (!report.junit.empty()) expect_writable(report.junit);
  Traffic t{std::move(inputs), {}, report.json};
  if (!report.junit.empty()) t.outputs.push_back(report.junit);
  return t;
}

}  // namespace

Traffic traffic_of(const CheckOptions& o) {
  const bool usual = o.paths.empty() && read_engines(o.engines).replay;
  return traffic_of(usual ? std::vector<std::string>{FORKPROOF_CORPUS} : o.paths, o.report);
}

Traffic traffic_of(const ReplayOptions& o) { return traffic_of(o.paths, o.report); }

Traffic traffic_of(const FileOptions& o) {
  if (o.output.empty()) return {{o.file}, {}, false};
  expect_free(o.output, o.force);
  expect_writable(o.output);
  return {{o.file}, {o.output}, false};
}

Traffic traffic_of(const RecordOptions& o) {
  expect_empty(o.output);
  return {{}, {o.output}, false};
}

bool wants_guest(const std::string& system) {
  return system.starts_with(kPrefix) && !qemu::in_guest();
}

int run_in_guest(const std::string& system, const std::vector<std::string>& arguments,
                 const Traffic& traffic) {
  const std::string kernel = system.substr(kPrefix.size());
  if (const std::string why = qemu::why_no_kernel(kernel); !why.empty())
    throw Failure{kBadInput, why};
  if (const std::string why = qemu::why_no_qemu(); !why.empty()) throw Failure{kCannotRun, why};
  qemu::Job job{arguments, fs::current_path().string(), {}};
  for (const std::string& path : traffic.outputs)
    if (path != "-") job.outputs.push_back(absolute(path));
  watch_for_interrupt();
  const qemu::Ended ended = qemu::run(kernel, file_system(job, traffic), pass_on, interrupted);
  if (ended.status) return *ended.status;
  return conclude_unknown(system, ended.why, traffic);
}

}  // namespace forkproof::app
