// The driver as ONNX Runtime's fused attention uses it: kernels are loaded and launched by name. Their parameters are a
// structure whose scale is told: Fused_multihead_attention_params_v2 in
// contrib_ops/cuda/bert/tensorrt_fused_multihead_attention/mha_runner.h.
#include <cuda.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "event-log.h"
#undef cuModuleGetGlobal

namespace {

constexpr int kSharedMemory = 49152;
constexpr int kSharedMemoryOptIn = 65536;
// Of `scale_bmm1` in the parameters: two halves of the same float16, or one float.
constexpr size_t kScaleOffset = 64;

struct Function {
  std::string name;
  unsigned sharedMemory = kSharedMemory;
};

std::mutex mutex;
std::map<CUfunction, Function> functions;

template <typename Handle>
CUresult create(Handle* handle) {
  *handle = reinterpret_cast<Handle>(calloc(1, 64));
  return CUDA_SUCCESS;
}

}  // namespace

EXPORTED CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
EXPORTED CUresult cuDriverGetVersion(int* version) { *version = 13000; return CUDA_SUCCESS; }
EXPORTED CUresult cuDeviceGetCount(int* count) { *count = 1; return CUDA_SUCCESS; }
EXPORTED CUresult cuDeviceGet(CUdevice* device, int) { *device = 0; return CUDA_SUCCESS; }
EXPORTED CUresult cuGetErrorName(CUresult, const char** name) { *name = "an error of the stand-in"; return CUDA_SUCCESS; }
EXPORTED CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "an error of the stand-in: its log says which";
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuModuleLoadData(CUmodule* module, const void*) { return create(module); }
EXPORTED CUresult cuModuleUnload(CUmodule module) { free(module); return CUDA_SUCCESS; }
EXPORTED CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
  create(function);
  std::lock_guard<std::mutex> lock(mutex);
  functions[*function] = Function{name};
  return CUDA_SUCCESS;
}
EXPORTED CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
  std::lock_guard<std::mutex> lock(mutex);
  if (value > kSharedMemoryOptIn) {
    event("error\t%d\t%s\n", CUDA_ERROR_INVALID_VALUE, functions[function].name.c_str());
    return CUDA_ERROR_INVALID_VALUE;
  }
  functions[function].sharedMemory = value;
  return CUDA_SUCCESS;
}
EXPORTED CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                 unsigned blockY, unsigned blockZ, unsigned sharedMemory, CUstream, void** parameters,
                                 void**) {
  std::lock_guard<std::mutex> lock(mutex);
  const auto& [name, most] = functions[function];
  unsigned scale = 0;
  if (parameters && parameters[0]) memcpy(&scale, static_cast<char*>(parameters[0]) + kScaleOffset, sizeof scale);
  event("kernel\t%s\t%u,%u,%u\t%u,%u,%u\t%u\t%08x\n", name.c_str(), gridX, gridY, gridZ, blockX, blockY, blockZ,
        sharedMemory, scale);
  if (sharedMemory <= most) return CUDA_SUCCESS;
  event("error\t%d\t%s\n", CUDA_ERROR_INVALID_VALUE, name.c_str());
  return CUDA_ERROR_INVALID_VALUE;
}
