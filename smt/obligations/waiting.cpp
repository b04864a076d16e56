/// wait: which options are valid, which children are meant, and how a change is written into a
/// status word and read back.
#include <sys/wait.h>

#include "impl/bits/wait_options.hpp"
#include "impl/bits/wait_status.hpp"
#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

expr zero(const expr& like) { return number(like, 0); }
expr has(const expr& options, WaitOptions o) {
  return (options & number(options, o.bits)) == number(options, o.bits);
}

/// Whether all set bits of `options` are among these.
expr only(const expr& options, std::initializer_list<WaitOptions> these) {
  expr left = options;
  for (const WaitOptions o : these) left = left & ~number(options, o.bits);
  return left == zero(options);
}

namespace opt = wait_option;

void wait4_options(Claim& c) {
  const expr options = c.word("options", show_wait_options);
  c.holds(bits::wait4_takes(Word{options}) ==
          only(options, {opt::nohang, opt::stopped, opt::continued, opt::nothread, opt::all,
                         opt::clone}));
}

void waitid_options(Claim& c) {
  const expr options = c.word("options", show_wait_options);
  const expr valid = only(options, {opt::nohang, opt::nowait, opt::exited, opt::stopped,
                                    opt::continued, opt::nothread, opt::all, opt::clone});
  const expr asks = has(options, opt::exited) || has(options, opt::stopped) ||
                    has(options, opt::continued);
  c.holds(bits::waitid_takes(Word{options}) == (valid && asks));
}

void waitid_must_ask(Claim& c) {
  const expr options = c.word("options", show_wait_options);
  c.given(!has(options, opt::exited) && !has(options, opt::stopped) &&
          !has(options, opt::continued));
  c.holds(!bits::waitid_takes(Word{options}));
}

/// A wait, and a child whose exit signal is SIGCHLD or not.
struct Choice {
  expr options, clone_child, chosen;
  explicit Choice(Claim& c)
      : options(c.word("options", show_wait_options, 32)), clone_child(c.truth("clone child")),
        chosen(bits::wait_chooses(Word{options}, Truth{clone_child})) {}
};

void wall_chooses_all(Claim& c) {
  const Choice x(c);
  c.given(has(x.options, opt::all));
  c.holds(x.chosen);
}

void wclone_chooses_kind(Claim& c) {
  const Choice x(c);
  c.given(!has(x.options, opt::all));
  c.holds(x.chosen == (has(x.options, opt::clone) == x.clone_child));
}

void one_kind_or_all(Claim& c) {
  const expr options = c.word("options", show_wait_options, 32);
  const expr yes = c.truth("yes"), no = c.truth("no");
  c.given(yes && !no);
  const expr clones = bits::wait_chooses(Word{options}, Truth{yes});
  const expr others = bits::wait_chooses(Word{options}, Truth{no});
  c.holds(clones || others);
  c.holds((clones && others) == has(options, opt::all));
}

// --- the status word -----------------------------------------------------------------------------

expr status(Claim& c) { return c.word("status", show_status, 32); }
/// A signal by its number.
expr signal(Claim& c) {
  const expr s = c.word("signal", show_number, 32);
  c.given(z3::uge(s, number(s, 1)) && z3::ule(s, number(s, kSignalMax)));
  return s;
}

/// Of the four classes, these and no others.
void is_class(Claim& c, const Word& w, bool exited, bool killed, bool stopped, bool continued) {
  const auto is = [](const expr& e, bool want) { return want ? e : !e; };
  c.holds(is(bits::is_exited(w), exited) && is(bits::is_killed(w), killed) &&
          is(bits::is_stopped(w), stopped) && is(bits::is_continued(w), continued));
}

void exited_is_read_back(Claim& c) {
  const expr code = c.word("code", show_number, 32);
  const Word w = bits::exited_status(Word{code});
  c.tell("status", w, show_status);
  is_class(c, w, true, false, false, false);
  c.holds(bits::upper_byte(w) == (code & number(code, 0xff)));
  c.holds((w.e & number(code, 0xffff00ff)) == number(code, 0));
}

void killed_is_read_back(Claim& c) {
  const expr s = signal(c);
  const Word w = bits::killed_status(Word{s});
  c.tell("status", w, show_status);
  is_class(c, w, false, true, false, false);
  c.holds(bits::term_signal(w) == s);
}

void stopped_is_read_back(Claim& c) {
  const expr s = signal(c);
  const Word w = bits::stopped_status(Word{s});
  c.tell("status", w, show_status);
  is_class(c, w, false, false, true, false);
  c.holds(bits::upper_byte(w) == s);
}

void continued_is_read_back(Claim& c) {
  const expr any = c.word("any", show_number, 32);
  is_class(c, bits::continued_status(Word{any}), false, false, false, true);
}

