// Winograd's algorithm. Part of convolution_kernels-inl.h, within its
// namespaces.

// Registers of a panel.
constexpr int64_t kVecs = kPanel / kLanes;

// A matrix of the algorithm times a vector of kIn elements, which lie `stride`
// apart, as do the kOut of the result.

struct ApplyBt {  // [6] -> [6]
  static constexpr int kIn = 6, kOut = 6;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec d0 = in[0], d1 = in[stride], d2 = in[2 * stride],
              d3 = in[3 * stride], d4 = in[4 * stride], d5 = in[5 * stride];
    const Vec even = d4 - 4 * d2, odd = d3 - 4 * d1;
    const Vec even2 = d4 - d2, odd2 = 2 * (d3 - d1);
    out[0] = 4 * d0 - 5 * d2 + d4;
    out[stride] = even + odd;
    out[2 * stride] = even - odd;
    out[3 * stride] = even2 + odd2;
    out[4 * stride] = even2 - odd2;
    out[5 * stride] = 4 * d1 - 5 * d3 + d5;
  }
};

struct ApplyB {  // [6] -> [6]
  static constexpr int kIn = 6, kOut = 6;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec v0 = in[0], v5 = in[5 * stride];
    const Vec sum = in[stride] + in[2 * stride];
    const Vec difference = in[stride] - in[2 * stride];
    const Vec sum2 = in[3 * stride] + in[4 * stride];
    const Vec difference2 = 2 * (in[3 * stride] - in[4 * stride]);
    out[0] = 4 * v0;
    out[stride] = 4 * (v5 - difference) - difference2;
    out[2 * stride] = -5 * v0 - 4 * sum - sum2;
    out[3 * stride] = difference + difference2 - 5 * v5;
    out[4 * stride] = v0 + sum + sum2;
    out[5 * stride] = v5;
  }
};

struct ApplyAt {  // [6] -> [4]
  static constexpr int kIn = 6, kOut = 4;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec sum = in[stride] + in[2 * stride];
    const Vec difference = in[stride] - in[2 * stride];
    const Vec sum2 = in[3 * stride] + in[4 * stride];
    const Vec difference2 = in[3 * stride] - in[4 * stride];
    out[0] = in[0] + sum + sum2;
    out[stride] = difference + 2 * difference2;
    out[2 * stride] = sum + 4 * sum2;
    out[3 * stride] = difference + 8 * difference2 + in[5 * stride];
  }
};

struct ApplyA {  // [4] -> [6]
  static constexpr int kIn = 4, kOut = 6;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec y0 = in[0], y1 = in[stride], y2 = in[2 * stride],
              y3 = in[3 * stride];
    const Vec even = y0 + y2, odd = y1 + y3;
    const Vec even2 = y0 + 4 * y2, odd2 = 2 * y1 + 8 * y3;
    out[0] = y0;
    out[stride] = even + odd;
    out[2 * stride] = even - odd;
    out[3 * stride] = even2 + odd2;
    out[4 * stride] = even2 - odd2;
    out[5 * stride] = y3;
  }
};

struct ApplyG {  // [3] -> [6]
  static constexpr int kIn = 3, kOut = 6;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec w0 = in[0], w1 = in[stride], w2 = in[2 * stride];
    const Vec even = (w0 + w2) * (-1.0f / 6), odd = w1 * (-1.0f / 6);
    const Vec even2 = w0 * (1.0f / 24) + w2 * (1.0f / 6),
              odd2 = w1 * (1.0f / 12);
    out[0] = w0 * 0.25f;
    out[stride] = even + odd;
    out[2 * stride] = even - odd;
    out[3 * stride] = even2 + odd2;
    out[4 * stride] = even2 - odd2;
    out[5 * stride] = w2;
  }
};

struct ApplyGt {  // [6] -> [3]
  static constexpr int kIn = 6, kOut = 3;
  GSG_INLINE static void Do(const Vec* in, int stride, Vec* out) {
    const Vec sum = in[stride] + in[2 * stride];
    const Vec difference = in[stride] - in[2 * stride];
    const Vec sum2 = in[3 * stride] + in[4 * stride];
    const Vec difference2 = in[3 * stride] - in[4 * stride];
    out[0] = in[0] * 0.25f - sum * (1.0f / 6) + sum2 * (1.0f / 24);
    out[stride] = difference2 * (1.0f / 12) - difference * (1.0f / 6);
    out[2 * stride] = (sum2 - sum) * (1.0f / 6) + in[5 * stride];
  }
};

