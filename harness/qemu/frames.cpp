/// What a guest says over its serial line.
#include "harness/qemu/frames.hpp"

#include <fmt/format.h>

#include <charconv>

namespace forkproof::harness::qemu {

std::string framed(Frame kind, std::string_view content) {
  return fmt::format("{}{}\n{}", static_cast<char>(kind), content.size(), content);
}

bool FrameReader::feed(std::string_view bytes,
                       const std::function<void(Frame, std::string_view)>& take) {
  pending_ += bytes;
  if (!begun_) {
    const std::size_t at = pending_.find(kFirstFrame);
    if (at == pending_.npos) return true;
    pending_.erase(0, at + kFirstFrame.size());
    begun_ = true;
  }
  std::size_t done = 0;
  while (true) {
    const std::size_t end = pending_.find('\n', done);
    if (end == pending_.npos) break;
    std::size_t size = 0;
    const auto [rest, error] =
        std::from_chars(pending_.data() + done + 1, pending_.data() + end, size);
    if (error != std::errc{} || rest != pending_.data() + end) return false;
    if (pending_.size() - end - 1 < size) break;
    take(static_cast<Frame>(pending_[done]), std::string_view(pending_).substr(end + 1, size));
    done = end + 1 + size;
  }
  pending_.erase(0, done);
  return true;
}

}  // namespace forkproof::harness::qemu
