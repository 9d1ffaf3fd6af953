// The values of --selection, --pairing and --distance are the names that
// gsg_core gives them.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"

namespace gsg {
namespace {

std::vector<absl::string_view> AllowedFor(absl::string_view name) {
  std::vector<absl::string_view> allowed;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    if (field.name == name) allowed = field.allowed;
  });
  EXPECT_FALSE(allowed.empty()) << name;
  return allowed;
}

// `allowed` are the names of the enumerators 0, 1, ... of an enum, all of them.
template <class Enum>
void ExpectNames(const std::vector<absl::string_view>& allowed,
                 absl::string_view (*name)(Enum)) {
  for (size_t i = 0; i < allowed.size(); ++i) {
    EXPECT_EQ(allowed[i], name(static_cast<Enum>(i)));
  }
  EXPECT_EQ(name(static_cast<Enum>(allowed.size())), "unknown");
}

TEST(CoreNamesTest, FlagsTakeEachOfThem) {
  ExpectNames(AllowedFor("selection"), SelectionName);
  ExpectNames(AllowedFor("pairing"), PairingKindName);
  ExpectNames(AllowedFor("distance"), DistanceName);
}

}  // namespace
}  // namespace gsg
