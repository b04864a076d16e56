/// Scripts and their parts as text: the inverse of parse.cpp.
#include "spec/text_values.hpp"

namespace forkproof {
namespace {

void write(std::string& out, const Op& op, Names names) {
  out += name_of(op);
  std::visit(
      [&]<class O>(const O& o) {
        ValueWriter value{out, names, std::is_same_v<O, Waitid> ? "WUNTRACED" : "WSTOPPED"};
        for_each_arg(o, [&]<class A>(const A& arg, const auto& v) {
          if (arg.form != Form::word && v == O{}.*(arg.at)) return;
          out += ' ';
          if (arg.form == Form::key) out += arg.name, out += '=';
          value(v);
        });
      },
      op);
}

/// A number that would read as the other kind here says its kind: `task:7`, `value:7`.
void write_answer(std::string& out, const Outcome& o, Names names, bool answers_task) {
  ValueWriter value{out, names};
  if (o.kind == Outcome::Kind::value) {
    if (answers_task) value("value:");
    return value(o.value);
  }
  if (!o.who.named && !answers_task) value("task:");
  value(o.who);
}

void write_change(std::string& out, const Outcome& o, Names names) {
  ValueWriter value{out, names};
  value(o.who);
  out += ' ';
  value(o.change == Change::dumped ? Change::killed : o.change);
  if (o.change == Change::continued) return;
  out += ' ';
  if (o.change == Change::exited) return value(o.code);
  value(Signal{o.code});
  if (o.change == Change::dumped) out += " core";
}

void write(std::string& out, const Outcome& o, Names names, bool answers_task) {
  using Kind = Outcome::Kind;
  ValueWriter value{out, names};
  switch (o.kind) {
    case Kind::nothing:
      return;
    case Kind::value:
    case Kind::task:
      return write_answer(out, o, names, answers_task);
    case Kind::error:
      return value(o.error);
    case Kind::dies:
      return value("dies "), value(Signal{o.code});
    case Kind::not_run:
      return value("not-run");
    case Kind::none:
      return value("none");
    case Kind::change:
      return write_change(out, o, names);
    case Kind::blocks:
      value("blocks");
      if (o.who != TaskRef{}) value(" "), value(o.who);
      return;
  }
}

void write(std::string& out, const Expectation& e, Names names) {
  ValueWriter value{out, names};
  with_field(e.field, [&]<class V>(const Field<V>& field) {
    if constexpr (std::is_same_v<V, Pid>)
      value(e.value);
    else if constexpr (FlagWord<V> || std::is_same_v<V, SigSet>)
      value(V{e.bits});
    else if constexpr (std::is_same_v<V, std::int32_t>)
      is_signal_field(field.name) ? value(Signal{e.value.n}) : value(e.value.n);
    else
      value(static_cast<V>(e.value.n));
  });
}

void write_name(std::string& out, const Step& s, Names names) {
  ValueWriter value{out, names};
  value(TaskRef::name(s.binds));
  if (s.pid) value(" pid "), value(*s.pid);
}

/// `nameless`: the name that the step binds need not be written.
void write(std::string& out, const Step& s, Names names, bool nameless) {
  ValueWriter value{out, names};
  if (is_by_world(s.op))
    value("world");
  else
    value(TaskRef::name(s.actor));
  out += ": ";
  write(out, s.op, names);

  const bool states_outcome = s.outcome && s.outcome->kind != Outcome::Kind::nothing;
  if (s.binds != kNoName && s.outcome == made_by(s)) {
    out += " -> ";
    write_name(out, s, names);
  } else {
    if (s.binds != kNoName && (!nameless || s.pid || (s.outcome && s.outcome->who.named)))
      out += " as ", write_name(out, s, names);
    if (states_outcome) out += " -> ", write(out, *s.outcome, names, answers_with_task(s.op));
  }
  out += '\n';

  for (const ExpectedReturn& r : s.returns) {
    value(r.task), out += " => ";
    write(out, r.outcome, names, false);
    out += '\n';
  }
  for (const Expectation& e : s.expectations) {
    out += "expect ", value(e.task), out += ' ', value(field_name(e.field)), out += ' ';
    write(out, e, names);
    out += '\n';
  }
}

/// For each name, whether the step that binds it may leave it out: nothing uses it, and reading
/// gives it again.
std::vector<bool> nameless(const Script& script) {
  std::vector<bool> nameless = follows_from_index(script.names);
  const auto use = [&](TaskRef ref) {
    const auto index = static_cast<std::size_t>(ref.n);
    if (ref.named && index < nameless.size()) nameless[index] = false;
  };
  for (const Step& s : script.steps) {
    use(TaskRef::name(s.actor));
    for_each_ref(s.op, use);
    if (s.outcome) use(s.outcome->who);
    for (const ExpectedReturn& r : s.returns) use(r.task), use(r.outcome.who);
    for (const Expectation& e : s.expectations) use(e.task), use(e.value);
  }
  return nameless;
}

void write_world(std::string& out, const WorldSpec& world) {
  if (world == WorldSpec{}) return;
  ValueWriter value{out, {}};
  value("world");
  if (world.profile != WorldSpec{}.profile) value(" profile="), value(world.profile);
  if (world.pid_max != WorldSpec{}.pid_max) value(" pid_max="), value(world.pid_max);
  if (world.kthreads) value(" kthreads=on");
  out += '\n';
}

}  // namespace

std::string print(const Script& script) {
  std::string out{kTraceWord};
  out += ' ', out += kTraceVersion, out += '\n';
  for (const std::string& line : script.head) out += '#', out += line, out += '\n';
  write_world(out, script.world);
  if (!script.steps.empty()) out += '\n';

  const std::vector<bool> may_hide = nameless(script);
  for (const Step& s : script.steps)
    write(out, s, script.names, s.binds != kNoName && may_hide[static_cast<std::size_t>(s.binds)]);
  return out;
}

std::string to_text(TaskRef task, Names names) {
  std::string out;
  ValueWriter{out, names}(task);
  return out;
}

std::string to_text(const Op& op, Names names) {
  std::string out;
  write(out, op, names);
  return out;
}

std::string to_text(const Outcome& outcome, Names names, bool answers_task) {
  std::string out;
  write(out, outcome, names, answers_task);
  return out;
}

std::string to_text(const Expectation& expectation, Names names) {
  std::string out;
  write(out, expectation, names);
  return out;
}

std::string to_text(const Step& step, Names names) {
  std::string out;
  write(out, step, names, false);
  return out;
}

std::string to_text(const ParseError& error, std::string_view file) {
  std::string out{file};
  out += ':', out += std::to_string(error.line), out += ':', out += std::to_string(error.column);
  return out += ": " + error.message;
}

}  // namespace forkproof
