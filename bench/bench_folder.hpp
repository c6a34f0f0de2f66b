// A folder for one broker's data and log: empty at first, gone with this.
#pragma once

#include <filesystem>
#include <string>

namespace linnet::bench {

class BenchFolder {
 public:
  explicit BenchFolder(const std::string& parent) : path_(parent + "/bench-broker") {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;
  ~BenchFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace linnet::bench
