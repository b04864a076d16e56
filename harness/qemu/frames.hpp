/// What a guest says over its serial line: frames, each a letter, the length of what follows and a
/// line's end. Whatever the firmware writes before the first one is skipped.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace forkproof::harness::qemu {

enum class Frame : char {
  begin = 'B',   ///< the guest is up; the text is the kernel's name
  out = 'O',     ///< of standard output
  error = 'E',   ///< of standard error
  file = 'F',    ///< a file that the command has written: its path, a zero byte, its content
  alive = 'A',   ///< nothing but a sign of life
  status = 'S',  ///< the last one: the exit status in digits
};

inline constexpr std::string_view kFirstFrame = "\x02" "forkproof-guest\n";

/// The frame as it goes over the line.
std::string framed(Frame kind, std::string_view content);

/// Takes frames out of what has come so far.
class FrameReader {
 public:
  /// Calls `take` for each frame that is complete. False: this is no such line.
  bool feed(std::string_view bytes,
            const std::function<void(Frame, std::string_view content)>& take);

 private:
  std::string pending_;
  bool begun_ = false;
};

}  // namespace forkproof::harness::qemu
