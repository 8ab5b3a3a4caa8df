// cuBLASLt: a handle is made with each session, and used by operators that these graphs do not have.
#include "event-log.h"

constexpr int kSuccess = 0;
constexpr int kNotSupported = 15;

EXPORTED int cublasLtCreate(void** handle) { *handle = calloc(1, 64); return kSuccess; }
EXPORTED int cublasLtDestroy(void* handle) { free(handle); return kSuccess; }

#define ABSENT(name) \
  EXPORTED int name() { event("absent\t" #name "\n"); return kNotSupported; }
ABSENT(cublasLtMatmul)
ABSENT(cublasLtMatmulAlgoConfigSetAttribute)
ABSENT(cublasLtMatmulAlgoGetHeuristic)
ABSENT(cublasLtMatmulAlgoInit)
ABSENT(cublasLtMatmulDescCreate)
ABSENT(cublasLtMatmulDescDestroy)
ABSENT(cublasLtMatmulDescSetAttribute)
ABSENT(cublasLtMatmulPreferenceCreate)
ABSENT(cublasLtMatmulPreferenceDestroy)
ABSENT(cublasLtMatmulPreferenceSetAttribute)
ABSENT(cublasLtMatrixLayoutCreate)
ABSENT(cublasLtMatrixLayoutDestroy)
ABSENT(cublasLtMatrixLayoutSetAttribute)
ABSENT(cublasLtMatrixTransform)
ABSENT(cublasLtMatrixTransformDescCreate)
ABSENT(cublasLtMatrixTransformDescDestroy)
