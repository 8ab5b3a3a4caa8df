// cuBLAS: products are told, with their sizes, and not computed. Without its header (of a wheel of 400 MB): every
// argument is a pointer or an integer, and every enumeration an int.
#include <cstring>

#include "event-log.h"

using Handle = void*;
using Pointer = const void*;
constexpr int kSuccess = 0;
constexpr int kNotSupported = 15;

EXPORTED int cublasCreate_v2(Handle* handle) { *handle = calloc(1, 64); return kSuccess; }
EXPORTED int cublasDestroy_v2(Handle handle) { free(handle); return kSuccess; }
EXPORTED int cublasSetStream_v2(Handle, Pointer) { return kSuccess; }
EXPORTED int cublasGetMathMode(Handle, int* mode) { *mode = 0; return kSuccess; }
EXPORTED int cublasSetMathMode(Handle, int) { return kSuccess; }
EXPORTED const char* cublasGetStatusName(int) { return "an error of the stand-in"; }
EXPORTED const char* cublasGetStatusString(int) { return "an error of the stand-in"; }

// gemm: kind, m, n, k, batch, compute type. CUBLAS_COMPUTE_16F is 64, 32F is 68, its fast kinds follow.
EXPORTED int cublasGemmEx(Handle, int, int, int m, int n, int k, Pointer, Pointer, int, int, Pointer, int, int, Pointer,
                          Pointer, int, int, int compute, int) {
  event("gemm\tplain\t%d\t%d\t%d\t1\t%d\n", m, n, k, compute);
  return kSuccess;
}
EXPORTED int cublasGemmStridedBatchedEx(Handle, int, int, int m, int n, int k, Pointer, Pointer, int, int, long long,
                                        Pointer, int, int, long long, Pointer, Pointer, int, int, long long, int batch,
                                        int compute, int) {
  event("gemm\tstrided\t%d\t%d\t%d\t%d\t%d\n", m, n, k, batch, compute);
  return kSuccess;
}
EXPORTED int cublasGemmBatchedEx(Handle, int, int, int m, int n, int k, Pointer, Pointer, int, int, Pointer, int, int,
                                 Pointer, Pointer, int, int, int batch, int compute, int) {
  event("gemm\tpointers\t%d\t%d\t%d\t%d\t%d\n", m, n, k, batch, compute);
  return kSuccess;
}
EXPORTED int cublasSgemm_v2(Handle, int, int, int m, int n, int k, Pointer, Pointer, int, Pointer, int, Pointer,
                            Pointer, int) {
  event("gemm\tfloat32\t%d\t%d\t%d\t1\t68\n", m, n, k);
  return kSuccess;
}

EXPORTED int cublasSgemmStridedBatched(Handle, int, int, int m, int n, int k, Pointer, Pointer, int, long long, Pointer,
                                       int, long long, Pointer, Pointer, int, long long, int batch) {
  event("gemm\tfloat32\t%d\t%d\t%d\t%d\t68\n", m, n, k, batch);
  return kSuccess;
}

// Of operators that these graphs do not have.
#define ABSENT(name) \
  EXPORTED int name() { event("absent\t" #name "\n"); return kNotSupported; }
ABSENT(cublasDcopy_v2)
ABSENT(cublasDgeam)
ABSENT(cublasDgemmBatched)
ABSENT(cublasDgemmStridedBatched)
ABSENT(cublasDgemm_v2)
ABSENT(cublasDgetrfBatched)
ABSENT(cublasDgetriBatched)
ABSENT(cublasScopy_v2)
ABSENT(cublasSgeam)
ABSENT(cublasSgemmBatched)
ABSENT(cublasSgetrfBatched)
ABSENT(cublasSgetriBatched)
ABSENT(cublasSscal_v2)
