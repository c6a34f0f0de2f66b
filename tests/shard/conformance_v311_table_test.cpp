// Every statement of MQTT 3.1.1 that can be tested is tested.
#include "conformance.hpp"

namespace linnet::test {

TEST(ConformanceTable, V311IsComplete) {
  check_conformance("ConformanceV3", "statements_3_1_1.tsv", 141);
}

}  // namespace linnet::test
