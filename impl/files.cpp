/// Open files: the calls, and who shares a table.
///
/// Sources: open(2), close(2), dup(2), fcntl(2), lseek(2), umask(2), unshare(2); fs/file.c,
/// kernel/fork.c ksys_unshare(), dup_fd(), exit_files().
#include <utility>

#include "impl/machine.hpp"

namespace forkproof::impl {

/// What an unshare has taken: copies as a task that nobody sees would have them, and namespaces.
struct Machine::Unshared {
  Task held{};
  Index users = kNobody;
  Index pids = kNobody;
  Index proxy = kNobody;
};

/// The lowest descriptor that is free, kDescriptors if the task may have no more.
std::uint32_t Machine::free_descriptor(Task& t) {
  const std::uint32_t fd = own_files(t).lowest_free();
  const Limit most = limits_of(process_of(t))[Resource::nofile].soft;
  return fd < most.n ? fd : std::uint32_t{kDescriptors};
}

Outcome Machine::perform(Task& t, const Open& op) {
  Files& files = own_files(t);
  const std::uint32_t fd = free_descriptor(t);
  if (fd == kDescriptors) return Outcome::failure(Errno::mfile);
  const Index file = alloc_file(t);
  install(files, fd, file, op.flags.has(fd_flag::cloexec));
  return Outcome::number(fd);
}

Outcome Machine::perform(Task& t, const Close& op) {
  if (!has_open(t, op.fd)) return Outcome::failure(Errno::badf);
  close_all(files_[t.files], std::uint32_t{1} << op.fd);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Dup& op) {
  if (!has_open(t, op.fd)) return Outcome::failure(Errno::badf);
  Files& files = files_[t.files];
  const std::uint32_t fd = free_descriptor(t);
  if (fd == kDescriptors) return Outcome::failure(Errno::mfile);
  install(files, fd, files.file[op.fd], false);
  return Outcome::number(fd);
}

Outcome Machine::perform(Task& t, const FcntlSetfd& op) {
  if (!has_open(t, op.fd)) return Outcome::failure(Errno::badf);
  const std::uint32_t bit = std::uint32_t{1} << op.fd;
  std::uint32_t& cloexec = files_[t.files].cloexec;
  cloexec = op.flags.has(fd_flag::cloexec) ? cloexec | bit : cloexec & ~bit;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Lseek& op) {
  if (!has_open(t, op.fd)) return Outcome::failure(Errno::badf);
  if (pidfd_at(t, op.fd) != nullptr) return Outcome::failure(Errno::spipe);
  std::int64_t& offset = open_files_[files_[t.files].file[op.fd]].offset;
  if (offset + op.by < 0) return Outcome::failure(Errno::inval);
  return Outcome::number(offset += op.by);
}

Outcome Machine::perform(Task& t, const Umask& op) {
  const std::int32_t mask = op.mask & kUmaskBits;
  if (t.fs == kNobody && mask == kUmaskAtFirst) return Outcome::number(mask);
  return Outcome::number(std::exchange(own_fs(t).umask, mask));
}

Outcome Machine::perform(Task& t, const Chdir& op) {
  if (static_cast<std::uint32_t>(op.directory) >= static_cast<std::uint32_t>(kDirectories))
    return Outcome::failure(Errno::noent);
  if (t.fs != kNobody || op.directory != 0) own_fs(t).directory = op.directory;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Getcwd&) {
  return Outcome::number(t.fs == kNobody ? 0 : fs_[t.fs].directory);
}

/// Only descriptors, umask and directory can be had back, and namespaces be left for new ones; for
/// the rest it asks that nothing is shared.
Outcome Machine::perform(Task& t, const Unshare& op) {
  namespace fl = clone_flag;
  constexpr CloneFlags kNoSharers = fl::thread | fl::sighand | fl::vm;
  const CloneFlags known = kNoSharers | fl::fs | fl::files | fl::sysvsem | known_namespaces();
  const Process& p = process_of(t);
  const bool others_act = p.actions != kNobody && actions_[p.actions].sharers.several(processes_);
  const bool others_map = p.space != kNobody && memory_[p.space].borrowers.several(processes_);
  if ((op.flags - known).bits != 0) return Outcome::failure(Errno::inval);
  const bool newuser = op.flags.has(fl::newuser);
  if ((newuser || op.flags.any(kNoSharers)) && p.thread_count > 1)
    return Outcome::failure(Errno::inval);
  if (op.flags.any(fl::sighand | fl::vm) && others_act) return Outcome::failure(Errno::inval);
  if (op.flags.has(fl::vm) && others_map) return Outcome::failure(Errno::inval);
  const Errno may = newuser ? may_make_user_ns(t, mounts_of(t)) : Errno::ok;
  if (may != Errno::ok) return Outcome::failure(may);
  const Index own = attributes_of(t).user_ns;
  if (!may_make_namespaces(t, op.flags, own)) return Outcome::failure(Errno::perm);
  const Errno refused = may_create_namespaces(t, op.flags, own);
  if (refused != Errno::ok) return Outcome::failure(refused);

  Unshared fresh;
  const Errno failed = take_unshared(t, op.flags, fresh);
  if (failed == Errno::ok) {
    enter_unshared(t, op.flags, fresh);
  } else {
    put_proxy(fresh.proxy);
    put_namespace(fresh.pids);
  }
  put_user_ns(fresh.users);
  exit_files(fresh.held);
  exit_fs(fresh.held);
  return failed == Errno::ok ? Outcome::success() : Outcome::failure(failed);
}

/// Takes all that an unshare needs, before anything of it can be seen.
Errno Machine::take_unshared(const Task& t, CloneFlags flags, Unshared& to) {
  namespace fl = clone_flag;
  using enum CopyStep;
  const auto fails = [&](CopyStep step) { return faults_.strike(step); };
  if (flags.any(fl::fs | fl::newns | fl::newuser) && t.fs != kNobody && fs_[t.fs].users > 1) {
    if (fails(unshare_fs)) return Errno::nomem;
    to.held.fs = copy_of_fs(t.fs);
  }
  if (flags.has(fl::files) && t.files != kNobody && files_[t.files].users > 1) {
    if (fails(unshare_fd)) return Errno::nomem;
    to.held.files = copy_of(t.files);
  }
  if (flags.has(fl::newuser)) {
    if (fails(unshare_userns)) return Errno::nomem;
    to.users = create_user_ns(t, limits_of(process_of(t)));
  }
  const Index owner = to.users != kNobody ? to.users : attributes_of(t).user_ns;
  if (flags.has(fl::newpid)) {
    if (fails(unshare_nsproxy)) return Errno::nomem;
    to.pids = make_namespace(process_of(t).pid_ns(), owner);
  }
  if (!flags.any(fl::new_proxy | fl::newtime)) return Errno::ok;
  const auto proxy = new_namespaces(t, flags, owner, unshare_nsproxy);
  to.proxy = proxy.value_or(kNobody);
  return proxy ? Errno::ok : Errno::nomem;
}

/// What the task had is held, to be let go of.
void Machine::enter_unshared(Task& t, CloneFlags flags, Unshared& fresh) {
  if (fresh.held.fs != kNobody) std::swap(t.fs, fresh.held.fs);
  if (fresh.held.files != kNobody) std::swap(t.files, fresh.held.files);
  if (fresh.users != kNobody) set_cred_user_ns(t, fresh.users);
  if (flags.any(clone_flag::new_proxy | clone_flag::newtime)) {
    const Index before = mounts_of(t);
    switch_task_namespaces(t, fresh.proxy);
    follow_mounts(t, before, mounts_of(t));
  }
  if (fresh.pids != kNobody) divert_to(t, fresh.pids);
}

bool Machine::has_open(const Task& t, Descriptor fd) const {
  return t.files != kNobody && files_[t.files].has(fd);
}

Files& Machine::own_files(Task& t) {
  if (t.files == kNobody) {
    t.files = files_.take();
    files_[t.files] = {.users = 1};
  }
  return files_[t.files];
}

FsInfo& Machine::own_fs(Task& t) {
  if (t.fs == kNobody) {
    t.fs = fs_.take();
    fs_[t.fs] = {.users = 1};
    set_root(fs_[t.fs], mounts_of(t));
  }
  return fs_[t.fs];
}

Index Machine::copy_of_fs(Index from) {
  const Index to = fs_.take();
  fs_[to] = fs_[from];
  fs_[to].users = 1;
  if (fs_[to].root != kNobody) ++ns_[fs_[to].root].users;
  return to;
}

void Machine::install(Files& files, std::uint32_t fd, Index file, bool cloexec) {
  files.open |= std::uint32_t{1} << fd;
  files.cloexec |= std::uint32_t{cloexec} << fd;
  files.file[fd] = file;
  ++open_files_[file].users;
}

/// Frees the descriptors of a set.
void Machine::close_all(Files& files, std::uint32_t set) {
  files.open &= ~set;
  files.cloexec &= ~set;
  for (; set != 0; set &= set - 1) {
    const Index file = files.file[std::countr_zero(set)];
    if (--open_files_[file].users > 0) continue;
    const Index ns = open_files_[file].ns;
    free_file(file);
    if (ns == kNobody) continue;
    --namespaces_[ns].users;
    put_namespace(ns);
  }
}

/// Another table, of descriptors that stand for the same open files.
Index Machine::copy_of(Index from) {
  const Index to = files_.take();
  Files& copy = files_[to] = files_[from];
  copy.users = 1;
  for (std::uint32_t set = copy.open; set != 0; set &= set - 1)
    ++open_files_[copy.file[std::countr_zero(set)]].users;
  return to;
}

void Machine::exit_files(Task& t) {
  if (t.files == kNobody) return;
  const Index table = std::exchange(t.files, kNobody);
  if (--files_[table].users > 0) return;
  close_all(files_[table], files_[table].open);
  files_.give_back(table);
}

void Machine::exit_fs(Task& t) {
  if (t.fs == kNobody) return;
  const Index record = std::exchange(t.fs, kNobody);
  if (--fs_[record].users > 0) return;
  put_ns(fs_[record].root);
  fs_.give_back(record);
}

void Machine::unshare_files(Task& t) {
  if (t.files == kNobody || files_[t.files].users == 1) return;
  const Index own = copy_of(t.files);
  exit_files(t);
  t.files = own;
}

void Machine::close_for_exec(Task& t) {
  if (t.files == kNobody) return;
  close_all(files_[t.files], files_[t.files].cloexec);
}

/// Tables, open files and records count their users.
bool Machine::sound_files() const {
  std::vector<std::uint32_t> tables(files_.end()), descriptors(open_files_.end()), fs(fs_.end());
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Ring<Threads>& threads = processes_[i].threads;
    for (Index n = threads.first; n != kNobody; n = threads.after(tasks_, n)) {
      const Task& t = tasks_[n];
      if (t.zombie() && (t.files != kNobody || t.fs != kNobody)) return false;
      if (t.fs != kNobody) ++fs[t.fs];
      if (t.files == kNobody || tables[t.files]++ != 0) continue;
      const Files& files = files_[t.files];
      if ((files.cloexec & ~files.open) != 0) return false;
      for (std::uint32_t set = files.open; set != 0; set &= set - 1)
        ++descriptors[files.file[std::countr_zero(set)]];
    }
  }
  const auto count = [](const auto& arena, const std::vector<std::uint32_t>& counted) {
    std::size_t used = 0;
    for (Index i = 1; i < counted.size(); ++i) {
      used += counted[i] != 0;
      if (counted[i] != 0 && arena[i].users != counted[i]) return false;
    }
    return used == arena.taken() && arena.sound();
  };
  return count(files_, tables) && count(open_files_, descriptors) && count(fs_, fs);
}

}  // namespace forkproof::impl
