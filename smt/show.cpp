/// The values of a counterexample in the words of their domain.
#include <fmt/format.h>

#include <bit>

#include "impl/bits/page_entry.hpp"
#include "impl/bits/wait_status.hpp"
#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;

namespace {

void join(std::string& all, const std::string& one) {
  if (!all.empty()) all += '|';
  all += one;
}

/// `VM|THREAD|0x8`: by name as far as there are names.
std::string named(std::span<const forkproof::Word> table, std::uint64_t left) {
  std::string all;
  for (const forkproof::Word& w : table) {
    if (w.value == 0 || (left & w.value) != w.value) continue;
    join(all, std::string(w.name));
    left &= ~w.value;
  }
  if (left != 0 || all.empty()) join(all, left == 0 ? "none" : fmt::format("{:#x}", left));
  return all;
}

}  // namespace

std::string show_number(std::uint64_t n) { return fmt::format("{}", n); }

std::string show_truth(std::uint64_t truth) { return truth != 0 ? "yes" : "no"; }

/// `bit 3`, `bits 0-5 7`, `all 64 bits`
std::string show_bits(std::uint64_t word) {
  if (word == 0) return "no bit";
  if (~word == 0) return "all 64 bits";
  std::string all = std::has_single_bit(word) ? "bit" : "bits";
  for (int from = 0; from < 64;) {
    from += std::countr_zero(word >> from);
    if (from >= 64) break;
    const int to = from + std::countr_one(word >> from) - 1;
    all += from == to ? fmt::format(" {}", from) : fmt::format(" {}-{}", from, to);
    if (to >= 63 || word >> (to + 1) == 0) break;
    from = to + 1;
  }
  return all;
}

std::string show_signals(std::uint64_t set) {
  std::string all;
  for (std::uint64_t left = set; left != 0; left &= left - 1) {
    const auto n = static_cast<std::uint64_t>(std::countr_zero(left) + 1);
    const auto name = name_of(kSignals, n);
    join(all, name ? std::string(*name) : fmt::format("{}", n));
  }
  return all.empty() ? "no signal" : all;
}

std::string show_clone_flags(std::uint64_t flags) { return named(CloneKind::words, flags); }
std::string show_task_flags(std::uint64_t flags) { return named(TaskFlagKind::words, flags); }
std::string show_wait_options(std::uint64_t options) { return named(WaitKind::words, options); }

std::string show_status(std::uint64_t status) {
  const char* what = bits::is_exited(status)      ? "exited"
                     : bits::is_killed(status)    ? "killed"
                     : bits::is_stopped(status)   ? "stopped"
                     : bits::is_continued(status) ? "continued"
                                                  : "nothing known";
  return fmt::format("{:#x} ({})", status, what);
}

std::string show_entry(std::uint64_t entry) {
  static constexpr forkproof::Word kFlags[] = {{"mapped", bits::kMapped},
                                               {"shared", bits::kShared},
                                               {"DONTFORK", bits::kDontFork},
                                               {"WIPEONFORK", bits::kWipeOnFork}};
  return fmt::format("{} frame {}", named(kFlags, entry & bits::kEntryFlags),
                     bits::frame_of(entry));
}

}  // namespace forkproof::smt
