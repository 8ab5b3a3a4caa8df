// cuDNN: descriptors hold what they were given, each graph has one plan, and looking for it and executing it tell its
// convolution. Without its header (of a wheel of 370 MB): the numbers of attributes are those of cudnn_graph.h, release
// 9. With STAND_IN_NO_PLANS set there is no plan for any graph, as some releases have none for plain convolutions on sm
// 7.5.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "event-log.h"

namespace {

constexpr int kSuccess = 0;
constexpr int kNotSupported = 3000;
// The pinned release.
constexpr size_t kVersion = 92000;
constexpr int64_t kWorkspace = 8 << 20;

enum Attribute {
  kConvolutionStrides = 103,
  kHeuristicGraph = 201,
  kHeuristicResults = 202,
  kConfigEngine = 300,
  kConfigKnobs = 302,
  kConfigWorkspace = 303,
  kConfigSharedMemory = 304,
  kPlanConfig = 401,
  kPlanWorkspace = 402,
  kPlanJson = 405,
  kForwardConvolution = 702,
  kForwardWeights = 703,
  kForwardX = 704,
  kForwardY = 705,
  kGraphOperations = 801,
  kTensorDimensions = 902,
  kEngineGraph = 1300,
  kEngineIndex = 1301,
  kEngineKnobs = 1302,
  kEngineNumericalNotes = 1303,
  kEngineBehaviorNotes = 1305,
};

// Bytes of an element of cudnnBackendAttributeType_t.
size_t sizeOf(int type) {
  switch (type) {
    case 0: case 3: case 5: case 6: case 15: return 8;  // handle, int64, double, pointer, descriptor
    case 2: case 24: return 1;                          // boolean, char
    case 26: return 16;                                 // fraction
    default: return 4;
  }
}

struct Descriptor {
  struct Value {
    int64_t count;
    std::vector<char> bytes;
  };
  std::map<int, Value> values;

  Descriptor* descriptor(int attribute, int64_t index = 0) const {
    const auto found = values.find(attribute);
    if (found == values.end() || found->second.count <= index) return nullptr;
    return reinterpret_cast<Descriptor* const*>(found->second.bytes.data())[index];
  }

  std::string integers(int attribute) const {
    std::string list;
    const auto found = values.find(attribute);
    if (found == values.end()) return list;
    const auto* numbers = reinterpret_cast<const int64_t*>(found->second.bytes.data());
    for (int64_t index = 0; index < found->second.count; index++)
      list += (index ? "," : "") + std::to_string(numbers[index]);
    return list;
  }
};

template <typename T>
int give(T value, int64_t requested, int64_t* count, void* target) {
  if (count) *count = 1;
  if (target && requested > 0) memcpy(target, &value, sizeof value);
  return kSuccess;
}

int giveNone(int64_t* count) {
  if (count) *count = 0;
  return kSuccess;
}

// The map that a graph's convolution takes; null where it has none.
const Descriptor* inputOf(const Descriptor* graph) {
  const Descriptor* forward = graph ? graph->descriptor(kGraphOperations) : nullptr;
  return forward ? forward->descriptor(kForwardX) : nullptr;
}

bool hasPlans() { return getenv("STAND_IN_NO_PLANS") == nullptr; }

// The old interface, of which a tensor's shape is needed.
struct TensorShape {
  int rank;
  int extents[8];
};

std::string shapeOf(const TensorShape& tensor) {
  std::string list;
  for (int axis = 0; axis < tensor.rank; axis++) list += (axis ? "," : "") + std::to_string(tensor.extents[axis]);
  return list;
}

}  // namespace

