/// Text as a script: the inverse of print.cpp. One pass over the lines, each read word by word.
#include "spec/text_reader.hpp"
#include "spec/utf8.hpp"

namespace forkproof {
namespace {

class Parser {
 public:
  Parsed run(std::string_view text);

 private:
  bool line(std::string_view text);
  bool header(PartReader& part, LineWords& words);
  bool world(PartReader& part, LineWords& words);
  bool world_key(PartReader& part, Token token);
  bool step(PartReader& part, LineWords& words);
  bool task_of(Step& s, PartReader& part, LineWords& words);
  bool bind(Step& s, PartReader& part, LineWords& words);
  bool outcome(Step& s, PartReader& part, LineWords& words);
  bool returned(PartReader& part, LineWords& words);
  bool expectation(PartReader& part, LineWords& words);
  bool fail(int column, std::string message);

  Script script_;
  NameTable names_;
  std::optional<ParseError> error_;
  int line_ = 0;
  bool has_header_ = false, has_world_ = false, has_profile_ = false, has_pid_max_ = false;
};

/// Cuts the first line off `text`, without its line end.
std::string_view cut_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool Parser::fail(int column, std::string message) {
  error_ = ParseError{line_, column, std::move(message)};
  return false;
}

Parsed Parser::run(std::string_view text) {
  if (text.size() > kTextMax) {
    line_ = 1;
    fail(1, "the text is longer than " + std::to_string(kTextMax >> 20) + " MiB");
    return {std::move(script_), std::move(error_)};
  }
  names_.add("init", 0);
  bool fine = true;
  while (fine && !text.empty()) {
    ++line_;
    fine = line(cut_line(text));
  }
  if (fine && !has_header_) {
    ++line_;
    fail(1, "expected the header `forkproof-trace v1`, found the end of the text");
  }
  name_the_unnamed(script_.names);
  return {std::move(script_), std::move(error_)};
}

bool Parser::line(std::string_view text) {
  const std::size_t hash = text.find('#');
  if (hash != std::string_view::npos) {
    const std::string_view comment = text.substr(hash + 1);
    if (const std::size_t bad = bad_in_comment(comment); bad != std::string_view::npos)
      return fail(static_cast<int>(hash + bad) + 2,
                  "expected UTF-8 without control characters, found the byte `" +
                      shown(comment.substr(bad, 1)) + "`");
  }
  LineWords words{text.substr(0, hash)};
  if (words.peek().text.empty()) {
    if (hash != std::string_view::npos && script_.steps.empty())
      script_.head.emplace_back(text.substr(hash + 1));
    return true;
  }
  PartReader part{words, names_};
  const Token first = words.peek();
  const bool fine = !has_header_                ? header(part, words)
                    : first.text == "world"     ? world(part, words)
                    : first.text == "expect"    ? expectation(part, words)
                    : first.text.ends_with(':') ? step(part, words)
                                                : returned(part, words);
  return fine || fail(part.error.column, std::move(part.error.message));
}

bool Parser::header(PartReader& part, LineWords& words) {
  has_header_ = true;
  if (words.peek().text != kTraceWord)
    return part.fail(words.peek(), "the header `forkproof-trace v1`");
  words.next();
  if (words.peek().text != kTraceVersion)
    return part.fail(words.peek(), "`v1`, the one version of the language");
  words.next();
  return part.end("the end of the line");
}

bool Parser::world(PartReader& part, LineWords& words) {
  const Token world = words.next();
  if (std::exchange(has_world_, true)) return part.fail(world, "one `world` line at most");
  if (!script_.steps.empty()) return part.fail(world, "the `world` line before the first step");
  while (!words.peek().text.empty())
    if (!world_key(part, words.next())) return false;
  return true;
}

bool Parser::world_key(PartReader& part, Token token) {
  const std::size_t equals = token.text.find('=');
  const std::string_view key = token.text.substr(0, equals);
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? token.text.substr(equals + 1) : std::string_view{};

  if (has_value && key == "profile" && !std::exchange(has_profile_, true)) {
    const auto profile = value_of(kProfiles, value);
    if (!profile) return part.fail(token, "profile=linux-6 or profile=linux-4.12");
    script_.world.profile = static_cast<Profile>(*profile);
    return true;
  }
  if (has_value && key == "pid_max" && !std::exchange(has_pid_max_, true)) {
    std::int32_t& pid_max = script_.world.pid_max;
    const bool fine = read_number(value, pid_max);
    if (fine && pid_max >= kPidMaxMin && pid_max <= kPidMaxLimit) return true;
    pid_max = kPidMaxDefault;
    return part.fail(token, "pid_max=N with N from 301 to 4194304");
  }
  return part.fail(token, "`profile=` or `pid_max=`, each once");
}

bool Parser::step(PartReader& part, LineWords& words) {
  if (script_.steps.size() == kStepsMax)
    return part.fail(words.peek(), "at most " + std::to_string(kStepsMax) + " steps");
  Step s;
  s.line = line_;
  if (!task_of(s, part, words)) return false;
  if (creates(s.op) && !bind(s, part, words)) return false;
  if (words.peek().text == "->" && !outcome(s, part, words)) return false;
  if (!part.end(s.outcome ? "the end of the line" : "`->` and an outcome, or the end of the line"))
    return false;
  script_.steps.push_back(std::move(s));
  return true;
}

/// `ACTOR: OP ARGS`
bool Parser::task_of(Step& s, PartReader& part, LineWords& words) {
  const Token actor = words.next();
  const std::string_view name = actor.text.substr(0, actor.text.size() - 1);
  const bool by_world = name == "world";
  s.actor = by_world ? 0 : names_(name);
  if (s.actor == kNoName) return part.fail(actor, "`init:`, a task made above, or `world:`");

  const Token op = words.peek();
  if (!part.op(s.op)) return false;
  if (is_by_world(s.op) == by_world) return true;
  return part.fail(op, by_world ? "an op of the world, such as pid_max" : "an op of a task");
}

/// `[as NAME [pid N]]`, or `-> NAME [pid N]`, which also says that the task was made.
bool Parser::bind(Step& s, PartReader& part, LineWords& words) {
  s.binds = static_cast<std::int32_t>(script_.names.size());
  script_.names.emplace_back();

  LineWords ahead = words;
  const std::string_view first = ahead.next().text;
  if (first != "as" && !(first == "->" && is_name(ahead.peek().text))) return true;
  words.next();
  const Token name = words.next();
  if (!is_name(name.text)) return part.fail(name, "a name for the new task");
  if (names_(name.text) != kNoName) return part.fail(name, "a name that no task has yet");
  names_.add(name.text, script_.names.size() - 1);
  script_.names.back() = name.text;
  if (first == "->") s.outcome = made_by(s);

  if (words.peek().text != "pid") return true;
  words.next();
  const Token number = words.peek();
  Pid pid;
  if (!part.value(pid.n)) return false;
  if (pid.n < 1 || pid.n > kPidMaxLimit) return part.fail(number, "a pid from 1 to 4194304");
  s.pid = pid;
  return true;
}

bool Parser::outcome(Step& s, PartReader& part, LineWords& words) {
  if (s.outcome) return part.fail(words.peek(), "the end of the line");
  words.next();
  const Token first = words.peek();
  Outcome outcome;
  if (!part.outcome(outcome, answers_with_task(s.op))) return false;
  if (has_no_outcome(s.op) && outcome.kind != Outcome::Kind::not_run)
    return part.fail(first, "`not-run`, all that can be seen of an op that never returns");
  s.outcome = outcome;
  return true;
}

bool Parser::returned(PartReader& part, LineWords& words) {
  const Token first = words.peek();
  LineWords ahead = words;
  ahead.next();
  if (ahead.peek().text != "=>")
    return part.fail(first, "`ACTOR: OP`, `ACTOR => OUTCOME` or `expect TASK FIELD VALUE`");
  if (script_.steps.empty())
    return part.fail(first, "a step before the calls that it makes return");
  if (!script_.steps.back().expectations.empty())
    return part.fail(first, "the lines with `=>` before those with `expect`");

  ExpectedReturn r;
  if (!part.value(r.task)) return false;
  words.next();
  if (!part.outcome(r.outcome, false) || !part.end("the end of the line")) return false;
  script_.steps.back().returns.push_back(r);
  return true;
}

bool Parser::expectation(PartReader& part, LineWords& words) {
  const Token first = words.next();
  if (script_.steps.empty()) return part.fail(first, "a step before what it is expected to show");
  Expectation e;
  if (!part.expectation(e) || !part.end("the end of the line")) return false;
  script_.steps.back().expectations.push_back(e);
  return true;
}

}  // namespace

Parsed parse(std::string_view text) { return Parser{}.run(text); }

bool is_text(std::string_view file) {
  while (!file.empty()) {
    const std::string_view line = cut_line(file);
    const Token first = LineWords{line}.peek();
    if (!first.text.empty() && first.text[0] != '#') return first.text == kTraceWord;
  }
  return false;
}

}  // namespace forkproof
