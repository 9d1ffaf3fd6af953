// The loss of hostile numbers: the input is options and then float32 values, as
// many rows and columns of them as there are.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/distance.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "tests/trainers/fuzz/check.h"

namespace {

constexpr size_t kOptions = 3;

struct Input {
  int64_t rows = 0, cols = 0;
  std::vector<float> values;  // of four or eight matrices
  bool finite = true;

  gsg::Rows<const float> Matrix(int k) const {
    return {values.data() + k * rows * cols, rows, cols};
  }
};

Input Parse(const uint8_t* data, size_t size, int64_t matrices) {
  Input input;
  input.rows = 1 + data[2] % 5;
  const auto floats = static_cast<int64_t>((size - kOptions) / sizeof(float));
  input.cols = floats / (matrices * input.rows);
  input.values.resize(matrices * input.rows * input.cols);
  // Of no values at all there is nothing to copy from.
  if (input.values.empty()) return input;
  std::memcpy(input.values.data(), data + kOptions,
              input.values.size() * sizeof(float));
  for (const float value : input.values) input.finite &= std::isfinite(value);
  return input;
}

// What holds for any numbers.
void Check(const Input& input, const absl::StatusOr<gsg::LossResult>& result,
           const std::vector<float>& grads) {
  if (input.cols == 0 || !input.finite) {
    GSG_FUZZ_CHECK(absl::IsInvalidArgument(result.status()));
    return;
  }
  GSG_FUZZ_CHECK(result.ok());
  GSG_FUZZ_CHECK(std::abs(result->loss) <= 1 + 1e-5);
  for (const uint8_t pair : result->pair) GSG_FUZZ_CHECK(pair <= 4);
  // At most 1 / kNormEpsilon, whatever the values are.
  for (const float grad : grads) GSG_FUZZ_CHECK(std::isfinite(grad));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kOptions) return 0;
  gsg::LossOptions options;
  options.distance = static_cast<gsg::Distance>(data[0] % 3);
  options.selection = static_cast<gsg::Selection>(data[0] / 3 % 4);
  options.seed = data[0];
  if (data[1] % 2 == 0) {
    const Input in = Parse(data, size, 8);
    std::vector<float> grads(4 * in.rows * in.cols);
    const auto grad = [&](int k) {
      return gsg::Rows<float>(grads.data() + k * in.rows * in.cols, in.rows,
                              in.cols);
    };
    const gsg::FourViewGrads<float> out = {grad(0), grad(1), grad(2), grad(3)};
    Check(in,
          gsg::GuidedLoss(
              gsg::FourViews<float>{in.Matrix(0), in.Matrix(1), in.Matrix(2),
                                    in.Matrix(3), in.Matrix(4), in.Matrix(5),
                                    in.Matrix(6), in.Matrix(7)},
              options, &out),
          grads);
    return 0;
  }
  const Input in = Parse(data, size, 4);
  std::vector<float> grads(2 * in.rows * in.cols);
  const gsg::SharedGrads<float> out = {
      gsg::Rows<float>(grads.data(), in.rows, in.cols),
      gsg::Rows<float>(grads.data() + in.rows * in.cols, in.rows, in.cols)};
  std::vector<int64_t> pairing(in.rows);
  for (int64_t i = 0; i < in.rows; ++i)
    pairing[i] = (i + data[1] / 2) % in.rows;
  Check(in,
        gsg::GuidedLoss(
            gsg::SharedViews<float>{in.Matrix(0), in.Matrix(1), in.Matrix(2),
                                    in.Matrix(3), pairing},
            options, &out),
        grads);
  return 0;
}
