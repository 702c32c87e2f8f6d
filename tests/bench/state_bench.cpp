// SPDX-License-Identifier: Apache-2.0
// What comparing two manifests costs without the start of a process, beside simdjson merely reading the same bytes.
// usage: bench_state BASE HEAD [flags of Google Benchmark]
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <string>

#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace {

using offshoot::state::Manifest;
namespace od = simdjson::ondemand;

struct Files {
  std::string base, head;
};

void read_with_dom(benchmark::State& state, const Files& files) {
  for (auto _ : state) {
    for (const std::string& file : {files.base, files.head}) {
      simdjson::dom::parser parser;
      simdjson::dom::element document;
      if (parser.load(file).get(document) != simdjson::SUCCESS) state.SkipWithError("not read");
      benchmark::DoNotOptimize(document);
    }
  }
}

std::size_t values_in(od::value value) {
  std::size_t count = 1;
  switch (value.type()) {
    case od::json_type::object:
      for (auto field : value.get_object()) {
        benchmark::DoNotOptimize(field.key().raw());
        count += values_in(field.value());
      }
      break;
    case od::json_type::array:
      for (auto item : value.get_array()) count += values_in(item.value());
      break;
    default:
      benchmark::DoNotOptimize(value.raw_json_token());
  }
  return count;
}

void read_on_demand(benchmark::State& state, const Files& files) {
  for (auto _ : state) {
    for (const std::string& file : {files.base, files.head}) {
      const simdjson::padded_string bytes = simdjson::padded_string::load(file);
      od::parser parser;
      od::document document = parser.iterate(bytes);
      std::size_t count = 0;
      for (auto field : document.get_object()) count += values_in(field.value());
      benchmark::DoNotOptimize(count);
    }
  }
}

void load(benchmark::State& state, const Files& files) {
  for (auto _ : state) {
    auto manifests = offshoot::state::read_both(files.base, files.head);
    if (!manifests) state.SkipWithError(manifests.error().why.c_str());
    benchmark::DoNotOptimize(manifests);
  }
}

void load_and_compare(benchmark::State& state, const Files& files) {
  for (auto _ : state) {
    auto manifests = offshoot::state::read_both(files.base, files.head);
    if (!manifests) return state.SkipWithError(manifests.error().why.c_str());
    auto selection = offshoot::state::select(manifests->base, manifests->head, {});
    if (!selection) return state.SkipWithError(selection.error().why.c_str());
    benchmark::DoNotOptimize(selection);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 3) return 2;
  const Files files{argv[1], argv[2]};
  const auto add = [&](const char* name, void (*function)(benchmark::State&, const Files&)) {
    benchmark::RegisterBenchmark(name, function, files)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime()
        ->UseRealTime();
  };
  add("simdjson_dom", read_with_dom);
  add("simdjson_on_demand", read_on_demand);
  add("load", load);
  add("load_and_compare", load_and_compare);
  benchmark::RunSpecifiedBenchmarks();
}
