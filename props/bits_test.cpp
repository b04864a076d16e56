/// The bit logic against naive loops: on every word of up to 16 bits, and at random on those of 64
/// bits, which the implementation uses.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <bit>
#include <random>
#include <set>

#include "impl/bits/clone_flags.hpp"
#include "impl/bits/kernel_stack.hpp"
#include "impl/bits/page_entry.hpp"
#include "impl/bits/page_index.hpp"
#include "impl/bits/pid_search.hpp"
#include "impl/bits/pid_word.hpp"
#include "impl/bits/signal_set.hpp"
#include "impl/bits/task_state.hpp"
#include "impl/bits/wait_options.hpp"
#include "impl/bits/wait_status.hpp"
#include "impl/pid_bitmap.hpp"
#include "props/narrow.hpp"
#include "spec/other_task_flags.hpp"

namespace forkproof::props {
namespace {

namespace bits = impl::bits;

constexpr int kRandom = 20'000;

/// A number with some of the bits of three draws: dense, sparse or in between.
std::uint64_t any_word(std::mt19937_64& dice) {
  const std::uint64_t a = dice(), b = dice(), c = dice();
  switch (dice() % 5) {
    case 0: return a & b & c;
    case 1: return a | b | c;
    case 2: return ~(std::uint64_t{1} << (a % 64));
    case 3: return a >> (b % 64);
    default: return a;
  }
}

/// The lowest clear bit from `from` on, alone, bit by bit.
template <unsigned N>
std::uint64_t slow_next_clear(std::uint64_t word, unsigned from) {
  for (unsigned i = from; i < N; ++i)
    if ((word >> i & 1) == 0) return std::uint64_t{1} << i;
  return 0;
}

template <unsigned N>
void compare_word(std::uint64_t w) {
  const Narrow<N> word{w};
  std::uint64_t set = 0;
  for (unsigned i = 0; i < N; ++i) set += w >> i & 1;
  ASSERT_EQ(bits::is_full(word), set == N) << w;
  ASSERT_EQ(bits::lowest_clear(word).bits, slow_next_clear<N>(w, 0)) << w;
  ASSERT_EQ(bits::lowest_set(word).bits, slow_next_clear<N>(~w, 0)) << w;
  for (unsigned i = 0; i < N; ++i) {
    const Narrow<N> bit{std::uint64_t{1} << i};
    ASSERT_EQ(bits::next_clear(word, bit).bits, slow_next_clear<N>(w, i)) << w << " from " << i;
    const auto taken = bits::take_in(word, bit);
    const auto given = bits::give_back_in(word, bit);
    for (unsigned j = 0; j < N; ++j) {
      ASSERT_EQ(taken.word.bits >> j & 1, i == j ? 1 : w >> j & 1) << w << " bit " << i;
      ASSERT_EQ(given.word.bits >> j & 1, i == j ? 0 : w >> j & 1) << w << " bit " << i;
    }
    ASSERT_EQ(taken.rises, bits::is_full(taken.word));
    ASSERT_EQ(given.rises, bits::is_full(word));
  }
}

TEST(Bits, WordsOfThePidBitmap) {
  for (std::uint64_t w = 0; w < 256; ++w) compare_word<8>(w);
  for (std::uint64_t w = 0; w < 65536; ++w) compare_word<16>(w);
  std::mt19937_64 dice(1);
  for (int i = 0; i < kRandom / 10; ++i) compare_word<64>(any_word(dice));
}

/// The same run of numbers is taken and given back, and searched, in a set of them.
void compare_bitmap(std::uint64_t seed, std::uint64_t base, std::uint64_t range) {
  std::mt19937_64 dice(seed);
  impl::PidBitmap bitmap;
  std::set<std::uint64_t> taken;
  for (int i = 0; i < kRandom / 4; ++i) {
    const std::uint64_t n = base + dice() % range;
    const bool in = taken.contains(n);
    ASSERT_EQ(bitmap.taken(n), in);
    in ? bitmap.give_back(n) : bitmap.take(n);
    in ? (void)taken.erase(n) : (void)taken.insert(n);
    std::uint64_t expected = base + dice() % range;
    const std::uint64_t found = bitmap.first_free(expected);
    while (taken.contains(expected)) ++expected;
    ASSERT_EQ(found, expected) << "seed " << seed;
  }
  ASSERT_TRUE(bitmap.sound());
}

TEST(Bits, ThePidBitmapIsASetOfNumbers) {
  compare_bitmap(1, 0, 64);
  compare_bitmap(2, 4000, 200);
  compare_bitmap(3, 262'100, 100);
  compare_bitmap(4, kPidMaxLimit - 300, 300);
}

TEST(Bits, AFullBlockIsPassedAtOnce) {
  impl::PidBitmap bitmap;
  for (std::uint64_t n = 0; n < 64 * 64 * 3; ++n) bitmap.take(n);
  EXPECT_EQ(bitmap.first_free(0), 64u * 64 * 3);
  bitmap.give_back(64 * 64 + 70);
  EXPECT_EQ(bitmap.first_free(5), 64u * 64 + 70);
  EXPECT_TRUE(bitmap.sound());
}

// --- the search ----------------------------------------------------------------------------------

/// The number that the policy names, by walking; `pid_max` where it names none.
std::uint64_t slow_search(bool idr, std::uint64_t cursor, std::uint64_t pid_max,
                          const std::set<std::uint64_t>& taken) {
  const std::uint64_t floor = idr && cursor <= 300 ? 1 : 300;
  std::uint64_t n = idr ? cursor : cursor < pid_max ? cursor : 300;
  for (; n < pid_max; ++n)
    if (!taken.contains(n)) return n;
  if (!idr && cursor == 301) return pid_max;
  for (n = floor; n < pid_max; ++n)
    if (!taken.contains(n)) return n;
  return pid_max;
}

TEST(Bits, TheSearchNamesThePolicysNumber) {
  std::mt19937_64 dice(7);
  for (int i = 0; i < kRandom; ++i) {
    const std::uint64_t pid_max = 301 + dice() % 12, cursor = 1 + dice() % (pid_max + 1);
    std::set<std::uint64_t> taken;
    const std::uint64_t from = dice() % 2 == 0 ? 1 : 296;
    for (std::uint64_t n = from; n < pid_max; ++n)
      if (dice() % 8 != 0) taken.insert(n);
    const auto first_free = [&](std::uint64_t n) {
      while (taken.contains(n)) ++n;
      return n;
    };
    for (const bool idr : {true, false}) {
      const std::uint64_t found = idr ? bits::idr_search(cursor, pid_max, first_free)
                                      : bits::bitmap_search(cursor, pid_max, first_free);
      ASSERT_EQ(std::min(found, pid_max), slow_search(idr, cursor, pid_max, taken))
          << (idr ? "idr" : "bitmap") << " cursor " << cursor << " pid_max " << pid_max;
    }
  }
}

// --- flags, options, statuses --------------------------------------------------------------------

TEST(Bits, CloneRefusesWhatTheBookDoes) {
  std::mt19937_64 dice(3);
  for (std::uint64_t i = 0; i < 65536; ++i) {
    const std::uint64_t flags = i < 4096 ? i << 8 | i << 16 : any_word(dice);
    for (const bool init : {true, false}) {
      const CloneFlags f{flags};
      const bool refused = (f.has(clone_flag::newns) && f.has(clone_flag::fs)) ||
                           (f.has(clone_flag::thread) && !f.has(clone_flag::sighand)) ||
                           (f.has(clone_flag::sighand) && !f.has(clone_flag::vm)) ||
                           (f.has(clone_flag::parent) && init) ||
                           (f.has(clone_flag::thread) && f.has(clone_flag::newpid)) ||
                           (f.has(clone_flag::newuser) &&
                            f.any(clone_flag::fs | clone_flag::thread));
      ASSERT_EQ(bits::clone_refuses(flags, init), refused) << flags;
    }
  }
}

TEST(Bits, CloneAsksInOrder) {
  for (const bool early : {true, false})
    for (const bool pending : {true, false})
      for (const bool bad : {true, false}) {
        int looks = 0;
        const auto look = [&] { return ++looks, pending; };
        const std::uint64_t flags = bad ? clone_flag::thread.bits : 0;
        const std::uint64_t restart = pending ? bits::kRestarts : bits::kGoesOn;
        EXPECT_EQ(bits::before_copying(flags, false, early, look),
                  bad ? 22 : early ? restart : bits::kGoesOn);
        EXPECT_EQ(looks, !bad && early) << "who looks takes notice";
        EXPECT_EQ(bits::after_search(flags, bad, early, look),
                  bad ? 11 : early ? bits::kGoesOn : restart);
        EXPECT_EQ(looks, !bad);
      }
}

TEST(Bits, EveryStatusReadsAsTheCLibraryReadsIt) {
  for (std::uint32_t s = 0; s < 65536; ++s) {
    const int status = static_cast<int>(s);
    ASSERT_EQ(bits::is_exited(s), WIFEXITED(status)) << s;
    ASSERT_EQ(bits::is_killed(s), static_cast<bool>(WIFSIGNALED(status))) << s;
    ASSERT_EQ(bits::is_stopped(s), WIFSTOPPED(status)) << s;
    ASSERT_EQ(bits::is_continued(s), WIFCONTINUED(status)) << s;
    ASSERT_EQ(bits::term_signal(s), static_cast<std::uint32_t>(WTERMSIG(status)));
    ASSERT_EQ(bits::upper_byte(s), static_cast<std::uint32_t>(WEXITSTATUS(status)));
  }
}

TEST(Bits, WaitTakesItsOptions) {
  const WaitOptions wait4 = wait_option::nohang | wait_option::stopped | wait_option::continued |
                            wait_option::nothread | wait_option::all | wait_option::clone;
  const WaitOptions waitid = wait4 | wait_option::exited | wait_option::nowait;
  const WaitOptions events = wait_option::exited | wait_option::stopped | wait_option::continued;
  std::mt19937_64 dice(5);
  for (int i = 0; i < kRandom; ++i) {
    const std::uint64_t o = any_word(dice) & (dice() % 2 == 0 ? waitid.bits : ~std::uint64_t{0});
    bool in4 = true, inid = true, asks = false;
    for (unsigned b = 0; b < 64; ++b) {
      if ((o >> b & 1) == 0) continue;
      in4 = in4 && (wait4.bits >> b & 1) != 0;
      inid = inid && (waitid.bits >> b & 1) != 0;
      asks = asks || (events.bits >> b & 1) != 0;
    }
    ASSERT_EQ(bits::wait4_takes(o), in4) << o;
    ASSERT_EQ(bits::waitid_takes(o), inid && asks) << o;
  }
}

// --- states --------------------------------------------------------------------------------------

TEST(Bits, StatesHaveTheNumbersOfTheirKernels) {
  EXPECT_EQ(bits::kStates412.killable(), 130u);  // as include/linux/sched.h of 4.12 has them
  EXPECT_EQ(bits::kStates412.stopped(), 132u);
  EXPECT_EQ(bits::kStates412.traced, 136u);
  EXPECT_EQ(bits::kStates412.idle(), 1026u);
  EXPECT_EQ(bits::kStates6.killable(), 0x102u);
  EXPECT_EQ(bits::kStates6.stopped(), 0x104u);
  EXPECT_EQ(bits::kStates6.traced, 0x8u);
  EXPECT_EQ(bits::kStates6.idle(), 0x402u);
  for (std::size_t i = 0; i < bits::kStateLetters.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(std::bit_width(bits::kStateLetters[i].bit)), i);
}

TEST(Bits, WakesReachWhatTheyHaveABitOf) {
  for (std::uint32_t mask = 0; mask < 4096; ++mask)
    for (std::uint32_t at = 0; at < 12; ++at)
      ASSERT_EQ(bits::reaches(mask, 1u << at), (mask >> at & 1) != 0) << mask;
  for (std::uint32_t state = 0; state < 65536; ++state) {
    ASSERT_EQ(bits::shown(state, 0u, bits::kStates412), state == 512 ? 1 : state % 64);
    ASSERT_EQ(bits::shown(state, 0u, bits::kStates6), state == 0x402 ? 0x80 : state % 128);
    ASSERT_EQ(bits::shown(state, 32u, bits::kStates6), state == 0x402 ? 0x80u : 32u);
    ASSERT_EQ(bits::counts_as_load(state, bits::kStates6),
              (state & 2) != 0 && (state & 0x400) == 0);
    ASSERT_EQ(bits::counts_as_load(state, bits::kStates412),
              (state & 2) != 0 && (state & 1024) == 0);
  }
  constexpr std::uint32_t kWay[] = {0, 32, 16};  // alive, ZOMBIE, DEAD
  for (std::size_t now = 0; now < 3; ++now)
    for (std::size_t next = 0; next < 3; ++next)
      EXPECT_EQ(bits::exit_forward(kWay[now], kWay[next]), kWay[std::max(now, next)]);
}

/// Each bit is a flag that is modelled, or one of which nothing is said, or RANDOMIZE, or nothing.
TEST(Bits, EveryTaskFlagIsInOneList) {
  constexpr std::uint64_t kRandomize = 0x400000, kHoles412 = 0x13000001, kHoles6 = 0x43800000;
  std::uint64_t modelled = kRandomize, in_4_12 = 0, in_6 = 0;
  for (const Word& w : TaskFlagKind::words) modelled |= w.value;
  for (const OtherTaskFlag& f : kOtherTaskFlags) {
    EXPECT_TRUE(std::has_single_bit(f.value)) << f.value;
    EXPECT_EQ((modelled | in_4_12 | in_6) & f.value, 0u) << f.value << " is in two lists";
    if (!f.in_4_12.empty()) in_4_12 |= f.value;
    if (!f.in_6.empty()) in_6 |= f.value;
    EXPECT_FALSE(f.unseen.empty());
  }
  EXPECT_EQ(modelled | in_4_12 | kHoles412, 0xFFFFFFFFu);
  EXPECT_EQ(modelled | in_6 | kHoles6, 0xFFFFFFFFu);
}

// --- stacks --------------------------------------------------------------------------------------

TEST(Bits, StacksLieApart) {
  for (const unsigned shift : {bits::kStackShift8K, bits::kStackShift16K}) {
    const std::uint64_t size = std::uint64_t{1} << shift;
    for (std::uint64_t task = 1; task < 4; ++task) {
      const std::uint64_t base = bits::stack_of(task, shift), top = bits::stack_top(task, shift);
      EXPECT_EQ(base % size, 0u);
      EXPECT_EQ(top, base + size);
      EXPECT_EQ(bits::stack_of(task + 1, shift), top + size) << "a guard between them";
      for (std::uint64_t sp = base + 1; sp <= top; ++sp)
        ASSERT_EQ(bits::current_of(sp, shift), task);
      for (std::uint64_t bytes = 0; bytes <= size; ++bytes)
        ASSERT_EQ(bits::stack_holds(top, bytes, shift), bytes <= size - bits::kThreadInfo);
    }
  }
}

// --- signals -------------------------------------------------------------------------------------

std::uint64_t slow_next_signal(std::uint64_t pending, std::uint64_t blocked) {
  for (const bool synchronous : {true, false})
    for (std::int32_t n = 1; n <= kSignalMax; ++n) {
      const SigSet s = SigSet::of({n});
      if (synchronous && !kSynchronous.has({n})) continue;
      if ((pending & s.bits) != 0 && (blocked & s.bits) == 0) return s.bits;
    }
  return 0;
}

TEST(Bits, SignalsAreTakenAndDrivenOutInOrder) {
  std::mt19937_64 dice(11);
  for (int i = 0; i < kRandom; ++i) {
    const std::uint64_t pending = any_word(dice), blocked = any_word(dice);
    ASSERT_EQ(bits::next_signal(pending, blocked), slow_next_signal(pending, blocked));
    const std::uint64_t caught = any_word(dice), ignored = any_word(dice) & ~caught;
    const bool init = dice() % 2 == 0;
    const SigSet dropped{bits::dropped(ignored, caught, blocked, init)};
    for (std::int32_t n = 1; n <= kSignalMax; ++n) {
      const Signal s{n};
      const bool ignores = SigSet{ignored}.has(s) ||
                           (!SigSet{caught}.has(s) && (init || kDefaultIgnored.has(s)));
      ASSERT_EQ(dropped.has(s), ignores && !SigSet{blocked}.has(s)) << n;
      const SigSet out{bits::driven_out(SigSet::of(s).bits)};
      const SigSet expected = s == sig::cont       ? kStopSignals
                              : kStopSignals.has(s) ? SigSet::of(sig::cont)
                                                    : SigSet{};
      ASSERT_EQ(out, expected) << n;
    }
  }
}

// --- pages ---------------------------------------------------------------------------------------

TEST(Bits, EntriesOfAPageTable) {
  for (std::uint32_t e = 0; e < 65536; ++e) {
    for (const std::uint32_t frame : {0u, 1u, 4095u, 65535u, (1u << 28) - 1}) {
      const std::uint32_t now = bits::with_frame(e, frame);
      ASSERT_EQ(bits::frame_of(now), frame);
      ASSERT_EQ(now % 16, e % 16);
    }
    const std::uint32_t expected = (e & bits::kDontFork) != 0 ? 0
                                   : (e & bits::kWipeOnFork) != 0 ? e % 16
                                                                  : e;
    ASSERT_EQ(bits::forked(e), expected);
    ASSERT_EQ(bits::names_frame(e), e >= 16);
    ASSERT_EQ(bits::one_less(bits::one_more(e)), e);
    for (std::uint32_t nodes = 1; nodes < 4; ++nodes)
      for (std::uint32_t frames = 0; frames < 4; ++frames) {
        const bool copies = (e & bits::kShared) == 0 && (e >> 4 == 0 || nodes > 1 || frames > 1);
        ASSERT_EQ(bits::must_copy(e, nodes, frames), copies) << e;
      }
  }
}

TEST(Bits, PagesAndRanges) {
  std::set<std::pair<PageNo, PageNo>> places;
  for (PageNo page = 0; page < kPages; ++page) {
    const auto place = std::pair{bits::node_of(page), bits::slot_of(page)};
    EXPECT_TRUE(places.insert(place).second);
    EXPECT_EQ(bits::page_at(place.first, place.second), page);
  }
  std::mt19937_64 dice(13);
  const auto any = [&] {
    return static_cast<PageNo>(dice() % 3 == 0 ? dice() : dice() % (kPages + 2));
  };
  for (int i = 0; i < kRandom; ++i) {
    const PageNo page = any(), pages = any();
    const bool fits = pages != 0 && std::uint64_t{page} + pages <= kPages;
    ASSERT_EQ(bits::range_fits(page, pages), fits) << page << " " << pages;
  }
}

}  // namespace
}  // namespace forkproof::props
