// Functions of the driver that are looked up with the others and are of no use on a T4. Their declarations are not needed.
#include "event-log.h"

constexpr int kNotSupported = 801;

#define ABSENT(name) \
  EXPORTED int name() { event("absent\t" #name "\n"); return kNotSupported; }
ABSENT(cuDeviceGetAttribute)
ABSENT(cuFuncSetCacheConfig)
ABSENT(cuGetErrorMessage)
ABSENT(cuLaunchCooperativeKernel)
ABSENT(cuLinkAddData)
ABSENT(cuLinkAddData_v2)
ABSENT(cuLinkAddFile)
ABSENT(cuLinkAddFile_v2)
ABSENT(cuLinkComplete)
ABSENT(cuLinkCreate)
ABSENT(cuLinkCreate_v2)
ABSENT(cuLinkDestroy)
ABSENT(cuModuleGetGlobal)
ABSENT(cuModuleGetGlobal_v2)
ABSENT(cuTensorMapEncodeIm2col)
ABSENT(cuTensorMapEncodeTiled)
