// Tells equal questions by a digest, whose random key is this object's own: what it gives says
// nothing about a question to anybody else. One thread per object.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "auth/http_cache.hpp"

namespace linnet::auth {

class QuestionDigest {
 public:
  QuestionDigest();
  ~QuestionDigest();
  QuestionDigest(const QuestionDigest&) = delete;
  QuestionDigest& operator=(const QuestionDigest&) = delete;

  /// `epoch` tells apart what must not be taken for equal: questions under different policies.
  [[nodiscard]] QuestionKey of(std::uint64_t epoch, std::string_view question);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth
