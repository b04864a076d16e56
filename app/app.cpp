/// The command as a function: parses the arguments, runs one command, answers the exit status.
#include "app/app.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>
#include <system_error>

#include "app/commands.hpp"
#include "app/guest.hpp"
#include "harness/explore/domain.hpp"
#include "harness/qemu/guest.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::app {

namespace {

using Words = std::vector<std::string>;  // of the command line
using Command = std::function<int(const Words&)>;

constexpr const char* kSystems =
    "impl (the default), spec, linux, qemu:KERNEL (a kernel booted in qemu), or canary, which has "
    "a defect";

void add_system(CLI::App* c, std::string& system) {
  c->add_option("--system", system, kSystems);
}

void add_report(CLI::App* c, ReportOptions& report) {
  c->add_flag("--json", report.json, "One JSON object on standard output");
  c->add_option("--junit", report.junit, "Write a JUnit report to this file");
}

void add_check(CLI::App& app, Command& command) {
  auto o = std::make_shared<CheckOptions>();
  CLI::App* c = app.add_subcommand("check", "Hold a system to the spec");
  c->add_option("PATH", o->paths, "Traces, or folders of traces, for the replay engine");
  c->add_option("--system", o->system,
                "impl, spec, linux, qemu:KERNEL (a kernel booted in qemu), or canary, which has a "
                "defect; by default impl and, where it can be had, linux");
  c->add_option("--engine", o->engines,
                "One or more of prove, replay, matrix, explore, random and uniform, with commas "
                "between them");
  c->add_option("--time", o->time, "How long random traces are run: 500ms, 30s (the default), 5m");
  c->add_option("--traces", o->traces, "How many random traces are run at most");
  c->add_option("--jobs", o->jobs,
                "How many processes run random traces; by default one for each processor on linux, "
                "else one");
  c->add_option("--seed", o->seed, "The seed of the random campaign");
  c->add_option("--combination", o->combination, "The one combination of the matrix to run");
  c->add_option("--profile", o->profile, "linux-6, linux-4.12 or both (the default)");
  add_report(c, o->report);
  c->callback([&command, o] {
    command = [o](const Words& words) {
      return wants_guest(o->system) ? run_in_guest(o->system, words, traffic_of(*o)) : check(*o);
    };
  });
}

void add_replay(CLI::App& app, Command& command) {
  auto o = std::make_shared<ReplayOptions>();
  CLI::App* c = app.add_subcommand("replay", "Run traces that say what must happen");
  c->add_option("PATH", o->paths, "Traces, or folders of *.trace and *.bytes")->required();
  add_system(c, o->system);
  add_report(c, o->report);
  c->callback([&command, o] {
    command = [o](const Words& words) {
      return wants_guest(o->system) ? run_in_guest(o->system, words, traffic_of(*o)) : replay(*o);
    };
  });
}

void add_record(CLI::App& app, Command& command) {
  auto o = std::make_shared<RecordOptions>();
  CLI::App* c = app.add_subcommand("record", "Make a corpus of small traces, with what was seen");
  c->add_option("-o,--output", o->output, "The folder for it, new or empty")->required();
  add_system(c, o->system);
  c->add_option("--count", o->count, "How many traces at most: 300 by default");
  c->add_option("--seed", o->seed, "The first of the random traces that they are made of");
  c->add_option("--profile", o->profile, "linux-6 (the default) or linux-4.12");
  c->callback([&command, o] {
    command = [o](const Words& words) {
      return wants_guest(o->system) ? run_in_guest(o->system, words, traffic_of(*o)) : record(*o);
    };
  });
}

void add_explore(CLI::App& app, Command& command) {
  auto o = std::make_shared<ExploreOptions>();
  CLI::App* c = app.add_subcommand("explore", "Try every trace up to a bound");
  c->add_option("--system", o->system,
                "impl (the default) or canary in lockstep with the spec, or spec alone, with all "
                "the choices that it leaves");
  c->add_option("--tasks", o->tasks, "How many tasks there are at a time: 3 by default");
  c->add_option("--depth", o->depth, "How many steps at most; by default until nothing is new");
  c->add_option("--pages", o->pages, "How many pages init has mapped at first: 1 by default");
  c->add_option("--ops", o->ops, "The ops that are tried, with commas between them; by default " +
                                     std::string(harness::kCoreOps));
  c->add_flag("--kthreads", o->kthreads,
              "In a world with kernel threads; the ops are by default " +
                  std::string(harness::kKthreadOps));
  c->add_flag("--symmetry", o->symmetry,
              "Take worlds for one that differ only in which numbers their tasks have");
  c->add_option("--project", o->project, "family: count the family trees among the worlds, too");
  c->add_flag("--faults", o->faults,
              "In every state, make each step of every fork, vfork and clone fail");
  c->add_flag("--merge", o->merge, "With --project: take the worlds of one family tree for one");
  c->add_option("--pid-max", o->pid_max, "The limit of the numbers");
  c->add_option("--pid-cursor", o->pid_cursor, "The number that is tried first");
  c->add_option("--seconds", o->seconds, "Stop after so long");
  c->add_option("--memory", o->memory, "Stop when so many MiB are used: 4096 by default");
  c->add_option("--jobs", o->jobs, "How many threads; by default one for each processor");
  c->add_option("--profile", o->profile, "linux-6 (the default) or linux-4.12");
  c->add_option("--emit", o->emit,
                "Write the shortest trace to each rule with each outcome into this folder, new or "
                "empty");
  c->add_flag("--json", o->json, "One JSON object on standard output");
  c->callback([&command, o] {
    if (o->ops.empty()) o->ops = o->kthreads ? harness::kKthreadOps : harness::kCoreOps;
    command = [o](const Words&) { return explore(*o); };
  });
}

/// The commands that read one trace.
void add_file_command(CLI::App& app, Command& command, const char* name, const char* says,
                      int (*body)(const FileOptions&)) {
  auto o = std::make_shared<FileOptions>();
  CLI::App* c = app.add_subcommand(name, says);
  c->add_option("FILE", o->file, "The trace; - is standard input")->required();
  if (body == minimize || body == convert) {
    c->add_option("-o,--output", o->output, "Where to write; - is standard output")->required();
    c->add_flag("--force", o->force, "Replace the output if it exists");
  }
  if (body == minimize || body == run_script) add_system(c, o->system);
  if (body == show)
    c->add_flag("--slab", o->slab, "Run it, and show what records the implementation took");
  if (body == show) c->add_option("--format", o->format, "tree (the default) or dot, for Graphviz");
  c->callback([&command, o, body] {
    command = [o, body](const Words& words) {
      const bool in_guest = (body == minimize || body == run_script) && wants_guest(o->system);
      return in_guest ? run_in_guest(o->system, words, traffic_of(*o)) : body(*o);
    };
  });
}

void add_spec(CLI::App& app, Command& command) {
  auto o = std::make_shared<SpecOptions>();
  CLI::App* c = app.add_subcommand("spec", "Print what is specified");
  CLI::Option_group* which = c->add_option_group("Tables");
  which->add_flag("--rules", o->rules, "The clauses of the spec");
  which->add_flag("--invariants", o->invariants, "What holds in every reachable state");
  which->add_flag("--ops", o->ops, "What tasks can do");
  which->add_flag("--steps", o->steps, "How the implementation makes, ends and releases a task");
  which->add_flag("--sometimes", o->sometimes, "The states that a good campaign sees");
  which->require_option(0, 1);
  CLI::Option* json = c->add_flag("--json", o->json, "As a JSON array");
  c->add_flag("--markdown", o->markdown, "As a page of the manual")->excludes(json);
  c->callback([&command, o] { command = [o](const Words&) { return spec(*o); }; });
}

void add_prove(CLI::App& app, Command& command) {
  auto o = std::make_shared<ProveOptions>();
  CLI::App* c = app.add_subcommand("prove", "Prove the bit logic of the implementation");
  c->add_option("NAME", o->names, "Obligations, or families of them such as pid; by default all");
  CLI::Option* list = c->add_flag("--list", o->list, "Print what there is to prove");
  c->add_flag("--markdown", o->markdown, "With --list: as a page of the manual")->needs(list);
  c->add_option("--solver", o->solver, "z3 (the default) or cvc5");
  c->add_option("--emit", o->emit, "Write the formulas to this folder as SMT-LIB 2, and no more");
  c->add_option("--traces", o->traces,
                "Write to this folder the traces in which the twins' counterexamples show");
  c->add_flag("--twins", o->twins, "Print a counterexample to each twin");
  c->add_flag("--no-cache", o->no_cache, "Ask the solver even what it has answered before");
  c->add_option("--jobs", o->jobs, "How many are proved at once; by default one a processor");
  c->add_flag("--json", o->json, "One JSON object on standard output");
  c->callback([&command, o] { command = [o](const Words&) { return prove(*o); }; });
}

/// The words that follow are options of a script, which has help of its own.
void add_mutants(CLI::App& app, Command& command) {
  CLI::App* c = app.add_subcommand("mutants", "Seed defects, and see whether they are caught");
  c->set_help_flag();
  c->prefix_command();
  c->callback([&command, c] { command = [c](const Words&) { return mutants(c->remaining()); }; });
}

int fail(int status, std::string message) {
  std::ranges::replace(message, '\n', ' ');
  fmt::print(stderr, "forkproof: {}\n", message);
  return status;
}

/// A file that is opened later must not get the number of a standard stream that was closed: what
/// is printed would end in it. Writing to what stands here instead fails, as it should.
void occupy_standard_streams() {
  for (const int fd : {0, 1, 2})
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) (void)::open("/dev/null", O_RDONLY);
}

