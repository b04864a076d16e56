/// The arguments of ops in random traces: tasks, numbers, signals, options.
#include "harness/generate.hpp"

#include <algorithm>

#include "harness/op_roles.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

/// Signals in proportion to what can go wrong with them.
constexpr std::int32_t kSignalMix[] = {9,  9,  19, 19, 19, 18, 18, 18, 18, 15, 15, 10, 10, 10, 17,
                                       17, 20, 20, 21, 22, 3,  1,  11, 12, 40, 40, 64, 0,  2,  28};

namespace fl = clone_flag;
constexpr CloneFlags kLikelyClones[] = {
    kThread,
    kThread,
    kThread,
    kThread,
    kThread | fl::vfork,
    fl::vm,
    fl::vm | fl::sighand,
    fl::vfork,
    fl::vm | fl::vfork,
    fl::parent,
    fl::parent | fl::vm,
    {},
    fl::vm | fl::sighand | fl::vfork,
    fl::files,
    fl::fs,
    kThread | fl::files | fl::fs,
    kThread | fl::files | fl::fs,
    fl::newpid,
    fl::pidfd,
    kThread | fl::pidfd};

}  // namespace

TaskRef Generator::task(const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  if (way < 30) return child(scene);
  if (way < 75) return TaskRef::name(dice_.one_of<std::int32_t>(alive_));
  if (way < 85) return TaskRef::name(scene.actor);
  if (way < 94)
    return TaskRef::name(static_cast<std::int32_t>(dice_.below(static_cast<std::size_t>(names_))));
  return TaskRef::number({odd_number(scene)});
}

/// Mostly the actor, by its name or by 0.
TaskRef Generator::self_or_task(const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  return way < 40 ? TaskRef{} : way < 60 ? TaskRef::name(scene.actor) : task(scene);
}

/// A child of the actor if it has one: the oldest, the youngest or one between.
TaskRef Generator::child(const Scene& scene) {
  if (scene.me == nullptr || scene.me->children.empty())
    return TaskRef::name(dice_.one_of<std::int32_t>(alive_));
  auto at = scene.me->children.begin();
  std::advance(at, dice_.below(scene.me->children.size()));
  return named(scene.world.tasks[at->second].tid, scene.naming);
}

/// By the name of a task that is there, if one stands for the number.
TaskRef Generator::named(Pid number, const Naming& naming) const {
  for (const std::int32_t name : alive_)
    if (naming.numbers().size() > static_cast<std::size_t>(name) &&
        naming.numbers()[static_cast<std::size_t>(name)] == number)
      return TaskRef::name(name);
  return TaskRef::number(number);
}

/// A number that no name stands for, or one with a meaning of its own to a call.
std::int32_t Generator::odd_number(const Scene& scene) {
  static constexpr std::int32_t kOdd[] = {0, 0, -1, 1, 2, 299, 300, 301, INT32_MIN, kPidMaxLimit};
  if (dice_.percent(60)) return dice_.one_of<std::int32_t>(kOdd);
  return dice_.percent(50) ? scene.world.cursor : dice_.between(1, 320);
}

/// A number that a name stood for: the next task may get it again.
std::int32_t Generator::once_taken(const Scene& scene) {
  return dice_.one_of(scene.naming.numbers()).n;
}

/// A number that nobody has any more, but that a pidfd stands for.
std::optional<Pid> Generator::number_left_behind(const Scene& scene) {
  std::vector<Pid> found;
  scene.world.open_files.for_each([&](spec::OpenFileId, const spec::OpenFile& file) {
    if (file.is_pidfd() && !scene.world.task_of(file.target)) found.push_back(file.target);
  });
  if (found.empty()) return std::nullopt;
  return dice_.one_of<Pid>(found);
}

/// Some traces are mostly about few signals and few kinds of clones.
void Generator::choose_favourites() {
  if (favourite_signals_.empty() && dice_.percent(45))
    for (std::uint32_t i = 1 + dice_.below(3); i > 0; --i)
      favourite_signals_.push_back({dice_.one_of<std::int32_t>(kSignalMix)});
  if (dice_.percent(45))
    for (std::uint32_t i = 1 + dice_.below(3); i > 0; --i)
      favourite_clones_.push_back(dice_.one_of<CloneFlags>(kLikelyClones));
}

Signal Generator::signal() {
  if (!favourite_signals_.empty() && dice_.percent(80))
    return dice_.one_of<Signal>(favourite_signals_);
  return {dice_.percent(97) ? dice_.one_of<std::int32_t>(kSignalMix) : dice_.between(-1, 66)};
}