// Matrix on both sides of a square: rows have a stride of 6 in `in` and `out`.
template <class Matrix>
GSG_INLINE void BothSides(const Vec* in, Vec* out) {
  Vec half[36];
  GSG_UNROLL
  for (int column = 0; column < Matrix::kIn; ++column) {
    Matrix::Do(in + column, 6, half + column);
  }
  GSG_UNROLL
  for (int row = 0; row < Matrix::kOut; ++row) {
    Matrix::Do(half + 6 * row, 1, out + 6 * row);
  }
}

// Calls visit(tile, first row, first column, image) for each tile.
template <class T, class Visit>
GSG_INLINE void ForEachTile(const ImagePanel<T>& images, const Visit& visit) {
  const int64_t down = (images.height + 3) / 4;
  const int64_t across = (images.width + 3) / 4;
  const int64_t size = images.height * images.width * images.channels;
  int64_t tile = 0;
  for (int64_t i = 0; i < images.count; ++i) {
    for (int64_t y = 0; y < down; ++y) {
      for (int64_t x = 0; x < across; ++x) {
        visit(tile++, 4 * y, 4 * x, images.data + i * size);
      }
    }
  }
}

// Calls visit(index in a square of stride 6, pixel) for the pixels of a square
// of kSize that lie in the image. (row, column): its corner, which may not.
template <int kSize, class T, class Visit>
GSG_INLINE void ForEachPixel(const ImagePanel<T>& images, T* image, int64_t row,
                             int64_t column, const Visit& visit) {
  if (row >= 0 && column >= 0 && row + kSize <= images.height &&
      column + kSize <= images.width) {
    T* const corner = image + (row * images.width + column) * images.channels;
    for (int r = 0; r < kSize; ++r) {
      for (int c = 0; c < kSize; ++c) {
        visit(6 * r + c, corner + (r * images.width + c) * images.channels);
      }
    }
    return;
  }
  for (int r = 0; r < kSize; ++r) {
    if (row + r < 0 || row + r >= images.height) continue;
    for (int c = 0; c < kSize; ++c) {
      if (column + c < 0 || column + c >= images.width) continue;
      visit(6 * r + c,
            image + ((row + r) * images.width + column + c) * images.channels);
    }
  }
}

template <class Matrix, int kSize, int kMargin>
GSG_INLINE void Transform(const ImagePanel<const float>& x,
                          const TilePanels<float>& v) {
  ForEachTile(
      x, [&](int64_t tile, int64_t row, int64_t column, const float* image) {
        for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
          Vec in[36] = {}, out[36];
          ForEachPixel<kSize>(
              x, image, row - kMargin, column - kMargin,
              [&](int i, const float* p) { in[i] = Load(p + lane); });
          BothSides<Matrix>(in, out);
          float* const to = v.data + tile * kPanel + lane;
          GSG_UNROLL
          for (int e = 0; e < 36; ++e) Store(out[e], to + e * v.entry_stride);
        }
      });
}

void TransformInput(ImagePanel<const float> x, TilePanels<float> v) {
  Transform<ApplyBt, 6, 1>(x, v);
}

void TransformOutput(ImagePanel<const float> y, TilePanels<float> m) {
  Transform<ApplyA, 4, 0>(y, m);
}

template <class Matrix, int kSize, int kMargin, bool kAdd>
GSG_INLINE void Restore(const TilePanels<const float>& v,
                        const ImagePanel<float>& x) {
  ForEachTile(x, [&](int64_t tile, int64_t row, int64_t column, float* image) {
    for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
      Vec in[36], out[36];
      const float* const from = v.data + tile * kPanel + lane;
      GSG_UNROLL
      for (int e = 0; e < 36; ++e) in[e] = Load(from + e * v.entry_stride);
      BothSides<Matrix>(in, out);
      ForEachPixel<kSize>(x, image, row - kMargin, column - kMargin,
                          [&](int i, float* p) {
                            p += lane;
                            Store(kAdd ? Load(p) + out[i] : out[i], p);
                          });
    }
  });
}

void RestoreInput(TilePanels<const float> v, ImagePanel<float> x) {
  Restore<ApplyB, 6, 1, true>(v, x);
}

void RestoreOutput(TilePanels<const float> m, ImagePanel<float> y) {
  Restore<ApplyAt, 4, 0, false>(m, y);
}

// taps: the first of 9, `stride` apart.
GSG_INLINE void TransformTaps(const float* taps, int64_t stride, float* u,
                              int64_t entry_stride) {
  Vec in[36], out[36];
  for (int t = 0; t < 9; ++t) in[6 * (t / 3) + t % 3] = Load(taps + t * stride);
  BothSides<ApplyG>(in, out);
  for (int e = 0; e < 36; ++e) Store(out[e], u + e * entry_stride);
}

