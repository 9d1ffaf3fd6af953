#include "trainers/base/version.h"

#include "absl/strings/string_view.h"

namespace gsg {

absl::string_view Version() { return GSG_VERSION; }

}  // namespace gsg
