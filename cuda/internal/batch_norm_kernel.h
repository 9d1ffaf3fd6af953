#ifndef GSG_CUDA_INTERNAL_BATCH_NORM_KERNEL_H_
#define GSG_CUDA_INTERNAL_BATCH_NORM_KERNEL_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "cuda/internal/batch_norm_args.h"
#include "cuda/internal/device.h"

// Three kernels each way: sums over the parts of the batch, what follows from
// them for each channel, and each value. The third goes through memory
// backwards, as what the first has read last may still be in the cache.
namespace gsg::cuda::internal {

// Where a block is.
struct NormPart {
  GSG_DEVICE NormPart(const NormGrid& grid, int block)
      : tile(block % grid.tiles),
        part(block / grid.tiles % grid.parts),
        view(block / grid.tiles / grid.parts),
        first(part * grid.part),
        end(first + grid.part < grid.rows ? first + grid.part : grid.rows) {}

  int tile, part, view;
  int64_t first, end;  // rows of the view
};

// Where a thread of it is. A thread that is not active has nothing to do.
template <int kWidth>
struct NormThread {
  GSG_DEVICE NormThread(const NormGrid& grid, const NormPart& part, int thread)
      : row(thread / grid.across),
        channel((part.tile * grid.across + thread % grid.across) * kWidth),
        active(row < grid.down && channel < grid.channels) {}

  int row, channel;
  bool active;
};

// Calls load(k, at) for kBatch rows of a thread, and then use(k, at) for them,
// where `at` is the position of its group in the whole matrix and k < kBatch.
// Loads before uses: so many are on their way at once.
template <int kBatch, int kWidth, typename Load, typename Use>
GSG_DEVICE void ForRows(const NormGrid& grid, const NormPart& part,
                        const NormThread<kWidth>& mine, Load&& load,
                        Use&& use) {
  const int64_t view = static_cast<int64_t>(part.view) * grid.rows;
  for (int64_t r = part.first + mine.row; r < part.end;
       r += kBatch * grid.down) {
    GSG_UNROLL
    for (int k = 0; k < kBatch; ++k) {
      const int64_t row = r + k * grid.down;
      if (row < part.end) load(k, (view + row) * grid.channels + mine.channel);
    }
    GSG_UNROLL
    for (int k = 0; k < kBatch; ++k) {
      const int64_t row = r + k * grid.down;
      if (row < part.end) use(k, (view + row) * grid.channels + mine.channel);
    }
  }
}

// A group's values of one row of a [channels] table; `otherwise` without one.
template <int kWidth>
GSG_DEVICE void LoadChannels(const float* from, int channel, float otherwise,
                             float* to) {
  GSG_UNROLL
  for (int e = 0; e < kWidth; ++e) {
    to[e] = from == nullptr ? otherwise : from[channel + e];
  }
}

// Adds up two sums of each channel over a block's threads, in the order of
// rows, and writes them to where the part's are. add(thread's place, first,
// second) adds a thread's to first[e], second[e], e < kWidth. shared: 2 kWidth
// floats for each thread.
template <int kWidth, typename Block, typename Add>
GSG_DEVICE void SumsOfPart(Block& block, const NormGrid& grid,
                           const NormPart& part, float* shared, float* partial,
                           Add&& add) {
  block.Each([&](int t) {
    const NormThread<kWidth> mine(grid, part, t);
    float first[kWidth] = {}, second[kWidth] = {};
    if (mine.active) add(mine, first, second);
    GSG_UNROLL
    for (int e = 0; e < kWidth; ++e) {
      shared[e * kNormThreads + t] = first[e];
      shared[(kWidth + e) * kNormThreads + t] = second[e];
    }
  });
  block.Meet();
  float* const out =
      partial + (static_cast<int64_t>(part.view) * grid.parts + part.part) * 2 *
                    grid.channels;
  block.Each([&](int t) {
    const int lanes = grid.across * kWidth;
    for (int i = t; i < 2 * lanes; i += block.threads()) {
      const int which = i / lanes, group = i % lanes / kWidth, e = i % kWidth;
      const int channel = (part.tile * grid.across + group) * kWidth + e;
      if (channel >= grid.channels) continue;
      const float* const from =
          shared + (which * kWidth + e) * kNormThreads + group;
      double sum = 0;
      for (int row = 0; row < grid.down; ++row) sum += from[row * grid.across];
      out[which * grid.channels + channel] = static_cast<float>(sum);
    }
  });
}

// Adds up the parts' sums of kFinishChannels channels in every view. take(view,
// channel, first, second) is called view after view. shared: 2 kNormThreads.
template <typename Block, typename Take>
GSG_DEVICE void FinishSums(Block& block, const NormGrid& grid,
                           const float* partial, double* shared, Take&& take) {
  for (int view = 0; view < grid.views; ++view) {
    block.Each([&](int t) {
      const int channel = block.index() * kFinishChannels + t % kFinishChannels;
      double first = 0, second = 0;
      if (channel < grid.channels) {
        const float* const from =
            partial +
            static_cast<int64_t>(view) * grid.parts * 2 * grid.channels +
            channel;
        GSG_UNROLL_BY(4)
        for (int p = t / kFinishChannels; p < grid.parts; p += kFinishSlices) {
          const float* const sums =
              from + static_cast<int64_t>(p) * 2 * grid.channels;
          first += sums[0];
          second += sums[grid.channels];
        }
      }
      shared[t] = first;
      shared[kNormThreads + t] = second;
    });
    block.Meet();
    block.Each([&](int t) {
      const int channel = block.index() * kFinishChannels + t;
      if (t >= kFinishChannels || channel >= grid.channels) return;
      double first = 0, second = 0;
      for (int slice = 0; slice < kFinishSlices; ++slice) {
        first += shared[slice * kFinishChannels + t];
        second += shared[kNormThreads + slice * kFinishChannels + t];
      }
      take(view, channel, first, second);
    });
    block.Meet();
  }
}

template <typename T>
class NormForwardKernels {
 public:
  static constexpr int kWidth = BatchNormChannels<T>();
  using Args = NormForwardArgs<T>;

