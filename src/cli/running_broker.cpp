#include "cli/running_broker.hpp"

#include "base/cat.hpp"
#include "store/data_dir.hpp"

namespace linnet::cli {

std::string find_broker(const std::string& configured, std::string& error) {
  store::DataDirProblem problem;
  const auto directory = store::DataDir::open(configured, store::DataDir::Use::administer, problem);
  if (!directory && problem.held) return problem.path;
  error = cat("no broker runs here: ",
              directory ? cat(directory->path(), " is not in use") : problem.text);
  return {};
}

}  // namespace linnet::cli
