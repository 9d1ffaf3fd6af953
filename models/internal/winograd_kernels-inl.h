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

// Asks for the four rows of pixels below a tile, which the tile there needs, or
// the next image, whose rows follow. A panel's pixels lie apart, where no
// processor expects the next one. Behind the last image nothing is read: a
// prefetch may have any address.
GSG_INLINE void PrefetchBelow(const ImagePanel<const float>& x,
                              const float* image, int64_t row, int64_t column) {
  const float* const corner = image + (row * x.width + column) * x.channels;
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) {
      __builtin_prefetch(corner + (r * x.width + c) * x.channels);
    }
  }
}

template <class Matrix, int kSize, int kMargin>
GSG_INLINE void Transform(const ImagePanel<const float>& x,
                          const TilePanels<float>& v) {
  ForEachTile(
      x, [&](int64_t tile, int64_t row, int64_t column, const float* image) {
        PrefetchBelow(x, image, row + kSize - kMargin, column);
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

// w: 9 taps, in registers.
GSG_INLINE void TransformTaps(const Vec* w, float* u, int64_t entry_stride) {
  Vec in[36], out[36];
  GSG_UNROLL
  for (int t = 0; t < 9; ++t) in[6 * (t / 3) + t % 3] = w[t];
  BothSides<ApplyG>(in, out);
  GSG_UNROLL
  for (int e = 0; e < 36; ++e) Store(out[e], u + e * entry_stride);
}

// Turns a square of kLanes vectors: each round interleaves the vectors of the
// first half with those of the second.
GSG_INLINE void Transpose(Vec* square) {
#if defined(__clang__)
  for (int64_t r = 0; r < kLanes; ++r) {
    for (int64_t c = 0; c < r; ++c) {
      const float value = square[r][c];
      square[r][c] = square[c][r];
      square[c][r] = value;
    }
  }
#else
  typedef int Indices __attribute__((vector_size(GSG_SIMD_BYTES)));
  Indices low = {}, high = {};
  GSG_UNROLL
  for (int64_t i = 0; i < kLanes; ++i) {
    low[i] = static_cast<int>(i / 2 + i % 2 * kLanes);
    high[i] = low[i] + static_cast<int>(kLanes / 2);
  }
  GSG_UNROLL
  for (int64_t round = 1; round < kLanes; round *= 2) {
    Vec turned[kLanes];
    GSG_UNROLL
    for (int64_t i = 0; i < kLanes / 2; ++i) {
      const Vec a = square[i], b = square[i + kLanes / 2];
      turned[2 * i] = __builtin_shuffle(a, b, low);
      turned[2 * i + 1] = __builtin_shuffle(a, b, high);
    }
    GSG_UNROLL
    for (int64_t i = 0; i < kLanes; ++i) square[i] = turned[i];
  }
#endif
}

// Rows of weights lie kilobytes apart, where no processor expects the next one:
// it is asked for while this one is worked on.

void TransformWeight(const float* w, int64_t in, int64_t channels, float* u) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
      // The memory's order is the other one.
      Vec taps[kLanes][9];
      for (int64_t t = 0; t < 9; ++t) {
        Vec square[kLanes];
        GSG_UNROLL
        for (int64_t o = 0; o < kLanes; ++o) {
          const float* const from = w + ((lane + o) * 9 + t) * in + c;
          square[o] = Load(from);
          __builtin_prefetch(from + kLanes);
        }
        Transpose(square);
        GSG_UNROLL
        for (int64_t i = 0; i < kLanes; ++i) taps[i][t] = square[i];
      }
      for (int64_t i = 0; i < kLanes; ++i) {
        TransformTaps(taps[i], u + (c + i) * kPanel + lane,
                      WeightStride(channels));
      }
    }
  }
}

constexpr int64_t kRowsAhead = 8;

// Calls visit(channel in w, place in u) for the vectors of a row of w.
template <class T, class Visit>
GSG_INLINE void ForEachVector(const WeightPanels<T>& u, int64_t panels,
                              int64_t row, const Visit& visit) {
  for (int64_t p = 0; p < panels; ++p) {
    for (int64_t lane = 0; lane < kPanel; lane += kLanes) {
      visit(p * kPanel + lane,
            u.data + p * u.panel_stride + row * kPanel + lane);
    }
  }
}

