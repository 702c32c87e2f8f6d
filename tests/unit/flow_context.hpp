// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "flow/context.hpp"
#include "store/folder_store.hpp"

namespace offshoot::flow::tests {

/// A context of which only the settings matter: it shows nothing, keeps nothing, and has no repository.
class BareContext {
 public:
  BareContext() = default;
  BareContext(const BareContext&) = delete;
  BareContext& operator=(const BareContext&) = delete;

 private:
  report::Progress progress_{[](std::string_view) {}, [] { return 0.0; }};
  store::FolderStore store_{"/nonexistent"};

 public:
  Context context{.repository_root = {},
                  .environment = {},
                  .settings = {},
                  .origin = {},
                  .run_id = "1",
                  .started = {},
                  .progress = progress_,
                  .store = store_,
                  .cache = {},
                  .scratch = {}};
};

}  // namespace offshoot::flow::tests