WaitOptions Generator::wait_options(bool waitid) {
  namespace opt = wait_option;
  WaitOptions o;
  const auto maybe = [&](std::uint32_t percent, WaitOptions flag) {
    if (dice_.percent(percent)) o = o | flag;
  };
  maybe(30, opt::nohang);
  maybe(35, opt::stopped);
  maybe(35, opt::continued);
  maybe(35, opt::all);
  maybe(10, opt::clone);
  maybe(12, opt::nothread);
  if (runnable_.size() < 2) maybe(85, opt::nohang);  // or nobody could go on
  maybe(1, WaitOptions{0x10});                       // a bit that no call knows
  maybe(waitid ? 80 : 1, opt::exited);
  maybe(waitid ? 20 : 1, opt::nowait);
  return o;
}

Selector Generator::selector(const Scene& scene) {
  using Kind = Selector::Kind;
  const std::uint32_t way = dice_.below(100);
  const bool traces = scene.me != nullptr && !scene.me->tracees.empty();
  if (traces && dice_.percent(35)) return {.kind = Kind::task, .who = tracee(scene, false)};
  if (way < 45) return {.kind = Kind::any, .who = {}};
  if (way < 75) return {.kind = Kind::task, .who = dice_.percent(75) ? child(scene) : task(scene)};
  if (way < 90)
    return {.kind = Kind::group, .who = dice_.percent(50) ? group_of_child(scene) : task(scene)};
  return {.kind = Kind::own_group, .who = {}};
}

TaskRef Generator::group_of_child(const Scene& scene) {
  const TaskRef who = child(scene);
  const spec::TaskId id = scene.world.task_of(number_of(who, scene.naming.numbers()));
  if (!id) return who;
  return named(scene.world.process_of(scene.world.tasks[id]).pgid, scene.naming);
}

Target Generator::target(const Scene& scene, Signal s) {
  using Kind = Target::Kind;
  const std::uint32_t way = dice_.below(100);
  if (s == sig::cont && !stopped_.empty() && way < 70)
    return {.kind = Kind::task, .who = TaskRef::name(dice_.one_of<std::int32_t>(stopped_))};
  if (way < 70) return {.kind = Kind::task, .who = task(scene)};
  if (way < 88) return {.kind = Kind::group, .who = task(scene)};
  if (way < 96) return {.kind = Kind::own_group, .who = {}};
  return {.kind = Kind::all, .who = {}};
}

Clone Generator::clone(const Scene& scene) {
  Clone c;
  const bool favourite = !favourite_clones_.empty() && dice_.percent(80);
  c.flags = dice_.one_of<CloneFlags>(favourite ? std::span<const CloneFlags>(favourite_clones_)
                                               : std::span<const CloneFlags>(kLikelyClones));
  if (theme_flags_.bits != 0 && dice_.percent(50))
    c.flags = dice_.percent(50) ? theme_flags_ : c.flags | theme_flags_;
  if (dice_.percent(15))
    for (const Word& w : CloneKind::words)
      if (dice_.percent(25) &&
          (w.value == fl::newpid.bits || !(fl::new_any | fl::newuser).has({w.value})))
        c.flags = c.flags | CloneFlags{w.value};
  if (dice_.percent(moves_ ? 40 : 1)) c.flags = c.flags | kinds_of_namespaces();
  if (moves_ && dice_.percent(20)) c.flags = (c.flags | fl::fs) - fl::newns;
  if (moves_ && theme_flags_.has(fl::fs) && dice_.percent(15)) c.flags = fl::newns;
  if (weights_[Named("pidfd_send_signal").index] > 1 && dice_.percent(15))
    c.flags = c.flags | fl::pidfd;
  if (scene.me != nullptr && scene.me->trace.by && dice_.percent(40))
    c.flags = c.flags | fl::ptrace;
  c.flags = with_users(c.flags, 40, scene);
  if (users_ && scene.me != nullptr && could_gain(scene) && dice_.percent(25)) c.flags = fl::fs;
  c.exit_signal = exit_signal();
  return c;
}

ExitSignal Generator::exit_signal() {
  const std::uint32_t way = dice_.below(100);
  if (way < 12) return {0};
  if (way < (is_tight_ ? 80U : 40U)) return {static_cast<std::uint8_t>(std::max(signal().n, 0))};
  return way < 43 ? ExitSignal{static_cast<std::uint8_t>(dice_.below(256))} : ExitSignal{};
}

/// One kind, or some; seldom those of nets, which take long to make.
CloneFlags Generator::kinds_of_namespaces() {
  static constexpr CloneFlags kMix[] = {fl::newuts, fl::newuts,    fl::newuts,  fl::newns,
                                        fl::newipc, fl::newcgroup, fl::newtime, fl::newtime,
                                        fl::newpid};
  if (favourite_namespaces_.bits != 0 && dice_.percent(75)) return favourite_namespaces_;
  CloneFlags flags = dice_.percent(1) ? fl::newnet : dice_.one_of<CloneFlags>(kMix);
  while (dice_.percent(25)) flags = flags | dice_.one_of<CloneFlags>(kMix);
  return flags;
}

