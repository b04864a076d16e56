/// What an obligation states: variables, premises and a conclusion, for one run of the templates.
#pragma once
#include "smt/obligation.hpp"
#include "smt/symbol.hpp"

namespace forkproof::smt {

/// How the value of a variable reads in the words of its domain.
using Show = std::string (*)(std::uint64_t);
std::string show_number(std::uint64_t n);
std::string show_bits(std::uint64_t word);
std::string show_signals(std::uint64_t set);
std::string show_clone_flags(std::uint64_t flags);
std::string show_task_flags(std::uint64_t flags);
std::string show_wait_options(std::uint64_t options);
std::string show_status(std::uint64_t status);
std::string show_entry(std::uint64_t entry);
std::string show_truth(std::uint64_t truth);

class Claim {
 public:
  struct Variable {
    std::string name;
    z3::expr e;
    Show show;
  };

  explicit Claim(z3::context& z) : z_(&z), premises_(z), conclusions_(z), wishes_(z) {}

  /// Any word at all.
  z3::expr word(const std::string& name, Show show = show_number, unsigned width = 64) {
    variables_.push_back({name, z_->bv_const(name.c_str(), width), show});
    return variables_.back().e;
  }
  /// A word with one bit set.
  z3::expr single(const char* name, unsigned width = 64) {
    const z3::expr bit = word(name, show_bits, width);
    given(bit != number(bit, 0) && (bit & (bit - number(bit, 1))) == number(bit, 0));
    return bit;
  }
  z3::expr truth(const char* name) {
    variables_.push_back({name, z_->bool_const(name), show_truth});
    return variables_.back().e;
  }
  /// A set of words: which ones are in it is free.
  z3::func_decl set(const char* name) {
    return z_->function(name, z_->bv_sort(64), z_->bool_sort());
  }
  z3::expr value(std::uint64_t k, unsigned width = 64) { return z_->bv_val(k, width); }

  void given(const z3::expr& premise) { premises_.push_back(premise); }
  void holds(const z3::expr& conclusion) { conclusions_.push_back(conclusion); }
  /// What a counterexample should look like, if there is one that does.
  void wish(const z3::expr& wish) { wishes_.push_back(wish); }
  /// Tells the value of an expression in a counterexample.
  void tell(const std::string& name, const z3::expr& e, Show show = show_number) {
    variables_.push_back({name, e, show});
  }

  const std::vector<Variable>& variables() const { return variables_; }
  z3::expr premise() const { return all(premises_); }
  z3::expr conclusion() const { return all(conclusions_); }
  z3::expr wishes() const { return all(wishes_); }

 private:
  z3::expr all(const z3::expr_vector& these) const {
    if (these.empty()) return z_->bool_val(true);
    return these.size() == 1 ? these[0] : z3::mk_and(these);
  }

  z3::context* z_;
  std::vector<Variable> variables_;
  z3::expr_vector premises_, conclusions_, wishes_;
};

}  // namespace forkproof::smt
