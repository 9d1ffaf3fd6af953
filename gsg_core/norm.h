#ifndef GSG_GSG_CORE_NORM_H_
#define GSG_GSG_CORE_NORM_H_

namespace gsg {

// Norms below this count as this, as in torch's cosine_similarity.
inline constexpr double kNormEpsilon = 1e-8;

}  // namespace gsg

#endif  // GSG_GSG_CORE_NORM_H_
