"""What a target that calls at::parallel_for needs.

LibTorch compiles that function into its callers. Without OPENMP_COPTS it is a
plain loop there, on one thread, and nobody says so; hence the callers ask with
the preprocessor.
"""

OPENMP_COPTS = ["-fopenmp"]

# The runtime, libgomp.so.1, is the one that LibTorch has loaded.
OPENMP_LINKOPTS = ["-fopenmp"]
