/// A mutant of our implementation as a system: a shared object, opened at run time.
#include "harness/mutant/loaded.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/system_fault.hpp"

namespace forkproof::harness {

namespace {

constexpr unsigned kPatience = 5;  // seconds that one world may take: a trace takes microseconds

}  // namespace

void LoadedSystem::Close::operator()(void* object) const { ::dlclose(object); }

LoadedSystem::LoadedSystem(const std::string& path)
    : object_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (!object_) throw SystemFault(fmt::format("mutant cannot be opened: {}", ::dlerror()));
  const auto make = reinterpret_cast<MakeSystem*>(::dlsym(object_.get(), "forkproof_mutant"));
  if (make == nullptr)
    throw SystemFault(fmt::format("{} is no mutant: it has no forkproof_mutant", path));
  system_.reset(make());
}

LoadedSystem::~LoadedSystem() { ::alarm(0); }

void LoadedSystem::reset(const WorldSpec& world) {
  ::alarm(kPatience);
  system_->reset(world);
}

}  // namespace forkproof::harness
