/// A program that nothing is wrong with until it is brought in.
#include "harness/linux/broken_program.hpp"

#include <elf.h>

#include <cstring>

#include "harness/linux/shared.hpp"

namespace forkproof::harness::kernel {

std::string broken_program() {
  struct {
    Elf64_Ehdr head;
    Elf64_Phdr segment;
  } file{};
  std::memcpy(file.head.e_ident, ELFMAG, SELFMAG);
  file.head.e_ident[EI_CLASS] = ELFCLASS64;
  file.head.e_ident[EI_DATA] = ELFDATA2LSB;
  file.head.e_ident[EI_VERSION] = EV_CURRENT;
  file.head.e_type = ET_EXEC;
  file.head.e_machine = EM_X86_64;
  file.head.e_version = EV_CURRENT;
  file.head.e_phoff = file.head.e_ehsize = sizeof file.head;
  file.head.e_phentsize = sizeof file.segment;
  file.head.e_phnum = 1;
  file.head.e_entry = file.segment.p_vaddr = 0x400000;
  file.segment.p_type = PT_LOAD;
  file.segment.p_flags = PF_R | PF_X;
  file.segment.p_memsz = file.segment.p_align = kPageSize;
  file.segment.p_filesz = 2 * kPageSize;
  return {reinterpret_cast<const char*>(&file), sizeof file};
}

}  // namespace forkproof::harness::kernel
