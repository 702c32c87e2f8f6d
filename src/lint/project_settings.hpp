// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace offshoot::lint {

/// Where sqlfluff has to start for a project's settings to mean what they say: it takes the templater from the folder
/// it starts in, and never reads settings above that folder. The nearest folder, from the project's up to the
/// repository's root, whose settings name a templater; else the topmost with settings; else the project's.
std::filesystem::path starting_folder(const std::filesystem::path& project_dir,
                                      const std::filesystem::path& repository_root);

/// sqlfluff's templater for a project ("jinja", "dbt", "raw", …) as its settings name it; "jinja" where they name none.
/// `project_dir` lies in `repository_root`.
std::string templater_of(const std::filesystem::path& project_dir, const std::filesystem::path& repository_root);

/// True when `sql` has a comment with which a file changes sqlfluff's settings ("-- sqlfluff:…"). Such a comment can
/// make sqlfluff import Python code of the head, whatever the command line says. Says yes too often rather than too
/// seldom: also for a comment that does not begin its line.
bool gives_sqlfluff_orders(std::string_view sql);

/// sqlfluff's name for the SQL of a dbt adapter; "ansi" for one that is not known.
std::string dialect_of(std::string_view adapter);

}  // namespace offshoot::lint
