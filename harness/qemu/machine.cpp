/// A guest in qemu.
#include "harness/qemu/machine.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "harness/linux/descriptor.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::qemu {

namespace {

using kernel::Descriptor;
using Clock = std::chrono::steady_clock;

constexpr const char* kQemu = "qemu-system-x86_64";
constexpr std::chrono::seconds kPatience{300};  // a guest gives a sign of life every 5 s
constexpr int kLookEvery = 200;                 // ms
constexpr std::size_t kConsoleMax = 400;        // of what the kernel said last

[[noreturn]] void fail(std::string_view what) {
  throw SystemFault(fmt::format("{}: {}", what, std::strerror(errno)));
}

std::chrono::seconds patience() {
  const char* const text = std::getenv("FORKPROOF_GUEST_PATIENCE");
  const long seconds = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return seconds > 0 ? std::chrono::seconds(seconds) : kPatience;
}

Descriptor memory(const char* name, std::string_view content) {
  Descriptor file(::memfd_create(name, 0));
  if (!file) fail("memory for a guest");
  while (!content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0) fail("memory for a guest");
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return file;
}

std::string path_of(const Descriptor& file) { return fmt::format("/dev/fd/{}", file.get()); }

/// qemu, with the serial line at its standard input and output.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, int in, int out, int error) {
    const pid_t maker = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail(kQemu);
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != maker) ::_exit(1);
    ::setpgid(0, 0);  // a terminal's SIGINT is for us, and not for it
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::signal(signal, SIG_DFL);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(error, 2);
    std::vector<char*> pointers;
    for (const std::string& a : arguments) pointers.push_back(const_cast<char*>(a.c_str()));
    pointers.push_back(nullptr);
    ::execvp(kQemu, pointers.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

 private:
  pid_t pid_ = -1;
};

std::vector<std::string> arguments(const std::string& kernel, const Descriptor& initramfs,
                                   const Descriptor& console, bool fast) {
  return {kQemu, "-accel", fast ? "kvm" : "tcg", "-cpu", fast ? "host" : "max", "-smp", "1", "-m",
          "2048", "-display", "none", "-no-reboot", "-nodefaults", "-no-user-config",
          "-serial", "stdio", "-serial", "file:" + path_of(console),
          "-kernel", kernel, "-initrd", path_of(initramfs),
          "-append", "console=ttyS1 quiet panic=-1"};
}

/// The end of what was written, on one line.
std::string tail_of(const Descriptor& file) {
  std::string text(1 << 20, 0);
  const ssize_t n = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  text.erase(0, text.size() - std::min(text.size(), kConsoleMax));
  for (char& c : text)
    if (c < ' ') c = ' ';
  return text;
}

struct Try {
  Ended ended;
  bool up = false;  // the guest had begun
};

Ended no_end(std::string_view what, const Descriptor& console, const Descriptor& errors) {
  return {std::nullopt, fmt::format("the guest {}; the kernel said last: {} {}", what,
                                    tail_of(console), tail_of(errors))};
}

Try run_once(const std::string& kernel, const Descriptor& initramfs, bool fast,
             const std::function<void(Frame, std::string_view)>& take,
             const std::function<bool()>& stop) {
  Try result;
  const Descriptor console = memory("console", {}), errors = memory("errors", {});
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) fail("pipe");
  Descriptor in_end(in[0]), to(in[1]), from(out[0]), out_end(out[1]);
  const Process process(arguments(kernel, initramfs, console, fast), in[0], out[1], errors.get());
  in_end = Descriptor();
  out_end = Descriptor();

  FrameReader frames;
  std::string bytes(65536, 0);
  bool told = false;
  auto heard = Clock::now();
  while (!result.ended.status) {
    told = told || (stop() && ::write(to.get(), "\n", 1) == 1);
    pollfd line{from.get(), POLLIN, 0};
    if (::poll(&line, 1, kLookEvery) > 0) {
      const ssize_t n = ::read(from.get(), bytes.data(), bytes.size());
      if (n <= 0) return {no_end("ended without a verdict", console, errors), result.up};
      heard = Clock::now();
      const bool good = frames.feed(
          std::string_view(bytes).substr(0, static_cast<std::size_t>(n)),
          [&](Frame kind, std::string_view content) {
            result.up = true;
            if (kind == Frame::status)
              result.ended.status = std::atoi(std::string(content).c_str());
            else
              take(kind, content);
          });
      if (!good) return {no_end("is not understood", console, errors), result.up};
    } else if (Clock::now() - heard > patience()) {
      const std::string silence = fmt::format("said nothing for {} s", patience().count());
      return {no_end(silence, console, errors), result.up};
    }
  }
  return result;
}

}  // namespace

std::string why_no_kernel(const std::string& path) {
  constexpr std::size_t kBootSignature = 0x1fe, kHeader = 0x202;  // of the Linux boot protocol
  std::ifstream file(path, std::ios::binary);
  std::string head(1024, 0);
  if (!file || !file.read(head.data(), static_cast<std::streamsize>(head.size())))
    return fmt::format("{}: {}", path,
                       file.eof() || errno == 0 ? "is no kernel image" : std::strerror(errno));
  if (head.compare(kBootSignature, 2, "\x55\xaa") == 0 && head.compare(kHeader, 4, "HdrS") == 0)
    return {};
  Elf64_Ehdr elf;
  std::memcpy(&elf, head.data(), sizeof elf);
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) == 0 && elf.e_machine == EM_X86_64 &&
      elf.e_type == ET_EXEC)
    return {};
  return fmt::format("{}: is no kernel image", path);
}

std::string why_no_qemu() {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string file = fmt::format("{}/{}", rest.substr(0, end), kQemu);
    if (::access(file.c_str(), X_OK) == 0) return {};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fmt::format("there is no {}; Debian has it in qemu-system-x86", kQemu);
}

/// With KVM where that is to be had. Some machines offer it and fail: then it is done without.
Ended run(const std::string& kernel, std::string_view initramfs,
          const std::function<void(Frame, std::string_view)>& take,
          const std::function<bool()>& stop) {
  const Descriptor file = memory("initramfs", initramfs);
  if (::access("/dev/kvm", R_OK | W_OK) == 0) {
    Try fast = run_once(kernel, file, true, take, stop);
    if (fast.up) return std::move(fast.ended);
  }
  return run_once(kernel, file, false, take, stop).ended;
}

}  // namespace forkproof::harness::qemu