  // Sums of x - origin and of its square, where origin is the view's first row:
  // without the cancellation of E[x^2] - E[x]^2 far from zero.
  template <typename Block>
  GSG_DEVICE static void Sum(Block& block, const Args& args, float* shared) {
    const NormGrid& grid = args.grid;
    const NormPart part(grid, block.index());
    SumsOfPart<kWidth>(
        block, grid, part, shared, args.partial,
        [&](const NormThread<kWidth>& mine, float* sum, float* square) {
          float origin[kWidth];
          GSG_UNROLL
          for (int e = 0; e < kWidth; ++e) {
            origin[e] = Origin(args, part.view, mine.channel + e);
          }
          constexpr int kBatch = 4;
          Group<T, kWidth> x[kBatch];
          ForRows<kBatch, kWidth>(
              grid, part, mine,
              [&](int k, int64_t at) { x[k].Load(args.io.x + at); },
              [&](int k, int64_t) {
                GSG_UNROLL
                for (int e = 0; e < kWidth; ++e) {
                  const float d = ToFloat(x[k][e]) - origin[e];
                  sum[e] += d;
                  square[e] = MultiplyAdd(d, d, square[e]);
                }
              });
        });
  }

  template <typename Block>
  GSG_DEVICE static void Finish(Block& block, const Args& args,
                                double* shared) {
    const NormGrid& grid = args.grid;
    const auto& io = args.io;
    block.Each([&](int t) {
      if (io.batches != nullptr && block.index() == 0 && t == 0) {
        *io.batches += grid.views;
      }
    });
    FinishSums(
        block, grid, args.partial, shared,
        [&](int view, int channel, double sum, double square) {
          const double rows = static_cast<double>(grid.rows);
          const double distance = sum / rows;
          const double mean = Origin(args, view, channel) + distance;
          // The last bits of the two terms are noise.
          const double raw = square / rows - distance * distance;
          const double var = raw < 0 ? 0 : raw;
          const int64_t at =
              static_cast<int64_t>(view) * grid.channels + channel;
          io.mean[at] = static_cast<float>(mean);
          io.inverse_std[at] =
              static_cast<float>(1 / sqrt(var + static_cast<double>(io.eps)));
          if (io.running_mean == nullptr) return;
          const double momentum = io.momentum;
          io.running_mean[channel] = static_cast<float>(
              (1 - momentum) * io.running_mean[channel] + momentum * mean);
          io.running_var[channel] =
              static_cast<float>((1 - momentum) * io.running_var[channel] +
                                 momentum * (var * rows / (rows - 1)));
        });
  }