/// Runs the command; that results could not be printed is a failure, too.
int finish(const Command& command, const Words& words) {
  try {
    const int status = command(words);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return fail(kBadInput, fmt::format("standard output: {}", std::strerror(errno)));
    return status;
  } catch (const Failure& f) {
    std::fflush(stdout);
    return fail(f.status, f.message);
  } catch (const harness::SystemFault& e) {
    return fail(kCannotRun, e.what());
  } catch (const std::system_error& e) {  // from fmt: stdout cannot be written
    return fail(kBadInput, fmt::format("standard output: {}", e.code().message()));
  } catch (const std::bad_alloc&) {
    return fail(kCannotRun, "out of memory");
  }
}

}  // namespace

int run(int argc, char** argv) {
  if (harness::qemu::is_guest_init(argv[0])) harness::qemu::be_guest_init();
  const Words words(argv + 1, argv + argc);
  occupy_standard_streams();
  CLI::App app("An executable spec of the Linux process lifecycle, and what holds systems to it.",
               "forkproof");
  app.set_version_flag("--version", "forkproof " FORKPROOF_VERSION);
  app.require_subcommand(1);
  app.footer("Exit status: 0 holds, 1 a violation was found, 2 wrong usage or bad input,\n"
             "3 cannot run here.");

  Command command;
  add_check(app, command);
  add_replay(app, command);
  add_file_command(app, command, "run", "Run a script and print the recording", run_script);
  add_file_command(app, command, "minimize", "Make a failing trace as small as can be", minimize);
  add_file_command(app, command, "convert", "Turn a trace from text to bytes or back", convert);
  add_file_command(app, command, "show", "Draw the family of a trace", show);
  add_record(app, command);
  add_explore(app, command);
  add_prove(app, command);
  add_mutants(app, command);
  add_spec(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool lost = e.get_exit_code() != 0 && app.get_subcommands().empty() && argc > 1;
    if (lost)
      return fail(kBadInput, fmt::format("no {} is called {}; see --help",
                                         argv[1][0] == '-' ? "option" : "command", argv[1]));
    if (e.get_exit_code() != 0) return fail(kBadInput, e.what());
    return finish([&](const Words&) { return app.exit(e); }, words);  // --help, --version
  }
  return finish(command, words);
}

}  // namespace forkproof::app
