/// Which ops a target is about.
#include "fuzz/focus.hpp"

#include "harness/shrink.hpp"

namespace forkproof::fuzz {

Focus::Focus() {
  for (std::size_t i = 0; i < kOps; ++i) ops_.push_back(i);
  has_.fill(true);
}

Focus::Focus(std::initializer_list<std::string_view> ops) {
  for (const std::string_view name : ops) has_[op_index(name).value()] = true;
  favourite_ = op_index(*ops.begin()).value();
  for (std::size_t i = 0; i < kOps; ++i) {
    has_[i] = has_[i] || creates(default_op(i));
    if (has_[i]) ops_.push_back(i);
  }
}

Script Focus::plain(Script script) const {
  script = harness::without_expectations(std::move(script));
  for (Step& s : script.steps) {
    s.line = 0;
    if (has_[s.op.index()]) continue;
    s.op = default_op(ops_[s.op.index() % ops_.size()]);
    while (creates(s.op)) s.op = default_op(ops_[(s.op.index() + 1) % ops_.size()]);
    if (is_by_world(s.op)) s.actor = 0;
  }
  for (std::size_t i = 0; i < script.names.size(); ++i)
    script.names[i] = canonical_name(static_cast<std::int32_t>(i));
  script.head.clear();
  return script;
}

}  // namespace forkproof::fuzz
