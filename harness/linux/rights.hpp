/// The right to make namespaces: root's, or anybody's in a user namespace of his own.
#pragma once

namespace forkproof::harness::kernel {

/// Sees to it that this process may make pid namespaces and mount their /proc. Without
/// CAP_SYS_ADMIN it moves to a user namespace in which it is root, for good; outside it stays who
/// it is. Throws SystemFault with the reason where that cannot be.
void gain_rights();

}  // namespace forkproof::harness::kernel
