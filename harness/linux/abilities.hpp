/// What the kernel at hand offers to the adapter. Probed at the start and printed with the results:
/// what a system cannot vary or show is left out and counted, and never passes in silence.
#pragma once
#include <string>

namespace forkproof::harness::kernel {

/// Who owns pid_max. Before 6.14 it is the whole machine's, and a trace may turn it only where we
/// are told that nobody else is there: FORKPROOF_ALONE=1.
enum class PidMax : unsigned char { of_namespace, of_machine, missing };

struct Abilities {
  PidMax pid_max = PidMax::of_namespace;
  bool cursor = true;        ///< ns_last_pid
  bool call_numbers = true;  ///< /proc/PID/syscall; else what blocks is told provisionally
  bool wait_channels = true;  ///< /proc/PID/wchan, with names
  bool hidden_proc = true;   ///< fsopen; else /proc is mounted for a moment in a folder
  bool flags = true;         ///< in /proc/PID/stat
  bool privileges = true;    ///< that were used, by calls which ask for them as those since 6.16
  bool exit_codes = true;    ///< of zombies, in /proc/PID/stat
  bool signals = true;       ///< sets of signals, in /proc/PID/status
  bool randomizes = true;    ///< memory is laid out at random, and that can be varied
  bool names = true;         ///< of tasks, after what they execute
  bool policies = true;      ///< and nice values, in /proc/PID/stat
  bool raises = true;        ///< priorities, those that everybody may lower
  bool namespaces = true;    ///< NSpid, in /proc/PID/status
  bool users = true;         ///< who is root can become others, whose tasks are counted
  bool resource = true;      ///< CAP_SYS_RESOURCE, which lifts limits
  bool capabilities = true;  ///< some can be dropped, and had back
  bool user_namespaces = true;  ///< can be made, with their maps
  bool kinds = true;         ///< namespaces but those of pids can be made, and are shown
  bool clone3 = true;        ///< and its set_tid and CLEAR_SIGHAND, since 5.5
  bool pidfds = true;        ///< as they are since 6.15
  bool real_time = true;     ///< puppets run in the order in which they were woken
};

/// What can be told without a namespace. Throws SystemFault where pid_max is the machine's and we
/// may not turn it.
Abilities probe_abilities();

/// What is missing, as a person reads it; empty if nothing is.
std::string describe(const Abilities& abilities);

}  // namespace forkproof::harness::kernel
