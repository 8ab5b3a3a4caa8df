// The CUDA runtime of a Tesla T4 that computes nothing: memory is kept account of, launches are checked against the
// limits of sm 7.5 and told. Results are zeros.
#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "event-log.h"
#undef cudaGetDeviceProperties

namespace {

// "nvidia-smi" of a g4dn.xlarge: 15,360 MiB less what the card keeps; a context takes some 350 MiB more.
constexpr size_t kMemory = 15655829504;
constexpr size_t kContext = 350u << 20;
constexpr size_t kAlignment = 512;
// Shared memory of a block: without asking, and with cudaFuncAttributeMaxDynamicSharedMemorySize.
constexpr int kSharedMemory = 49152;
constexpr int kSharedMemoryOptIn = 65536;
struct Kernel {
  std::string name;
  int sharedMemory = kSharedMemory;
};

std::recursive_mutex mutex;
using Lock = std::lock_guard<std::recursive_mutex>;
std::map<const void*, Kernel> kernels;
std::map<void*, size_t> allocations;
size_t used = 0;
thread_local cudaError_t lastError = cudaSuccess;

cudaError_t fail(cudaError_t error, const char* where) {
  event("error\t%d\t%s\n", error, where);
  return lastError = error;
}

template <typename Handle>
cudaError_t create(Handle* handle) {
  *handle = reinterpret_cast<Handle>(calloc(1, 64));
  return cudaSuccess;
}

template <typename Handle>
cudaError_t destroy(Handle handle) {
  free(reinterpret_cast<void*>(handle));
  return cudaSuccess;
}

cudaError_t allocate(void** pointer, size_t size) {
  Lock lock(mutex);
  *pointer = nullptr;
  if (size == 0) return cudaSuccess;
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (used + rounded + kContext > kMemory) return fail(cudaErrorMemoryAllocation, "cudaMalloc");
  // Pages that nobody writes to take no memory here.
  void* memory = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail(cudaErrorMemoryAllocation, "mmap");
  allocations[memory] = rounded;
  used += rounded;
  event("malloc\t%zu\t%zu\n", size, used);
  *pointer = memory;
  return cudaSuccess;
}

cudaError_t release(void* pointer) {
  Lock lock(mutex);
  const auto found = allocations.find(pointer);
  if (found == allocations.end()) return cudaSuccess;
  munmap(pointer, found->second);
  used -= found->second;
  allocations.erase(found);
  return cudaSuccess;
}

cudaError_t copy(void* to, const void* from, size_t size, cudaMemcpyKind kind) {
  event("copy\t%d\t%zu\n", kind, size);
  // Nobody computes with what goes to the device; what comes back is a result, and not what lay there before it.
  if (kind == cudaMemcpyDeviceToHost) memset(to, 0, size);
  if (kind == cudaMemcpyHostToHost) memcpy(to, from, size);
  return cudaSuccess;
}

cudaError_t launch(const void* function, dim3 grid, dim3 block, size_t sharedMemory) {
  Lock lock(mutex);
  const auto found = kernels.find(function);
  const Kernel kernel = found == kernels.end() ? Kernel{"unknown"} : found->second;
  event("kernel\t%s\t%u,%u,%u\t%u,%u,%u\t%zu\n", kernel.name.c_str(), grid.x, grid.y, grid.z, block.x, block.y,
        block.z, sharedMemory);
  const size_t threads = static_cast<size_t>(block.x) * block.y * block.z;
  const bool isEmpty = static_cast<size_t>(grid.x) * grid.y * grid.z * threads == 0;
  if (isEmpty || threads > 1024 || grid.y > 65535 || grid.z > 65535)
    return fail(cudaErrorInvalidConfiguration, kernel.name.c_str());
  if (sharedMemory > static_cast<size_t>(kernel.sharedMemory))
    return fail(cudaErrorInvalidValue, kernel.name.c_str());
  return cudaSuccess;
}

int attributeOf(cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
    case cudaDevAttrMaxBlockDimX:
    case cudaDevAttrMaxBlockDimY:
    case cudaDevAttrMaxThreadsPerMultiProcessor: return 1024;
    case cudaDevAttrMaxBlockDimZ: return 64;
    case cudaDevAttrMaxGridDimX: return 2147483647;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ: return 65535;
    case cudaDevAttrMaxSharedMemoryPerBlock: return kSharedMemory;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: return kSharedMemoryOptIn;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor: return 65536;
    case cudaDevAttrWarpSize: return 32;
    case cudaDevAttrMultiProcessorCount: return 40;
    case cudaDevAttrMaxBlocksPerMultiprocessor: return 16;
    case cudaDevAttrClockRate: return 1590000;
    case cudaDevAttrMemoryClockRate: return 5001000;
    case cudaDevAttrGlobalMemoryBusWidth: return 256;
    case cudaDevAttrL2CacheSize: return 4194304;
    case cudaDevAttrComputeCapabilityMajor: return 7;
    case cudaDevAttrComputeCapabilityMinor: return 5;
    case cudaDevAttrAsyncEngineCount: return 3;
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrMemoryPoolsSupported: return 1;
    default: return 0;
  }
}

