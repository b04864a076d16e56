/// What makes a script well-formed, and how one becomes so again.
#include <algorithm>
#include <unordered_set>

#include "spec/derive.hpp"
#include "spec/utf8.hpp"

namespace forkproof {
namespace {

/// Whether values are ones that their types can have, when `bound` names have been bound.
struct Domain {
  std::int32_t bound;

  bool operator()(TaskRef r) const { return !r.named || (r.n >= 0 && r.n < bound); }
  bool operator()(std::int32_t) const { return true; }
  bool operator()(std::uint32_t) const { return true; }
  bool operator()(Signal) const { return true; }
  bool operator()(ExitSignal) const { return true; }
  bool operator()(PidsLimit) const { return true; }
  bool operator()(SigSet) const { return true; }
  bool operator()(Limit l) const { return l.unlimited() || l.n <= UINT32_MAX; }
  bool operator()(Enumeration auto e) const {
    return name_of(words_of(e), static_cast<std::uint64_t>(e)).has_value();
  }
  bool operator()(FlagWord auto f) const { return (f.bits & ~legal_bits(f)) == 0; }

  bool operator()(const Selector& s) const {
    return s.kind <= Selector::Kind::own_group && who_of(s);
  }
  bool operator()(const IdSelector& s) const {
    const bool pidfd = s.kind == IdSelector::Kind::pidfd;
    return s.kind <= IdSelector::Kind::pidfd && who_of(s) && (pidfd || s.fd == 0);
  }
  bool operator()(const TidList& list) const {
    if (list.size > kTidsMax) return false;
    return std::all_of(list.n.begin() + list.size, list.n.end(), [](auto n) { return n == 0; });
  }
  bool operator()(const Target& t) const { return t.kind <= Target::Kind::all && who_of(t); }
  bool who_of(const auto& s) const { return has_who(s) ? (*this)(s.who) : s.who == TaskRef{}; }

  bool operator()(const Op& op) const {
    return std::visit(
        [&](const auto& o) {
          bool fine = true;
          for_each_arg(o, [&](const auto&, const auto& value) { fine = fine && (*this)(value); });
          return fine;
        },
        op);
  }

  bool operator()(const Outcome& o) const;
  bool operator()(const Expectation& e) const;
};

/// The outcome with the members that do not count at their defaults.
Outcome canonical(const Outcome& o) {
  using Kind = Outcome::Kind;
  switch (o.kind) {
    case Kind::value:
      return Outcome::number(o.value);
    case Kind::task:
      return Outcome::task(o.who);
    case Kind::error:
      return Outcome::failure(o.error);
    case Kind::dies:
      return Outcome::death({o.code});
    case Kind::change:
      return Outcome::news(o.who, o.change, o.code);
    case Kind::blocks: {
      Outcome blocks = Outcome::of(Kind::blocks);
      blocks.who = o.who;
      return blocks;
    }
    default:
      return Outcome::of(o.kind);
  }
}

bool Domain::operator()(const Outcome& o) const {
  using Kind = Outcome::Kind;
  if (o.kind == Kind::nothing || o.kind > Kind::change || o != canonical(o)) return false;
  if (o.kind == Kind::error && !(*this)(o.error)) return false;
  return (*this)(o.who) && (*this)(o.change);
}

bool Domain::operator()(const Expectation& e) const {
  if (e.field >= kFields || !(*this)(e.task)) return false;
  Expectation kept;  // what is left when only the value of this field's type is kept
  bool fine = true;
  with_field(e.field, [&]<class V>(const Field<V>&) {
    if constexpr (std::is_same_v<V, Pid>) {
      set_value(kept, e.value);
      fine = (*this)(e.value);
    } else if constexpr (FlagWord<V> || std::is_same_v<V, SigSet>) {
      set_value(kept, V{e.bits});
      fine = (*this)(V{e.bits});
    } else {
      set_value(kept, static_cast<V>(e.value.n));
      fine = (*this)(static_cast<V>(e.value.n));
    }
  });
  return fine && kept.value == e.value && kept.bits == e.bits;
}

bool well_formed(const Step& s, std::int32_t& bound) {
  const Domain before{bound};
  if (is_by_world(s.op) ? s.actor != 0 : !before(TaskRef::name(s.actor))) return false;
  if (!before(s.op)) return false;

  if (s.binds != (creates(s.op) ? bound++ : kNoName)) return false;
  if (s.pid && (!creates(s.op) || s.pid->n < 1 || s.pid->n > kPidMaxLimit)) return false;

  const Domain after{bound};
  if (s.outcome && !after(*s.outcome)) return false;
  if (s.outcome && has_no_outcome(s.op) && s.outcome->kind != Outcome::Kind::not_run) return false;
  return std::ranges::all_of(
             s.returns,
             [&](const ExpectedReturn& r) { return after(r.task) && after(r.outcome); }) &&
         std::ranges::all_of(s.expectations, after);
}

bool good_names(const std::vector<std::string>& names) {
  if (names.empty() || names[0] != "init") return false;
  const std::unordered_set<std::string_view> distinct{names.begin(), names.end()};
  return distinct.size() == names.size() && std::all_of(names.begin() + 1, names.end(), is_name);
}

}  // namespace

bool well_formed(const Script& script) {
  const auto& world = script.world;
  if (world.profile > Profile::linux_4_12 || world.pid_max < kPidMaxMin ||
      world.pid_max > kPidMaxLimit)
    return false;
  if (!good_names(script.names) || !std::ranges::all_of(script.head, is_comment)) return false;

  std::int32_t bound = 1;
  for (const Step& s : script.steps)
    if (!well_formed(s, bound)) return false;
  return static_cast<std::size_t>(bound) == script.names.size();
}

namespace {

/// The new indices of names, by their old ones.
class Renaming {
 public:
  explicit Renaming(std::size_t names) : new_index_(names, kNoName) { new_index_[0] = 0; }

