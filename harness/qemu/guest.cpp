/// The inside of a guest: this program as its init.
#include "harness/qemu/guest.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/qemu/frames.hpp"

namespace forkproof::harness::qemu {

namespace {

constexpr const char* kLine = "/dev/ttyS0";
constexpr int kSignOfLifeEvery = 5'000;  // ms
constexpr int kCannotStart = 3;

std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

/// The strings of a file that a zero byte ends each.
std::vector<std::string> strings_of(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0, end; (end = text.find('\0', at)) != text.npos; at = end + 1)
    all.push_back(text.substr(at, end - at));
  return all;
}

Job read_job() {
  Job job;
  std::vector<std::string> strings = strings_of(whole_file(kJobFile));
  job.folder = strings.at(0);
  const std::size_t outputs = std::strtoul(strings.at(1).c_str(), nullptr, 10);
  const auto first = strings.begin() + 2;
  job.outputs.assign(first, first + static_cast<std::ptrdiff_t>(outputs));
  job.arguments.assign(first + static_cast<std::ptrdiff_t>(outputs), strings.end());
  return job;
}

/// The serial line, as it is: nothing is translated.
class Line {
 public:
  Line() : fd_(::open(kLine, O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    termios plain{};
    ::tcgetattr(fd_, &plain);
    ::cfmakeraw(&plain);
    ::tcsetattr(fd_, TCSANOW, &plain);
  }
  void say(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) return;
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void say(Frame kind, std::string_view content) const { say(framed(kind, content)); }
  int fd() const { return fd_; }
  /// Until all of it has left.
  void drain() const { ::tcdrain(fd_); }

 private:
  int fd_;
};

void mount_all() {
  for (const char* folder : {"/proc", "/dev", "/tmp"}) ::mkdir(folder, 0755);
  ::mount("proc", "/proc", "proc", 0, nullptr);
  ::mount("dev", "/dev", "devtmpfs", 0, nullptr);
}

[[noreturn]] void be_command(const Job& job, int out, int error) {
  const int in = ::open(kInputFile, O_RDONLY);
  ::dup2(in >= 0 ? in : ::open("/dev/null", O_RDONLY), 0);
  ::dup2(out, 1);
  ::dup2(error, 2);
  ::setenv("FORKPROOF_ALONE", "1", 1);  // pid_max may be turned: nobody else is here
  std::vector<char*> arguments{const_cast<char*>("forkproof")};
  for (const std::string& a : job.arguments) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  if (::chdir(job.folder.c_str()) == 0) ::execv(kInit, arguments.data());
  ::_exit(kCannotStart);
}

/// Passes on what the command says, and to the command that it is to stop: any byte that comes.
void pass_on(const Line& line, int out, int error, pid_t command) {
  pollfd ends[] = {{out, POLLIN, 0}, {error, POLLIN, 0}, {line.fd(), POLLIN, 0}};
  std::string bytes(65536, 0);
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (::poll(ends, std::size(ends), kSignOfLifeEvery) == 0) line.say(Frame::alive, {});
    for (pollfd& end : ends) {
      if (end.revents == 0) continue;
      const ssize_t n = ::read(end.fd, bytes.data(), bytes.size());
      if (&end == &ends[2]) {
        if (n > 0) ::kill(command, SIGINT);
        continue;
      }
      if (n <= 0) end.fd = -1;
      if (n > 0)
        line.say(&end == &ends[0] ? Frame::out : Frame::error,
                 std::string_view(bytes).substr(0, static_cast<std::size_t>(n)));
    }
  }
}

void hand_back(const Line& line, const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return;
  if (S_ISREG(s.st_mode)) {
    line.say(Frame::file, path + '\0' + whole_file(path));
  } else if (DIR* const entries = S_ISDIR(s.st_mode) ? ::opendir(path.c_str()) : nullptr) {
    while (const dirent* const entry = ::readdir(entries))
      if (entry->d_name[0] != '.') hand_back(line, path + '/' + entry->d_name);
    ::closedir(entries);
  }
}

/// The exit status of the command. Init is the parent of whoever is left without one.
int wait_for(pid_t command) {
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == command) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR) return kCannotStart;
  }
}

}  // namespace

std::string print(const Job& job) {
  std::string text = job.folder + '\0' + std::to_string(job.outputs.size()) + '\0';
  for (const auto* const list : {&job.outputs, &job.arguments})
    for (const std::string& s : *list) text += s + '\0';
  return text;
}

bool is_guest_init(std::string_view name) {
  return ::getpid() == 1 && name == kInit && ::access(kJobFile, R_OK) == 0;
}

bool in_guest() { return ::access(kJobFile, R_OK) == 0 && ::access(kInit, X_OK) == 0; }

void be_guest_init() {
  mount_all();
  const Line line;
  utsname name{};
  ::uname(&name);
  line.say(kFirstFrame);
  line.say(Frame::begin, fmt::format("{} {}", name.sysname, name.release));
  const Job job = read_job();
  int out[2] = {-1, -1}, error[2] = {-1, -1};
  int status = kCannotStart;
  if (::pipe2(out, O_CLOEXEC) == 0 && ::pipe2(error, O_CLOEXEC) == 0) {
    const pid_t command = ::fork();
    if (command == 0) be_command(job, out[1], error[1]);
    ::close(out[1]);
    ::close(error[1]);
    pass_on(line, out[0], error[0], command);
    status = wait_for(command);
  }
  for (const std::string& path : job.outputs) hand_back(line, path);
  line.say(Frame::status, std::to_string(status));
  line.drain();
  ::sync();
  ::reboot(RB_POWER_OFF);
  while (true) ::pause();
}

}  // namespace forkproof::harness::qemu
