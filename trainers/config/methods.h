// The four methods: SimSiam (arXiv 2011.10566) and BYOL (arXiv 2006.07733),
// each as it is and with guided stop-gradient (arXiv 2503.09058).

#ifndef GSG_TRAINERS_CONFIG_METHODS_H_
#define GSG_TRAINERS_CONFIG_METHODS_H_

#include "absl/strings/string_view.h"

namespace gsg {

struct MethodInfo {
  absl::string_view name;  // Config::method, and the program's name
  bool momentum_encoder;   // Do targets come from a slow copy of the encoder?
  bool guided;             // Does the closest pair of views choose sources?
};

inline constexpr MethodInfo kMethods[] = {
    {"simsiam", /*momentum_encoder=*/false, /*guided=*/false},
    {"simsiam_gsg", /*momentum_encoder=*/false, /*guided=*/true},
    {"byol", /*momentum_encoder=*/true, /*guided=*/false},
    {"byol_gsg", /*momentum_encoder=*/true, /*guided=*/true},
};

// Null for another name.
inline const MethodInfo* FindMethod(absl::string_view name) {
  for (const MethodInfo& method : kMethods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_METHODS_H_