  template <typename Block>
  GSG_DEVICE static void Apply(Block& block, const Args& args) {
    const NormGrid& grid = args.grid;
    const auto& io = args.io;
    const NormPart part(grid, grid.blocks() - 1 - block.index());
    block.Each([&](int t) {
      const NormThread<kWidth> mine(grid, part, t);
      if (!mine.active) return;
      const int64_t table = static_cast<int64_t>(part.view) * grid.channels;
      float mean[kWidth], scale[kWidth], shift[kWidth];
      LoadChannels<kWidth>(io.mean + table, mine.channel, 0, mean);
      LoadChannels<kWidth>(io.inverse_std + table, mine.channel, 0, scale);
      LoadChannels<kWidth>(io.bias, mine.channel, 0, shift);
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        if (io.weight != nullptr) scale[e] *= io.weight[mine.channel + e];
      }
      constexpr int kBatch = 2;
      Group<T, kWidth> x[kBatch], residual[kBatch];
      ForRows<kBatch, kWidth>(
          grid, part, mine,
          [&](int k, int64_t at) {
            x[k].Load(io.x + at);
            if (io.residual != nullptr) {
              residual[k].Load(io.residual + at);
            }
          },
          [&](int k, int64_t at) {
            Pack<T, kWidth> y;
            uint32_t positive = 0;
            GSG_UNROLL
            for (int e = 0; e < kWidth; ++e) {
              float value =
                  MultiplyAdd(ToFloat(x[k][e]) - mean[e], scale[e], shift[e]);
              if (io.residual != nullptr) {
                value += ToFloat(residual[k][e]);
              }
              y.element[e] = FromFloat<T>(value);
              // What is no number is none of the two, and passed on.
              if (io.relu && ToFloat(y.element[e]) <= 0) {
                y.element[e] = FromFloat<T>(0);
              } else {
                positive |= 1u << e;
              }
            }
            StorePack<T, kWidth>(y, /*streaming=*/false, io.y + at);
            if (io.relu && io.positive != nullptr) {
              io.positive[at / kWidth] = static_cast<uint8_t>(positive);
            }
          });
    });
  }

 private:
  GSG_DEVICE static float Origin(const Args& args, int view, int channel) {
    return ToFloat(
        args.io.x[view * args.grid.rows * args.grid.channels + channel]);
  }
};

// With R rows and xhat = (x - mean) / std, in each view:
//   dbias = sum g;  dweight = sum g xhat;
//   dx = weight / std (g - sum g / R - xhat sum (g xhat) / R),
// where g is the residual's gradient: dy where y > 0.
template <typename T>
class NormBackwardKernels {
 public:
  static constexpr int kWidth = BatchNormChannels<T>();
  using Args = NormBackwardArgs<T>;

  template <typename Block>
  GSG_DEVICE static void Sum(Block& block, const Args& args, float* shared) {
    const NormGrid& grid = args.grid;
    const NormPart part(grid, block.index());
    SumsOfPart<kWidth>(
        block, grid, part, shared, args.partial,
        [&](const NormThread<kWidth>& mine, float* sum, float* product) {
          float mean[kWidth];
          LoadChannels<kWidth>(
              args.io.mean + static_cast<int64_t>(part.view) * grid.channels,
              mine.channel, 0, mean);
          constexpr int kBatch = 2;
          Inputs in[kBatch];
          ForRows<kBatch, kWidth>(
              grid, part, mine,
              [&](int k, int64_t at) { in[k].Load(args.io, at); },
              [&](int k, int64_t) {
                GSG_UNROLL
                for (int e = 0; e < kWidth; ++e) {
                  const float g = ToFloat(in[k].Gradient(e));
                  const float d = ToFloat(in[k].x[e]) - mean[e];
                  sum[e] += g;
                  product[e] = MultiplyAdd(g, d, product[e]);
                }
              });
        });
  }

