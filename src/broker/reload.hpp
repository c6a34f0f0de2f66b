// The report of a reload, in the log.
#pragma once

#include <linnet/broker.hpp>

namespace linnet {

void log_report(const ReloadReport& report);

}  // namespace linnet