struct LaunchConfiguration {
  dim3 grid, block;
  size_t sharedMemory;
  void* stream;
};
thread_local LaunchConfiguration pushed;

}  // namespace

// The device.
EXPORTED cudaError_t cudaGetDeviceCount(int* count) { *count = 1; return cudaSuccess; }
EXPORTED cudaError_t cudaGetDevice(int* device) { *device = 0; return cudaSuccess; }
EXPORTED cudaError_t cudaSetDevice(int) { return cudaSuccess; }
EXPORTED cudaError_t cudaDriverGetVersion(int* version) { *version = 13000; return cudaSuccess; }
EXPORTED cudaError_t cudaRuntimeGetVersion(int* version) { *version = 13000; return cudaSuccess; }
EXPORTED cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attributeOf(attribute);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  memset(properties, 0, sizeof *properties);
  strcpy(properties->name, "Tesla T4");
  properties->totalGlobalMem = kMemory;
  properties->sharedMemPerBlock = kSharedMemory;
  properties->sharedMemPerBlockOptin = kSharedMemoryOptIn;
  properties->sharedMemPerMultiprocessor = kSharedMemoryOptIn;
  properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = properties->maxThreadsPerMultiProcessor = 1024;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 2147483647;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->major = 7;
  properties->minor = 5;
  properties->multiProcessorCount = 40;
  properties->maxBlocksPerMultiProcessor = 16;
  properties->memoryBusWidth = 256;
  properties->l2CacheSize = 4194304;
  properties->unifiedAddressing = properties->managedMemory = properties->concurrentKernels = 1;
  properties->cooperativeLaunch = properties->memoryPoolsSupported = properties->canMapHostMemory = 1;
  properties->asyncEngineCount = 3;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }

// Errors.
EXPORTED cudaError_t cudaGetLastError() {
  const cudaError_t error = lastError;
  lastError = cudaSuccess;
  return error;
}
EXPORTED cudaError_t cudaPeekAtLastError() { return lastError; }
EXPORTED const char* cudaGetErrorName(cudaError_t) { return "an error of the stand-in"; }
EXPORTED const char* cudaGetErrorString(cudaError_t) { return "an error of the stand-in: its log says which"; }

// Memory.
EXPORTED cudaError_t cudaMalloc(void** pointer, size_t size) { return allocate(pointer, size); }
EXPORTED cudaError_t cudaMallocFromPoolAsync(void** pointer, size_t size, cudaMemPool_t, cudaStream_t) {
  return allocate(pointer, size);
}
EXPORTED cudaError_t cudaFree(void* pointer) { return release(pointer); }
EXPORTED cudaError_t cudaFreeAsync(void* pointer, cudaStream_t) { return release(pointer); }
EXPORTED cudaError_t cudaHostAlloc(void** pointer, size_t size, unsigned) {
  *pointer = calloc(1, size ? size : 1);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaMallocHost(void** pointer, size_t size) { return cudaHostAlloc(pointer, size, 0); }
EXPORTED cudaError_t cudaFreeHost(void* pointer) { free(pointer); return cudaSuccess; }
EXPORTED cudaError_t cudaMemGetInfo(size_t* unused, size_t* total) {
  *total = kMemory;
  *unused = kMemory - used - kContext;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaMemcpy(void* to, const void* from, size_t size, cudaMemcpyKind kind) {
  return copy(to, from, size, kind);
}
EXPORTED cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t size, cudaMemcpyKind kind, cudaStream_t) {
  return copy(to, from, size, kind);
}
EXPORTED cudaError_t cudaMemcpy2DAsync(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                                       size_t height, cudaMemcpyKind kind, cudaStream_t) {
  for (size_t row = 0; row < height; row++)
    copy(static_cast<char*>(to) + row * toPitch, static_cast<const char*>(from) + row * fromPitch, width, kind);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaMemcpyFromSymbol(void* to, const void*, size_t size, size_t, cudaMemcpyKind) {
  memset(to, 0, size);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaMemset(void*, int, size_t size) { event("memset\t%zu\n", size); return cudaSuccess; }
EXPORTED cudaError_t cudaMemsetAsync(void*, int, size_t size, cudaStream_t) {
  event("memset\t%zu\n", size);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  Lock lock(mutex);
  memset(attributes, 0, sizeof *attributes);
  const bool isOurs = allocations.count(const_cast<void*>(pointer)) > 0;
  attributes->type = isOurs ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
  attributes->devicePointer = const_cast<void*>(pointer);
  return cudaSuccess;
}
EXPORTED cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) { return create(pool); }
EXPORTED cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) { return destroy(pool); }
EXPORTED cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
EXPORTED cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
EXPORTED cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }

