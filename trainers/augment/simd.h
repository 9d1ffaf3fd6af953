#ifndef GSG_TRAINERS_AUGMENT_SIMD_H_
#define GSG_TRAINERS_AUGMENT_SIMD_H_

// Before a function of pixel loops: compiled for AVX2, too, which is used where
// the machine has it. No FMA comes with that, so that every machine computes
// the same numbers. Sanitizers do not get along with functions that are chosen
// while the program is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GSG_PIXEL_LOOPS __attribute__((target_clones("avx2", "default")))
#else
#define GSG_PIXEL_LOOPS
#endif

#endif  // GSG_TRAINERS_AUGMENT_SIMD_H_