/// Mostly few; now and then none, more than a node of a page table has, or more than there are.
PageNo Generator::run_of_pages() {
  const std::uint32_t way = dice_.below(1000);
  if (way < 970) return 1 + dice_.below(3);
  if (way < 985) return 0;
  return way < 988 ? 60 + dice_.below(80) : kPages + dice_.below(3);
}

std::int32_t Generator::exit_code() {
  return dice_.percent(90) ? dice_.between(0, 7) : dice_.between(-1, 600);
}

/// Mostly one of the lowest, which are the ones that are open.
Descriptor Generator::descriptor() {
  static constexpr Descriptor kBounds[] = {-1, kDescriptors - 1, kDescriptors, kDescriptors + 1};
  return dice_.percent(90) ? dice_.between(0, 3) : dice_.one_of<Descriptor>(kBounds);
}

/// One of the pidfds that the actor has.
std::optional<Descriptor> Generator::own_pidfd(const Scene& scene) {
  std::vector<Descriptor> own;
  if (scene.me == nullptr || !scene.me->files) return std::nullopt;
  const spec::Files& files = scene.world.files[scene.me->files];
  for (std::size_t fd = 0; fd < files.open.size(); ++fd)
    if (files.open[fd] && scene.world.open_files[files.open[fd]].is_pidfd())
      own.push_back(static_cast<Descriptor>(fd));
  if (own.empty()) return std::nullopt;
  return dice_.one_of<Descriptor>(own);
}

/// Whether a descriptor of the actor is a pidfd of who has its number no more.
bool Generator::is_of_the_gone(const Scene& scene, Descriptor fd) {
  if (scene.me == nullptr || !scene.me->files || fd < 0) return false;
  const auto& open = scene.world.files[scene.me->files].open;
  const auto at = static_cast<std::size_t>(fd);
  if (at >= open.size() || !open[at]) return false;
  const spec::OpenFile& pidfd = scene.world.open_files[open[at]];
  return pidfd.is_pidfd() && !scene.world.target_of(pidfd);
}

/// Whether the actor has no descriptor left.
bool Generator::is_full(const Scene& scene) {
  if (scene.me == nullptr || !scene.me->files) return false;
  const auto& open = scene.world.files[scene.me->files].open;
  return std::ranges::all_of(open, [](spec::OpenFileId file) { return static_cast<bool>(file); });
}

Descriptor Generator::pidfd(const Scene& scene) {
  const std::optional<Descriptor> own = own_pidfd(scene);
  return own && dice_.percent(92) ? *own : descriptor();
}

/// A number to ask for in one namespace: mostly one that is free, and had an owner.
std::int32_t Generator::wanted_number(const Scene& scene, spec::NamespaceId ns) {
  const std::int32_t cursor = ns ? scene.world.namespaces[ns].cursor : scene.world.cursor;
  const std::uint32_t way = dice_.below(100);
  if (ns && !scene.world.namespaces[ns].began && way < 80) return kInit.n;
  if (way < 45) return ns ? dice_.between(1, cursor) : once_taken(scene);
  if (way < 85) return cursor + dice_.between(-1, 3);
  if (way < 95) return dice_.between(2, 310);
  return dice_.percent(50) ? scene.world.pid_max + dice_.between(-1, 1) : dice_.between(-1, 1);
}

/// Of as many namespaces as there are or fewer, mostly: more cannot be had by who is in one.
TidList Generator::tids(const Scene& scene, bool newpid) {
  TidList list;
  spec::NamespaceId at = scene.me != nullptr ? scene.me->child_ns : spec::NamespaceId::none();
  if (newpid) list.add(dice_.percent(90) ? kInit.n : dice_.between(0, 3));
  for (bool outermost = false; !outermost && list.size < kTidsMax; ) {
    list.add(wanted_number(scene, at));
    outermost = !at;
    if (at) at = scene.world.namespaces[at].parent;
    if (dice_.percent(30)) return list;
  }
  if (list.size < kTidsMax && dice_.percent(1)) list.add(dice_.between(1, 400));
  return list;
}

FdFlags Generator::fd_flags() { return dice_.percent(50) ? fd_flag::cloexec : FdFlags{}; }

/// Mostly one that the actor has, and rather one that fork does something about.
PageNo Generator::page(const Scene& scene) {
  if (scene.me != nullptr && scene.me->space && dice_.percent(75))
    if (const auto& pages = scene.world.spaces[scene.me->space].pages; !pages.empty()) {
      if (dice_.percent(35))
        for (const spec::Page& p : pages)
          if (p.wipeonfork || p.dontfork) return p.no;
      return pages[dice_.below(std::min<std::size_t>(pages.size(), 4))].no;
    }
  return dice_.percent(95) ? dice_.below(5) : dice_.below(kPages + 2);
}

}  // namespace forkproof::harness
