#ifndef GSG_CUDA_INTERNAL_AUGMENT_KERNEL_H_
#define GSG_CUDA_INTERNAL_AUGMENT_KERNEL_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "cuda/augment.h"
#include "cuda/internal/augment_args.h"
#include "cuda/internal/device.h"
#include "pixels/color.h"
#include "pixels/filter.h"
#include "pixels/gauss.h"
#include "pixels/params.h"

namespace gsg::cuda::internal {

// One view at a time, from bytes to normalized pixels, by one block: the
// operations of trainers/augment in their order. A thread has the same pixels
// in each of them, so that a block meets only where pixels look at others: for
// the mean of contrast, the blur, and to write in the order of memory.
//
// Bound by latency and arithmetic, not by memory: a view of 32 x 32 reads 3 kB
// and writes 6 to 12, and in between its 12 kB of floats go through shared
// memory some ten times.
template <typename T>
class AugmentKernel {
 public:
  using Args = AugmentArgs<T>;
  struct State {
    AugmentParams params;
    int64_t index;
    bool good;
    float contrast_mean;
  };

  // planes: AugmentPlanesBytes of this view. tables: AugmentTablesBytes.
  template <typename Block>
  GSG_DEVICE static void Run(Block& block, const Args& args, float* planes,
                             float* tables, State& state) {
    const int view = block.index();
    block.One([&] {
      state.params = args.params[view];
      state.index = args.index[view];
      state.good = IsGood(args, state);
      if (!state.good) SetBits(args.faults, kBadCrop);
    });
    const Memory memory(args, planes, tables);
    T* const out = args.out + static_cast<size_t>(view) * memory.elements;
    if (!state.good) {
      block.Each([&](int t) {
        for (int e = t; e < memory.elements; e += block.threads()) {
          out[e] = FromFloat<T>(0);
        }
      });
      return;
    }
    Resample(block, args, memory, state);
    Jitter(block, memory, state);
    const AugmentParams& params = state.params;
    if (params.blur_sigma > 0) Blur(block, args, memory);
    block.Meet();
    if (args.vectors) {
      Write<16 / sizeof(T)>(block, args, memory, params.solarize, out);
    } else {
      Write<1>(block, args, memory, params.solarize, out);
    }
  }

 private:
  // Where things are; see augment_args.h.
  struct Memory {
    GSG_DEVICE Memory(const Args& args, float* planes, float* tables)
        : channels(args.images.channels),
          pixels(args.size * args.size),
          elements(channels * pixels),
          image(planes),
          plane(image + elements),
          vertical(tables),
          horizontal(vertical + args.size * args.vertical_taps),
          blur(horizontal + args.size * args.horizontal_taps),
          vertical_first(reinterpret_cast<int*>(blur + args.blur_kernel)),
          horizontal_first(vertical_first + args.size) {}

    int channels, pixels, elements;
    float *image, *plane;
    float *vertical, *horizontal, *blur;
    int *vertical_first, *horizontal_first;
  };

  GSG_DEVICE static bool InRange(int start, int length, int size) {
    return start >= 0 && length >= 1 && length <= size &&
           start <= size - length;
  }

  GSG_DEVICE static bool IsGood(const Args& args, const State& state) {
    const AugmentParams& p = state.params;
    return state.index >= 0 && state.index < args.images.count &&
           InRange(p.crop_top, p.crop_height, args.images.height) &&
           InRange(p.crop_left, p.crop_width, args.images.width);
  }

  GSG_DEVICE static TriangleFilter FilterOf(int start, int length, int size) {
    return TriangleFilter({static_cast<double>(start),
                           static_cast<double>(length), start, start + length},
                          size);
  }

  // f(q) for each of a thread's pixels.
  template <typename Block, typename F>
  GSG_DEVICE static void ForPixels(Block& block, const Memory& memory, F&& f) {
    block.Each([&](int t) {
      for (int q = t; q < memory.pixels; q += block.threads()) f(q);
    });
  }

  template <typename Block>
  GSG_DEVICE static void Resample(Block& block, const Args& args,
                                  const Memory& memory, const State& state) {
    const AugmentParams& p = state.params;
    const int size = args.size;
    const TriangleFilter vertical = FilterOf(p.crop_top, p.crop_height, size);
    const TriangleFilter horizontal = FilterOf(p.crop_left, p.crop_width, size);
    block.Each([&](int t) {
      for (int i = t; i < 2 * size; i += block.threads()) {
        if (i < size) {
          const int from = p.vertical_flip ? size - 1 - i : i;
          memory.vertical_first[i] = vertical.First(from);
          vertical.SetWeights(from, 1. / 255,
                              memory.vertical + i * vertical.taps());
        } else {
          const int x = i - size;
          const int from = p.flip ? size - 1 - x : x;
          memory.horizontal_first[x] = horizontal.First(from);
          horizontal.SetWeights(from, 1,
                                memory.horizontal + x * horizontal.taps());
        }
      }
      if (t == 0 && p.blur_sigma > 0) {
        SetGaussWeights(p.blur_sigma, args.blur_kernel, memory.blur);
      }
    });
    block.Meet();
    const int width = args.images.width;
    const size_t plane = static_cast<size_t>(args.images.height) * width;
    const uint8_t* const image =
        args.images.data + state.index * memory.channels * plane;
    ForPixels(block, memory, [&](int q) {
      const int y = p.transpose ? q % size : q / size;
      const int x = p.transpose ? q / size : q % size;
      const float* const down = memory.vertical + y * vertical.taps();
      const float* const across = memory.horizontal + x * horizontal.taps();
      const uint8_t* corner =
          image + static_cast<size_t>(memory.vertical_first[y]) * width +
          memory.horizontal_first[x];
      for (int c = 0; c < memory.channels; ++c, corner += plane) {
        float sum = 0;
        for (int k = 0; k < horizontal.taps(); ++k) {
          const uint8_t* in = corner + k;
          float column = 0;
          for (int j = 0; j < vertical.taps(); ++j, in += width) {
            column += down[j] * static_cast<float>(*in);
          }
          sum += across[k] * column;
        }
        memory.image[c * memory.pixels + q] = sum;
      }
    });
  }