  template <typename Block>
  GSG_DEVICE static void Finish(Block& block, const Args& args,
                                double* shared) {
    const NormGrid& grid = args.grid;
    const auto& io = args.io;
    FinishSums(
        block, grid, args.partial, shared,
        [&](int view, int channel, double sum, double product) {
          const double rows = static_cast<double>(grid.rows);
          const double inverse_std =
              io.inverse_std[static_cast<int64_t>(view) * grid.channels +
                             channel];
          const double scale =
              inverse_std * (io.weight == nullptr ? 1 : io.weight[channel]);
          product *= inverse_std;
          float* const factors =
              args.factors + static_cast<int64_t>(view) * 3 * grid.channels +
              channel;
          factors[0] = static_cast<float>(scale);
          factors[grid.channels] =
              static_cast<float>(-scale * inverse_std * product / rows);
          factors[2 * grid.channels] = static_cast<float>(-scale * sum / rows);
          AddView(io.dbias, view, channel, sum);
          AddView(io.dweight, view, channel, product);
        });
  }

  template <typename Block>
  GSG_DEVICE static void Apply(Block& block, const Args& args) {
    const NormGrid& grid = args.grid;
    const auto& io = args.io;
    const NormPart part(grid, grid.blocks() - 1 - block.index());
    block.Each([&](int t) {
      const NormThread<kWidth> mine(grid, part, t);
      if (!mine.active) return;
      float mean[kWidth], scale[kWidth], slope[kWidth], shift[kWidth];
      LoadChannels<kWidth>(
          io.mean + static_cast<int64_t>(part.view) * grid.channels,
          mine.channel, 0, mean);
      const float* const factors =
          args.factors + static_cast<int64_t>(part.view) * 3 * grid.channels;
      LoadChannels<kWidth>(factors, mine.channel, 0, scale);
      LoadChannels<kWidth>(factors + grid.channels, mine.channel, 0, slope);
      LoadChannels<kWidth>(factors + 2 * grid.channels, mine.channel, 0, shift);
      constexpr int kBatch = 2;
      Inputs in[kBatch];
      ForRows<kBatch, kWidth>(
          grid, part, mine, [&](int k, int64_t at) { in[k].Load(io, at); },
          [&](int k, int64_t at) {
            Pack<T, kWidth> dx, g;
            GSG_UNROLL
            for (int e = 0; e < kWidth; ++e) {
              g.element[e] = in[k].Gradient(e);
              const float d = ToFloat(in[k].x[e]) - mean[e];
              dx.element[e] =
                  FromFloat<T>(MultiplyAdd(ToFloat(g.element[e]), scale[e],
                                           MultiplyAdd(d, slope[e], shift[e])));
            }
            StorePack<T, kWidth>(dx, /*streaming=*/false, io.dx + at);
            if (io.dresidual != nullptr) {
              StorePack<T, kWidth>(g, /*streaming=*/false, io.dresidual + at);
            }
          });
    });
  }

 private:
  struct Inputs {
    GSG_DEVICE void Load(const BatchNormBackward<T>& io, int64_t at) {
      x.Load(io.x + at);
      dy.Load(io.dy + at);
      positive = io.positive == nullptr ? ~0u : io.positive[at / kWidth];
    }
    GSG_DEVICE T Gradient(int e) const {
      return (positive >> e & 1) != 0 ? dy[e] : FromFloat<T>(0);
    }

    Group<T, kWidth> x, dy;
    uint32_t positive;
  };

  // Views come in their order, to one thread for each channel.
  GSG_DEVICE static void AddView(float* sum, int view, int channel,
                                 double value) {
    if (sum == nullptr) return;
    const double before = view == 0 ? 0 : sum[channel];
    sum[channel] = static_cast<float>(before + value);
  }
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_BATCH_NORM_KERNEL_H_
