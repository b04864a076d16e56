/// Pages: mapping and unmapping, reading and writing, and what a fork is to do with them.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Page* Model::page_at(const Task& t, PageNo no) {
  std::vector<Page>& pages = world_.spaces[t.space].pages;
  const auto at = std::ranges::lower_bound(pages, no, {}, &Page::no);
  return at != pages.end() && at->no == no ? &*at : nullptr;
}

Model::Answer Model::act(TaskId id, const Mmap& op) {
  if (op.pages == 0) return fails(Errno::inval, "mem.mmap-nothing"_rule);
  const Place made = world_.spaces[world_.tasks[id].space].made;
  std::vector<Page>& pages = world_.spaces[world_.tasks[id].space].pages;
  PageNo first = 0;  // the lowest page from which `op.pages` are free
  auto at = pages.begin();
  for (; at != pages.end() && at->no - first < op.pages; ++at) first = at->no + 1;
  if (op.pages > kPages || first > kPages - op.pages)
    return fails(Errno::nomem, "mem.mmap-full"_rule);

  std::vector<Page> fresh;
  for (PageNo no = first; no < first + op.pages; ++no) {
    fresh.push_back({.no = no, .mapping = op.mapping, .written_in = made});
    if (op.mapping == Mapping::private_) continue;
    fresh.back().shared = static_cast<SharedPage>(world_.shared_pages.size());
    world_.shared_pages.push_back(0);
  }
  pages.insert(at, fresh.begin(), fresh.end());
  cover("mem.mmap-zero"_rule);
  touch(id, true);
  return answers(Outcome::number(first), "mem.mmap-lowest"_rule);
}

Model::Answer Model::act(TaskId id, const Munmap& op) {
  if (op.pages == 0 || op.pages > kPages || op.page > kPages - op.pages)
    return fails(Errno::inval, "mem.munmap-range"_rule);

  std::vector<Page>& pages = world_.spaces[world_.tasks[id].space].pages;
  std::erase_if(
      pages, [&](const Page& page) { return page.no >= op.page && page.no - op.page < op.pages; });
  touch(id, true);
  return answers(Outcome::success(), "mem.munmap"_rule);
}

Model::Answer Model::act(TaskId id, const Madvise& op) {
  const bool wipe = op.advice == Advice::wipeonfork || op.advice == Advice::keeponfork;
  if (wipe && !linux_6()) return fails(Errno::inval, "mem.advice-unknown"_rule);
  Page* const page = page_at(world_.tasks[id], op.page);
  if (page == nullptr) return fails(Errno::nomem, "mem.advice-unmapped"_rule);
  if (op.advice == Advice::wipeonfork && page->mapping == Mapping::shared)
    return fails(Errno::inval, "mem.wipe-shared"_rule);

  if (wipe)
    page->wipeonfork = op.advice == Advice::wipeonfork;
  else
    page->dontfork = op.advice == Advice::dontfork;
  const RuleId taken_back = wipe ? "mem.keeponfork"_rule : "mem.dofork"_rule;
  const RuleId given = wipe ? "mem.wipeonfork"_rule : "mem.dontfork"_rule;
  const bool sets = op.advice == Advice::wipeonfork || op.advice == Advice::dontfork;
  return answers(Outcome::success(), sets ? given : taken_back);
}

Model::Answer Model::act(TaskId id, const Read& op) {
  const Page* const page = page_at(world_.tasks[id], op.page);
  if (page == nullptr) return fails(Errno::fault, "mem.read-unmapped"_rule);
  const bool shared = page->mapping == Mapping::shared;
  cover("mem.read"_rule);
  return answers(Outcome::number(shared ? world_.shared_pages[page->shared] : page->value),
                 shared ? "mem.shared-together"_rule : "mem.private-apart"_rule);
}

Model::Answer Model::act(TaskId id, const Write& op) {
  Page* const page = page_at(world_.tasks[id], op.page);
  if (page == nullptr) return fails(Errno::fault, "mem.write-unmapped"_rule);

  (page->mapping == Mapping::shared ? world_.shared_pages[page->shared] : page->value) = op.value;
  page->written_at = next_place();
  page->written_in = world_.spaces[world_.tasks[id].space].made;
  touch(id, true);
  return answers(Outcome::success(), "mem.write"_rule);
}

void Model::pages(Pid number, std::vector<PageView>& out) const {
  out.clear();
  const TaskId id = world_.task_of(number);
  if (!id || !world_.tasks[id].space) return;
  for (const Page& page : world_.spaces[world_.tasks[id].space].pages) {
    const bool shared = page.mapping == Mapping::shared;
    out.push_back({page.no, page.mapping, shared ? world_.shared_pages[page.shared] : page.value});
  }
}

}  // namespace forkproof::spec
