/// A proof obligation: one sentence about templates of impl/bits/, with its source, and what makes
/// a formula of it. Declared once, in obligations/; all else is derived.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forkproof::smt {

class Claim;

/// A counterexample: the value of each variable of the obligation.
using Values = std::map<std::string, std::uint64_t>;

struct Obligation {
  std::string_view id;       // `pid.take-keeps-summary`
  std::string_view says;     // one sentence
  std::string_view source;   // a label of spec/sources/
  std::string_view about;    // the templates, by name, with blanks between
  std::string_view assumes;  // what else must be so; may be empty
  void (*state)(Claim&);
  /// A script in which a counterexample shows, as the text of its steps; empty where it cannot.
  std::string (*trace)(const Values&) = nullptr;
};

/// All of them, in the order of the manual.
std::vector<const Obligation*> obligations();

/// Those of one file each.
std::span<const Obligation> pid_word_obligations();
std::span<const Obligation> pid_search_obligations();
std::span<const Obligation> clone_obligations();
std::span<const Obligation> signal_obligations();
std::span<const Obligation> wait_obligations();
std::span<const Obligation> entry_obligations();
std::span<const Obligation> index_obligations();

/// What is not proved, and what holds it instead.
struct Gap {
  std::string_view what;
  std::string_view instead;
};
std::span<const Gap> gaps();

}  // namespace forkproof::smt
