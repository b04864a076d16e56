/// The generators: one way to pick a value of each type, and scripts made of these.
#include "props/arbitrary.hpp"

#include <algorithm>
#include <limits>

#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {

void showValue(const Script& script, std::ostream& out) { out << '\n' << print(script); }
void showValue(const Op& op, std::ostream& out) { out << to_text(op, {}); }

namespace props {
namespace {

std::int32_t number_below(std::int32_t n) {
  return static_cast<std::int32_t>(below(static_cast<std::size_t>(n)));
}

/// Fills values, one overload a type.
class Pick {
 public:
  explicit Pick(std::int32_t names = 1) : bound(names) {}

  std::int32_t bound;  // how many names there are to refer to

  void operator()(std::integral auto& n) const {
    using N = std::remove_reference_t<decltype(n)>;
    constexpr N kLeast = std::numeric_limits<N>::min(), kMost = std::numeric_limits<N>::max();
    n = static_cast<N>(below(6));
    if (once_in(4)) n = static_cast<N>(below(500) - 100);
    if (once_in(8)) n = *rc::gen::arbitrary<N>();
    if (once_in(20)) n = once_in(2) ? kLeast : kMost;
  }
  void operator()(Enumeration auto& e) const {
    e = static_cast<std::remove_reference_t<decltype(e)>>(one_of(words_of(e)).value);
  }
  void operator()(Signal& s) const {
    if (once_in(4)) return (*this)(s.n);
    s.n = static_cast<std::int32_t>(below(kSignalMax + 1));
  }
  void operator()(ExitSignal& s) const {
    s = {};
    if (once_in(2)) (*this)(s.n);
  }
  void operator()(Limit& limit) const {
    limit = once_in(3) ? kUnlimited : Limit{*rc::gen::arbitrary<std::uint32_t>()};
  }
  void operator()(PidsLimit& limit) const {
    limit = {};
    if (once_in(2)) (*this)(limit.n);
  }
  void operator()(SigSet& set) const {
    if (once_in(6)) return (*this)(set.bits);
    set = {};
    for (std::size_t n = below(4); n > 0; --n)
      set.add({static_cast<std::int32_t>(below(kSignalMax)) + 1});
  }
  template <class Kind>
  void operator()(Flags<Kind>& flags) const {
    flags = {};
    for (std::size_t n = below(4); n > 0; --n) flags.bits |= one_of(Kind::words).value;
    if (once_in(10)) (*this)(flags.bits);
    flags.bits &= legal_bits(flags);
  }
  void operator()(TaskRef& task) const {
    task = TaskRef::name(number_below(bound));
    if (!once_in(4)) return;
    task.named = false;
    (*this)(task.n);
  }
  void operator()(Selector& s) const { task_or_group(s, Selector::Kind::own_group); }
  void operator()(IdSelector& s) const {
    task_or_group(s, IdSelector::Kind::pidfd);
    s.fd = 0;
    if (s.kind == IdSelector::Kind::pidfd) (*this)(s.fd);
  }
  void operator()(TidList& list) const {
    list = {};
    for (std::size_t n = below(kTidsMax + 1); n > 0; --n) {
      std::int32_t number = 0;
      (*this)(number);
      list.add(number);
    }
  }
  void operator()(Target& t) const { task_or_group(t, Target::Kind::all); }

  void operator()(Op& op) const {
    op = default_op(below(kOps));
    std::visit([&](auto& o) {
      for_each_arg(o, [&](const auto&, auto& value) { (*this)(value); });
    }, op);
  }

  void operator()(Outcome& o) const {
    using Kind = Outcome::Kind;
    o = Outcome::of(static_cast<Kind>(1 + below(static_cast<std::size_t>(Kind::change))));
    if (o.kind == Kind::value) (*this)(o.value);
    if (o.kind == Kind::error) (*this)(o.error);
    if (o.kind == Kind::task || o.kind == Kind::change) (*this)(o.who);
    if (o.kind == Kind::blocks && once_in(3)) (*this)(o.who);
    if (o.kind == Kind::change) (*this)(o.change);
    const bool has_code = o.kind == Kind::change && o.change != Change::continued;
    if (has_code || o.kind == Kind::dies) (*this)(o.code);
  }

  void operator()(Expectation& e) const {
    (*this)(e.task);
    e.field = static_cast<std::uint8_t>(below(kFields));
    with_field(e.field, [&]<class V>(const Field<V>&) {
      std::conditional_t<std::is_same_v<V, Pid>, TaskRef, V> value{};
      (*this)(value);
      set_value(e, value);
    });
  }

  void operator()(Step& s) {
    (*this)(s.op);
    if (!is_by_world(s.op)) s.actor = number_below(bound);
    if (creates(s.op)) s.binds = bound++;
    if (creates(s.op) && once_in(4)) s.pid = Pid{1 + number_below(kPidMaxLimit)};

    if (once_in(2)) (*this)(s.outcome.emplace());
    if (creates(s.op) && once_in(2)) s.outcome = made_by(s);
    if (s.outcome && has_no_outcome(s.op)) s.outcome = Outcome::of(Outcome::Kind::not_run);
    s.returns.resize(once_in(4) ? below(3) : 0);
    for (ExpectedReturn& r : s.returns) (*this)(r.task), (*this)(r.outcome);
    s.expectations.resize(once_in(4) ? below(4) : 0);
    for (Expectation& e : s.expectations) (*this)(e);
  }

 private:
  void task_or_group(auto& s, auto last) const {
    s.kind = static_cast<decltype(last)>(below(static_cast<std::size_t>(last) + 1));
    s.who = {};
    if (has_who(s)) (*this)(s.who);
  }
};

/// Names that may collide with those that follow from an index, or nearly do.
void pick_names(std::vector<std::string>& names) {
  static const std::vector<std::string> kChoices{
      "A", "B", "A_", "A__", "B_", "C", "E1", "_", "child", "pid_max", std::string(kNameMax, 'x')};
  for (std::size_t i = 1; i < names.size(); ++i) {
    const std::string choice = one_of(kChoices);
    if (once_in(3) && std::ranges::find(names, choice) == names.end()) names[i] = choice;
  }
  name_the_unnamed(names);
}

}  // namespace

std::size_t below(std::size_t n) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, n));
}

bool once_in(std::size_t n) { return below(n) + 1 == n; }

Op pick_op(std::int32_t bound) {
  Op op;
  Pick{bound}(op);
  return op;
}

Outcome pick_outcome(std::int32_t bound) {
  Outcome outcome;
  Pick{bound}(outcome);
  return outcome;
}

rc::Gen<Script> arbitrary_script(std::size_t steps_max) {
  return rc::gen::exec([steps_max] {
    static const std::vector<std::string> kComments{"", " why", " \xc3\xa4\t ", "#!", " init:"};
    Script script;
    Pick pick;
    if (once_in(2)) pick(script.world.profile);
    if (once_in(2))
      script.world.pid_max = *rc::gen::inRange(kPidMaxMin, kPidMaxLimit + 1);
    for (std::size_t n = below(3); n > 0; --n) script.head.push_back(one_of(kComments));
    script.steps.resize(below(steps_max + 1));
    for (Step& s : script.steps) pick(s);
    script.names.resize(static_cast<std::size_t>(pick.bound));
    pick_names(script.names);
    return script;
  });
}

}  // namespace props
}  // namespace forkproof
