/// A mutant of our implementation as a system: a shared object, opened at run time.
#pragma once
#include <memory>
#include <string>

#include "harness/mutant/any_system.hpp"

namespace forkproof::harness {

/// A world that goes on longer than any trace takes is a hang, and ends the process by SIGALRM: a
/// mutant may loop for ever, so each is run in a process of its own.
class LoadedSystem {
 public:
  /// Throws a SystemFault that says why if the object cannot be opened.
  explicit LoadedSystem(const std::string& path);
  ~LoadedSystem();
  LoadedSystem(const LoadedSystem&) = delete;
  LoadedSystem& operator=(const LoadedSystem&) = delete;

  void reset(const WorldSpec& world);
  const Effects& apply(Pid actor, const Op& op) { return system_->apply(actor, op); }
  TaskView view(Pid p) const { return system_->view(p); }
  void pages(Pid p, std::vector<PageView>& out) const { system_->pages(p, out); }
  void tasks(std::vector<Pid>& out) const { system_->tasks(out); }
  bool sound() const { return system_->sound(); }
  bool sound(Pid p, bool memory) const { return system_->sound(p, memory); }

 private:
  struct Close {
    void operator()(void* object) const;
  };
  std::unique_ptr<void, Close> object_;  // outlives what it made
  std::unique_ptr<AnySystem> system_;
};

}  // namespace forkproof::harness