void TransformWeightByInput(const float* w, int64_t out, int64_t in,
                            int64_t panels, WeightPanels<float> u) {
  for (int64_t o = 0; o < out; ++o) {
    ForEachVector(u, panels, o, [&](int64_t channel, float* to) {
      Vec taps[9];
      GSG_UNROLL
      for (int64_t t = 0; t < 9; ++t) {
        const float* const from = w + (o * 9 + t) * in + channel;
        taps[t] = Load(from);
        __builtin_prefetch(from + kRowsAhead * 9 * in);
      }
      TransformTaps(taps, to, WeightStride(out));
    });
  }
}

void RestoreWeightByInput(WeightPanels<const float> u, int64_t out, int64_t in,
                          int64_t panels, float* w, bool add) {
  for (int64_t o = 0; o < out; ++o) {
    ForEachVector(u, panels, o, [&](int64_t channel, const float* from) {
      Vec entries[36], taps[36];
      GSG_UNROLL
      for (int e = 0; e < 36; ++e) {
        entries[e] = Load(from + e * WeightStride(out));
      }
      BothSides<ApplyGt>(entries, taps);
      GSG_UNROLL
      for (int t = 0; t < 9; ++t) {
        float* const p = w + (o * 9 + t) * in + channel;
        const Vec tap = taps[6 * (t / 3) + t % 3];
        Store(add ? Load(p) + tap : tap, p);
        __builtin_prefetch(p + kRowsAhead * 9 * in, /*for writing*/ 1);
      }
    });
  }
}

// kRows rows of kPanels panels side by side, in registers.
template <int kRows, int kPanels>
struct Block {
  Vec rows[kRows][kPanels * kVecs] = {};

  // Adds the outer product of a[0], a[stride], ... and the panels at b,
  // `b_stride` apart.
  GSG_INLINE void Add(const float* a, int64_t stride, const float* b,
                      int64_t b_stride) {
    Vec panel[kPanels * kVecs];
    GSG_UNROLL
    for (int64_t v = 0; v < kPanels * kVecs; ++v) {
      panel[v] = Load(b + v / kVecs * b_stride + v % kVecs * kLanes);
    }
    GSG_UNROLL
    for (int64_t r = 0; r < kRows; ++r) {
      const float factor = a[r * stride];
      GSG_UNROLL
      for (int64_t v = 0; v < kPanels * kVecs; ++v) {
        rows[r][v] += panel[v] * factor;
      }
    }
  }

  // Calls visit(vector, its place in memory) for all.
  template <class Visit>
  GSG_INLINE void ForEach(float* data, int64_t stride, const Visit& visit) {
    GSG_UNROLL
    for (int64_t r = 0; r < kRows; ++r) {
      GSG_UNROLL
      for (int64_t v = 0; v < kPanels * kVecs; ++v) {
        visit(rows[r][v],
              data + v / kVecs * stride + r * kPanel + v % kVecs * kLanes);
      }
    }
  }
  GSG_INLINE void LoadFrom(float* data, int64_t stride) {
    ForEach(data, stride, [](Vec& x, const float* p) { x = Load(p); });
  }
  GSG_INLINE void StoreTo(float* data, int64_t stride) {
    ForEach(data, stride, [](const Vec& x, float* p) { Store(x, p); });
  }
};

// As many as keep the multipliers busy and fit into the registers. With
// registers of a panel, each value of `a` is read for two panels: a processor
// that multiplies two vectors in a cycle loads no more than two values.
constexpr int kTileRows = GSG_SIMD_BYTES == 64   ? 12
                          : GSG_SIMD_BYTES == 32 ? 6
                                                 : 2;
constexpr int kChannelRows = GSG_SIMD_BYTES == 64   ? 8
                             : GSG_SIMD_BYTES == 32 ? 4
                                                    : 2;
constexpr int kPanelsAtOnce = GSG_SIMD_BYTES == 64 ? 2 : 1;
// Of what tiles remain.
constexpr int kRestRows = GSG_SIMD_BYTES == 64 ? 4 : 2;
static_assert(kTileMultiple % kRestRows == 0 && kPanel % kChannelRows == 0, "");

