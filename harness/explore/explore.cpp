/// Breadth first through the states, by several threads, one level after the other.
#include "harness/explore/explore.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "harness/describe.hpp"
#include "harness/explore/family.hpp"
#include "harness/explore/levels.hpp"
#include "harness/explore/walker.hpp"
#include "harness/mutant/loaded.hpp"
#include "harness/system_fault.hpp"
#include "impl/machine.hpp"
#include "spec/canonical.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

using Clock = std::chrono::steady_clock;

spec::Canonical::Fold fold_of(const ExploreLimits& limits, const Bounds& bounds) {
  return {.numbers = limits.symmetry,
          .exec_ids = !kTriesExitSignals,
          .caught = !bounds.ops[Op{Caught{}}.index()]};
}

template <class Walker>
class Explorer {
 public:
  Explorer(const Walker& walker, const Bounds& bounds, const ExploreLimits& limits)
      : start_(walker), bounds_(bounds), limits_(limits) {}

  Exploration run(const ExploreWatch& watch) {
    began_ = Clock::now();
    begin();
    while (!stopped_ && found_.depth < limits_.depth && !levels_.empty()) {
      expand_level(watch);
      if (stopped_) break;
      ++found_.depth;
      if (levels_.next() == 0)
        found_.fixpoint = true;
      else
        found_.levels.push_back(levels_.size());
    }
    conclude();
    return std::move(found_);
  }

 private:
  struct Found {
    Node node;
    std::optional<Violation> violation;
    std::optional<Step> fault;  // the step in which something was made to fail, at the parent
  };

  /// A state on the way to where a thread is, and what can be done there.
  struct Waypoint {
    std::uint32_t node = kNowhere;
    std::unique_ptr<Walker> walker;
    std::vector<Step> steps;
  };

  /// One thread's share: where it is, and what it has found in this level.
  struct Worker {
    Worker(const Walker& start, spec::Canonical::Fold fold)
        : child(start), canonical(fold), family(!fold.numbers) {}

    std::vector<Waypoint> way;  // to where it is
    Walker child;
    spec::Canonical canonical;
    Family family;
    std::vector<Node> found;
    std::map<std::uint32_t, Node> witnesses;
    Found violation;
    std::uint64_t transitions = 0;
    FaultCounts faults;
  };

