// SPDX-License-Identifier: Apache-2.0
// libcurl's functions as io/http.cpp calls them, passed on to libcurl itself, which is loaded at the first call.
//
// libcurl brings thirty more libraries. Loaded at the start they would be half the time that a command takes which asks
// no server, such as `offshoot state`.
#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdarg>
#include <stdexcept>

// Not the macros that check types and call the functions.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace {

void* library() {
  static void* const handle = [] {
    void* opened = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) throw std::runtime_error(fmt::format("libcurl cannot be loaded: {}", ::dlerror()));
    return opened;
  }();
  return handle;
}

template <typename Function>
Function* find(const char* name) {
  void* found = ::dlsym(library(), name);
  if (found == nullptr) throw std::runtime_error(fmt::format("libcurl has no function {}", name));
  return reinterpret_cast<Function*>(found);
}

template <typename Function>
struct FirstParameter;
template <typename Result, typename First, typename... Rest>
struct FirstParameter<Result(First, Rest...)> {
  using Type = First;
};
/// CURLU*, and const in newer versions.
using ReadUrl = FirstParameter<decltype(curl_url_get)>::Type;

}  // namespace

// Defines libcurl's function `name` as one that calls it.
#define PASS_ON(result, name, parameters, arguments)       \
  result name parameters {                                 \
    static auto* const real = find<decltype(name)>(#name); \
    return real arguments;                                 \
  }

extern "C" {
PASS_ON(CURLcode, curl_global_init, (long flags), (flags))
PASS_ON(CURL*, curl_easy_init, (), ())
PASS_ON(void, curl_easy_cleanup, (CURL * easy), (easy))
PASS_ON(void, curl_easy_reset, (CURL * easy), (easy))
PASS_ON(const char*, curl_easy_strerror, (CURLcode code), (code))
PASS_ON(CURLM*, curl_multi_init, (), ())
PASS_ON(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))
PASS_ON(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL* easy), (multi, easy))
PASS_ON(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL* easy), (multi, easy))
PASS_ON(CURLMcode, curl_multi_perform, (CURLM * multi, int* running), (multi, running))
PASS_ON(CURLMcode, curl_multi_wakeup, (CURLM * multi), (multi))
PASS_ON(CURLMsg*, curl_multi_info_read, (CURLM * multi, int* left), (multi, left))
PASS_ON(CURLMcode, curl_multi_poll, (CURLM * multi, curl_waitfd* more, unsigned count, int wait, int* ready),
        (multi, more, count, wait, ready))
PASS_ON(curl_slist*, curl_slist_append, (curl_slist * list, const char* text), (list, text))
PASS_ON(void, curl_slist_free_all, (curl_slist * list), (list))
PASS_ON(CURLU*, curl_url, (), ())
PASS_ON(void, curl_url_cleanup, (CURLU * url), (url))
PASS_ON(CURLUcode, curl_url_get, (ReadUrl url, CURLUPart part, char** text, unsigned flags), (url, part, text, flags))
PASS_ON(CURLUcode, curl_url_set, (CURLU * url, CURLUPart part, const char* text, unsigned flags),
        (url, part, text, flags))
PASS_ON(void, curl_free, (void* bytes), (bytes))
PASS_ON(time_t, curl_getdate, (const char* text, const time_t* unused), (text, unused))

// libcurl's own declarations end in an enum before the dots; it has the size of an int.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wvarargs"
#endif

// An option's value is a long, a pointer or a curl_off_t: each of the size of a pointer where offshoot runs.
static_assert(sizeof(long) == sizeof(void*) && sizeof(curl_off_t) == sizeof(void*));

CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  static auto* const real = find<decltype(curl_easy_setopt)>("curl_easy_setopt");
  std::va_list values;
  va_start(values, option);
  void* value = va_arg(values, void*);
  va_end(values);
  return real(easy, option, value);
}

CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  static auto* const real = find<decltype(curl_easy_getinfo)>("curl_easy_getinfo");
  std::va_list values;
  va_start(values, info);
  void* value = va_arg(values, void*);
  va_end(values);
  return real(easy, info, value);
}
}
