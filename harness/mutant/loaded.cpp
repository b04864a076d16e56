/// A mutant of our implementation as a system: a shared object, opened at run time.
#include "harness/mutant/loaded.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/time.h>

#include "harness/system_fault.hpp"

namespace forkproof::harness {

namespace {

/// How much of a processor one world may take, in microseconds: a trace takes some hundreds.
constexpr suseconds_t kPatience = 250'000;
static_assert(kPatience < 1'000'000);

void set_timer(suseconds_t microseconds) {
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = microseconds}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace

LoadedSystem::LoadedSystem(const std::string& path, Watch watch) : watch_(watch) {
  void* const object = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) throw SystemFault(fmt::format("mutant cannot be opened: {}", ::dlerror()));
  object_ = {object, ::dlclose};
  const auto make = reinterpret_cast<MakeSystem*>(::dlsym(object_.get(), "forkproof_mutant"));
  if (make == nullptr)
    throw SystemFault(fmt::format("{} is no mutant: it has no forkproof_mutant", path));
  system_.reset(make());
}

LoadedSystem::LoadedSystem(const LoadedSystem& other)
    : object_(other.object_), watch_(other.watch_), system_(other.system_->copy()) {}

LoadedSystem& LoadedSystem::operator=(const LoadedSystem& other) {
  if (this != &other) system_->take(*other.system_);
  return *this;
}

LoadedSystem::~LoadedSystem() {
  if (watch_ == Watch::alarm) set_timer(0);
}

void LoadedSystem::reset(const WorldSpec& world) {
  if (watch_ == Watch::alarm) set_timer(kPatience);
  system_->reset(world);
}

}  // namespace forkproof::harness