// Streams, events, graphs: everything is done when it is asked for.
EXPORTED cudaError_t cudaEventCreate(cudaEvent_t* handle) { return create(handle); }
EXPORTED cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned) { return create(handle); }
EXPORTED cudaError_t cudaEventDestroy(cudaEvent_t handle) { return destroy(handle); }
EXPORTED cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
EXPORTED cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
EXPORTED cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) {
  *milliseconds = 1;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaStreamCreate(cudaStream_t* stream) { return create(stream); }
EXPORTED cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return create(stream); }
EXPORTED cudaError_t cudaStreamDestroy(cudaStream_t stream) { return destroy(stream); }
EXPORTED cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
EXPORTED cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
EXPORTED cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) { return cudaErrorNotSupported; }
EXPORTED cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*) { return cudaErrorNotSupported; }
EXPORTED cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long) {
  return cudaErrorNotSupported;
}
EXPORTED cudaError_t cudaGraphDestroy(cudaGraph_t) { return cudaSuccess; }
EXPORTED cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) { return cudaSuccess; }
EXPORTED cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) { return cudaErrorNotSupported; }
EXPORTED cudaError_t cudaLaunchHostFunc(cudaStream_t, cudaHostFn_t function, void* data) {
  function(data);
  return cudaSuccess;
}

// Kernels.
EXPORTED void** __cudaRegisterFatBinary(void*) { return static_cast<void**>(calloc(1, 64)); }
EXPORTED void __cudaRegisterFatBinaryEnd(void**) {}
EXPORTED void __cudaUnregisterFatBinary(void**) {}
EXPORTED void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
EXPORTED void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, void*, void*, void*,
                                     void*, int*) {
  Lock lock(mutex);
  kernels[function] = Kernel{name};
}
EXPORTED unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t sharedMemory, void* stream) {
  pushed = {grid, block, sharedMemory, stream};
  return 0;
}
EXPORTED cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* sharedMemory, void* stream) {
  *grid = pushed.grid;
  *block = pushed.block;
  *sharedMemory = pushed.sharedMemory;
  *static_cast<void**>(stream) = pushed.stream;
  return cudaSuccess;
}
EXPORTED cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}
EXPORTED cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void**, size_t sharedMemory,
                                        cudaStream_t) {
  return launch(kernel, grid, block, sharedMemory);
}
EXPORTED cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void**, size_t sharedMemory,
                                      cudaStream_t) {
  return launch(function, grid, block, sharedMemory);
}
EXPORTED cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void**,
                                                 size_t sharedMemory, cudaStream_t) {
  return launch(function, grid, block, sharedMemory);
}
EXPORTED cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* how, const void* function, void**) {
  return launch(function, how->gridDim, how->blockDim, how->dynamicSmemBytes);
}
EXPORTED cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  memset(attributes, 0, sizeof *attributes);
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 64;
  attributes->ptxVersion = attributes->binaryVersion = 75;
  attributes->maxDynamicSharedSizeBytes = kSharedMemoryOptIn;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  Lock lock(mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value > kSharedMemoryOptIn) return fail(cudaErrorInvalidValue, "cudaFuncSetAttribute");
  const auto found = kernels.find(function);
  if (found != kernels.end()) found->second.sharedMemory = value;
  return cudaSuccess;
}
EXPORTED cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void*, int size, size_t,
                                                                           unsigned) {
  *blocks = size > 0 && size <= 1024 ? 1024 / size : 1;
  return cudaSuccess;
}

// Kernels that come as a library of their own, and the driver's functions: newer devices have those.
EXPORTED cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void*, cudaJitOption*, void**, unsigned,
                                         cudaLibraryOption*, void**, unsigned) {
  return create(library);
}
EXPORTED cudaError_t cudaLibraryUnload(cudaLibrary_t library) { return destroy(library); }
EXPORTED cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t, const char* name) {
  create(kernel);
  Lock lock(mutex);
  kernels[*kernel] = Kernel{name};
  return cudaSuccess;
}
EXPORTED cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t, cudaFuncAttribute, int, int) { return cudaSuccess; }
EXPORTED cudaError_t cudaGetDriverEntryPointByVersion(const char*, void** function, unsigned, unsigned long long,
                                                      cudaDriverEntryPointQueryResult* result) {
  *function = nullptr;
  if (result) *result = cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}
