// `linnet bench`: measures any broker from outside.
#include <fstream>
#include <optional>
#include <string>
#include <unistd.h>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "bench/run.hpp"
#include "cli/bench_options.hpp"
#include "cli/options.hpp"
#include "config/value.hpp"

namespace linnet::cli {

namespace {

void set_time(const std::string& text, std::optional<std::uint64_t>& target) {
  if (!text.empty()) target = config::parse_duration_ms(text);
}

bool read_password(const std::string& file_name, std::string& password, std::string& error) {
  if (file_name.empty()) return true;
  std::ifstream file(file_name);
  if (std::getline(file, password)) return true;
  error = cat("--password-file: ", file_name, " cannot be read, or is empty");
  return false;
}

}  // namespace

int bench(const BenchOptions& options) {
  log::init(log::Level::warn, log::Format::text);
  bench::Options run = options.run;
  set_time(options.duration, run.duration_ms);
  set_time(options.warmup, run.warmup_ms);
  set_time(options.wait, run.wait_ms);
  std::string error;
  std::optional<bench::Settings> settings;
  if (read_password(options.password_file, run.password, error))
    settings = bench::resolve(run, error);
  if (!settings) {
    print_error(cat("linnet: ", error));
    return kWrongUsage;
  }
  const bench::Report report = bench::run(*settings, ::isatty(STDERR_FILENO) == 1);
  if (options.json) {
    print_line(bench::report_json(*settings, report));
  } else if (!report.phases.empty()) {
    print_line(bench::report_text(*settings, report));
  }
  if (!report.fault.empty()) print_error(cat("linnet: ", report.fault));
  return report.is_good(*settings) ? kOk : kFailed;
}

}  // namespace linnet::cli