  void begin() {
    start_.begin(bounds_.world);
    for (const Step& s : opening(bounds_)) start_.step(s, {});
    found_.levels.push_back(1);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, limits_.jobs); ++i) {
      workers_.push_back(std::make_unique<Worker>(start_, fold_of(limits_, bounds_)));
      Waypoint& first = workers_.back()->way.emplace_back();
      first = {.node = 0, .walker = std::make_unique<Walker>(start_), .steps = {}};
      list(first);
    }
    levels_.begin(fingerprint(row_of(*workers_[0], start_)));
    if (limits_.families) count_family(*workers_[0], start_);
  }

  /// Tries everything in every state of the level. The caller's thread watches meanwhile.
  void expand_level(const ExploreWatch& watch) {
    std::atomic<std::size_t> at_work = workers_.size();
    std::vector<std::jthread> threads;
    for (const auto& worker : workers_)
      threads.emplace_back([&] {
        while (!stopped_) {
          const auto [first, last] = levels_.take_some();
          if (first == last) break;
          for (std::uint32_t node = first; node != last && !stopped_; ++node)
            expand(*worker, node);
        }
        --at_work;
      });
    Clock::time_point asked = Clock::now();
    while (at_work != 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (Clock::now() - asked < std::chrono::milliseconds(20)) continue;
      asked = Clock::now();
      look_at_limits(watch);
    }
    threads.clear();
    take_in();
  }

  void look_at_limits(const ExploreWatch& watch) {
    tally();
    if (limits_.time && Clock::now() - began_ > *limits_.time)
      stop("the time is over");
    else if (found_.visited_bytes + found_.path_bytes > limits_.memory)
      stop("the memory is used up");
    else if (!watch(found_))
      stop("interrupted");
  }
  void stop(const char* why) {
    found_.stopped = why;
    stopped_ = true;
  }

  void tally() {
    found_.states = levels_.states();
    found_.families = families_.size();
    found_.visited_bytes = levels_.visited_bytes();
    found_.path_bytes = levels_.path_bytes();
    found_.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  }

  /// What the workers have found in a level.
  void take_in() {
    for (const auto& worker : workers_) {
      found_.transitions += std::exchange(worker->transitions, 0);
      found_.faults.add(std::exchange(worker->faults, {}));
      levels_.add(worker->found);
      worker->found.clear();
      for (const auto& [key, node] : worker->witnesses) witnesses_.try_emplace(key, node);
      worker->witnesses.clear();
      Found& v = worker->violation;
      if (v.violation && (!violation_.violation || v.node < violation_.node))
        violation_ = std::exchange(v, {});
    }
    tally();
  }

  void expand(Worker& w, std::uint32_t node) {
    const Waypoint& base = go_to(w, node);
    if (limits_.faults && !try_faults(w, *base.walker, node)) return;
    for (std::size_t i = 0; i < base.steps.size(); ++i) {
      Node to{node, static_cast<std::uint16_t>(i), 0};
      FollowedChoice::Picks picks;
      do {
        w.child.go_on_from(*base.walker);
        const bool agree = w.child.step(base.steps[i], picks);
        ++w.transitions;
        if (!agree) return note_violation(w, to);
        if (limits_.witnesses) note_witnesses(w, to);
        const spec::World& world = w.child.model().world();
        const bool moved = !world.is_sealed_as(base.walker->model().world());
        if (moved && levels_.is_new(fingerprint(row_of(w, w.child)))) {
          w.found.push_back(to);
          if (limits_.families) count_family(w, w.child);
          if (!w.child.look()) return note_violation(w, to);
        }
        picks = w.child.next_picks();
        ++to.pick;
      } while (!picks.empty());
    }
  }

  /// Makes everything fail that can, in every call that takes memory.
  bool try_faults(Worker& w, const Walker& base, std::uint32_t node) {
    if constexpr (requires(Step step) { w.child.survives_faults(base, step, w.faults); }) {
      Bounds wider = bounds_;
      wider.tasks = SIZE_MAX;
      wider.ops.reset();
      wider.namespaces = true;
      for_each_op([&]<class O>() { wider.ops.set(*op_index(O::name), takes_memory<O>); });
      std::vector<Step> calls;
      list_steps(base.model().world(), base.naming(), wider, calls);
      for (std::size_t i = 0; i < calls.size(); ++i) {
        if (w.child.survives_faults(base, calls[i], w.faults)) continue;
        note_violation(w, {node, static_cast<std::uint16_t>(i), 0},
                       w.child.said_instead().value_or(calls[i]));
        return false;
      }
    }
    return true;
  }

  /// What tells a world from others.
  std::span<const std::uint64_t> row_of(Worker& w, const Walker& walker) {
    const spec::World& world = walker.model().world();
    return limits_.merge_families ? w.family.write(world) : w.canonical.write(world);
  }

  void count_family(Worker& w, const Walker& walker) {
    families_.insert(fingerprint(w.family.write(walker.model().world())));
  }

  void note_violation(Worker& w, Node to, std::optional<Step> fault = {}) {
    if (!w.violation.violation || to < w.violation.node)
      w.violation = {to, w.child.violation({}), std::move(fault)};
    stopped_ = true;
  }

  void list(Waypoint& at) {
    list_steps(at.walker->model().world(), at.walker->naming(), bounds_, at.steps);
  }

  /// Takes a worker to a state, from where its way parts from the way to there.
  const Waypoint& go_to(Worker& w, std::uint32_t node) {
    const std::vector<std::uint32_t> way = levels_.way_to(node);
    std::size_t same = 1;
    while (same < way.size() && same < w.way.size() && w.way[same].node == way[same]) ++same;
    w.way.resize(std::max(w.way.size(), way.size()));
    for (; same < way.size(); ++same) {
      const Waypoint& from = w.way[same - 1];
      Waypoint& to = w.way[same];
      to.node = way[same];
      if (to.walker == nullptr) to.walker = std::make_unique<Walker>(*from.walker);
      go(*from.walker, *to.walker, levels_.node(to.node), from.steps);
      list(to);
    }
    for (std::size_t i = way.size(); i < w.way.size(); ++i) w.way[i].node = kNowhere;
    return w.way[way.size() - 1];
  }

  /// The step of a node, out of those of its parent, by the pick that it took.
  void go(const Walker& from, Walker& to, Node node, const std::vector<Step>& steps) {
    FollowedChoice::Picks picks;
    for (std::uint8_t pick = 0;; ++pick) {
      to.go_on_from(from);
      to.step(steps[node.step], picks);
      if (pick == node.pick) return;
      picks = to.next_picks();
    }
  }

  /// The script that leads to a node and makes its step; another one in its place, if there is.
  Script script_to(Node node, const std::optional<Step>& instead = {}) {
    Script script;
    script.world = bounds_.world;
    script.steps = opening(bounds_);
    Walker walker(start_), next(start_);
    std::vector<Step> steps;
    std::vector<std::uint32_t> way = levels_.way_to(node.parent);
    for (std::size_t i = 1; i <= way.size(); ++i) {
      if (i == way.size() && instead) {
        script.steps.push_back(*instead);
        break;
      }
      const Node n = i < way.size() ? levels_.node(way[i]) : node;
      list_steps(walker.model().world(), walker.naming(), bounds_, steps);
      go(walker, next, n, steps);
      script.steps.push_back(steps[n.step]);
      std::swap(walker, next);
    }
    for (const Step& s : script.steps)
      if (s.binds != kNoName) script.names.push_back(canonical_name(s.binds));
    return script;
  }

  /// Each rule that acted in the step, with the outcome of it.
  void note_witnesses(Worker& w, Node to) {
    const Outcome& o = w.child.model().effects().outcome;
    const std::uint32_t outcome =
        static_cast<std::uint32_t>(o.kind) << 8 | static_cast<std::uint32_t>(o.error);
    for (const RuleId rule : w.child.model().fired())
      w.witnesses.try_emplace(static_cast<std::uint32_t>(rule.n) << 16 | outcome, to);
  }

  void conclude() {
    tally();
    const auto n = static_cast<double>(found_.states);
    found_.collision = n * n / 0x1p97;
    for (const auto& worker : workers_) {
      found_.coverage.add(worker->child.coverage());
      for (const Waypoint& at : worker->way)
        if (at.walker) found_.coverage.add(at.walker->coverage());
    }
    if (violation_.violation) {
      found_.violation = std::move(violation_.violation);
      found_.violation->trace = script_to(violation_.node, violation_.fault);
      found_.violation->step = found_.violation->trace.steps.size() - 1;
    }
    for (const auto& [key, node] : witnesses_)
      found_.witnesses.push_back({RuleId{static_cast<decltype(RuleId::n)>(key >> 16)},
                                  word_of_key(key), script_to(node)});
  }

  static std::string word_of_key(std::uint32_t key) {
    Outcome o;
    o.kind = static_cast<Outcome::Kind>(key >> 8 & 0xff);
    o.error = static_cast<Errno>(key & 0xff);
    static constexpr std::string_view kWords[] = {"nothing", "value", "task",   "error", "blocks",
                                                  "dies",    "not-run", "none", "change"};
    return o.kind == Outcome::Kind::error ? describe(o, {})
                                          : std::string(kWords[static_cast<std::size_t>(o.kind)]);
  }

  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  Walker start_;
  const Bounds bounds_;
  const ExploreLimits limits_;
  Levels levels_;
  SharedVisited families_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<std::uint32_t, Node> witnesses_;
  Found violation_;
  std::atomic<bool> stopped_ = false;
  Clock::time_point began_;
  Exploration found_;
};

template <class Walker>
Exploration explore_by(const Walker& walker, const Bounds& bounds, const ExploreLimits& limits,
                       const ExploreWatch& watch) {
  return Explorer<Walker>(walker, bounds, limits).run(watch);
}

}  // namespace

std::optional<Exploration> explore(std::string_view system, const Bounds& bounds,
                                   const ExploreLimits& limits, const ExploreWatch& watch) {
  using Machine = impl::Machine;
  if (system == "spec") return explore_by(ModelWalker{}, bounds, limits, watch);
  if (system == "impl")
    return explore_by(LockstepWalker<Machine>(Machine{}), bounds, limits, watch);
  if (system == "canary")
    return explore_by(LockstepWalker<Machine>(Machine(WorldSpec{}, Machine::Bug::lifo_wait)),
                      bounds, limits, watch);
  if (!system.starts_with(kMutant)) return std::nullopt;
  try {
    const LoadedSystem mutant(std::string(system.substr(kMutant.size())),
                              LoadedSystem::Watch::none);
    return explore_by(LockstepWalker<LoadedSystem>(mutant), bounds, limits, watch);
  } catch (const SystemFault&) {
    return std::nullopt;  // who opens it learns why
  }
}

}  // namespace forkproof::harness
