#include "trainers/explore/neighbor_graph.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/executor.h"
#include "gsg_core/status_macros.h"
#include "hnswlib/hnswlib.h"
#include "trainers/augment/simd.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

// Rows between two questions whether to stop.
constexpr int64_t kBlock = 2000;

// Eight values, by the processor's instructions for as many, if it has them.
typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));

// Where the graph's time goes.
GSG_PIXEL_LOOPS
float Dot(const float* a, const float* b, size_t width) {
  // A row that is far in memory: all of it is asked for at once.
  for (size_t line = 16; line < width; line += 16) {
    __builtin_prefetch(b + line);
  }
  Eight sums[4] = {};
  size_t i = 0;
  for (; i + 32 <= width; i += 32) {
    for (size_t s = 0; s < 4; ++s) {
      sums[s] += *reinterpret_cast<const Eight*>(a + i + 8 * s) *
                 *reinterpret_cast<const Eight*>(b + i + 8 * s);
    }
  }
  const Eight sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float dot = 0;
  for (int lane = 0; lane < 8; ++lane) dot += sum[lane];
  for (; i < width; ++i) dot += a[i] * b[i];
  return dot;
}

// The graph's points are pointers to rows, which stay where they are.
class RowSpace : public hnswlib::SpaceInterface<float> {
 public:
  explicit RowSpace(int64_t width) : width_(static_cast<size_t>(width)) {}

  size_t get_data_size() override { return sizeof(const float*); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return Distance; }
  void* get_dist_func_param() override { return &width_; }

 private:
  static float Distance(const void* a, const void* b, const void* width) {
    return 1 - Dot(*static_cast<const float* const*>(a),
                   *static_cast<const float* const*>(b),
                   *static_cast<const size_t*>(width));
  }

  size_t width_;
};

using Graph = hnswlib::HierarchicalNSW<float>;

// The result of searching for row i, which finds itself, too.
void Fill(const UnitRows& rows, const Graph& graph, int64_t i,
          Neighbors* result) {
  const float* row = rows.row(i).data();
  // A heap, farthest first.
  auto found = graph.searchKnn(&row, static_cast<size_t>(result->k + 1));
  std::vector<std::pair<float, int32_t>> hits;
  for (; !found.empty(); found.pop()) {
    const auto j = static_cast<int32_t>(found.top().second);
    if (j != i) hits.emplace_back(found.top().first, j);
  }
  std::sort(hits.begin(), hits.end());
  // So many copies of one picture may be linked to each other alone that the
  // search finds fewer than k. The farthest then stands for the others.
  if (hits.empty()) hits.emplace_back(2.f, i == 0 ? 1 : 0);
  const size_t found_count = hits.size();
  for (int64_t place = 0; place < result->k; ++place) {
    const auto& [distance, j] =
        hits[std::min(static_cast<size_t>(place), found_count - 1)];
    result->indices[i * result->k + place] = j;
    result->cosines[i * result->k + place] =
        std::clamp(1 - distance, -1.f, 1.f);
  }
}

}  // namespace

absl::StatusOr<Neighbors> FindNeighborsByGraph(const UnitRows& rows, int64_t k,
                                               const GraphOptions& options,
                                               Executor& executor,
                                               Watch watch) {
  if (k < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("k is ", k, "; at least 1 neighbor is needed"));
  }
  if (rows.n < 2 || rows.n > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", rows.n, " images; neighbors take 2 to 2^31 - 1 of them"));
  }
  Neighbors result;
  result.n = rows.n;
  result.k = std::min(k, rows.n - 1);
  result.indices.resize(result.n * result.k);
  result.cosines.resize(result.n * result.k);
  RowSpace space(rows.d);
  // The library's errors are exceptions.
  std::unique_ptr<Graph> graph;
  std::atomic<bool> failed(false);
  try {
    graph = std::make_unique<Graph>(&space, rows.n, options.m,
                                    options.ef_construction, options.seed);
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("neighbors of ", rows.n, " images: ", error.what()));
  }
  graph->setEf(std::max(options.ef, result.k + 1));
  const auto add = [&](int64_t i) {
    const float* row = rows.row(i).data();
    try {
      graph->addPoint(&row, static_cast<size_t>(i));
    } catch (const std::exception&) {
      failed = true;
    }
  };
  const auto search = [&](int64_t i) {
    try {
      Fill(rows, *graph, i, &result);
    } catch (const std::exception&) {
      failed = true;
    }
  };
  add(0);  // alone: others need where to begin
  for (const bool adding : {true, false}) {
    for (int64_t first = adding ? 1 : 0; first < rows.n; first += kBlock) {
      const int64_t before = adding ? 0 : rows.n;
      if (!watch(before + first, 2 * rows.n)) {
        return absl::CancelledError("interrupted");
      }
      executor.ParallelFor(std::min(kBlock, rows.n - first), [&](int64_t b) {
        adding ? add(first + b) : search(first + b);
      });
      if (failed) {
        return absl::ResourceExhaustedError(
            absl::StrCat("neighbors of ", rows.n, " images: out of memory"));
      }
    }
  }
  watch(2 * rows.n, 2 * rows.n);
  return result;
}

absl::StatusOr<double> Recall(const UnitRows& rows, const Neighbors& neighbors,
                              int64_t k, int64_t count, const Product& product,
                              Executor& executor) {
  UnitRows asked;
  asked.d = rows.d;
  asked.n = std::min(count, rows.n);
  for (int64_t q = 0; q < asked.n; ++q) {
    const absl::Span<const float> row = rows.row(q * rows.n / asked.n);
    asked.values.insert(asked.values.end(), row.begin(), row.end());
  }
  k = std::min(k, neighbors.k);
  // Each finds itself besides, or a copy that is as near.
  GSG_ASSIGN_OR_RETURN(const Neighbors nearest,
                       FindNeighbors(rows, asked, k + 1, /*themselves=*/false,
                                     product, executor, NoWatch));
  constexpr float kRounding = 1e-5f;
  int64_t right = 0;
  for (int64_t q = 0; q < asked.n; ++q) {
    const float least = nearest.cosines_of(q).back() - kRounding;
    for (int64_t place = 0; place < k; ++place) {
      right += neighbors.cosines_of(q * rows.n / asked.n)[place] >= least;
    }
  }
  return static_cast<double>(right) / static_cast<double>(asked.n * k);
}

}  // namespace gsg
