#ifndef GSG_TRAINERS_BASE_WAIT_POLICY_H_
#define GSG_TRAINERS_BASE_WAIT_POLICY_H_

namespace gsg {

// LibTorch computes with OpenMP, whose threads by default spin for long
// while they wait for each other. Where another program has the core of one of
// them, the others burn theirs until it is back. This makes them sleep soon,
// and at once on a machine that is crowded now: the environment gets
// GOMP_SPINCOUNT, which libgomp reads as it is loaded, so that the program is
// executed once more. Does nothing if the environment says already how to wait
// (OMP_WAIT_POLICY, GOMP_SPINCOUNT), or if that is not possible. `argv` ends
// with null. Call it before there are threads or open files.
void SpinBriefly(const char* const* argv);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_WAIT_POLICY_H_