// Without the first `p` panels.
template <class Panels>
GSG_INLINE Panels From(Panels panels, int64_t p) {
  panels.data += p * panels.panel_stride;
  return panels;
}

// For kRows tiles.
template <int kRows, int kPanels>
GSG_INLINE void MultiplyRows(const float* a, int64_t a_stride, const float* u,
                             int64_t u_stride, int64_t channels, float* m,
                             int64_t m_stride, bool add) {
  Block<kRows, kPanels> block;
  if (add) block.LoadFrom(m, m_stride);
  for (int64_t c = 0; c < channels; c += kPanel) {
    for (int64_t l = 0; l < kPanel; ++l) {
      block.Add(a + l, kPanel, u + l * kPanel, u_stride);
    }
    a += a_stride;
    u += kPanel * kPanel;
  }
  block.StoreTo(m, m_stride);
}

template <int kPanels>
GSG_INLINE void MultiplyPanels(const TilePanels<const float>& a,
                               const WeightPanels<const float>& u,
                               int64_t channels, int64_t tiles,
                               const TilePanels<float>& m, bool add) {
  for (int64_t e = 0; e < kWinogradEntries; ++e) {
    const float* from = a.data + e * a.entry_stride;
    const float* const weight = u.data + e * WeightStride(channels);
    float* to = m.data + e * m.entry_stride;
    int64_t rest = tiles;
    for (; rest >= kTileRows; rest -= kTileRows) {
      MultiplyRows<kTileRows, kPanels>(from, a.panel_stride, weight,
                                       u.panel_stride, channels, to,
                                       m.panel_stride, add);
      from += kTileRows * kPanel;
      to += kTileRows * kPanel;
    }
    for (; rest > 0; rest -= kRestRows) {
      MultiplyRows<kRestRows, kPanels>(from, a.panel_stride, weight,
                                       u.panel_stride, channels, to,
                                       m.panel_stride, add);
      from += kRestRows * kPanel;
      to += kRestRows * kPanel;
    }
  }
}

void Multiply(TilePanels<const float> a, WeightPanels<const float> u,
              int64_t panels, int64_t channels, int64_t tiles,
              TilePanels<float> m, bool add) {
  int64_t p = 0;
  for (; p + kPanelsAtOnce <= panels; p += kPanelsAtOnce) {
    MultiplyPanels<kPanelsAtOnce>(a, From(u, p), channels, tiles, From(m, p),
                                  add);
  }
  for (; p < panels; ++p) {
    MultiplyPanels<1>(a, From(u, p), channels, tiles, From(m, p), add);
  }
}

template <int kPanels>
GSG_INLINE void MultiplyTilesOfPanels(const TilePanels<const float>& a,
                                      const TilePanels<const float>& v,
                                      int64_t channels, int64_t tiles,
                                      const WeightPanels<float>& u) {
  for (int64_t e = 0; e < kWinogradEntries; ++e) {
    for (int64_t c = 0; c < channels; c += kChannelRows) {
      Block<kChannelRows, kPanels> block;
      const float* row = a.data + e * a.entry_stride +
                         c / kPanel * a.panel_stride + c % kPanel;
      const float* panel = v.data + e * v.entry_stride;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        block.Add(row + tile * kPanel, 1, panel + tile * kPanel,
                  v.panel_stride);
      }
      block.StoreTo(u.data + e * WeightStride(channels) + c * kPanel,
                    u.panel_stride);
    }
  }
}

void MultiplyTiles(TilePanels<const float> a, TilePanels<const float> v,
                   int64_t panels, int64_t channels, int64_t tiles,
                   WeightPanels<float> u) {
  int64_t p = 0;
  for (; p + kPanelsAtOnce <= panels; p += kPanelsAtOnce) {
    MultiplyTilesOfPanels<kPanelsAtOnce>(a, From(v, p), channels, tiles,
                                         From(u, p));
  }
  for (; p < panels; ++p) {
    MultiplyTilesOfPanels<1>(a, From(v, p), channels, tiles, From(u, p));
  }
}
