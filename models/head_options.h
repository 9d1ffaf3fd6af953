// How large the two heads are (heads.h).

#ifndef GSG_MODELS_HEAD_OPTIONS_H_
#define GSG_MODELS_HEAD_OPTIONS_H_

#include <cstdint>

namespace gsg {

struct ProjectorOptions {
  int64_t layers;  // 2 or 3
  int64_t hidden;
  int64_t output;
};

inline constexpr ProjectorOptions kImageNetProjector{3, 2048, 2048};
inline constexpr int64_t kPredictorHidden = 512;

}  // namespace gsg

#endif  // GSG_MODELS_HEAD_OPTIONS_H_
