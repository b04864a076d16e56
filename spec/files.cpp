/// Open files and their descriptors, the umask, the current directory, and unshare.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace fl = clone_flag;

/// The lowest free descriptor of a table.
std::optional<std::size_t> Model::free_descriptor(const Files& files) {
  const auto at = std::ranges::find(files.open, OpenFileId::none());
  if (at == files.open.end()) return std::nullopt;
  return static_cast<std::size_t>(at - files.open.begin());
}

/// Whether a task may have a descriptor more.
bool Model::has_room_for_descriptor(TaskId id) {
  const std::optional<std::size_t> fd = free_descriptor(files_of(id));
  return fd && *fd < open_files_most(id);
}

Model::Answer Model::act(TaskId me, const Open& op) {
  Files& files = files_of(me);
  const std::optional<std::size_t> fd = free_descriptor(files);
  if (!fd) return fails(Errno::mfile, "file.open-full"_rule);
  if (*fd >= open_files_most(me)) return fails(Errno::mfile, "limit.nofile"_rule);

  files.open[*fd] = world_.open_files.make();
  world_.open_files[files.open[*fd]].users = 1;
  world_.open_files[files.open[*fd]].opened_in = world().tasks[me].attributes.user_ns;
  files.cloexec[*fd] = op.flags.has(fd_flag::cloexec);
  cover("file.open-fresh"_rule);
  cover("file.open-cloexec"_rule);
  return answers(Outcome::number(static_cast<std::int64_t>(*fd)), "file.open"_rule);
}

Model::Answer Model::act(TaskId me, const Close& op) {
  Files& files = files_of(me);
  if (!files.has(op.fd)) return fails(Errno::badf, "file.close-unknown"_rule);

  close(files, static_cast<std::size_t>(op.fd));
  return answers(Outcome::success(), "file.close"_rule);
}

Model::Answer Model::act(TaskId me, const Dup& op) {
  Files& files = files_of(me);
  if (!files.has(op.fd)) return fails(Errno::badf, "file.dup-unknown"_rule);
  const std::optional<std::size_t> fd = free_descriptor(files);
  if (!fd) return fails(Errno::mfile, "file.dup-full"_rule);
  if (*fd >= open_files_most(me)) return fails(Errno::mfile, "limit.nofile"_rule);

  files.open[*fd] = files.open[static_cast<std::size_t>(op.fd)];
  world_.open_files[files.open[*fd]].users++;
  files.cloexec[*fd] = false;
  cover("file.dup-same"_rule);
  cover("file.dup-stays-open"_rule);
  return answers(Outcome::number(static_cast<std::int64_t>(*fd)), "file.dup"_rule);
}

Model::Answer Model::act(TaskId me, const FcntlSetfd& op) {
  Files& files = files_of(me);
  if (!files.has(op.fd)) return fails(Errno::badf, "file.setfd-unknown"_rule);

  files.cloexec[static_cast<std::size_t>(op.fd)] = op.flags.has(fd_flag::cloexec);
  return answers(Outcome::success(), "file.setfd"_rule);
}

Model::Answer Model::act(TaskId me, const Lseek& op) {
  const Files& files = world().files[world().tasks[me].files];
  if (!files.has(op.fd)) return fails(Errno::badf, "file.lseek-unknown"_rule);
  OpenFile& file = world_.open_files[files.open[static_cast<std::size_t>(op.fd)]];
  if (file.is_pidfd()) return fails(Errno::spipe, "pidfd.lseek"_rule);
  if (file.offset + op.by < 0) return fails(Errno::inval, "file.lseek-before-start"_rule);

  file.offset += op.by;
  return answers(Outcome::number(file.offset), "file.lseek"_rule);
}

Model::Answer Model::act(TaskId me, const Umask& op) {
  if ((op.mask & ~kUmaskBits) != 0) cover("fs.umask-bits"_rule);
  std::int32_t& mask = world_.fs[world_.tasks[me].fs].umask;
  const std::int32_t before = std::exchange(mask, op.mask & kUmaskBits);
  return answers(Outcome::number(before), "fs.umask"_rule);
}

Model::Answer Model::act(TaskId me, const Chdir& op) {
  if (op.directory < 0 || op.directory >= kDirectories)
    return fails(Errno::noent, "fs.no-directory"_rule);

  world_.fs[world_.tasks[me].fs].directory = op.directory;
  return answers(Outcome::success(), "fs.chdir"_rule);
}

Model::Answer Model::act(TaskId me, const Getcwd&) {
  return answers(Outcome::number(world().fs[world().tasks[me].fs].directory), "fs.getcwd"_rule);
}

