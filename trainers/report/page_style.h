#ifndef GSG_TRAINERS_REPORT_PAGE_STYLE_H_
#define GSG_TRAINERS_REPORT_PAGE_STYLE_H_

namespace gsg {

// The report's style sheet: light and dark, from phone width to paper.
inline constexpr char kPageStyle[] = R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #fff; --ink: #1c1c20; --soft: #66656d;
  --rule: #e5e2db; --bad: #c22f28;
  /* Series: at least 4.5 : 1 on the card and on the paper. */
  --s0: #1d5fc4; --s1: #a8560c; --s2: #1a7a4f; --s3: #8d43b0;
  --s4: #0a7485; --s5: #c2355f; --s6: #6f6810; --s7: #61656f;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto,
    "Helvetica Neue", Arial, sans-serif;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype",
    Georgia, serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131417; --card: #1a1c20; --ink: #ececef; --soft: #9c9ca6;
    --rule: #2d3037; --bad: #ff766b;
    --s0: #7db0ff; --s1: #f2a65a; --s2: #62cf9b; --s3: #cf96ee;
    --s4: #5fd0e4; --s5: #ff8fb0; --s6: #cfc553; --s7: #a9afbd;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 var(--sans); font-variant-numeric: tabular-nums;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 1080px; margin: 0 auto; padding: 56px 24px 72px; }
h1, h2, .lead { font-family: var(--serif); font-weight: 600; }
h1 { font-size: clamp(30px, 5vw, 44px); line-height: 1.12; margin: 0 0 16px;
  letter-spacing: -.01em; text-wrap: balance; }
.lead { font-weight: 400; font-size: clamp(18px, 2.4vw, 22px);
  line-height: 1.45; max-width: 44em; margin: 0; }
.lead b { font-weight: 700; color: var(--s0); white-space: nowrap; }
h2 { font-size: 24px; line-height: 1.25; margin: 0 0 6px; }
section { margin-top: 56px; }
section > p { color: var(--soft); max-width: 44em; margin: 0 0 20px; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }

.words { max-width: 44em; margin: 14px 0 0; }
.lead + .words { margin-top: 20px; }
.flag { white-space: nowrap; }
.commands { white-space: pre-wrap; overflow-wrap: anywhere; margin: 10px 0 0; padding: 12px 14px;
  background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  font: 13px/1.7 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
td small, .picture small { display: block; font-size: 12px; font-weight: 400;
  color: var(--soft); }
details { margin-top: 10px; font-size: 13px; }
summary { cursor: pointer; color: var(--soft); width: max-content; }
details table { width: auto; }
details th, details td { padding: 3px 16px 3px 0; }
details tbody th { color: var(--soft); }
details .scroll { max-height: 260px; overflow-y: auto; margin-top: 6px; }

.facts { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 32px 0 0;
  padding: 18px 0; border-block: 1px solid var(--rule); }
.facts dt, th { font-size: 13px; font-weight: 500; color: var(--soft); }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 9px 24px 9px 0; vertical-align: baseline;
  border-bottom: 1px solid var(--rule); }
thead th { white-space: nowrap; }
tbody th { font-size: inherit; font-weight: 400; color: inherit; }
.scores { max-width: 820px; }
.scores td { width: 38%; min-width: 120px; }
.scores .trained { font-weight: 650; }
.scores .trained th { font-weight: inherit; }
.bar { display: block; height: 5px; margin-top: 5px; border-radius: 3px;
  background: var(--rule); }
.bar i { display: block; height: 100%; border-radius: 3px;
  background: var(--soft); }
.trained .bar i { background: var(--s0); }
.differences td { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas,
  monospace; font-size: 13px; overflow-wrap: anywhere; }
.dot { display: inline-block; width: 10px; height: 10px; margin-right: 8px;
  border-radius: 5px; }
.config { columns: 300px; column-gap: 48px; margin: 0; font-size: 14px; }
.config div { display: flex; justify-content: space-between; gap: 16px;
  padding: 5px 0; border-bottom: 1px solid var(--rule);
  break-inside: avoid; }
.config dt { color: var(--soft); overflow-wrap: anywhere; min-width: 40%; }
.config dd { margin: 0; text-align: right; overflow-wrap: anywhere;
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: 13px; }

.charts { display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.chart, .map { background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; padding: 16px; break-inside: avoid; }
.chart { display: flex; flex-direction: column; }
.chart svg { margin-top: auto; }
figcaption { display: grid; grid-template-columns: 1fr auto; gap: 0 12px;
  align-items: baseline; line-height: 1.4; }
figcaption strong { font-weight: 600; color: var(--s0); }
figcaption small { grid-column: 1 / -1; color: var(--soft); font-size: 13px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 12px;
  margin: 8px 0 0; padding: 0; font-size: 13px; }
.legend li::before { content: ""; display: inline-block; width: 10px;
  height: 10px; margin-right: 6px; border-radius: 5px;
  background: currentColor; }
.legend .s0 { color: var(--s0); } .legend .s1 { color: var(--s1); }
.legend .s2 { color: var(--s2); } .legend .s3 { color: var(--s3); }
.legend .s4 { color: var(--s4); } .legend .s5 { color: var(--s5); }
.legend .s6 { color: var(--s6); } .legend .s7 { color: var(--s7); }
svg text { font: 12px var(--sans); fill: var(--soft);
  font-variant-numeric: tabular-nums; }
.grid line { stroke: var(--rule); }
.reference line { stroke: var(--soft); stroke-dasharray: 4 3; }
.reference text { font-style: italic; }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.s0 { stroke: var(--s0); fill: var(--s0); }
.s1 { stroke: var(--s1); fill: var(--s1); }
.s2 { stroke: var(--s2); fill: var(--s2); }
.s3 { stroke: var(--s3); fill: var(--s3); }
.s4 { stroke: var(--s4); fill: var(--s4); }
.s5 { stroke: var(--s5); fill: var(--s5); }
.s6 { stroke: var(--s6); fill: var(--s6); }
.s7 { stroke: var(--s7); fill: var(--s7); }
.band { stroke: none; fill-opacity: .14; }
.hit text { paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.hit tspan { stroke: none; font-weight: 600; }
.hit > rect { fill: transparent; }
.hit > :not(rect) { opacity: 0; pointer-events: none; }
.hit:hover > * { opacity: 1; }
.hit line { stroke: var(--soft); }

.row { display: grid; gap: 10px 20px; align-items: start;
  grid-template-columns: 84px 1fr; padding: 14px 0;
  border-bottom: 1px solid var(--rule); }
.row > div { display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(58px, 80px)); }
.picture img { display: block; width: 100%; aspect-ratio: 1;
  object-fit: contain; image-rendering: pixelated; border-radius: 4px;
  background: var(--card); outline: 1px solid var(--rule); }
.picture figcaption { display: block; font-size: 12px; line-height: 1.25;
  margin-top: 5px; color: var(--soft); overflow-wrap: anywhere; }
.query figcaption { font-size: 13px; font-weight: 600; color: var(--ink); }
.wrong img { outline: 3px solid var(--bad); }
.wrong figcaption { color: var(--bad); font-weight: 600; }

.map { display: grid; gap: 24px; align-items: center;
  grid-template-columns: minmax(0, 1fr) fit-content(220px); }
.map .legend { flex-direction: column; gap: 7px; font-size: 14px; }
.map .legend span { color: var(--ink); }
.map li { cursor: default; }
.k { transition: opacity .15s; }
g.k { fill-opacity: .9; }
.names { pointer-events: none; }
.names text { font-size: 14px; font-weight: 650; text-anchor: middle;
  fill: var(--ink); paint-order: stroke; stroke: var(--card);
  stroke-width: 4px; stroke-linejoin: round; }
@media (max-width: 720px) {
  main { padding: 32px 16px 48px; }
  section { margin-top: 44px; }
  .row { grid-template-columns: 64px 1fr; gap: 10px 14px; }
  .row > div { grid-template-columns: repeat(auto-fill, minmax(46px, 1fr)); }
  .map { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .map .legend { flex-flow: row wrap; gap: 4px 14px; }
  th, td { padding-right: 14px; }
}
@media print {
  body { background: none; }
  main { max-width: none; padding: 0; }
}
)css";

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_PAGE_STYLE_H_