  // Of a pixel with three channels.
  GSG_DEVICE static float GrayOf(const Memory& memory, int q) {
    return pixel::Gray(memory.image[q], memory.image[memory.pixels + q],
                       memory.image[2 * memory.pixels + q]);
  }

  // clamp(factor x + offset(q)) of all channels.
  template <typename Block, typename Offset>
  GSG_DEVICE static void Affine(Block& block, const Memory& memory,
                                float factor, Offset&& offset_of) {
    ForPixels(block, memory, [&](int q) {
      const float offset = offset_of(q);
      for (int e = q; e < memory.elements; e += memory.pixels) {
        memory.image[e] = pixel::Affine(memory.image[e], factor, offset);
      }
    });
  }

  template <typename Block>
  GSG_DEVICE static void Contrast(Block& block, const Memory& memory,
                                  State& state) {
    block.template Reduce<float, 1>(
        [&](int t, float* sums) {
          for (int q = t; q < memory.pixels; q += block.threads()) {
            sums[0] +=
                memory.channels == 1 ? memory.image[q] : GrayOf(memory, q);
          }
        },
        [&](const double* sums) {
          state.contrast_mean = static_cast<float>(sums[0] / memory.pixels);
        });
    const float factor = state.params.contrast;
    const float offset = (1 - factor) * state.contrast_mean;
    Affine(block, memory, factor, [&](int) { return offset; });
  }

  template <typename Block>
  GSG_DEVICE static void Jitter(Block& block, const Memory& memory,
                                State& state) {
    const AugmentParams& p = state.params;
    const bool color = memory.channels == 3;
    for (int k = 0; k < 4; ++k) {
      switch (p.jitter_order[k]) {
        case JitterOp::kBrightness:
          if (p.brightness == 1) break;
          Affine(block, memory, p.brightness, [](int) { return 0.f; });
          break;
        case JitterOp::kContrast:
          if (p.contrast != 1) Contrast(block, memory, state);
          break;
        case JitterOp::kSaturation:
          if (p.saturation == 1 || !color) break;
          Affine(block, memory, p.saturation,
                 [&](int q) { return (1 - p.saturation) * GrayOf(memory, q); });
          break;
        case JitterOp::kHue:
          if (p.hue == 0 || !color) break;
          ForPixels(block, memory, [&](int q) {
            pixel::TurnHue(6 * p.hue, memory.image[q],
                           memory.image[memory.pixels + q],
                           memory.image[2 * memory.pixels + q]);
          });
          break;
      }
    }
    const bool tone = !IsIdentity(p.tone_curve);
    if (p.gamma == 1 && !tone && !p.grayscale) return;
    ForPixels(block, memory, [&](int q) {
      for (int e = q; e < memory.elements; e += memory.pixels) {
        float x = memory.image[e];
        if (p.gamma != 1) x = std::pow(x, p.gamma);
        if (tone) x = pixel::Tone(p.tone_curve, x);
        memory.image[e] = x;
      }
      if (!p.grayscale || !color) return;
      const float gray = GrayOf(memory, q);
      for (int e = q; e < memory.elements; e += memory.pixels) {
        memory.image[e] = gray;
      }
    });
  }

  template <typename Block>
  GSG_DEVICE static void Blur(Block& block, const Args& args,
                              const Memory& memory) {
    const int size = args.size, kernel = args.blur_kernel;
    const int radius = kernel / 2;
    for (int c = 0; c < memory.channels; ++c) {
      float* const image = memory.image + c * memory.pixels;
      block.Meet();
      ForPixels(block, memory, [&](int q) {
        const int x = q % size;
        const float* const row = image + (q - x);
        float sum = 0;
        for (int k = 0; k < kernel; ++k) {
          sum += memory.blur[k] * row[Reflect(x + k - radius, size)];
        }
        memory.plane[q] = sum;
      });
      block.Meet();
      ForPixels(block, memory, [&](int q) {
        const int y = q / size, x = q % size;
        float sum = 0;
        for (int k = 0; k < kernel; ++k) {
          sum += memory.blur[k] *
                 memory.plane[Reflect(y + k - radius, size) * size + x];
        }
        image[q] = sum;
      });
    }
  }

  // In the order of memory, kWidth elements at a time.
  template <int kWidth, typename Block>
  GSG_DEVICE static void Write(Block& block, const Args& args,
                               const Memory& memory, bool solarize, T* out) {
    const bool planes = args.order == PixelOrder::kPlanes;
    const auto value = [&](int e) {
      const int c = planes ? e / memory.pixels : e % memory.channels;
      const int q = planes ? e % memory.pixels : e / memory.channels;
      float x = memory.image[c * memory.pixels + q];
      if (solarize) x = pixel::Solarized(x);
      return FromFloat<T>((x - args.mean[c]) * args.inverse_std[c]);
    };
    block.Each([&](int t) {
      for (int e = kWidth * t; e < memory.elements;
           e += kWidth * block.threads()) {
        Pack<T, kWidth> pack;
        GSG_UNROLL
        for (int k = 0; k < kWidth; ++k) pack.element[k] = value(e + k);
        StorePack(pack, /*streaming=*/false, out + e);
      }
    });
  }
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_AUGMENT_KERNEL_H_