/// Why what is shared cannot be had back.
Model::Answer Model::refuses_unshare(const Task& me, CloneFlags flags) {
  const CloneFlags known = fl::thread | fl::fs | fl::sighand | fl::vm | fl::files | fl::sysvsem |
                           kinds_of_namespaces();
  const bool vm = flags.has(fl::vm);
  const bool sighand = flags.has(fl::sighand) || vm;
  const bool thread = flags.any(fl::thread | fl::newuser) || sighand;
  if (flags - known != CloneFlags{}) return fails(Errno::inval, "unshare.unknown"_rule);
  if (thread && world().process_of(me).threads.size() > 1)
    return fails(Errno::inval, "unshare.threads"_rule);
  if (sighand && world().handlers[me.handlers].users > 1)
    return fails(Errno::inval, "unshare.sighand"_rule);
  if (vm && world().spaces[me.space].users > 1) return fails(Errno::inval, "unshare.vm"_rule);
  return std::nullopt;
}

Model::Answer Model::act(TaskId id, const Unshare& op) {
  Task& me = world_.tasks[id];
  const bool newuser = op.flags.has(fl::newuser), newpid = op.flags.has(fl::newpid);
  if (const Answer refused = refuses_unshare(me, op.flags)) return refused;
  if (newuser)
    if (const Answer refused = refuses_user_namespace(me)) return refused;
  const auto users = newuser ? make_user_namespace(me) : me.attributes.user_ns;
  if (const Answer refused = refuses_without_admin(id, op.flags, users)) return refused;
  if (const Answer refused = refuses_more(me, op.flags, users)) return refused;

  const bool own_fs =
      op.flags.any(fl::fs | fl::newns | fl::newuser) && world().fs[me.fs].users > 1;
  const bool own_files = op.flags.has(fl::files) && unshare_files(me);
  if (own_files) cover("unshare.files"_rule);
  if (own_fs) {
    const FsInfoId shared = me.fs;
    me.fs = copy_fs(shared);
    leave_fs(shared);
    cover("unshare.fs"_rule);
  }
  if (newuser) enter_user_namespace(me, users), touch(id);
  unshare_namespaces(me, op.flags, users);
  if (newpid) {
    const NamespaceId ns = make_namespace(me.child_ns, users);
    leave_namespace(me);
    enter_namespace(me, ns);
    return answers(Outcome::success(), "pidns.unshare"_rule);
  }
  const RuleId rule = newuser ? "userns.unshare"_rule
                      : op.flags.any(fl::new_any) ? "ns.unshare"_rule
                      : own_fs      ? "unshare.fs"_rule
                      : own_files ? "unshare.files"_rule
                                  : "unshare.nothing-shared"_rule;
  return answers(Outcome::success(), rule);
}

/// A table of its own for somebody, whose descriptors stand for the same open files.
FilesId Model::copy_files(FilesId from) {
  const FilesId id = world_.files.make();
  Files& files = world_.files[id];
  files = world().files[from];
  files.users = 1;
  for (const OpenFileId file : files.open)
    if (file) world_.open_files[file].users++;
  return id;
}

FsInfoId Model::copy_fs(FsInfoId from) {
  const FsInfoId id = world_.fs.make();
  world_.fs[id] = world().fs[from];
  world_.fs[id].users = 1;
  return id;
}

void Model::close(Files& files, std::size_t fd) {
  const OpenFileId file = std::exchange(files.open[fd], OpenFileId::none());
  files.cloexec[fd] = false;
  if (--world_.open_files[file].users > 0) return;
  cover("file.close-last"_rule);
  if (world().open_files[file].opened_in) cover("nslimit.file-keeps"_rule);
  const NamespaceId ns = world_.open_files[file].ns;
  world_.open_files.drop(file);
  leave_namespace(ns);
}

/// One user less; the last one closes everything.
void Model::leave_files(FilesId id) {
  Files& files = world_.files[id];
  if (--files.users > 0) return;
  for (std::size_t fd = 0; fd < files.open.size(); ++fd)
    if (files.open[fd]) close(files, fd);
  world_.files.drop(id);
}

void Model::leave_fs(FsInfoId id) {
  if (--world_.fs[id].users == 0) world_.fs.drop(id);
}

/// Gives the task a table of its own. False: it had one.
bool Model::unshare_files(Task& me) {
  const FilesId shared = me.files;
  if (world().files[shared].users == 1) return false;
  me.files = copy_files(shared);
  leave_files(shared);
  return true;
}

void Model::let_go_of_files(Task& t) {
  if (!t.files) return;
  leave_files(std::exchange(t.files, FilesId::none()));
  leave_fs(std::exchange(t.fs, FsInfoId::none()));
}

void Model::close_for_exec(Task& me) {
  Files& files = world_.files[me.files];
  for (std::size_t fd = 0; fd < files.open.size(); ++fd) {
    if (!files.open[fd]) continue;
    cover(files.cloexec[fd] ? "file.exec-closes"_rule : "file.exec-keeps"_rule);
    if (files.cloexec[fd]) close(files, fd);
  }
  if (world().fs[me.fs].umask != kUmaskAtFirst) cover("fs.exec-keeps"_rule);
  if (world().fs[me.fs].directory != 0) cover("fs.exec-stays"_rule);
}

}  // namespace forkproof::spec
