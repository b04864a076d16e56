/// The weights of ops and of their arguments, and the choices that look at the model.
#include "harness/generate.hpp"

#include <algorithm>

#include "harness/op_roles.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

/// How many in a hundred worlds have kernel threads, and in how many of a thousand others their
/// functions are tried all the same.
constexpr std::uint32_t kKthreadWorlds = 8, kStrays = 10;

/// How much more often an op is chosen where it does something rare: what makes a task while a
/// signal is pending, and is made again; exec where it gives back what an earlier one took.
constexpr std::uint32_t kEager = 6;

/// How many steps in a hundred of a trace like another have an op of that one as it is.
constexpr std::uint32_t kVerbatim = 60;

}  // namespace

Generator::Generator(std::uint64_t seed, Profile profile, TraceScope scope)
    : Generator(seed, profile, scope, nullptr) {}

Generator::Generator(std::uint64_t seed, Profile profile, TraceScope scope,
                     const Generator* about)
    : dice_(seed), world_{.profile = profile}, steps_left_(0), crowd_(0) {
  own_root_ = scope.own_root;
  const std::uint32_t kind = dice_.below(1000);
  world_.kthreads = scope.kthreads && kind < 10 * kKthreadWorlds;
  if (about != nullptr) world_.kthreads = about->world_.kthreads;
  strays_ = kind >= 1000 - kStrays;
  const std::uint32_t size = dice_.below(100);
  world_.pid_max = size < 15   ? dice_.between(kPidMaxMin, kPidMaxMin + 3)
                   : size < 70 ? dice_.between(kPidMaxMin, 320)
                   : size < 92 ? dice_.between(kPidMaxMin, 500)
                               : kPidMaxDefault;
  steps_left_ = scope.brief ? 4 + dice_.below(size < 50 ? 24 : 72)
                            : 12 + dice_.below(size < 50 ? 80 : 200);
  crowd_ = 3 + dice_.below(12);
  if (dice_.percent(35)) persistent_ = 50;
  weigh_ops();
  choose_theme(about);
  choose_favourites();
  for (std::size_t i = 0; i < kOps; ++i)
    if (scope.without[i]) weights_[i] = 0;
  moves_ = weights_[Named("setns").index] > 1;
  static constexpr CloneFlags kFavourites[] = {clone_flag::newtime, clone_flag::newuts,
                                               clone_flag::newtime | clone_flag::newuts};
  if (moves_ && dice_.percent(45)) favourite_namespaces_ = dice_.one_of<CloneFlags>(kFavourites);
  users_ = weights_[Named("map_ids").index] > 1;
  keep_those_that_come();
}

Generator::Generator(std::uint64_t seed, const Script& like)
    : dice_(seed),
      world_(like.world),
      steps_left_(2 + dice_.below(2 * like.steps.size() + 8)),
      crowd_(3 + dice_.below(4)),
      persistent_(dice_.percent(50) ? 50 : 0) {
  for (const Step& s : like.steps) {
    models_.push_back(s.op);
    weights_[s.op.index()] += 1 + dice_.below(4);
  }
  keep_those_that_come();
}

void Generator::keep_those_that_come() {
  for (std::size_t i = 0; i < kOps; ++i)
    if (weights_[i] > 0 || (kOpsThat<InKernelTrait>[i] && (world_.kthreads || strays_)) ||
        (kRoles[i] == Role::executes && world_.kthreads))  // without which init is no user's
      ops_.push_back(i);
}

void Generator::take_up(std::int32_t names) {
  names_ = names;
  alive_.clear();
  for (std::int32_t name = 0; name < names; ++name) alive_.push_back(name);
}

std::optional<Step> Generator::next(const spec::Model& model, const Naming& naming) {
  if (steps_left_ == 0) return std::nullopt;
  --steps_left_;
  if (model.world().over) steps_left_ = std::min(steps_left_, 1U);
  look_around(model.world(), naming);
  const std::int32_t actor = model.world().over ? 0 : choose_actor();
  if (actor < 0 && !model.world().held) return thaw(model.world());
  const Pid number = naming.current(std::max(actor, 0), model.world());
  const spec::TaskId id = model.world().task_of(number);
  const Scene scene{model.world(), naming, actor, id ? &model.world().tasks[id] : nullptr};

  Step s;
  s.actor = actor;
  s.op = actor < 0 ? Op{HoldKthreadd{{}, {}, 0}}
           : !models_.empty() && dice_.percent(kVerbatim)
               ? as_it_was()
               : fill(choose_op(scene, alive_.size() > crowd_), scene);
  if (!awaited_.empty())
    if (auto other = disturb(model.world(), naming)) s = *std::move(other);
  if (is_by_world(s.op)) s.actor = 0;
  if (creates(s.op)) {
    s.binds = names_++;
    alive_.push_back(s.binds);
  }
  return s;
}

/// An op of the trace that this one is to be like. Who is not there yet is somebody who is.
Op Generator::as_it_was() {
  Op op = dice_.one_of<Op>(models_);
  for_each_ref(op, [&](TaskRef& ref) {
    if (ref.named && ref.n >= names_) ref.n = dice_.one_of<std::int32_t>(alive_);
  });
  return op;
}

/// Who is there, who can act, who is stopped, and which numbers are slept for.
void Generator::look_around(const spec::World& world, const Naming& naming) {
  runnable_.clear();
  stopped_.clear();
  called_.clear();
  awaited_.clear();
  tardy_.clear();
  std::erase_if(alive_, [&](std::int32_t name) {
    const Pid number = naming.current(name, world);
    if (number.n == 0) return true;
    const spec::Task& t = world.tasks[world.task_of(number)];
    if (t.frozen) return false;
    const bool waits_for_tracer = t.zombie && t.trace.by && t.exit_signal < 0;
    if (t.trace.trapped || waits_for_tracer)
      called_.push_back(named(world.tasks[t.trace.by].tid, naming));
    else if (t.stopped)
      stopped_.push_back(name);
    else if (!t.zombie && t.call.kind == spec::Call::Kind::none)
      (world.deliverable(t).empty() ? runnable_ : tardy_).push_back(name);
    note_sleep(t, world);
    return false;
  });
  runnable_.insert(runnable_.end(), tardy_.begin(), tardy_.end());
}

/// The number that a task sleeps for, if it does. A tracer's wait for anybody is for its tracee.
void Generator::note_sleep(const spec::Task& t, const spec::World& world) {
  using Whom = spec::WaitQuery::Whom;
  const spec::WaitQuery& query = t.call.query;
  if (t.call.kind == spec::Call::Kind::poll && query.number.n > kInit.n)
    awaited_.push_back({query.number, t.process, false, std::get<Poll>(t.call.again).fd});
  if (t.call.kind != spec::Call::Kind::wait) return;
  if (query.whom == Whom::any && !t.tracees.empty())
    awaited_.push_back({world.tasks[t.tracees.begin()->second].tid, t.process, false});
  if (query.whom != Whom::any && query.number != kInit)
    awaited_.push_back({query.number, t.process, query.whom != Whom::process});
}

std::int32_t Generator::choose_actor() {
  if (runnable_.empty()) return -1;
  if (dice_.percent(2))
    return static_cast<std::int32_t>(dice_.below(static_cast<std::size_t>(names_)));
  if (!called_.empty() && dice_.percent(40)) {
    const TaskRef tracer = dice_.one_of<TaskRef>(called_);
    if (tracer.named && std::ranges::find(runnable_, tracer.n) != runnable_.end())
      return last_actor_ = tracer.n;
  }
  if (!tardy_.empty() && dice_.percent(40))
    return last_actor_ = dice_.one_of<std::int32_t>(tardy_);
  if (dice_.percent(persistent_) && std::ranges::find(runnable_, last_actor_) != runnable_.end())
    return last_actor_;
  return last_actor_ = dice_.one_of<std::int32_t>(runnable_);
}

/// Whether a call that makes a task would be put off by a signal, and made again.
bool Generator::is_made_again(const Scene& scene) {
  return scene.me != nullptr && !scene.world.deliverable(*scene.me).empty();
}

