# SPDX-License-Identifier: Apache-2.0
"""Comments as a browser shows them: read by cmark-gfm, laid out much as GitHub does, with Mermaid's drawings.

usage: pages.py COMMENT.md PICTURE.png [light|dark] [HEIGHT] [open]      writes a picture; `open` unfolds the lineage
"""

import html
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(os.environ.get("OFFSHOOT_TEST_TOOLS", ROOT / ".tools")) / "node/node_modules"

COLOURS = {
    "light": {"page": "#ffffff", "text": "#1f2328", "muted": "#59636e", "link": "#0969da", "border": "#d1d9e0",
              "code": "#eff1f3", "block": "#f6f8fa", "note": "#0969da"},
    "dark": {"page": "#0d1117", "text": "#f0f6fc", "muted": "#9198a1", "link": "#4493f8", "border": "#3d444d",
             "code": "#262c36", "block": "#151b23", "note": "#4493f8"},
}

STYLE = """
:root { color-scheme: %(scheme)s }
body { margin: 0; padding: 20px; background: %(page)s; color: %(text)s;
       font: 14px/1.5 "Liberation Sans", Arial, "Noto Color Emoji", sans-serif }
article { max-width: 880px; padding: 16px; border: 1px solid %(border)s; border-radius: 6px; margin-bottom: 20px }
a { color: %(link)s; text-decoration: underline }
h2 { font-size: 1.5em; border-bottom: 1px solid %(border)s; padding-bottom: .3em; margin: 0 0 16px }
h4 { font-size: 1em; margin: 24px 0 16px }
p, ul, table, pre, details, blockquote { margin: 0 0 16px }
code { font: 85%% "DejaVu Sans Mono", monospace; background: %(code)s; padding: .2em .4em; border-radius: 6px }
pre { background: %(block)s; padding: 16px; border-radius: 6px; overflow: auto }
pre code { background: none; padding: 0 }
table { border-collapse: collapse; display: block; overflow: auto }
td, th { border: 1px solid %(border)s; padding: 6px 13px; text-align: left }
sub { font-size: 75%%; color: %(muted)s }
summary { cursor: pointer }
blockquote { border-left: 4px solid %(note)s; padding: 0 1em }
"""

SCRIPT = """
const result = {errors: [], drawn: 0, contrast: null};
async function draw() {
  mermaid.initialize({startOnLoad: false, securityLevel: 'strict', theme: '%(theme)s'});
  const sources = [...document.querySelectorAll('code.language-mermaid')];
  for (const [i, code] of sources.entries()) {
    for (let fold = code.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = %(open)s;
    try {
      const {svg} = await mermaid.render('drawing' + i, code.textContent);
      const place = document.createElement('div');
      place.innerHTML = svg;
      code.parentElement.replaceWith(place);
      result.drawn += 1;
    } catch (error) { result.errors.push(String(error)); }
  }
}
async function check() {
  document.querySelectorAll('details').forEach(fold => fold.open = true);
  const found = await axe.run(document, {runOnly: ['color-contrast']});
  result.contrast = found.violations.flatMap(v => v.nodes.map(n => n.html + ': ' + n.failureSummary));
  result.looked_at = found.passes.reduce((sum, p) => sum + p.nodes.length, 0);
}
(async () => {
  await draw();
  if (%(check)s) await check();
  const out = document.createElement('script');
  out.type = 'application/json'; out.id = 'result'; out.textContent = JSON.stringify(result).replaceAll('<', '\\\\u003c');
  document.body.append(out);
})();
"""


def as_html(markdown):
    extensions = [part for name in ("table", "autolink", "strikethrough") for part in ("--extension", name)]
    done = subprocess.run(["cmark-gfm", *extensions, "--unsafe", "--github-pre-lang"], input=markdown.encode(),
                          capture_output=True, check=True)
    text = done.stdout.decode()
    text = re.sub(r'<pre lang="([a-z]+)"><code>', r'<pre><code class="language-\1">', text)
    return text.replace("[!NOTE]", "<b>Note</b>")


def page(comments, theme, check=False, unfold=False):
    colours = {**COLOURS[theme], "scheme": theme}
    script = SCRIPT % {"theme": "default" if theme == "light" else "dark", "check": str(check).lower(),
                       "open": str(unfold or check).lower()}
    libraries = "".join(f'<script src="{(MODULES / name).as_uri()}"></script>'
                        for name in ("mermaid/dist/mermaid.min.js", "axe-core/axe.min.js"))
    articles = "".join(f"<article>{as_html(comment)}</article>" for comment in comments)
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>comment</title>'
            f"<style>{STYLE % colours}</style></head><body>{articles}{libraries}<script>{script}</script></body></html>")


def chromium(text, *options):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(text)
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        done = subprocess.run(["chromium", "--headless=new", "--disable-gpu", "--hide-scrollbars", *sandbox,
                               f"--user-data-dir={folder}/profile", "--allow-file-access-from-files",
                               "--virtual-time-budget=30000", *options, file.as_uri()], capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def checked(comments, theme):
    """What the browser finds on the page: drawings that failed, text without contrast."""
    dom = chromium(page(comments, theme, check=True), "--dump-dom")
    found = re.search(r'<script type="application/json" id="result">(.*?)</script>', dom, re.DOTALL)
    assert found, "the page's script did not end"
    return json.loads(html.unescape(found.group(1)))


def picture(comment, target, theme, height, unfold):
    chromium(page([comment], theme, unfold=unfold), f"--screenshot={target}", f"--window-size=960,{height}")


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    picture(Path(sys.argv[1]).read_text(), Path(sys.argv[2]).resolve(), arguments.get(3, "light"),
            int(arguments.get(4, 900)), arguments.get(5) == "open")
