# Writes the bytes of the file IN as a C++ source OUT: cmake -D IN=... -D OUT=... -P embed.cmake
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "/// The program of the puppets, made by the build.
#include \"harness/linux/program.hpp\"

namespace forkproof::harness::kernel {
namespace {
constexpr unsigned char kBytes[] = {
${bytes}
};
}  // namespace
const std::string_view kProgram{reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}  // namespace forkproof::harness::kernel
")
