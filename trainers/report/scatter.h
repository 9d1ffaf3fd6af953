#ifndef GSG_TRAINERS_REPORT_SCATTER_H_
#define GSG_TRAINERS_REPORT_SCATTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace gsg {

// A point of a labeled map. Units are free; y grows upwards.
struct MapPoint {
  float x = 0;
  float y = 0;
  int64_t label = 0;  // index into the class names
};

// A <figure> with inline SVG: points colored by class, each class named at
// its median, or beside it where another name is, and in a legend that singles
// it out while pointed at or focused. Colors stand out from the light and from
// the dark page by 3 : 1. Needs at least one point, finite coordinates and
// labels in range. Text is escaped.
std::string RenderScatter(absl::Span<const MapPoint> points,
                          const std::vector<std::string>& classes);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_SCATTER_H_
