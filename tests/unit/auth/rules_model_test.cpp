// Random rules against a plain reading of them.
#include "unit/auth/rules_model.hpp"

#include <gtest/gtest.h>
#include <random>

namespace linnet::auth {
namespace {

TEST(RulesModel, AgreesWithThePlainReading) {
  for (unsigned seed = 1; seed <= 4'000; ++seed) {
    std::mt19937 random(seed);
    std::vector<unsigned char> bytes(256);
    for (auto& byte : bytes)
      byte = static_cast<unsigned char>(random());
    RulesModel model(bytes);
    const std::string fault = model.check();
    ASSERT_EQ(fault, "") << "seed " << seed << ": " << model.describe();
  }
}

}  // namespace
}  // namespace linnet::auth