/// Whether an exec would end threads that somebody traces.
bool Generator::ends_watched_threads(const Scene& scene) {
  if (scene.me == nullptr || scene.world.process_of(*scene.me).threads.size() < 2) return false;
  return std::ranges::any_of(scene.world.process_of(*scene.me).threads, [&](spec::TaskId id) {
    return static_cast<bool>(scene.world.tasks[id].trace.by);
  });
}

/// Whether somebody would be told of the end of the actor by a signal that it asked for, or adopted
/// in a trace that is about that; or is dead, and waits for the actor, who traced it.
bool Generator::has_heirs(const Scene& scene) {
  if (scene.me == nullptr) return false;
  for (const auto& [place, id] : scene.me->tracees)
    if (scene.world.tasks[id].zombie) return true;
  if (adopts_ && dice_.percent(50)) return !scene.me->children.empty();
  return std::ranges::any_of(scene.me->children, [&](const auto& child) {
    const spec::Task& t = scene.world.tasks[child.second];
    return t.zombie ? scene.world.process_of(t).running_threads > 0 : t.pdeath != sig::none;
  });
}

Generator::Eagerness Generator::eagerness(const Scene& scene) {
  Eagerness e;
  const bool gains = users_ && scene.me != nullptr && could_gain(scene);
  if (ends_watched_threads(scene)) e.executes = kEager / 2;
  if (gains) e.executes = kEager, e.pdeathsig = kEager / 2;
  if (gains || (users_ && has_others_root(scene))) e.makes = e.clone3 = kEager / 2;
  if (is_made_again(scene)) e.makes = kEager, e.clone3 = 2 * kEager;
  if (has_heirs(scene)) e.ends = kEager / 2;
  return e;
}

std::size_t Generator::choose_op(const Scene& scene, bool crowded) {
  const bool init = scene.actor == 0;
  const Eagerness eager = eagerness(scene);
  const bool shared = shares_queue(scene) && !dice_.percent(5);
  const bool limits = own_root_ || (scene.me != nullptr && scene.me->attributes.user_ns) ||
                      dice_.percent(1);
  const auto weight = [&](std::size_t i) -> std::uint32_t {
    switch (kRoles[i]) {
      case Role::any:
        if (i == Named("prctl_pdeathsig").index) return eager.pdeathsig * weights_[i];
        return shared && i == Named("sigq").index ? 0 : weights_[i];
      case Role::limits: return limits ? weights_[i] : 0;
      case Role::makes:
        return (i == Named("clone3").index ? eager.clone3 : eager.makes) *
               (crowded ? weights_[i] / 8 : weights_[i]);
      case Role::sleeps: return runnable_.size() < 2 ? 0 : weights_[i];
      case Role::executes: return eager.executes * weights_[i];
      case Role::adopts: return init ? (weights_[i] + 7) / 8 : weights_[i];  // who does so anyway
      case Role::traces: return tracing_weight(i, scene);
      case Role::ends:
        if (init) return dice_.percent(4) ? 1 : 0;
        return (crowded ? 3 : eager.ends) * weights_[i];
    }
    return 0;
  };
  std::array<std::uint32_t, kOps> now;  // NOLINT(*-member-init): as many as there are in ops_
  std::uint32_t total = 0;
  for (std::size_t k = 0; k < ops_.size(); ++k)
    total += now[k] = weight_by_kthreads(ops_[k], scene, weight(ops_[k]));
  if (total == 0) return ops_.front();  // some op all the same
  std::uint32_t at = dice_.below(total);
  for (std::size_t k = 0;; ++k) {
    if (at < now[k]) return ops_[k];
    at -= now[k];
  }
}

Op Generator::fill(std::size_t index, const Scene& scene) {
  const bool in_vain = scene.world.cgroups.size() == 0 && kOpNames[index].starts_with("cgroup_");
  Op op = default_op(in_vain ? Named("cgroup_make").index : index);
  std::visit([&](auto& o) { choose(o, scene); }, op);
  return op;
}

void Generator::choose(Clone& o, const Scene& scene) { o = clone(scene); }
void Generator::choose(Exit& o, const Scene&) { o.code = exit_code(); }
void Generator::choose(ExitGroup& o, const Scene&) { o.code = exit_code(); }

