#ifndef GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_
#define GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_

namespace gsg::distances {

// What a distance is a function of. A distance file declares
//   kName: its name;
//   kPairSum: the sum over columns that its Value takes first;
//   Value(sum, xx, yy): the distance, where xx = sum_c x_c^2 and yy likewise
//     are taken for kProduct only (0 otherwise).
enum class PairSum {
  kSquaredDifference,  // sum_c (x_c - y_c)^2
  kProduct,            // sum_c x_c y_c
};

}  // namespace gsg::distances

#endif  // GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_
