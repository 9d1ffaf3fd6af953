#ifndef GSG_TESTS_TRAINERS_FUZZ_CHECK_H_
#define GSG_TESTS_TRAINERS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Ends the program, as a finding, unless `condition` holds.
#define GSG_FUZZ_CHECK(condition)                                           \
  do {                                                                      \
    if (!(condition)) {                                                     \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, \
                   #condition);                                             \
      std::abort();                                                         \
    }                                                                       \
  } while (false)

#endif  // GSG_TESTS_TRAINERS_FUZZ_CHECK_H_
