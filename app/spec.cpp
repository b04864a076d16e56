/// `forkproof spec`: the tables of the spec, for people, for programs and for the manual.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/markdown.hpp"
#include "app/output.hpp"
#include "impl/steps.hpp"
#include "spec/derive.hpp"
#include "spec/invariants.hpp"
#include "spec/rules.hpp"
#include "spec/sometimes.hpp"

namespace forkproof::app {

namespace {

struct Entry {
  std::string id, says, source;
  std::vector<std::string> args;
  bool by_world = false;  // an op that no task does
};

struct Table {
  std::string_view title, intro;
  std::vector<Entry> entries;
  bool ops = false;
};

Table rules() {
  Table t{"Rules",
          "The clauses of the spec. A source is a file of `spec/sources/` and a label in it.", {}};
  for (const Rule& r : kRules)
    t.entries.push_back({std::string(r.id), std::string(r.says), std::string(r.source), {}});
  return t;
}

Table invariants() {
  Table t{"Invariants", "What holds in every reachable state.", {}};
  const auto add = [&]<class I>() {
    t.entries.push_back({std::string(I::id), std::string(I::says), std::string(I::source), {}});
  };
  spec::for_each_invariant(add);
  spec::for_each_world_invariant(add);
  return t;
}

/// `[pages=N]`: how an argument is written.
std::string written(std::string_view name, Form form) {
  if (form == Form::word) return fmt::format("{}", name);
  return form == Form::key ? fmt::format("[{}=...]", name) : fmt::format("[{}]", name);
}

Table ops() {
  Table t{"Ops", "What tasks and the world do, and how it is written in a trace.", {}, true};
  for_each_op([&]<class O>() {
    Entry e{O::name, O::says, O::source, {}, is_by_world(O{})};
    O op;
    for_each_arg(op, [&](const auto& arg, const auto&) {
      e.args.push_back(written(arg.name, arg.form));
    });
    t.entries.push_back(std::move(e));
  });
  return t;
}

Table sometimes() {
  Table t{"Sometimes", "The states that a good campaign sees. One that does not is too weak.", {}};
  spec::for_each_sometimes([&]<class S>(std::size_t) {
    t.entries.push_back({std::string(S::id), std::string(S::says), {}, {}});
  });
  return t;
}

Table steps() {
  Table t{"Steps",
          "How the implementation makes a task, ends it and releases it: the functions of "
          "`impl/create.cpp` and `impl/exit.cpp`, in the order in which they run. Where a step of "
          "copy_process fails the earlier ones are undone. Last, what else can find no memory, "
          "the steps of an exec that has begun behind the others.",
          {}};
  const auto add = [&](std::string_view of, const auto& list) {
    for (const impl::LifeStep& s : list) {
      std::string says(s.says);
      if (s.no_room == Errno::nomem && !impl::is_late(s)) says += " Without memory: ENOMEM.";
      if (s.no_room == Errno::again) says += " Refused: EAGAIN.";
      t.entries.push_back({fmt::format("{}: {}", of, s.name), says, std::string(s.source), {}});
    }
  };
  add("copy_process", impl::kCopyProcess);
  add("kernel_clone", impl::kKernelClone);
  add("do_exit", impl::kDoExit);
  add("release_task", impl::kReleaseTask);
  add("elsewhere", impl::kElsewhere);
  return t;
}

std::string usage(const Entry& e) {
  std::string out = e.id;
  for (const std::string& arg : e.args) out += ' ' + arg;
  return out;
}

std::string as_json(const Table& table) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Entry& e : table.entries) {
    nlohmann::ordered_json object{{"id", e.id}, {"says", e.says}, {"source", e.source}};
    if (table.ops) {
      object["args"] = e.args;
      object["by"] = e.by_world ? "world" : "task";
    }
    array.push_back(std::move(object));
  }
  return array.dump(2) + '\n';
}

std::string as_text(const Table& table) {
  std::string out;
  for (const Entry& e : table.entries) {
    out += fmt::format("{}\n    {}\n", usage(e), e.says);
    if (!e.source.empty()) out += fmt::format("    source: {}\n", e.source);
  }
  return out;
}

std::string as_markdown(const Table& table, std::string_view option) {
  std::string out = fmt::format(
      "# {}\n\n{} {} in all. This page is what `forkproof spec {} --markdown` prints.\n\n"
      "| id | what it says | source |\n| --- | --- | --- |\n",
      table.title, table.intro, table.entries.size(), option);
  for (const Entry& e : table.entries)
    out += fmt::format("| `{}` | {} | {} |\n", usage(e), markdown_cell(e.says),
                       markdown_cell(e.source));
  return out;
}

std::string overview() {
  return fmt::format(
      "{:4} rules       forkproof spec --rules\n{:4} invariants  forkproof spec --invariants\n"
      "{:4} ops         forkproof spec --ops\n{:4} sometimes   forkproof spec --sometimes\n"
      "{:4} steps       forkproof spec --steps\n",
      rules().entries.size(), invariants().entries.size(), ops().entries.size(),
      sometimes().entries.size(), steps().entries.size());
}

}  // namespace

int spec(const SpecOptions& o) {
  const bool chosen = o.rules || o.invariants || o.ops || o.sometimes || o.steps;
  if (!chosen && (o.json || o.markdown))
    throw Failure{kBadInput, "spec: name a table: --rules, --invariants, --ops, --sometimes "
                             "or --steps"};
  if (!chosen) {
    write_file("-", overview());
    return kHolds;
  }
  const Table table = o.rules        ? rules()
                      : o.invariants ? invariants()
                      : o.ops        ? ops()
                      : o.steps      ? steps()
                                     : sometimes();
  const std::string_view option = o.rules        ? "--rules"
                                  : o.invariants ? "--invariants"
                                  : o.ops        ? "--ops"
                                  : o.steps      ? "--steps"
                                                 : "--sometimes";
  write_file("-", o.json       ? as_json(table)
                  : o.markdown ? as_markdown(table, option)
                               : as_text(table));
  return kHolds;
}

}  // namespace forkproof::app