EXPORTED size_t cudnnGetVersion() { return kVersion; }
EXPORTED size_t cudnnGetCudartVersion() { return 13000; }
EXPORTED const char* cudnnGetErrorString(int) { return "CUDNN_STATUS_NOT_SUPPORTED"; }
EXPORTED void cudnnGetLastErrorString(char* message, size_t size) {
  if (size > 0) snprintf(message, size, "the stand-in was told to have no plan");
}
EXPORTED int cudnnCreate(void** handle) { *handle = calloc(1, 64); return kSuccess; }
EXPORTED int cudnnDestroy(void* handle) { free(handle); return kSuccess; }
EXPORTED int cudnnSetStream(void*, void*) { return kSuccess; }
EXPORTED int cudnnGetStream(void*, void** stream) { *stream = nullptr; return kSuccess; }

// The bias of a convolution, added in a pass of its own.
EXPORTED int cudnnCreateTensorDescriptor(void** tensor) { *tensor = calloc(1, sizeof(TensorShape)); return kSuccess; }
EXPORTED int cudnnDestroyTensorDescriptor(void* tensor) { free(tensor); return kSuccess; }
EXPORTED int cudnnSetTensorNdDescriptor(TensorShape* tensor, int, int rank, const int* extents, const int*) {
  tensor->rank = std::min(rank, 8);
  std::copy(extents, extents + tensor->rank, tensor->extents);
  return kSuccess;
}
EXPORTED int cudnnAddTensor(void*, const void*, const TensorShape*, const void*, const void*, const TensorShape* onto,
                            void*) {
  event("addbias\t%s\n", shapeOf(*onto).c_str());
  return kSuccess;
}

// The graph interface.
EXPORTED int cudnnBackendCreateDescriptor(int, void** descriptor) { *descriptor = new Descriptor; return kSuccess; }
// Kept: plans refer to them without owning them.
EXPORTED int cudnnBackendDestroyDescriptor(void*) { return kSuccess; }
EXPORTED int cudnnBackendFinalize(void*) { return kSuccess; }
EXPORTED int cudnnBackendSetAttribute(void* descriptor, int attribute, int type, int64_t count, const void* values) {
  const auto* bytes = static_cast<const char*>(values);
  static_cast<Descriptor*>(descriptor)->values[attribute] = {count, {bytes, bytes + count * sizeOf(type)}};
  return kSuccess;
}
EXPORTED int cudnnBackendGetAttribute(void* handle, int attribute, int type, int64_t requested, int64_t* count,
                                      void* target) {
  auto* descriptor = static_cast<Descriptor*>(handle);
  switch (attribute) {
    case kHeuristicResults: {
      if (!hasPlans()) return giveNone(count);
      if (count) *count = 1;
      if (!target || requested < 1) return kSuccess;
      const Descriptor* x = inputOf(descriptor->descriptor(kHeuristicGraph));
      if (x) event("plan\t%s\n", x->integers(kTensorDimensions).c_str());
      auto* engine = new Descriptor;
      engine->values[kEngineGraph] = descriptor->values[kHeuristicGraph];
      const char* bytes = reinterpret_cast<const char*>(&engine);
      static_cast<Descriptor**>(target)[0]->values[kConfigEngine] = {1, {bytes, bytes + sizeof engine}};
      return kSuccess;
    }
    case kConfigEngine: {
      if (count) *count = 1;
      const Descriptor* engine = descriptor->descriptor(kConfigEngine);
      if (target && requested > 0 && engine) static_cast<Descriptor**>(target)[0]->values = engine->values;
      return kSuccess;
    }
    case kConfigKnobs:
    case kEngineKnobs:
    case kEngineNumericalNotes:
    case kEngineBehaviorNotes: return giveNone(count);
    case kEngineIndex: return give<int64_t>(0, requested, count, target);
    case kConfigWorkspace:
    case kPlanWorkspace: return give<int64_t>(kWorkspace, requested, count, target);
    case kConfigSharedMemory: return give<int>(0, requested, count, target);
    case kPlanJson: {
      static const char json[] = "{}";
      if (count) *count = sizeof json;
      if (target && requested >= static_cast<int64_t>(sizeof json)) memcpy(target, json, sizeof json);
      return kSuccess;
    }
    default: {
      const auto found = descriptor->values.find(attribute);
      if (found == descriptor->values.end()) return giveNone(count);
      const auto& [has, bytes] = found->second;
      if (count) *count = has;
      if (target) memcpy(target, bytes.data(), std::min<size_t>(bytes.size(), requested * sizeOf(type)));
      return kSuccess;
    }
  }
}
EXPORTED int cudnnBackendExecute(void*, void* plan, void*) {
  const Descriptor* config = static_cast<Descriptor*>(plan)->descriptor(kPlanConfig);
  const Descriptor* engine = config ? config->descriptor(kConfigEngine) : nullptr;
  const Descriptor* graph = engine ? engine->descriptor(kEngineGraph) : nullptr;
  const Descriptor* x = inputOf(graph);
  if (!x) {
    event("absent\tcudnnBackendExecute of what is no convolution\n");
    return kNotSupported;
  }
  const Descriptor* forward = graph->descriptor(kGraphOperations);
  event("convolution\t%s\t%s\t%s\t%s\n", x->integers(kTensorDimensions).c_str(),
        forward->descriptor(kForwardWeights)->integers(kTensorDimensions).c_str(),
        forward->descriptor(kForwardY)->integers(kTensorDimensions).c_str(),
        forward->descriptor(kForwardConvolution)->integers(kConvolutionStrides).c_str());
  return kSuccess;
}

