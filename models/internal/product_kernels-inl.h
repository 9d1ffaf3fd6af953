// Products of matrices. Part of convolution_kernels-inl.h, within its
// namespaces.

// As many as keep the multipliers busy and fit into the registers.
constexpr int64_t kProductRows = GSG_SIMD_BYTES == 64   ? 12
                                 : GSG_SIMD_BYTES == 32 ? 6
                                                        : 4;
constexpr int64_t kProductColumns = 2 * kLanes;

typedef float Quad __attribute__((vector_size(16)));
typedef float UnalignedQuad
    __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t Indices __attribute__((vector_size(16)));

template <int a, int b, int c, int d>
GSG_INLINE Quad Select(Quad x, Quad y) {
#if defined(__clang__)
  return __builtin_shufflevector(x, y, a, b, c, d);
#else
  return __builtin_shuffle(x, y, Indices{a, b, c, d});
#endif
}

// to[c * to_stride + r] = from[r * from_stride + c] for four rows and columns.
GSG_INLINE void Transpose(const float* from, int64_t from_stride, float* to,
                          int64_t to_stride) {
  Quad x[4];
  for (int r = 0; r < 4; ++r) {
    x[r] = *(const UnalignedQuad*)(from + r * from_stride);
  }
  const Quad low01 = Select<0, 4, 1, 5>(x[0], x[1]);
  const Quad low23 = Select<0, 4, 1, 5>(x[2], x[3]);
  const Quad high01 = Select<2, 6, 3, 7>(x[0], x[1]);
  const Quad high23 = Select<2, 6, 3, 7>(x[2], x[3]);
  const Quad columns[4] = {
      Select<0, 1, 4, 5>(low01, low23), Select<2, 3, 6, 7>(low01, low23),
      Select<0, 1, 4, 5>(high01, high23), Select<2, 3, 6, 7>(high01, high23)};
  for (int c = 0; c < 4; ++c)
    *(UnalignedQuad*)(to + c * to_stride) = columns[c];
}

template <int64_t kRows>
void Pack(const MatrixView& from, float* to) {
  int64_t c = 0;
  if (from.rows == kRows && from.row == 1) {
    for (; c < from.columns; ++c) {
      __builtin_memcpy(to + c * kRows, from.data + c * from.column,
                       kRows * sizeof(float));
    }
  } else if (from.rows == kRows && kRows % 4 == 0) {
    for (; c + 4 <= from.columns; c += 4) {
      for (int64_t r = 0; r < kRows; r += 4) {
        Transpose(from.data + r * from.row + c, from.row, to + c * kRows + r,
                  kRows);
      }
    }
  }
  for (; c < from.columns; ++c) {
    for (int64_t r = 0; r < kRows; ++r) {
      to[c * kRows + r] =
          r < from.rows ? from.data[r * from.row + c * from.column] : 0;
    }
  }
}

void SumProducts(const ProductTerm* terms, int64_t count, int64_t depth,
                 float* out, int64_t stride) {
  Vec sums[kProductRows][2] = {};
  for (int64_t t = 0; t < count; ++t) {
    const float* a = terms[t].a;
    const float* b = terms[t].b;
    for (int64_t k = 0; k < depth; ++k) {
      const Vec left = Load(b), right = Load(b + kLanes);
      GSG_UNROLL
      for (int64_t r = 0; r < kProductRows; ++r) {
        sums[r][0] += left * a[r];
        sums[r][1] += right * a[r];
      }
      a += kProductRows;
      b += kProductColumns;
    }
  }
  GSG_UNROLL
  for (int64_t r = 0; r < kProductRows; ++r) {
    Store(sums[r][0], out + r * stride);
    Store(sums[r][1], out + r * stride + kLanes);
  }
}
