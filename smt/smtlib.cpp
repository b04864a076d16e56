/// A formula as SMT-LIB 2.
#include "smt/smtlib.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace forkproof::smt {

namespace {

std::string sort_name(const z3::sort& s) {
  return s.is_bool() ? "Bool" : fmt::format("(_ BitVec {})", s.bv_size());
}

/// What SMT-LIB calls an operator, with its indices.
std::string operator_name(const z3::func_decl& f) {
  const auto index = [&](unsigned i) { return Z3_get_decl_int_parameter(f.ctx(), f, i); };
  switch (f.decl_kind()) {
    case Z3_OP_EXTRACT: return fmt::format("(_ extract {} {})", index(0), index(1));
    case Z3_OP_ZERO_EXT: return fmt::format("(_ zero_extend {})", index(0));
    case Z3_OP_IMPLIES: return "=>";
    case Z3_OP_ITE: return "ite";
    case Z3_OP_UNINTERPRETED: return fmt::format("|{}|", f.name().str());
    default: return f.name().str();
  }
}

class Printer {
 public:
  /// The name of a term that has been, or now is, written.
  const std::string& name_of(const z3::expr& e) {
    const auto known = names_.find(Z3_get_ast_id(e.ctx(), e));
    if (known != names_.end()) return known->second;
    return names_.emplace(Z3_get_ast_id(e.ctx(), e), write(e)).first->second;
  }
  std::string declarations, definitions;

 private:
  std::string write(const z3::expr& e) {
    if (e.is_numeral()) return fmt::format("(_ bv{} {})", e.get_numeral_uint64(), width(e));
    if (e.is_true() || e.is_false()) return e.is_true() ? "true" : "false";
    const z3::func_decl f = e.decl();
    if (f.decl_kind() == Z3_OP_UNINTERPRETED) declare(f);
    if (e.num_args() == 0) return operator_name(f);
    std::string term = "(" + operator_name(f);
    for (unsigned i = 0; i < e.num_args(); ++i) term += " " + name_of(e.arg(i));
    const std::string name = fmt::format("t{}", terms_++);
    definitions +=
        fmt::format("(define-fun {} () {} {}))\n", name, sort_name(e.get_sort()), term);
    return name;
  }

  void declare(const z3::func_decl& f) {
    if (!declared_.emplace(Z3_get_ast_id(f.ctx(), f), true).second) return;
    std::string domain;
    for (unsigned i = 0; i < f.arity(); ++i)
      domain += fmt::format("{}{}", i == 0 ? "" : " ", sort_name(f.domain(i)));
    declarations += fmt::format("(declare-fun {} ({}) {})\n", operator_name(f), domain,
                                sort_name(f.range()));
  }

  static unsigned width(const z3::expr& e) { return e.get_sort().bv_size(); }

  std::unordered_map<unsigned, std::string> names_;
  std::unordered_map<unsigned, bool> declared_;
  std::size_t terms_ = 0;
};

}  // namespace

std::string as_smtlib(const z3::expr& formula, const std::string& head) {
  Printer p;
  const std::string name = p.name_of(formula);
  return fmt::format("{}(set-logic QF_UFBV)\n{}{}(assert {})\n(check-sat)\n", head, p.declarations,
                     p.definitions, name);
}

}  // namespace forkproof::smt