// Made with each convolution or session, and not looked at.
#define DESCRIPTOR(name) \
  EXPORTED int cudnnCreate##name(void** handle) { *handle = calloc(1, 64); return kSuccess; } \
  EXPORTED int cudnnDestroy##name(void* handle) { free(handle); return kSuccess; }
DESCRIPTOR(ActivationDescriptor)
DESCRIPTOR(ConvolutionDescriptor)
DESCRIPTOR(DropoutDescriptor)
DESCRIPTOR(FilterDescriptor)
DESCRIPTOR(LRNDescriptor)
DESCRIPTOR(PoolingDescriptor)
DESCRIPTOR(RNNDataDescriptor)
DESCRIPTOR(RNNDescriptor)
DESCRIPTOR(ReduceTensorDescriptor)

#define IGNORED(name) \
  EXPORTED int name() { return kSuccess; }
IGNORED(cudnnSetActivationDescriptor)
IGNORED(cudnnSetConvolutionGroupCount)
IGNORED(cudnnSetConvolutionMathType)
IGNORED(cudnnSetConvolutionNdDescriptor)
IGNORED(cudnnSetFilterNdDescriptor)
IGNORED(cudnnSetPoolingNdDescriptor)
IGNORED(cudnnSetReduceTensorDescriptor)

EXPORTED int cudnnGetReductionIndicesSize(void*, void*, void*, void*, size_t* size) { *size = 0; return kSuccess; }
EXPORTED int cudnnGetReductionWorkspaceSize(void*, void*, void*, void*, size_t* size) { *size = 0; return kSuccess; }
EXPORTED int cudnnReduceTensor() { event("reduce\n"); return kSuccess; }

// Of operators that these graphs do not have.
#define ABSENT(name) \
  EXPORTED int name() { event("absent\t" #name "\n"); return kNotSupported; }
ABSENT(cudnnActivationForward)
ABSENT(cudnnBatchNormalizationForwardInference)
ABSENT(cudnnBatchNormalizationForwardTraining)
ABSENT(cudnnConvolutionBiasActivationForward)
ABSENT(cudnnConvolutionForward)
ABSENT(cudnnDeriveBNTensorDescriptor)
ABSENT(cudnnFindConvolutionForwardAlgorithmEx)
ABSENT(cudnnGetConvolutionForwardAlgorithm_v7)
ABSENT(cudnnGetConvolutionForwardWorkspaceSize)
ABSENT(cudnnLRNCrossChannelForward)
ABSENT(cudnnPoolingForward)
ABSENT(cudnnSoftmaxForward)
