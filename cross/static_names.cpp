// Linked into static binaries alone. Their C library can look names up in files and in the DNS by
// itself; for whatever else the system's nsswitch.conf names, it would load libraries of a C
// library of another version into this process. So it is told not to.
#include <nss.h>

namespace {

// __nss_configure_lookup() keeps its word only from before the first lookup on.
[[maybe_unused]] const bool kConfigured = __nss_configure_lookup("hosts", "files dns") == 0 &&
                                          __nss_configure_lookup("passwd", "files") == 0 &&
                                          __nss_configure_lookup("group", "files") == 0 &&
                                          __nss_configure_lookup("services", "files") == 0;

}  // namespace
