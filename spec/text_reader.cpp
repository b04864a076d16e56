/// Reads ops, outcomes and expectations: each is the values that its declaration lists.
#include "spec/text_reader.hpp"

#include <numeric>

namespace forkproof {
namespace {

/// How many letters have to be put in, taken out or replaced to make `a` of `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// `an op such as fork or wait4`, or the op that was probably meant.
std::string op_like(std::string_view word) {
  constexpr std::size_t kLongestTypo = 20;
  std::string_view best;
  std::size_t least = 3;
  if (word.size() <= kLongestTypo)
    for (const std::string_view name : kOpNames)
      if (const std::size_t d = distance(word, name); d < std::min(least, name.size()))
        least = d, best = name;
  return best.empty() ? "an op, such as fork or wait4"
                      : "an op (did you mean `" + std::string(best) + "`?)";
}

}  // namespace

std::string shown(std::string_view word) {
  constexpr std::size_t kLongest = 40;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char c : word.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F)
      text += c;
    else
      text += "\\x", text += kHex[byte >> 4], text += kHex[byte & 15];
  }
  return word.size() > kLongest ? text + "..." : text;
}

bool PartReader::fail(Token token, std::string_view expected) {
  error.column = token.column;
  error.message = "expected ";
  error.message += expected;
  if (token.text.empty())
    error.message += ", found the end of the line";
  else
    error.message += ", found `" + shown(token.text) + "`";
  return false;
}

bool PartReader::end(std::string_view expected) {
  return line_.peek().text.empty() || fail(line_.peek(), expected);
}

bool PartReader::argument(const auto& arg, auto& v) {
  if (arg.form == Form::word) return value(v);

  const Token token = line_.peek();
  const std::size_t equals = token.text.find('=');
  if (arg.form == Form::optional) {
    const bool left_out = token.text.empty() || token.text == "->" || token.text == "as" ||
                          equals != std::string_view::npos;
    return left_out || value(v);
  }
  if (token.text.substr(0, equals) != arg.name || equals == std::string_view::npos) return true;
  line_.next();
  return read_(token.text.substr(equals + 1), v) ||
         fail(token, describe<std::remove_reference_t<decltype(v)>>());
}

bool PartReader::op(Op& op) {
  const Token name = line_.next();
  const auto index = op_index(name.text);
  if (!index) return fail(name, op_like(name.text));
  op = default_op(*index);
  return std::visit(
      [&](auto& o) {
        bool fine = true;
        for_each_arg(o, [&](const auto& arg, auto& v) { fine = fine && argument(arg, v); });
        return fine;
      },
      op);
}

bool PartReader::outcome(Outcome& outcome, bool answers_task) {
  using Kind = Outcome::Kind;
  const Token token = line_.next();
  if (token.text == "not-run") return outcome = Outcome::of(Kind::not_run), true;
  if (token.text == "none") return outcome = Outcome::of(Kind::none), true;
  if (token.text == "blocks") {
    outcome = Outcome::of(Kind::blocks);
    return line_.peek().text.empty() || value(outcome.who);
  }
  if (token.text == "dies") {
    Signal s;
    if (!value(s)) return false;
    return outcome = Outcome::death(s), true;
  }
  if (Errno e{}; read_(token.text, e)) return outcome = Outcome::failure(e), true;
  return answer(token, outcome, answers_task);
}

/// A value, a task, or a task and what became of it.
bool PartReader::answer(Token token, Outcome& outcome, bool answers_task) {
  constexpr std::string_view kExpected =
      "an outcome: a number, a task, an errno, blocks, none, dies, not-run, or a task's news";
  const auto after = [&](std::string_view prefix) {
    return token.text.starts_with(prefix) ? token.text.substr(prefix.size()) : std::string_view{};
  };
  std::int64_t number = 0;
  TaskRef task;
  const bool is_task = read_(token.text, task);
  if (is_task && !line_.peek().text.empty()) return outcome.who = task, change(outcome);
  if (is_task && (task.named || answers_task)) return outcome = Outcome::task(task), true;
  if (read_(after("task:"), task)) return outcome = Outcome::task(task), true;
  if (read_(answers_task ? after("value:") : token.text, number) || read_(after("value:"), number))
    return outcome = Outcome::number(number), true;
  return fail(token, kExpected);
}

bool PartReader::change(Outcome& outcome) {
  const Token token = line_.next();
  const TaskRef who = outcome.who;
  Change change{};
  if (!read_(token.text, change) || change == Change::dumped)
    return fail(token, "`exited`, `killed`, `stopped`, `continued` or the end of the line");

  std::int32_t code = 0;
  Signal signal;
  if (change == Change::exited && !value(code)) return false;
  if ((change == Change::killed || change == Change::stopped) && !value(signal)) return false;
  if (change == Change::killed && line_.peek().text == "core")
    line_.next(), change = Change::dumped;
  outcome = Outcome::news(who, change, change == Change::exited ? code : signal.n);
  return true;
}

bool PartReader::expectation(Expectation& e) {
  if (!value(e.task)) return false;
  const Token name = line_.next();
  const auto field = field_index(name.text);
  if (!field) {
    std::string expected = "a field, one of";
    for_each_field([&](std::size_t, const auto& f) { expected += ' ', expected += f.name; });
    return fail(name, expected);
  }
  e.field = static_cast<std::uint8_t>(*field);
  const auto read_as = [&](auto v) {
    if (!value(v)) return false;
    set_value(e, v);
    return true;
  };
  bool fine = false;
  with_field(*field, [&]<class V>(const Field<V>& f) {
    if constexpr (std::is_same_v<V, Pid>)
      fine = read_as(TaskRef{});
    else if constexpr (!std::is_same_v<V, std::int32_t>)
      fine = read_as(V{});
    else
      fine = is_signal_field(f.name) ? read_as(Signal{}) : read_as(V{});
  });
  return fine;
}

namespace {

NameTable table_of(Names names) {
  NameTable table;
  for (std::size_t i = 0; i < names.size(); ++i) table.add(names[i], i);
  return table;
}

}  // namespace

std::optional<Op> read_op(std::string_view text, Names names) {
  LineWords line{text};
  const NameTable table = table_of(names);
  PartReader part{line, table};
  Op op;
  if (!part.op(op) || !part.end({})) return std::nullopt;
  return op;
}

std::optional<Outcome> read_outcome(std::string_view text, Names names, bool answers_task) {
  LineWords line{text};
  const NameTable table = table_of(names);
  PartReader part{line, table};
  Outcome outcome;
  if (!part.outcome(outcome, answers_task) || !part.end({})) return std::nullopt;
  return outcome;
}

}  // namespace forkproof
