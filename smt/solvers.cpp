/// The solvers: Z3 as a library, and cvc5 as a program.
#include "smt/solvers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

namespace forkproof::smt {

namespace {

Answer answer_of(z3::check_result r) {
  return r == z3::sat ? Answer::sat : r == z3::unsat ? Answer::unsat : Answer::unknown;
}

std::uint64_t value_in(const z3::model& model, const z3::expr& e) {
  const z3::expr value = model.eval(e, true);
  if (e.is_bool()) return value.is_true() ? 1 : 0;
  return value.get_numeral_uint64();
}

/// What a command prints on standard output; nothing if it cannot be run.
std::optional<std::string> output_of(const std::string& command) {
  FILE* const pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), n);
  if (::pclose(pipe) != 0 && output.empty()) return std::nullopt;
  return output;
}

}  // namespace

void ask_z3(z3::context& z, const Claim& claim, Query& q) {
  z3::solver solver(z, z3::solver::simple());
  solver.set("timeout", kPatienceMs);
  solver.from_string(q.text.c_str());
  q.answer = answer_of(solver.check());
  if (q.answer != Answer::sat) return;
  z3::model model = solver.get_model();
  solver.add(claim.wishes());
  if (solver.check() == z3::sat) model = solver.get_model();
  for (const Claim::Variable& v : claim.variables()) q.values[v.name] = value_in(model, v.e);
}

void ask_cvc5(Query& q) {
  std::string path = (std::filesystem::temp_directory_path() / "forkproof-XX" "XX" "XX").string();
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return;
  FILE* const file = ::fdopen(fd, "w");
  const bool written = std::fwrite(q.text.data(), 1, q.text.size(), file) == q.text.size();
  const bool closed = std::fclose(file) == 0;
  std::optional<std::string> said;
  if (written && closed)
    said = output_of(fmt::format("cvc5 --lang=smt2 --tlimit={} '{}'", kPatienceMs, path));
  ::unlink(path.c_str());
  if (said && said->starts_with("sat")) q.answer = Answer::sat;
  if (said && said->starts_with("unsat")) q.answer = Answer::unsat;
}

bool is_solver(std::string_view name) { return name == "z3" || name == "cvc5"; }

std::optional<std::string> version_of(const std::string& solver) {
  if (solver == "z3") return std::string("Z3 ") + Z3_get_full_version();
  const std::optional<std::string> said = output_of(solver + " --version");
  if (!said || said->empty()) return std::nullopt;
  constexpr std::string_view kThis = "This is ";
  const std::string line = said->substr(0, said->find('\n'));
  return line.starts_with(kThis) ? line.substr(kThis.size()) : line;
}

}  // namespace forkproof::smt