void TransformWeight(const float* w, int64_t in, float* u) {
  for (int64_t c = 0; c < in; c += kPanel) {
    // The memory's order is the other one: turn blocks of panel x panel.
    float taps[9][kPanel][kPanel];
    for (int64_t o = 0; o < kPanel; ++o) {
      for (int64_t t = 0; t < 9; ++t) {
        const float* const from = w + (o * 9 + t) * in + c;
        for (int64_t i = 0; i < kPanel; ++i) taps[t][i][o] = from[i];
      }
    }
    for (int64_t i = 0; i < kPanel; ++i) {
      for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
        TransformTaps(taps[0][i] + lane, kPanel * kPanel,
                      u + (c + i) * kPanel + lane, WeightStride(in));
      }
    }
  }
}

void TransformWeightByInput(const float* w, int64_t out, int64_t in, float* u) {
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
      TransformTaps(w + o * 9 * in + lane, in, u + o * kPanel + lane,
                    WeightStride(out));
    }
  }
}

void RestoreWeightByInput(const float* u, int64_t out, int64_t in, float* w) {
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
      Vec entries[36], taps[36];
      GSG_UNROLL
      for (int e = 0; e < 36; ++e) {
        entries[e] = Load(u + e * WeightStride(out) + o * kPanel + lane);
      }
      BothSides<ApplyGt>(entries, taps);
      for (int t = 0; t < 9; ++t) {
        float* const p = w + (o * 9 + t) * in + lane;
        Store(Load(p) + taps[6 * (t / 3) + t % 3], p);
      }
    }
  }
}

// kRows rows of panels, in registers.
template <int kRows>
struct Block {
  Vec rows[kRows][kVecs] = {};

  // Adds the outer product of a[0], a[stride], ... and the panel b.
  GSG_INLINE void Add(const float* a, int64_t stride, const float* b) {
    Vec panel[kVecs];
    GSG_UNROLL
    for (int64_t v = 0; v < kVecs; ++v) panel[v] = Load(b + v * kLanes);
    GSG_UNROLL
    for (int64_t r = 0; r < kRows; ++r) {
      const float factor = a[r * stride];
      GSG_UNROLL
      for (int64_t v = 0; v < kVecs; ++v) rows[r][v] += panel[v] * factor;
    }
  }

  GSG_INLINE void StoreTo(float* out) const {
    GSG_UNROLL
    for (int64_t r = 0; r < kRows; ++r) {
      GSG_UNROLL
      for (int64_t v = 0; v < kVecs; ++v) {
        Store(rows[r][v], out + r * kPanel + v * kLanes);
      }
    }
  }
};

// As many as keep the multipliers busy and fit into the registers.
constexpr int kTileRows = GSG_SIMD_BYTES == 64   ? 12
                          : GSG_SIMD_BYTES == 32 ? 6
                                                 : 2;
constexpr int kChannelRows = GSG_SIMD_BYTES == 64   ? 8
                             : GSG_SIMD_BYTES == 32 ? 4
                                                    : 2;
static_assert(kTileMultiple % kTileRows == 0 && kPanel % kChannelRows == 0, "");

void Multiply(TilePanels<const float> a, const float* u, int64_t channels,
              int64_t tiles, TilePanels<float> m) {
  for (int64_t e = 0; e < kWinogradEntries; ++e) {
    for (int64_t tile = 0; tile < tiles; tile += kTileRows) {
      Block<kTileRows> block;
      const float* row = a.data + e * a.entry_stride + tile * kPanel;
      const float* weight = u + e * WeightStride(channels);
      for (int64_t c = 0; c < channels; c += kPanel) {
        for (int64_t l = 0; l < kPanel; ++l) {
          block.Add(row + l, kPanel, weight + l * kPanel);
        }
        row += a.panel_stride;
        weight += kPanel * kPanel;
      }
      block.StoreTo(m.data + e * m.entry_stride + tile * kPanel);
    }
  }
}

void MultiplyTiles(TilePanels<const float> a, TilePanels<const float> v,
                   int64_t channels, int64_t tiles, float* u) {
  for (int64_t e = 0; e < kWinogradEntries; ++e) {
    for (int64_t c = 0; c < channels; c += kChannelRows) {
      Block<kChannelRows> block;
      const float* row = a.data + e * a.entry_stride +
                         c / kPanel * a.panel_stride + c % kPanel;
      const float* panel = v.data + e * v.entry_stride;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        block.Add(row + tile * kPanel, 1, panel + tile * kPanel);
      }
      block.StoreTo(u + e * WeightStride(channels) + c * kPanel);
    }
  }
}