  void bind(std::int32_t old, std::int32_t now) {
    const auto i = static_cast<std::size_t>(old);
    if (i < new_index_.size()) new_index_[i] = now;
  }
  std::int32_t of(std::int32_t old) const {
    const auto i = static_cast<std::size_t>(old);
    return i < new_index_.size() ? new_index_[i] : kNoName;
  }
  bool gone(TaskRef r) const { return r.named && of(r.n) == kNoName; }
  void operator()(TaskRef& r) const {
    if (r.named) r = gone(r) ? TaskRef::number(kNeverAPid) : TaskRef::name(of(r.n));
  }

 private:
  std::vector<std::int32_t> new_index_;
};

void rename(Step& s, const Renaming& renaming) {
  std::erase_if(s.returns, [&](const auto& r) { return renaming.gone(r.task); });
  std::erase_if(s.expectations, [&](const auto& e) { return renaming.gone(e.task); });
  if (s.outcome) renaming(s.outcome->who);
  for (ExpectedReturn& r : s.returns) renaming(r.task), renaming(r.outcome.who);
  for (Expectation& e : s.expectations) renaming(e.task), renaming(e.value);
}

}  // namespace

void mend(Script& script) {
  Renaming renaming{script.names.size()};
  std::vector<std::string> names{"init"};
  std::unordered_set<std::string_view> kept;
  std::vector<Step> steps;
  steps.reserve(script.steps.size());

  for (Step& s : script.steps) {
    s.actor = is_by_world(s.op) ? 0 : renaming.of(s.actor);
    if (s.actor == kNoName) continue;
    for_each_ref(s.op, renaming);
    const std::int32_t old = std::exchange(s.binds, kNoName);
    if (creates(s.op)) {
      s.binds = static_cast<std::int32_t>(names.size());
      const auto i = static_cast<std::size_t>(old);
      const bool keeps = old > 0 && i < script.names.size() && is_name(script.names[i]) &&
                         kept.insert(script.names[i]).second;
      names.push_back(keeps ? script.names[i] : std::string{});
      renaming.bind(old, s.binds);
    }
    rename(s, renaming);
    steps.push_back(std::move(s));
  }
  name_the_unnamed(names);
  script.names = std::move(names);
  script.steps = std::move(steps);
}

}  // namespace forkproof
