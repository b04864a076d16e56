/// What the model knows of who a task is: what it is called, how it is scheduled, whom it acts for,
/// and the user namespaces. A part of spec/world.hpp.
#pragma once
#include <array>
#include <map>
#include <tuple>

#include "spec/line.hpp"
#include "spec/pool.hpp"
#include "spec/words.hpp"

namespace forkproof::spec {

struct UserNamespace;
using UserNamespaceId = Id<UserNamespace>;  // none is the world's own

/// What a thread is called, how it is scheduled, the size of the stack that its handlers run on,
/// and on whose behalf it acts.
struct Attributes {
  Comm comm = Comm::puppet;
  Policy policy = Policy::other;
  bool reset_on_fork = false;
  std::int32_t rt_priority = 0;
  std::int32_t nice = 0;
  std::int32_t processors = kProcessors;
  std::int32_t signal_stack = 0;
  User user = User::root;                          // the real one
  Capabilities capabilities = capability::all;     // in effect, in its own user namespace
  bool powerless = false;   // it has none, those included that no trace names
  UserNamespaceId user_ns{};
  bool fixed = false;         // its memory is not laid out at random: PF_RANDOMIZE is not set
  bool no_randomize = false;  // nor is that of what it executes: ADDR_NO_RANDOMIZE
  friend bool operator==(const Attributes&, const Attributes&) = default;
};

/// A user namespace below the world's own. Whom its maps know has the same number in it.
struct UserNamespace {
  UserNamespaceId parent;
  std::int32_t level = 1;
  bool made_by_powerless = false;
  bool mapped = false;         // the maps were written
  IdMap whom = IdMap::root;    // those that they know
  Limit tasks_most;            // that it may have, with those in namespaces below it
  Limit signals_most;          // to be queued for those in it, or below it
  std::array<std::uint64_t, kUsers.size()> queued{};  // for each user
  static constexpr auto keeps() { return std::tuple{}; }
};

/// The part of a world that they are.
struct UserNamespaces {
  Pool<UserNamespace> user_namespaces;
  std::array<std::uint64_t, kUsers.size()> queued{};  // signals, for each user of the world's own
  std::map<Place, UserNamespaceId> owners;  // of an NsProxy's, but for those of the world's own

  UserNamespaceId owner_of(Place place) const {
    const auto at = owners.find(place);
    return at == owners.end() ? UserNamespaceId::none() : at->second;
  }
  /// Whether a user namespace is below another.
  bool is_below(UserNamespaceId ns, UserNamespaceId other) const {
    while (ns && ns != other) {
      ns = user_namespaces[ns].parent;
      if (ns == other) return true;
    }
    return false;
  }
  /// How many entries of signals count for a user.
  std::uint64_t queued_for(UserNamespaceId ns, User user) const {
    return (ns ? user_namespaces[ns].queued : queued)[static_cast<std::size_t>(user)];
  }
  /// An entry comes or goes. It counts in the namespaces above, too: for root, who has made those.
  void count_queued(UserNamespaceId ns, User user, bool comes) {
    for (;; user = User::root, ns = user_namespaces[ns].parent) {
      auto& of = (ns ? user_namespaces[ns].queued : queued)[static_cast<std::size_t>(user)];
      comes ? ++of : --of;
      if (!ns) return;
    }
  }
  /// Whether a user has a number in a user namespace.
  bool knows(UserNamespaceId ns, User user) const {
    if (!ns) return true;
    const UserNamespace& maps = user_namespaces[ns];
    return maps.mapped && (user == User::root || maps.whom == IdMap::everybody);
  }
  void clear_user_namespaces() {
    user_namespaces.clear();
    owners.clear();
    queued = {};
  }
  bool has_sealed_user_namespaces(const UserNamespaces& other) const {
    return owners == other.owners && queued == other.queued &&
           user_namespaces.is_sealed_as(other.user_namespaces);
  }
};

}  // namespace forkproof::spec
