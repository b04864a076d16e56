/// The rule book hangs together: ids are unique and well formed, each rule is a sentence, and each
/// cites a labelled sentence that exists in spec/sources/.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "props/tree.hpp"
#include "smt/obligation.hpp"
#include "spec/invariants.hpp"
#include "spec/rules.hpp"

namespace forkproof::props {
namespace {

constexpr std::size_t kRulesMin = 150;  // fewer, and the test reads the wrong table
constexpr std::string_view kSmall = "abcdefghijklmnopqrstuvwxyz", kDigits = "0123456789";
constexpr std::string_view kKebab = "abcdefghijklmnopqrstuvwxyz0123456789-";
constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool only(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// A word, which may be the name of a call that has a number: `clone3`.
bool is_word(std::string_view word, std::string_view letters) {
  const std::size_t end = word.find_last_not_of(kDigits);
  return end != std::string_view::npos && only(word.substr(0, end + 1), letters);
}

/// `EINVAL:3`
bool is_label(std::string_view label) {
  const std::size_t colon = label.find(':');
  return colon != std::string_view::npos && is_word(label.substr(0, colon), kCapitals) &&
         only(label.substr(colon + 1), kDigits);
}

/// `fork.no-number`
bool is_id(std::string_view id) {
  const std::size_t dot = id.find('.');
  return dot != std::string_view::npos && is_word(id.substr(0, dot), kSmall) &&
         only(id.substr(dot + 1), kKebab) && id[dot + 1] != '-' && id.back() != '-' &&
         id.find("--") == std::string_view::npos;
}

bool is_sentence(const std::string& says) {
  return says.ends_with('.') && !says.starts_with(' ') && std::ranges::count(says, ' ') >= 2 &&
         says.find("  ") == std::string::npos;
}

/// The labels of a source: the `* **LABEL:n** sentence` of each item, in order.
std::vector<std::string> labels_of(const SourceFile& source) {
  static constexpr std::string_view kBegin = "* **", kEnd = "** ";
  std::vector<std::string> labels;
  for (const std::string& line : source.lines) {
    const std::size_t end = line.find(kEnd, kBegin.size());
    if (line.starts_with(kBegin) && end != std::string::npos)
      labels.push_back(line.substr(kBegin.size(), end - kBegin.size()));
  }
  return labels;
}

/// By name, as rules cite them: `clone.2` is clone.2.md.
using Sources = std::map<std::string, SourceFile>;

Sources read_sources(const fs::path& folder) {
  Sources sources;
  for (SourceFile& file : read_tree(folder))
    if (file.path.ends_with(".md")) {
      const std::string name = file.path.substr(0, file.path.size() - 3);
      sources.emplace(name, std::move(file));
    }
  return sources;
}

Complaints check_sources(const Sources& sources) {
  Complaints complaints;
  for (const auto& [name, file] : sources) {
    if (file.lines.empty() || !file.lines[0].starts_with("# "))
      complaints.push_back(name + ": no title");

    std::set<std::string> seen;
    for (const std::string& label : labels_of(file)) {
      if (!is_label(label)) complaints.push_back(name + ": no label: " + label);
      if (!seen.insert(label).second) complaints.push_back(name + ": label " + label + " twice");
    }
    if (seen.empty()) complaints.push_back(name + ": no labelled sentence");
  }
  return complaints;
}

/// Why the source that a rule cites is none, if so.
std::optional<std::string> source_objection(const std::string& source, const Sources& sources) {
  const std::size_t space = source.find(' ');
  const auto file = sources.find(source.substr(0, space));
  if (space == std::string::npos || file == sources.end()) return "no such source: " + source;
  const auto labels = labels_of(file->second);
  if (std::ranges::find(labels, source.substr(space + 1)) == labels.end())
    return "no such label: " + source;
  return std::nullopt;
}

Complaints check_rules(const auto& rules, const Sources& sources) {
  Complaints complaints;
  std::set<std::string> ids, sentences;
  for (const auto& rule : rules) {
    const std::string id{rule.id}, says{rule.says};
    const auto complain = [&](const std::string& what) { complaints.push_back(id + ": " + what); };
    if (!is_id(id)) complain("not of the form topic.kebab-case");
    if (!ids.insert(id).second) complain("this id twice");
    if (!is_sentence(says)) complain("not a sentence: " + says);
    if (!sentences.insert(says).second) complain("the same sentence as another rule: " + says);
    if (const auto why = source_objection(std::string{rule.source}, sources)) complain(*why);
  }
  return complaints;
}

Sources shipped() { return read_sources(fs::path{FORKPROOF_SOURCE_DIR} / "spec/sources"); }

TEST(RuleBook, SourcesAreLabelled) {
  const Sources sources = shipped();
  ASSERT_TRUE(sources.contains("forkproof"));
  const Complaints complaints = check_sources(sources);
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}

TEST(RuleBook, InvariantsAreSentencesWithASource) {
  const Sources sources = shipped();
  const auto check = [&]<class I>() {
    EXPECT_TRUE(is_sentence(std::string{I::says})) << I::id;
    EXPECT_EQ(source_objection(std::string{I::source}, sources), std::nullopt) << I::id;
  };
  spec::for_each_invariant(check);
  spec::for_each_world_invariant(check);
}

#ifdef FORKPROOF_PROOFS
TEST(RuleBook, ObligationsAreSentencesWithASource) {
  std::vector<smt::Obligation> all;
  for (const smt::Obligation* o : smt::obligations()) all.push_back(*o);
  EXPECT_GE(all.size(), 60u);
  const Complaints complaints = check_rules(all, shipped());
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}
#endif

TEST(RuleBook, RulesAreSentencesWithASource) {
  EXPECT_GE(std::size(kRules), kRulesMin);
  const Complaints complaints = check_rules(kRules, shipped());
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}

class RuleBookChecker : public testing::Test {
 protected:
  RuleBookChecker() {
    tree_.write("fork.2.md",
                "# fork(2)\n\n* **CHILD:1** A child is made.\n* **EAGAIN:1** Too many.\n");
  }

  Complaints check(std::vector<Rule> rules) const {
    return check_rules(rules, read_sources(tree_.root()));
  }

  MadeUpTree tree_;
};

TEST_F(RuleBookChecker, PassesWhatIsGood) {
  EXPECT_EQ(check_sources(read_sources(tree_.root())), Complaints{});
  EXPECT_EQ(check({{"fork.child", "A child is made.", "fork.2 CHILD:1"},
                   {"fork.no-number", "fork answers EAGAIN without a number.", "fork.2 EAGAIN:1"}}),
            Complaints{});
}

TEST_F(RuleBookChecker, SeesBadIds) {
  for (const char* id : {"fork.Child", "fork", ".a", "fork.", "fork.a--b", "fork.-a", "fork.a-"})
    EXPECT_EQ(check({{id, "A child is made.", "fork.2 CHILD:1"}}),
              Complaints{std::string{id} + ": not of the form topic.kebab-case"});
  EXPECT_EQ(check({{"fork.a", "A child is made.", "fork.2 CHILD:1"},
                   {"fork.a", "Another child is made.", "fork.2 CHILD:1"}}),
            Complaints{"fork.a: this id twice"});
}

TEST_F(RuleBookChecker, SeesWhatIsNoSentence) {
  EXPECT_EQ(check({{"fork.a", "no full stop here", "fork.2 CHILD:1"}}),
            Complaints{"fork.a: not a sentence: no full stop here"});
  EXPECT_EQ(check({{"fork.a", "Ditto.", "fork.2 CHILD:1"}}),
            Complaints{"fork.a: not a sentence: Ditto."});
  EXPECT_EQ(check({{"fork.a", "A child is made.", "fork.2 CHILD:1"},
                   {"fork.b", "A child is made.", "fork.2 CHILD:1"}}),
            Complaints{"fork.b: the same sentence as another rule: A child is made."});
}

TEST_F(RuleBookChecker, SeesSourcesThatAreNone) {
  for (const char* source : {"vfork.2 CHILD:1", "fork.2", "", "CHILD:1"})
    EXPECT_EQ(check({{"fork.a", "A child is made.", source}}),
              Complaints{std::string{"fork.a: no such source: "} + source});
  for (const char* source : {"fork.2 CHILD:2", "fork.2 CHILD:1 EAGAIN:1", "fork.2 "})
    EXPECT_EQ(check({{"fork.a", "A child is made.", source}}),
              Complaints{std::string{"fork.a: no such label: "} + source});
}

TEST_F(RuleBookChecker, SeesBadSources) {
  tree_.write("a.md", "# A\n* **A:1** One.\n* **A:1** Two.\n");
  tree_.write("b.md", "No title.\n* **B:1** One.\n");
  tree_.write("c.md", "# Empty\n");
  tree_.write("d.md", "# D\n* **D:one** One.\n");
  EXPECT_EQ(check_sources(read_sources(tree_.root())),
            (Complaints{"a: label A:1 twice", "b: no title", "c: no labelled sentence",
                        "d: no label: D:one"}));
}

}  // namespace
}  // namespace forkproof::props
