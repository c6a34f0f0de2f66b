// Every statement of MQTT 5.0 that can be tested is tested.
#include "conformance.hpp"

namespace linnet::test {

TEST(ConformanceTable, V5IsComplete) {
  check_conformance("ConformanceV5", "statements_5_0.tsv", 251);
}

}  // namespace linnet::test
