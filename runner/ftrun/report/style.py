"""Style sheet of the report, for narrow and wide screens and for light and dark mode.

It is a string and not a file, because only Python source of ftrun is copied to containers.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f5f6f8; --text: #1c2127; --quiet: #555f6b; --line: #d5dae1;
  --good: #18713a; --bad: #b3261e; --loss: #1f5fbf; --held: #a84300;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --panel: #1a2129; --text: #e4e9ee; --quiet: #9fabb8; --line: #333e49;
    --good: #5fd38a; --bad: #ff8b80; --loss: #74aefc; --held: #f5a45d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h4 { font-size: .8125rem; font-weight: 400; color: var(--quiet); margin: 0 0 .25rem; overflow-wrap: anywhere; }
.conclusion { font-size: 1.15rem; margin: 0 0 1.25rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1.5rem 0 0; font-size: .875rem; }
a { color: var(--loss); }
.note { color: var(--quiet); font-size: .875rem; max-width: 46rem; }
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
.plain { --tone: var(--quiet); }
.badge {
  display: inline-block; padding: 0 .5em; border: 1px solid var(--tone); border-radius: 1em; color: var(--tone);
  font-size: .8125rem; font-weight: 600; line-height: 1.5; vertical-align: .1em; white-space: nowrap;
}
.gate { color: var(--tone); font-size: .875rem; margin: .5rem 0 0; overflow-wrap: anywhere; }
.problem { border-left: 3px solid var(--bad); background: var(--panel); padding: .75rem 1rem; margin: 0 0 1rem; }
.problem p { margin: 0 0 .5rem; font-weight: 600; overflow-wrap: anywhere; }
.problem .facts { grid-template-columns: 1fr; }
.problem dd { white-space: pre-wrap; }
.facts {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr));
  gap: .625rem 1.25rem; margin: 0;
}
.facts dt { color: var(--quiet); font-size: .8125rem; overflow-wrap: anywhere; }
.facts dd { margin: 0; font-size: .9375rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr));
  gap: 1rem; align-items: start;
}
.card { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; min-width: 0; }
.card .facts { grid-template-columns: 1fr 1fr; }
details .facts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
svg { display: block; overflow: visible; }
svg text { fill: var(--quiet); font-size: .75rem; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--line); }
.interval { width: 100%; height: 3.5em; margin: .25rem 0 1rem; font-size: .75rem; }
.interval .zero { stroke: var(--quiet); }
.interval .whisker { stroke: var(--tone); stroke-width: 2; }
.interval .mean { fill: var(--tone); }
figure { margin: 0; }
.plot { width: calc(100% - 3.25rem); height: 17rem; margin: 2rem .5rem 4rem 2.75rem; }
.plot .line { fill: none; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.plot .line.dense { stroke-width: 1; opacity: .8; }
.plot .line.loss { stroke: var(--loss); }
.plot .line.eval_loss { stroke: var(--held); stroke-dasharray: 6 4; }
.plot .dot.loss { fill: var(--loss); }
.plot .dot.eval_loss { fill: var(--held); }
.key { margin-right: 1.25rem; font-size: .875rem; }
.key::before {
  content: ""; display: inline-block; width: 1.5em; margin-right: .5em; border-top: 2px solid var(--loss);
  vertical-align: .25em;
}
.key.eval_loss::before { border-top: 2px dashed var(--held); }
.scroll {
  overflow: auto; width: fit-content; max-width: 100%; border: 1px solid var(--line); border-radius: .5rem;
  margin: 1rem 0;
}
.tall { max-height: 26rem; }
:focus-visible { outline: 2px solid var(--loss); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; padding: .625rem .75rem; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: .375rem .75rem; border-top: 1px solid var(--line); }
th { font-weight: 600; min-width: 7rem; }
td { white-space: nowrap; }
td:last-child:not(.number) { min-width: 13rem; white-space: normal; }
thead th { color: var(--quiet); font-weight: 400; min-width: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre {
  font: .8125rem/1.5 var(--mono); background: var(--panel); border-radius: .375rem; padding: .625rem .75rem;
  margin: 0; white-space: pre-wrap; overflow-wrap: anywhere;
}
pre.scroll { white-space: pre; overflow-wrap: normal; width: auto; }
pre.command { margin: 0 0 1rem; }
details { margin: 0 0 1rem; }
summary { cursor: pointer; padding: .5rem 0; font-weight: 600; overflow-wrap: anywhere; }
.sample { border-top: 1px solid var(--line); padding: 1rem 0; }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .75rem 1rem; }
.texts + .texts { margin-top: .75rem; }
.texts > div { min-width: 0; }
@media (min-width: 48rem) {
  main { padding: 2.5rem 2rem 5rem; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
}
@media print { .scroll, .tall { overflow: visible; max-height: none; } pre.scroll { white-space: pre-wrap; } }
"""
