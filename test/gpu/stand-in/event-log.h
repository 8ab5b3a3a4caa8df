// What the stand-ins have seen, one event a line, fields apart by tabs, appended to the file that STAND_IN_LOG names.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#define EXPORTED extern "C" __attribute__((visibility("default")))

inline void event(const char* format, ...) {
  static FILE* const file = [] {
    const char* path = getenv("STAND_IN_LOG");
    FILE* opened = path ? fopen(path, "a") : nullptr;
    // By lines, so that what the caller appends between two events stays between them.
    if (opened) setvbuf(opened, nullptr, _IOLBF, 1 << 16);
    return opened;
  }();
  if (!file) return;
  va_list values;
  va_start(values, format);
  vfprintf(file, format, values);
  va_end(values);
}
