/// The struct of clone3 with something odd about it.
#include "harness/linux/clone3_args.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::size_t kSizeAtFirst = 64, kSizeWithTids = 80, kSizeOfMore = 96, kPage = 4096;
constexpr std::uint64_t kTooManyTids = 33;  // namespaces lie 32 deep, below the first
constexpr std::uint64_t kNoDescriptor = std::uint64_t{1} << 31;
constexpr std::uint64_t kBeyond = std::uint64_t{1} << 63;  // where no program has anything

}  // namespace

std::size_t spoil(clone_args& args, Clone3Args how, std::uint64_t tids) {
  const auto list = [&](std::uint64_t at, std::uint64_t size) {
    args.set_tid = at, args.set_tid_size = size;
  };
  switch (how) {
    case Clone3Args::size_63: return kSizeAtFirst - 1;
    case Clone3Args::size_64: return kSizeAtFirst;
    case Clone3Args::size_80: return kSizeWithTids;
    case Clone3Args::size_96:
    case Clone3Args::tail_set: return kSizeOfMore;
    case Clone3Args::size_4097: return kPage + 1;
    case Clone3Args::tids_33: list(tids, kTooManyTids); break;
    case Clone3Args::tids_null: list(0, 1); break;
    case Clone3Args::tids_empty: list(tids, 0); break;
    case Clone3Args::tids_unreadable: list(kNowhere, 1); break;
    case Clone3Args::signal_high: args.exit_signal |= std::uint64_t{1} << 32; break;
    case Clone3Args::stack_alone: args.stack_size = 0; break;
    case Clone3Args::stack_size_alone: args.stack = 0; break;
    case Clone3Args::stack_beyond: args.stack = kBeyond; break;
    case Clone3Args::one_place: args.pidfd = args.parent_tid; break;
    case Clone3Args::pidfd_unwritable: args.pidfd = kNowhere; break;
    case Clone3Args::cgroup_high: args.cgroup = kNoDescriptor; break;
    default: break;
  }
  return sizeof args;
}

}  // namespace forkproof::harness::kernel
