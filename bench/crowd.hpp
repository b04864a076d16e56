/// Worlds with many live tasks, for the benchmarks of scale: a family of a given shape, and then a
/// steady mix of ops by random tasks that keeps its size.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "harness/generate.hpp"
#include "impl/machine.hpp"
#include "spec/script.hpp"

namespace forkproof::bench {

/// Who is whose child.
enum class Shape : std::uint8_t {
  tree,   ///< of random tasks
  flat,   ///< all of init
  chain,  ///< each of the one before
};

/// No number is used twice in it, so the n-th task of a trace has the number n.
inline constexpr WorldSpec kCrowdWorld{.profile = Profile::linux_6, .pid_max = kPidMaxLimit};

/// A step without what a benchmark does not need, for there are millions.
struct Draft {
  std::int32_t actor;
  std::int32_t binds;
  Op op;
};

/// Makes the steps. It tries them on a machine, so that each finds the world that it is meant for.
class Crowd {
 public:
  Crowd(Shape shape, std::size_t tasks) : shape_(shape), size_(tasks), machine_(kCrowdWorld) {
    add(kInit, Mmap{.pages = kPagesEach});
    add(kInit, Sigaction{.signal = sig::usr1, .disposition = Disposition::catch_, .flags = {}});
    while (1 + others_.size() < size_) give_birth();
  }

  /// `steps` ops of the mix: births and deaths in turn, waits that reap as many, and the rest.
  void mix(std::size_t steps) {
    drafts_.reserve(drafts_.size() + steps);
    for (std::size_t i = 0; i < steps; ++i) {
      const std::uint32_t way = dice_.below(100);
      if (way < 40)
        1 + others_.size() < size_ ? give_birth() : die();
      else if (way < 60)
        wait();
      else
        potter(way);
    }
  }

  const std::vector<Draft>& drafts() const { return drafts_; }

 private:
  static constexpr PageNo kPagesEach = 4;

  const Effects& add(Pid actor, Op op) {
    drafts_.push_back({actor.n - 1, creates(op) ? made_++ : kNoName, op});
    return machine_.apply(actor, op);
  }

  Pid anybody() {
    const std::uint32_t i = dice_.below(1 + others_.size());
    return i == 0 ? kInit : others_[i - 1];
  }
  Pid youngest() const { return others_.empty() ? kInit : others_.back(); }

  void give_birth() {
    const Pid maker = shape_ == Shape::flat ? kInit
                      : shape_ == Shape::chain ? youngest()
                                               : anybody();
    others_.push_back(add(maker, Fork{}).outcome.who.pid());
  }

  /// A chain loses its last link, else it would not be one for long.
  void die() {
    const std::size_t last = others_.size() - 1;
    const std::size_t i = shape_ == Shape::chain ? last : dice_.below(others_.size());
    const Pid who = others_[i];
    if (i != last) others_[i] = others_[last];
    others_.pop_back();
    zombies_.push_back(who);
    add(who, ExitGroup{});
  }

  /// By the parent of the one that has been dead longest; by anybody if there is none.
  void wait() {
    while (!zombies_.empty() && machine_.view(zombies_.front()).state == State::dead)
      zombies_.pop_front();
    const Pid who = zombies_.empty() ? anybody() : machine_.view(zombies_.front()).ppid;
    add(who, Wait4{.selector = {}, .options = wait_option::nohang});
  }

  void potter(std::uint32_t way) {
    const Pid who = anybody();
    const auto at = [](Pid p) { return TaskRef::name(p.n - 1); };
    const auto to = [&] { return Target{.kind = Target::Kind::task, .who = at(anybody())}; };
    const PageNo page = dice_.below(kPagesEach);
    if (way < 67) return void(add(who, Kill{.target = to(), .signal = sig::none}));
    if (way < 74) return void(add(who, Kill{.target = to(), .signal = sig::usr1}));
    if (way < 80) return void(add(who, Getppid{}));
    if (way < 84) return void(add(who, Setpgid{}));
    if (way < 87) return void(add(who, Setpgid{.task = {}, .group = at(anybody())}));
    if (way < 93) return void(add(who, Read{.page = page}));
    add(who, Write{.page = page, .value = way});
  }

  Shape shape_;
  std::size_t size_;
  harness::Dice dice_{1};
  impl::Machine machine_;
  std::vector<Pid> others_;     // those alive, but for init
  std::deque<Pid> zombies_;     // not all of them: some may have been reaped
  std::int32_t made_ = 1;
  std::vector<Draft> drafts_;
};

}  // namespace forkproof::bench
