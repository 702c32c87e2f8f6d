# SPDX-License-Identifier: Apache-2.0
"""Loads two manifests and compares them as dbt does for `--select state:modified+ --state`, in this process.

usage: state_dbt.py BASE_FOLDER HEAD_MANIFEST PROJECT_FOLDER. Prints the seconds of the wall clock and of the
processor, without those of importing dbt, and how many nodes are selected.
"""

import json
import sys
import time
from argparse import Namespace
from pathlib import Path

from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.compilation import Linker
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.state import PreviousState
from dbt.flags import set_from_args
from dbt.graph.cli import parse_union
from dbt.graph.graph import Graph
from dbt.graph.selector import ResourceTypeSelector

base, head, project = map(Path, sys.argv[1:4])
set_from_args(Namespace(project_dir=str(project), profiles_dir=str(project)), None)
start, cpu = time.perf_counter(), time.process_time()
previous = PreviousState(state_path=base, target_path=head.parent, project_root=project)
manifest = Manifest.from_writable_manifest(WritableManifest.read_and_check_versions(str(head)))
manifest.build_parent_and_child_maps()
linker = Linker()
linker.link_graph(manifest)
selector = ResourceTypeSelector(graph=Graph(linker.graph), manifest=manifest, previous_state=previous,
                                resource_types=list(NodeType))
selected = selector.get_selected(parse_union(["state:modified+"], True))
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
json.dump({"seconds": seconds, "cpu": cpu, "selected": len(selected)}, sys.stdout)
