#ifndef GSG_TESTS_TRAINERS_AUGMENT_FORMULA_IMAGE_H_
#define GSG_TESTS_TRAINERS_AUGMENT_FORMULA_IMAGE_H_

#include <cstdint>
#include <vector>

namespace gsg {

// [channels, height, width]; golden/make_goldens.py has the same formula.
inline std::vector<uint8_t> FormulaImage(int channels, int height, int width) {
  std::vector<uint8_t> image;
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        image.push_back(static_cast<uint8_t>(
            (60 * c + 23 * y + 31 * x + 7 * x * y + 5 * c * x * x) % 256));
      }
    }
  }
  return image;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_AUGMENT_FORMULA_IMAGE_H_
