/// Answers of solvers, kept in a folder.
#include "smt/cache.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace forkproof::smt {

namespace fs = std::filesystem;

namespace {

/// FNV-1a. Two formulas with one hash share a file, of which the last one stays.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

constexpr const char* kEnd = "formula";  // ends the list of values

}  // namespace

Cache::Cache(std::string folder, std::string solver)
    : folder_(std::move(folder)), solver_(std::move(solver)) {
  std::error_code error;
  if (!folder_.empty()) fs::create_directories(folder_, error);
  if (error) folder_.clear();
}

std::string Cache::path_of(const Query& q) const {
  return fmt::format("{}/{:016x}", folder_, hash_of(solver_ + q.text));
}

bool Cache::recall(Query& q) const {
  if (folder_.empty()) return false;
  std::ifstream in(path_of(q));
  std::string solver, answer, line;
  if (!std::getline(in, solver) || solver != solver_ || !std::getline(in, answer)) return false;
  Values values;
  while (std::getline(in, line) && line != kEnd) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc{} || *end != ' ') return false;
    values[std::string(end + 1)] = value;
  }
  std::ostringstream rest;
  if (!(rest << in.rdbuf()) || rest.str() != q.text) return false;
  if (answer != "sat" && answer != "unsat") return false;
  q.answer = answer == "sat" ? Answer::sat : Answer::unsat;
  q.values = std::move(values);
  return true;
}

void Cache::keep(const Query& q) const {
  if (folder_.empty() || q.answer == Answer::unknown) return;
  std::string content = fmt::format("{}\n{}\n", solver_, q.answer == Answer::sat ? "sat" : "unsat");
  for (const auto& [name, value] : q.values) content += fmt::format("{} {}\n", value, name);
  content += fmt::format("{}\n{}", kEnd, q.text);

  const std::string path = path_of(q);  // whole or not at all, whoever else writes it
  const std::string beside = fmt::format("{}.{}.{}", path, ::getpid(), ::gettid());
  std::error_code error;
  {
    std::ofstream out(beside, std::ios::binary);
    out << content;
    if (!out.flush()) {
      fs::remove(beside, error);
      return;
    }
  }
  fs::rename(beside, path, error);
}

}  // namespace forkproof::smt
