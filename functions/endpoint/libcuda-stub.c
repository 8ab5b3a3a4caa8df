// Stands in for the driver's libcuda.so.1 while the image is checked on a machine without one: a driver
// of CUDA 13.0 that finds no GPU. Never part of the image: the host's driver puts its own library there.

#include <stddef.h>
#include <string.h>

// CUresult, CUDA driver API.
enum { CUDA_SUCCESS = 0, CUDA_ERROR_NO_DEVICE = 100 };
// What the driver 580 of the SageMaker host reports; libcudart refuses an older driver with error 35.
enum { DRIVER_VERSION = 13000 };

static int no_device(void) { return CUDA_ERROR_NO_DEVICE; }

// The one symbol that libonnxruntime_providers_cuda.so links against directly.
int cuTensorMapEncodeTiled(void) { return no_device(); }

int cuInit(unsigned flags) {
  (void)flags;
  return no_device();
}

int cuDriverGetVersion(int *version) {
  *version = DRIVER_VERSION;
  return CUDA_SUCCESS;
}

// libcudart asks for every other entry point by name, and for this one first.
int cuGetProcAddress_v2(const char *name, void **entry, int version, unsigned long long flags, int *status) {
  (void)version;
  (void)flags;
  if (strcmp(name, "cuGetProcAddress") == 0) *entry = (void *)cuGetProcAddress_v2;
  else if (strcmp(name, "cuDriverGetVersion") == 0) *entry = (void *)cuDriverGetVersion;
  else *entry = (void *)no_device;
  if (status != NULL) *status = 0;
  return CUDA_SUCCESS;
}
