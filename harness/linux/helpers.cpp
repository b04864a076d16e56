/// Tasks beside the trace: those that turn a knob in a namespace where nobody is awake, or only see
/// whether there is room for them.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "harness/linux/stage.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

std::int64_t Stage::write_file_from_outside(std::string_view path, std::string_view text) {
  const std::int64_t maker = make_child(kMakerSlot, 0);
  if (maker < 0) give_up("a helper cannot be made", static_cast<int>(-maker));
  await(kMakerSlot);
  try {
    enter_namespace(fmt::format("/proc/{}/ns/pid", init_));
    const pid_t helper = make_helper();
    await(kHelperSlot);
    const std::int64_t answer = write_file(kHelperSlot, path, text);
    end_helper(kHelperSlot, helper);
    end_helper(kMakerSlot, static_cast<pid_t>(maker));
    return answer;
  } catch (const SystemLimit&) {
    end_helper(kMakerSlot, static_cast<pid_t>(maker));
    throw;
  }
}

/// A child of the zygote that is to be in this slot. Answers its number outside, or minus an errno.
std::int64_t Stage::make_child(std::uint32_t child, std::uint64_t flags) {
  arm(child);
  Slot& zygote = slot(kZygoteSlot);
  zygote.action = Action::create;
  zygote.number = SYS_clone;
  std::ranges::fill(zygote.args, 0);
  zygote.args[0] = flags | SIGCHLD;
  zygote.args[1] = child;
  post(kZygoteSlot);
  return await(kZygoteSlot);
}

bool Stage::has_room_for_processes() {
  std::array<std::int64_t, kRoomTasks> made{};
  bool room = true;
  for (std::uint32_t i = 0; room && i < kRoomTasks; ++i) {
    made[i] = make_child(kRoomSlots + i, 0);
    room = made[i] > 0;
    if (room) await(kRoomSlots + i);
  }
  for (std::uint32_t i = 0; i < kRoomTasks; ++i)
    if (made[i] > 0) end_helper(kRoomSlots + i, static_cast<pid_t>(made[i]));
  return room;
}

void Stage::end_helper(std::uint32_t index, pid_t helper) {
  Slot& s = slot(index);
  s.action = Action::call;
  s.number = SYS_exit_group;
  post(index);
  call(kZygoteSlot, SYS_wait4, {static_cast<std::uint64_t>(helper), 0, __WALL, 0});
}

/// The maker's next children are in the namespace of this file. Without root's rights it could not
/// go back, and it does not.
void Stage::enter_namespace(std::string_view of) {
  Slot& maker = slot(kMakerSlot);
  std::memcpy(maker.area, of.data(), of.size());
  maker.area[of.size()] = 0;
  const std::int64_t fd = call(kMakerSlot, SYS_open, {area_at(kMakerSlot), O_RDONLY, 0});
  if (fd < 0) give_up(of, static_cast<int>(-fd));
  const std::int64_t answer =
      call(kMakerSlot, SYS_setns, {static_cast<std::uint64_t>(fd), CLONE_NEWPID});
  if (answer < 0) give_up("setns", static_cast<int>(-answer));
}

/// Takes the highest number below 300 that is free: a search that begins anew begins above, and to
/// ask for a number leaves the cursor where it is. The helper is a child of the zygote, too.
pid_t Stage::make_helper() {
  for (std::int32_t wanted = 299; wanted > 1; --wanted) {
    arm(kHelperSlot);
    clone_args args{};
    args.flags = CLONE_PARENT;
    args.stack = stack_top(kHelperSlot) - kStackSize;
    args.stack_size = kStackSize;
    args.set_tid = area_at(kMakerSlot) + sizeof args;
    args.set_tid_size = 1;
    Slot& maker = slot(kMakerSlot);
    std::memcpy(maker.area, &args, sizeof args);
    std::memcpy(maker.area + sizeof args, &wanted, sizeof wanted);
    maker.action = Action::create;
    maker.number = SYS_clone3;
    maker.args[0] = sizeof args;
    maker.args[1] = kHelperSlot;
    post(kMakerSlot);
    const std::int64_t answer = await(kMakerSlot);
    if (answer > 0) return static_cast<pid_t>(answer);
    if (answer == -ENOSYS) throw SystemLimit("with nobody awake a knob is turned by clone3 alone");
    if (answer != -EEXIST) give_up("a helper cannot be made", static_cast<int>(-answer));
  }
  throw SystemFault("no number is free for a helper");
}

}  // namespace forkproof::harness::kernel
