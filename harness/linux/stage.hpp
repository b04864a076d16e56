/// The stage that puppets play on: the shared slots, the zygote outside, and one namespace of pids
/// at a time, which begins with an init and is gone, with all that was in it, when it is closed.
///
/// The zygote is a small process of the puppets' own program: it makes the inits, so that nobody
/// has to fork the controller, and is their parent, so that nobody else hears of their deaths.
///
/// Everything runs on one processor, the puppets as real-time tasks where that is allowed. A puppet
/// that can run then runs before the controller, and puppets that are woken together run in the
/// order in which they were woken, each until it sleeps. Where it is not allowed they run in
/// whatever order the scheduler takes.
#pragma once
#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "harness/linux/abilities.hpp"
#include "harness/linux/descriptor.hpp"
#include "harness/linux/limits.hpp"
#include "harness/linux/schedule.hpp"
#include "harness/linux/shared.hpp"

namespace forkproof::harness::kernel {

/// What makes it sound to say that everybody is at rest. A test switches each off, to see that it
/// can tell the difference.
struct Safeguards {
  bool one_processor = true;   // puppets cannot act while the controller looks
  bool real_time = true;       // and act before it, where that is allowed
  bool everybody = true;       // all must be at rest, and not the actor alone
  bool undisturbed = true;     // a look counts only if nobody had the processor meanwhile
  bool barrier = true;         // an exit that can be seen has done all that it does to others
  bool number_of_call = true;  // a puppet sleeps in its call, and not on its way there
};

class Stage {
 public:
  /// Throws SystemFault with the reason where namespaces cannot be had.
  explicit Stage(const Safeguards& safeguards);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// Makes a new namespace, whose init has answered and is idle in slot 0.
  void open();
  /// Kills all that is in the namespace, and waits until it is gone.
  void close();

  Slot& slot(std::uint32_t index) { return *reinterpret_cast<Slot*>(base_ + index * kSlotSize); }
  const Slot& slot(std::uint32_t index) const { return const_cast<Stage&>(*this).slot(index); }

  /// Lets the puppet of a slot do what is written there.
  void post(std::uint32_t index);
  /// Makes a slot ready for a task that is about to be born.
  void arm(std::uint32_t index, bool below = false);
  /// Waits until the puppet has answered, as calls do that cannot block.
  std::int64_t await(std::uint32_t index);
  std::int64_t call(std::uint32_t index, std::uint64_t number,
                    std::initializer_list<std::uint64_t> args);
  /// Has a puppet write a text into a file. Answers 0 or minus an errno.
  std::int64_t write_file(std::uint32_t index, std::string_view path, std::string_view text);

  /// Has a puppet read a number from a file. Answers that or minus an errno.
  std::int64_t read_number(std::uint32_t index, std::string_view path);

  /// As write_file, by a task that is in the namespace for just that, under a number of its own
  /// below those that are given out, and that nobody in the namespace is a parent of.
  std::int64_t write_file_from_outside(std::string_view path, std::string_view text);

  /// Whether `kRoomTasks` more processes can be there at once, outside the namespace; else the
  /// machine is short of something, or nearly so.
  bool has_room_for_processes();

  /// As write_file, by init, which is not marked by it as a user of capabilities.
  std::int64_t write_file_unmarked(std::string_view path, std::string_view text);
  /// Whether it has been marked so from the beginning.
  bool is_init_marked() const { return marked_; }

  const Abilities& abilities() const { return abilities_; }
  const Rights& rights() const { return rights_; }
  /// What the kernel calls a task that has executed the puppets' program.
  const std::string& program_name() const { return program_name_; }

  /// The namespace's own /proc.
  int proc() const { return proc_.get(); }
  /// The machine's number of a task of the namespace; not positive where the kernel does not tell.
  int number_outside(std::int32_t number) const;
  /// Has a task, named by its number in the namespace, no longer as what keeps puppets in order.
  void make_ordinary(std::int32_t number) const;
  /// A descriptor of a process, named by its number in the namespace; none where that cannot be.
  Descriptor open_pidfd(std::int32_t number) const;

 private:
  static void allow_many_files();
  void clear_numbers() const;
  void make_proc();
  std::int64_t show_proc();
  std::int64_t fork_init(std::uint32_t child);
  void probe_proc();
  std::string text_of(const std::string& path) const;
  void pin();
  void share();
  void load_program();
  void spawn_zygote();
  void begin_randomized(), forget_dispositions();
  void isolate_zygote();
  void name_host();
  void enter_namespace(std::string_view of);
  std::int64_t make_child(std::uint32_t child, std::uint64_t flags);
  std::int64_t make_init();
  pid_t make_helper();
  void end_helper(std::uint32_t index, pid_t helper);
  void end_zygote();

  const Safeguards safeguards_;
  Abilities abilities_;
  Rights rights_;
  std::string program_name_;
  std::string pid_max_before_;  // the machine's, where a trace turns that
  Descriptor lock_;             // ... which only one may do at a time
  cpu_set_t cpus_{};            // where we were allowed to run before
  const SchedulingPlan scheduling_ = scheduling();  // ... and how
  unsigned char* base_ = nullptr;
  Descriptor shared_, program_, broken_, scratch_, life_, life_end_, proc_, namespace_;
  bool marked_ = false;
  pid_t zygote_ = -1, init_ = -1;
};

/// Throws a SystemFault: what cannot be done, and the errno.
[[noreturn]] void give_up(std::string_view what, int error);

/// Gives others the processor, and throws SystemFault when nothing has come of it for long: that is
/// a defect of the harness, or a machine that is overwhelmed, and says nothing of the kernel.
class Watchdog {
 public:
  /// `waited_for` is asked what it was that has not come.
  void wait(const auto& waited_for) {
    if (is_late()) bark(waited_for());
  }

 private:
  bool is_late();
  [[noreturn]] static void bark(const std::string& waited_for);

  unsigned rounds_ = 0;
  std::chrono::steady_clock::time_point began_{};
};

}  // namespace forkproof::harness::kernel
