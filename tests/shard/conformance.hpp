// Tests keyed by the standard's statement numbers, and the check that none is missing.
//
//   CONFORMS_V5(ReservedFlags, "MQTT-2.1.3-1", "MQTT-3.8.1-1") {
//     Cluster c;
//     ...
//   }
//
// Each is an ordinary test, ConformanceV5.ReservedFlags (V3: of MQTT 3.1.1), and gtest's own list
// of tests carries the numbers: there is no other registry. check_conformance() compares that list
// with tests/conformance/statements_*.tsv.
#pragma once

#include <fstream>
#include <gtest/gtest.h>
#include <initializer_list>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace linnet::test {

struct ConformanceTest {
  const char* suite;
  const char* name;
  std::initializer_list<std::string_view> statements;
  const char* file;
  int line;
};

/// Registers a test; `make` returns a new one.
template <typename Make>
const ::testing::TestInfo* register_conformance(const ConformanceTest& test, Make make) {
  std::string numbers;
  for (const auto statement : test.statements) {
    numbers += numbers.empty() ? "" : " ";
    numbers += statement;
  }
  return ::testing::RegisterTest(test.suite, test.name, nullptr, numbers.c_str(), test.file,
                                 test.line, make);
}

/// The numbers that the tests of this suite name.
inline std::set<std::string> statements_tested(std::string_view suite) {
  std::set<std::string> statements;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const auto& one = *all.GetTestSuite(s);
    if (one.name() != suite) continue;
    for (int t = 0; t < one.total_test_count(); ++t) {
      std::istringstream numbers(one.GetTestInfo(t)->value_param());
      for (std::string number; numbers >> number;)
        statements.insert(number);
    }
  }
  return statements;
}

/// number -> how, of a table under tests/conformance.
inline std::map<std::string, std::string> read_statements(const std::string& table) {
  std::map<std::string, std::string> statements;
  std::ifstream file(std::string(LINNET_SOURCE_DIR) + "/tests/conformance/" + table);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string number;
    std::string who;
    std::string summary;
    std::string how;
    std::getline(fields, number, '\t');
    std::getline(fields, who, '\t');
    std::getline(fields, summary, '\t');
    std::getline(fields, how, '\t');
    EXPECT_TRUE(statements.emplace(number, how).second) << number << " stands twice";
  }
  return statements;
}

/// Each row that says `test` has a test in the suite, and each test names rows that say `test`.
inline void check_conformance(std::string_view suite, const std::string& table, std::size_t rows) {
  const auto tested = statements_tested(suite);
  const auto statements = read_statements(table);
  EXPECT_EQ(statements.size(), rows) << table;
  for (const auto& [number, how] : statements) {
    EXPECT_FALSE(how.empty()) << number << " does not say how it is covered";
    if (how == "test") {
      EXPECT_TRUE(tested.contains(number)) << number << " has no test";
    }
  }
  for (const auto& number : tested) {
    const auto row = statements.find(number);
    ASSERT_NE(row, statements.end()) << number << " is tested, but is not in " << table;
    EXPECT_EQ(row->second, "test") << number << " is tested after all";
  }
}

}  // namespace linnet::test

#define LINNET_CONFORMS(suite, test_name, ...)                                          \
  class suite##_##test_name final : public ::testing::Test {                            \
    void TestBody() override;                                                           \
  };                                                                                    \
  [[maybe_unused]] static const ::testing::TestInfo* const suite##_##test_name##_info = \
      ::linnet::test::register_conformance(                                             \
          {#suite, #test_name, {__VA_ARGS__}, __FILE__, __LINE__},                      \
          []() -> ::testing::Test* { return new suite##_##test_name; });                \
  void suite##_##test_name::TestBody()

#define CONFORMS_V3(test_name, ...) LINNET_CONFORMS(ConformanceV3, test_name, __VA_ARGS__)
#define CONFORMS_V5(test_name, ...) LINNET_CONFORMS(ConformanceV5, test_name, __VA_ARGS__)
