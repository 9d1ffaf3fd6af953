#include "trainers/data/image_source.h"

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace gsg {

absl::StatusOr<Image> ImageSetSource::Get(
    int64_t index, std::vector<uint8_t>* /*scratch*/) const {
  const int64_t bytes = images_.channels * images_.height * images_.width;
  return Image{
      images_.pixels.data() + index * bytes, static_cast<int>(images_.channels),
      static_cast<int>(images_.height), static_cast<int>(images_.width)};
}

}  // namespace gsg
