/// Reads a family off a trace and draws it.
#include "spec/render.hpp"

#include <utility>

#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

struct Member {
  std::string made_by;  // the op
  std::string end;      // how it ended, as far as the trace tells
  std::string reaper;
  std::optional<Pid> pid;
  bool execs = false;
  bool is_thread = false;
  bool fails = false;  // the op answered something else than a task
  std::vector<std::int32_t> children;
};

class Family {
 public:
  explicit Family(const Script& script) : names(script.names), members(script.names.size()) {
    for (const Step& s : script.steps) read(s);
  }

  Names names;
  std::vector<Member> members;

  const std::string& name(std::int32_t index) const {
    return names[static_cast<std::size_t>(index)];
  }
  const Member& member(std::int32_t index) const {
    return members[static_cast<std::size_t>(index)];
  }

  /// What became of a task, in words.
  std::vector<std::string> fate(std::int32_t index) const {
    const Member& m = member(index);
    std::vector<std::string> words;
    if (m.pid) words.push_back("pid " + std::to_string(m.pid->n));
    if (m.execs) words.emplace_back("exec");
    if (!m.end.empty()) words.push_back(m.end);
    if (!m.reaper.empty()) words.push_back("reaped by " + m.reaper);
    return words;
  }

 private:
  Member& at(std::int32_t index) { return members[static_cast<std::size_t>(index)]; }

  void read(const Step& s) {
    using Kind = Outcome::Kind;
    const bool happens =
        !s.outcome || (s.outcome->kind != Kind::not_run && s.outcome->kind != Kind::error);
    if (creates(s.op)) make(s);
    if (happens && std::holds_alternative<Exec>(s.op)) at(s.actor).execs = true;
    if (happens && has_no_outcome(s.op)) at(s.actor).end = to_text(s.op, names);

    const auto* waitid = std::get_if<Waitid>(&s.op);
    const bool peeks = waitid != nullptr && waitid->options.has(wait_option::nowait);
    if (s.outcome) answer(TaskRef::name(s.actor), *s.outcome, !peeks);
    for (const ExpectedReturn& r : s.returns) answer(r.task, r.outcome, true);
  }

  void make(const Step& s) {
    using Kind = Outcome::Kind;
    Member& m = at(s.binds);
    m.made_by = to_text(s.op, names);
    m.pid = s.pid;
    m.is_thread = clone_flags_of(s.op).has(clone_flag::thread);
    m.fails = s.outcome && s.outcome->kind != Kind::task && s.outcome->kind != Kind::blocks;
    if (m.fails) m.end = to_text(*s.outcome, names, true);
    at(s.actor).children.push_back(s.binds);
  }

  void answer(TaskRef task, const Outcome& o, bool reaps) {
    using Kind = Outcome::Kind;
    if (o.kind == Kind::dies && task.named) at(task.n).end = "killed " + signal_text(o.code);
    if (o.kind != Kind::change || !o.who.named) return;
    if (o.change == Change::stopped || o.change == Change::continued) return;
    Member& m = at(o.who.n);
    m.end = o.change == Change::exited ? "exited " + std::to_string(o.code)
                                       : "killed " + signal_text(o.code);
    if (o.change == Change::dumped) m.end += " core";
    if (reaps) m.reaper = to_text(task, names);
  }

  static std::string signal_text(std::int32_t n) {
    const auto name = name_of(kSignals, static_cast<std::uint64_t>(std::int64_t{n}));
    return name ? std::string{*name} : std::to_string(n);
  }
};

/// Deeper than this a line is no longer indented, so that a long chain does not take its square.
constexpr std::size_t kDepthMax = 100;

}  // namespace

std::string tree(const Script& script) {
  struct Pending {
    std::int32_t member;
    std::size_t depth;
    bool last;
    std::string prefix;  // of the lines below it
  };
  const Family family{script};
  std::string out;
  std::vector<Pending> pending{{0, 0, true, ""}};
  while (!pending.empty()) {
    const Pending now = std::move(pending.back());
    pending.pop_back();
    if (now.depth > 0) out += now.prefix, out += now.last ? "└─ " : "├─ ";
    out += family.name(now.member);

    const Member& m = family.member(now.member);
    std::string_view separator = "  ";
    if (!m.made_by.empty()) out += std::exchange(separator, ", "), out += m.made_by;
    for (const std::string& word : family.fate(now.member))
      out += std::exchange(separator, ", "), out += word;
    out += '\n';

    std::string prefix = now.prefix;
    if (now.depth > 0 && now.depth < kDepthMax) prefix += now.last ? "   " : "│  ";
    for (auto child = m.children.rbegin(); child != m.children.rend(); ++child)
      pending.push_back({*child, now.depth + 1, child == m.children.rbegin(), prefix});
  }
  return out;
}

std::string dot(const Script& script) {
  const Family family{script};
  std::string nodes, edges;
  const auto id = [](std::int32_t index) {
    return std::string(1, 't').append(std::to_string(index));
  };
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(family.members.size()); ++i) {
    const Member& m = family.member(i);
    nodes += "  " + id(i) + " [label=\"" + family.name(i);
    for (const std::string& word : family.fate(i)) nodes += "\\n" + word;
    nodes += m.fails ? "\", style=dotted];\n" : "\"];\n";
    for (const std::int32_t child : m.children) {
      edges += "  " + id(i) + " -> " + id(child) + " [label=\"" + family.member(child).made_by;
      edges += family.member(child).is_thread ? "\", style=dashed];\n" : "\"];\n";
    }
  }
  return "digraph forkproof {\n  node [shape=box];\n" + nodes + edges + "}\n";
}

}  // namespace forkproof
