/// A mutant of our implementation as a system: a shared object, opened at run time.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "harness/mutant/any_system.hpp"

namespace forkproof::harness {

/// What the name of such a system begins with: the path of the object follows.
inline constexpr std::string_view kMutant = "mutant:";

/// A mutant may loop for ever, so each is run in a process of its own. Where nobody else looks at
/// the clock, a world that computes for longer than any trace does ends that process by SIGPROF.
class LoadedSystem {
 public:
  enum class Watch : std::uint8_t { none, alarm };

  /// Throws a SystemFault that says why if the object cannot be opened.
  explicit LoadedSystem(const std::string& path, Watch watch = Watch::alarm);
  ~LoadedSystem();
  LoadedSystem(const LoadedSystem& other);
  LoadedSystem& operator=(const LoadedSystem& other);

  void reset(const WorldSpec& world);
  const Effects& apply(Pid actor, const Op& op) { return system_->apply(actor, op); }
  TaskView view(Pid p) const { return system_->view(p); }
  void pages(Pid p, std::vector<PageView>& out) const { system_->pages(p, out); }
  void tasks(std::vector<Pid>& out) const { system_->tasks(out); }
  bool sound() const { return system_->sound(); }
  bool sound(Pid p, bool memory) const { return system_->sound(p, memory); }

 private:
  std::shared_ptr<void> object_;  // outlives what it made
  Watch watch_ = Watch::none;
  std::unique_ptr<AnySystem> system_;
};

}  // namespace forkproof::harness