void Generator::choose(Wait4& o, const Scene& scene) {
  o.selector = selector(scene);
  o.options = wait_options(false);
}

/// Somebody whom the actor traces and who is dead, but whose threads are not.
std::optional<TaskRef> Generator::dead_leader(const Scene& scene) const {
  if (scene.me == nullptr) return std::nullopt;
  for (const auto& [place, id] : scene.me->tracees) {
    const spec::Task& t = scene.world.tasks[id];
    if (t.zombie && scene.world.process_of(t).running_threads > 0)
      return named(t.tid, scene.naming);
  }
  return std::nullopt;
}

void Generator::choose(Waitid& o, const Scene& scene) {
  o.selector = selector(scene);
  const auto fd = own_pidfd(scene);
  const bool by_pidfd = dice_.percent(fd ? 50 : 1);
  if (by_pidfd) o.selector = IdSelector(fd ? *fd : descriptor());
  o.options = wait_options(true);
  if (const auto leader = dead_leader(scene); leader && dice_.percent(60)) {
    if (dice_.percent(60)) o.selector = {IdSelector::Kind::task, *leader};
    o.options = dice_.percent(70) ? wait_option::stopped | wait_option::nohang : o.options;
  }
  if (by_pidfd && dice_.percent(30))  // which the descriptor may say, too
    o.options = o.options - wait_option::nohang;
}

/// Perhaps to somebody who is in vfork, and the first of several to be told: the others go on.
void Generator::signal_sleeping_leader(Kill& o, const Scene& scene) {
  const auto leader = someone(scene, [&](const spec::Task& t) {
    return t.call.kind == spec::Call::Kind::vfork && t.exit_signal >= 0 &&
           scene.world.process_of(t).running_threads > 1;
  });
  if (!leader || !dice_.percent(40)) return;
  o.target = {.kind = Target::Kind::task, .who = *leader};
  const Pid number = scene.naming.current(leader->n, scene.world);
  const spec::Task& t = scene.world.tasks[scene.world.task_of(number)];
  const SigSet caught = scene.world.handlers[t.handlers].caught;
  if (!caught.empty() && dice_.percent(70)) o.signal = caught.lowest();
}

void Generator::choose(Kill& o, const Scene& scene) {
  o.signal = signal();
  o.target = target(scene, o.signal);
  signal_sleeping_leader(o, scene);
  if (!scene.world.kthreads || !dice_.percent(60)) return;
  const std::optional<TaskRef> sleeper = someone(scene, &spec::Task::sleeps_deeply);
  if (!sleeper) return;
  o.target = {.kind = Target::Kind::task, .who = *sleeper};
  if (dice_.percent(60)) o.signal = sig::kill;
}

void Generator::choose(Tgkill& o, const Scene& scene) {
  o.signal = signal();
  o.thread = o.process = task(scene);
  if (o.signal.n > 31 && dice_.percent(40)) {
    const auto has_one = [&](const spec::Task& t) { return t.pending.has(o.signal); };
    if (const auto again = someone(scene, has_one)) o.thread = o.process = *again;
  }
  const spec::TaskId id = scene.world.task_of(number_of(o.thread, scene.naming.numbers()));
  if (id) o.process = named(scene.world.leader_of(scene.world.tasks[id]).tid, scene.naming);
  if (dice_.percent(5)) o.process = task(scene);
}

void Generator::choose(Sigaction& o, const Scene&) {
  o.signal = dice_.percent(40) ? sig::chld : signal();
  o.disposition = static_cast<Disposition>(dice_.below(kDispositions.size()));
  for (const Word& w : SaKind::words)
    if (dice_.percent(30)) o.flags = o.flags | SaFlags{w.value};
}

void Generator::choose(Sigprocmask& o, const Scene&) {
  o.how = static_cast<MaskHow>(dice_.below(kMaskHows.size()));
  for (std::uint32_t i = dice_.below(4); i > 0; --i)
    o.set.add(dice_.percent(20) ? sig::chld : signal());
}