void classes_are_disjoint(Claim& c) {
  const expr s = status(c);
  const Word w{s};
  const expr is[] = {bits::is_exited(w), bits::is_killed(w), bits::is_stopped(w),
                     bits::is_continued(w)};
  for (const expr& a : is)
    for (const expr& b : is)
      if (&a < &b) c.holds(!(a && b));
}

/// What the kernel makes: an exit, a death with or without a core, a stop, a continue.
void classes_are_complete(Claim& c) {
  const expr s = status(c), low = s & number(s, 0x7f), byte = s & number(s, 0xff);
  const expr is_exit = (s & ~number(s, 0xff00)) == zero(s);
  const expr is_death = z3::ule(s, number(s, 0xff)) && low != zero(s) && low != number(s, 0x7f);
  const expr is_stop = z3::ule(s, number(s, 0xffff)) && byte == number(s, 0x7f);
  c.given(is_exit || is_death || is_stop || s == number(s, 0xffff));
  const Word w{s};
  c.holds(bits::is_exited(w) || bits::is_killed(w) || bits::is_stopped(w) || bits::is_continued(w));
}

expr operator>>(const expr& e, int by) { return z3::lshr(e, number(e, static_cast<unsigned>(by))); }

/// The macros of <sys/wait.h> themselves, given a symbolic status. WIFSIGNALED casts to a C type,
/// so its sentence in wait(2) stands for it: neither exited, stopped nor continued.
void macros_agree(Claim& c) {
  const expr s = status(c);
  const Word w{s};
  c.holds(bits::is_exited(w) == expr(WIFEXITED(s)));
  c.holds(bits::is_stopped(w) == expr(WIFSTOPPED(s)));
  c.holds(bits::is_continued(w) == expr(WIFCONTINUED(s)));
  c.holds(bits::term_signal(w) == expr(WTERMSIG(s)));
  c.holds(bits::upper_byte(w) == expr(WEXITSTATUS(s)) && bits::upper_byte(w) == expr(WSTOPSIG(s)));
  c.holds(bits::is_killed(w) == (!expr(WIFEXITED(s)) && expr(WTERMSIG(s)) != number(s, 0x7f)));
}

std::string wait4_trace(const Values& v) {
  for (std::uint64_t left = v.at("options"); left != 0; left &= left - 1)
    if (!name_of(WaitKind::words, left & -left)) return {};
  const std::string options = v.at("options") == 0 ? "" : show_wait_options(v.at("options"));
  return "init: fork as A\nA: exit 3\ninit: wait4 any " + options + "\n";
}

constexpr const char* kStatus =
    "is_exited is_killed is_stopped is_continued term_signal upper_byte";

constexpr Obligation kWaitObligations[] = {
    {"wait.wait4-options", "wait4 takes its six options in any combination, and no other bit.",
     "wait.2 EINVAL:1", "wait4_takes", "", wait4_options, wait4_trace},
    {"wait.waitid-options",
     "waitid takes its eight options, of which one at least says what to wait for, and no other "
     "bit.",
     "wait.2 EINVAL:2", "waitid_takes mask_if", "", waitid_options},
    {"wait.waitid-asks", "waitid refuses to wait for nothing.", "wait.2 EINVAL:3", "waitid_takes",
     "", waitid_must_ask},
    {"wait.wall", "__WALL chooses every child, whatever else is said.", "wait.2 CLONE:2",
     "wait_chooses", "", wall_chooses_all},
    {"wait.wclone", "Without __WALL, __WCLONE chooses clone children, its absence the others.",
     "wait.2 CLONE:1", "wait_chooses mask_if", "", wclone_chooses_kind},
    {"wait.one-kind", "Every wait chooses one kind of children; both with __WALL only.",
     "wait.2 CLONE:1", "wait_chooses", "", one_kind_or_all},
    {"status.exited",
     "The status of an exit is read back as one: the low byte of its code, and no other bit.",
     "wait.2 STATUS:1", "exited_status is_exited upper_byte", "", exited_is_read_back},
    {"status.killed", "The status of a death is read back as one, with the signal.",
     "wait.2 STATUS:2", "killed_status is_killed term_signal", "", killed_is_read_back},
    {"status.stopped", "The status of a stop is read back as one, with the signal.",
     "wait.2 STATUS:4", "stopped_status is_stopped upper_byte", "", stopped_is_read_back},
    {"status.continued", "The status of a continue is read back as one.", "wait.2 STATUS:5",
     "continued_status is_continued", "", continued_is_read_back},
    {"status.disjoint", "No word of 32 bits is of two of the four classes.", "wait.2 STATUS:1",
     kStatus, "", classes_are_disjoint},
    {"status.complete", "Every status that the kernel makes is of one of the four classes.",
     "wait.2 STATUS:1", kStatus, "", classes_are_complete},
    {"status.macros", "For every word of 32 bits the C library's macros say the same.",
     "wait.2 STATUS:1", kStatus, "", macros_agree},
};

}  // namespace

std::span<const Obligation> wait_obligations() { return kWaitObligations; }

}  // namespace forkproof::smt
