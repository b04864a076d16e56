/// What the model knows of who a task is: what it is called, how it is scheduled, whom it acts for,
/// and the user namespaces. A part of spec/world.hpp.
#pragma once
#include <array>
#include <map>
#include <tuple>

#include "spec/line.hpp"
#include "spec/namespace_limit_ops.hpp"
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

/// How many namespaces of a kind may belong to a user namespace, or to one below it, and how many
/// do.
struct NamespaceCount {
  std::int32_t most = kNamespacesMost;
  std::uint32_t living = 0;
  bool full() const { return living >= static_cast<std::uint32_t>(most); }
  friend bool operator==(const NamespaceCount&, const NamespaceCount&) = default;
};
using NamespaceCounts = std::array<NamespaceCount, kNamespaceKinds.size()>;

/// A namespace of which nothing is known but who is in it, to whom it belongs, and when it was
/// made, by which it is known.
struct MadeNamespace {
  NsKind kind = NsKind::mnt;
  UserNamespaceId owner{};
  std::uint32_t users = 0;  // records of the namespaces that a thread is in; some have it twice
  friend bool operator==(const MadeNamespace&, const MadeNamespace&) = default;
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
  NamespaceCounts counts{};    // of each kind
  static constexpr auto keeps() { return std::tuple{}; }
};

/// The part of a world that they are.
struct UserNamespaces {
  Pool<UserNamespace> user_namespaces;
  std::array<std::uint64_t, kUsers.size()> queued{};  // signals, for each user of the world's own
  NamespaceCounts counts{};               // of those of the world's own, and all below
  std::map<Place, MadeNamespace> others;  // an NsProxy's, but for the world's own

  UserNamespaceId owner_of(Place place) const {
    const auto at = others.find(place);
    return at == others.end() ? UserNamespaceId::none() : at->second.owner;
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
  const NamespaceCount& count_of(UserNamespaceId ns, NsKind kind) const {
    return (ns ? user_namespaces[ns].counts : counts)[static_cast<std::size_t>(kind)];
  }
  NamespaceCount& count_of(UserNamespaceId ns, NsKind kind) {
    return (ns ? user_namespaces[ns].counts : counts)[static_cast<std::size_t>(kind)];
  }
  /// A namespace that belongs to a user namespace comes or goes, which counts in all above it, too.
  void count_namespace(UserNamespaceId owner, NsKind kind, bool comes) {
    for (UserNamespaceId ns = owner;; ns = user_namespaces[ns].parent) {
      std::uint32_t& living = count_of(ns, kind).living;
      comes ? ++living : --living;
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
    others.clear();
    queued = {};
    counts = {};
  }
  bool has_sealed_user_namespaces(const UserNamespaces& other) const {
    return others == other.others && queued == other.queued && counts == other.counts &&
           user_namespaces.is_sealed_as(other.user_namespaces);
  }
};

}  // namespace forkproof::spec