void Generator::choose(Getpgid& o, const Scene& scene) { o.task = task(scene); }
void Generator::choose(Getsid& o, const Scene& scene) { o.task = task(scene); }

void Generator::choose(Setpgid& o, const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  o.task = way < 40 ? TaskRef::name(scene.actor) : way < 75 ? child(scene) : task(scene);
  o.group = dice_.percent(45) ? o.task : dice_.percent(20) ? TaskRef{} : task(scene);
}

/// Whoever is one mostly stops to be: those made before, meanwhile and after differ.
void Generator::choose(PrctlSubreaper& o, const Scene& scene) {
  const bool is_one = scene.me != nullptr && scene.world.process_of(*scene.me).is_subreaper;
  o.on = dice_.percent(is_one ? 35 : 90) ? 1 : 0;
}

void Generator::choose(PrctlPdeathsig& o, const Scene&) {
  o.signal = dice_.percent(95) ? signal() : Signal{dice_.between(-1, 70)};
}

void Generator::choose(Mmap& o, const Scene&) {
  o.mapping = dice_.percent(40) ? Mapping::shared : Mapping::private_;
  o.pages = run_of_pages();
}

void Generator::choose(Munmap& o, const Scene& scene) {
  o.page = page(scene);
  if (dice_.percent(25)) o.pages = dice_.below(4);
}

void Generator::choose(Madvise& o, const Scene& scene) {
  o.page = page(scene);
  o.advice = static_cast<Advice>(dice_.one_of<Word>(kAdvices).value);
}

void Generator::choose(Read& o, const Scene& scene) { o.page = page(scene); }

void Generator::choose(Write& o, const Scene& scene) {
  o.page = page(scene);
  o.value = dice_.below(9);
}

void Generator::choose(SetPidMax& o, const Scene&) {
  o.value = dice_.percent(90) ? dice_.between(kPidMaxMin - 1, 330) : kPidMaxDefault;
}

void Generator::choose(SetPidCursor& o, const Scene& scene) {
  if (const auto stale = number_left_behind(scene); stale && dice_.percent(50)) {
    o.value = stale->n;
    return;
  }
  const std::int32_t end = std::min(scene.world.pid_max, 600);
  const std::uint32_t way = dice_.below(100);
  o.value = way < 45   ? dice_.between(end - 8, end + 2)
            : way < 70 ? dice_.between(0, 310)
                       : once_taken(scene);
}

void Generator::choose(NsPidMax& o, const Scene&) {
  o.value = dice_.percent(90) ? dice_.between(kPidMaxMin - 1, kPidMaxMin + 3) : kPidMaxDefault;
}

/// Mostly near the limit, where the search goes round, or where it begins anew.
void Generator::choose(NsPidCursor& o, const Scene& scene) {
  const spec::NamespaceId ns =
      scene.me == nullptr ? spec::NamespaceId::none() : scene.world.process_of(*scene.me).ns;
  const std::int32_t max = ns ? scene.world.namespaces[ns].pid_max : scene.world.pid_max;
  o.value = dice_.percent(70) ? dice_.between(max - 2, max + 3) : dice_.between(0, 310);
}

namespace {

Script generate(Generator generator) {
  spec::Model model(generator.world());
  spec::FirstChoice first;
  Naming naming;
  naming.begin(model.world());
  Script script;
  script.world = generator.world();
  while (std::optional<Step> s = generator.next(model, naming)) {
    const Pid actor = is_by_world(s->op) ? Pid{} : naming.current(s->actor, model.world());
    const Effects& said = model.apply(actor, naming.resolved(s->op, actor, model.world()), first);
    naming.bind(*s, actor, said, model.world());
    if (s->binds != kNoName) script.names.push_back(canonical_name(s->binds));
    script.steps.push_back(std::move(*s));
  }
  return script;
}

}  // namespace

Script generate(std::uint64_t seed, Profile profile, TraceScope scope) {
  return generate(Generator(seed, profile, scope));
}

Script generate_like(const Script& like, std::uint64_t seed) {
  return generate(Generator(seed, like));
}

}  // namespace forkproof::harness
