/// The records, and what they say of users: who has which attributes, and can what where.
///
/// Sources: security/commoncap.c cap_capable(); kernel/cred.c; kernel/user_namespace.c.
#pragma once
#include "impl/records.hpp"

namespace forkproof::impl {

struct Users : Records {
  static constexpr Attributes kUsual{};

  const Attributes& attributes_of(const Task& t) const {
    return t.attributes == kNobody ? kUsual : attributes_[t.attributes].value;
  }
  void set_attributes(Task& t, const Attributes& to);
  void leave_attributes(Task& t);

  /// Whether the user namespace is the other, or below it.
  bool in_userns(Index ns, Index other) const {
    while (ns != other && ns != kNobody) ns = user_ns_[ns].parent;
    return ns == other;
  }
  /// Of none in particular: those that no trace names.
  bool has_ns_capability(const Task& t, Index ns, Capabilities what = {}) const;
  /// Asked by the task itself, which has used them then.
  bool ns_capable(Task& t, Index ns, Capabilities what = {});
  void use_capabilities(Task& t) {
    if ((t.flags & task_flag::superpriv.bits) != 0) return;
    t.flags = static_cast<std::uint16_t>(t.flags | task_flag::superpriv.bits);
    touch(t);
  }
  bool is_mapped(Index ns, User user) const {
    if (ns == kNobody) return true;
    const UserNamespace& maps = user_ns_[ns];
    return maps.mapped && (maps.whom == IdMap::everybody || user == User::root);
  }
  void get_user_ns(Index ns) {
    if (ns != kNobody) ++user_ns_[ns].users;
  }
  void put_user_ns(Index ns);
  Index owner_of_pid_ns(Index ns) const { return ns == kNobody ? kNobody : namespaces_[ns].owner; }
  Index owner_of_ns(Index ns) const { return ns == kNobody ? kNobody : ns_[ns].owner; }

  // Limits on namespaces (ucounts.cpp).
  Ucounts& ucounts_of(Index ns) { return ns == kNobody ? ucounts_ : user_ns_[ns].ucounts; }
  const Ucounts& ucounts_of(Index ns) const { return const_cast<Users*>(this)->ucounts_of(ns); }
  bool has_room_for(Index owner, NsKind kind) const;
  void inc_ucount(Index owner, NsKind kind), dec_ucount(Index owner, NsKind kind);
  bool sound_ucounts() const;

  Errno may_make_user_ns(const Task& t, Index mounts) const;
  Index alloc_file(const Task& t);
  void free_file(Index file);
  void get_place(Index ns), put_place(Index ns), put_ns(Index ns);
  void set_root(FsInfo& fs, Index mounts);
  Index create_user_ns(const Task& maker, const LimitTable& limits);
  Index signals_in(const Task& t) const;
  void charge_signal(Index ns, User user, bool in);
  std::uint64_t signals_of(const Task& t) const;
  bool may_queue(const Task& to) const;
  bool queue_signal(SigSet& pending, std::uint64_t list, Signal s, const Task& to, Origin by);
  void collect_signal(SigSet& pending, std::uint64_t list, Signal s);
  void flush_queue(SigSet& pending, std::uint64_t list, SigSet which) {
    if (!(pending & which).empty()) [[unlikely]] take_from_queue(pending, list, which);
  }
  void take_from_queue(SigSet& pending, std::uint64_t list, SigSet which);
  bool sound_queues() const;
  bool has_caps_of(const Task& t, const Task& other) const;
  bool ptrace_may_access(Task& t, const Task& other, bool by_real, bool marks);
  Errno may_map(Task& t, Index ns, IdMap whom, bool asks_for_fcap);
  bool may_nice(Task& t, const Task& who, std::int32_t nice, const LimitTable& theirs);
  bool may_have_policy(Task& t, const Task& who, const SchedSetscheduler& op,
                       const LimitTable& theirs, bool asks_first);
  bool is_weaker(Task& t, const Task& who);
  bool sound_user_ns(bool counts_below) const;
};

}  // namespace forkproof::impl
