"""The style sheet of report.html: for a screen and for A4 paper, with fonts that Chinese office computers have."""

STYLE = """
:root { --navy: #1f3864; --line: #c9d4e3; --accepted: #2f5d9b; --review: #e0a100; --notes: #b8bec8; }
* { box-sizing: border-box; }
body { margin: 0; background: #f2f4f7; color: #222; line-height: 1.55;
  font: 14px/1.55 "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif; }
main { max-width: 1040px; margin: 24px auto; padding: 36px 44px; background: #fff; box-shadow: 0 1px 6px #0002; }
header { border-bottom: 3px solid var(--navy); padding-bottom: 10px; }
h1 { margin: 0; font-size: 26px; color: var(--navy); }
header p { margin: 4px 0 0; color: #555; }
h2 { margin: 34px 0 10px; font-size: 18px; color: var(--navy); border-left: 5px solid var(--navy); padding-left: 10px; }
h3 { margin: 16px 0 6px; font-size: 14px; }
small { font-weight: normal; font-size: 12px; color: #777; }
.clue { background: #fff6e0; border: 1px solid #f0d48a; padding: 8px 14px; margin: 16px 0; color: #7f4f00; font-weight: bold; }
.note { color: #666; margin: 4px 0 8px; font-size: 13px; }
.cards { display: flex; gap: 12px; }
.cards div { flex: 1; border: 1px solid var(--line); border-top: 4px solid var(--navy); padding: 12px 14px; }
.cards b { display: block; font-size: 24px; color: var(--navy); font-variant-numeric: tabular-nums; }
.cards span { color: #666; font-size: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { background: #eaf0f8; color: var(--navy); text-align: left; border-bottom: 2px solid var(--navy); padding: 6px 8px; }
td { border-bottom: 1px solid var(--line); padding: 5px 8px; vertical-align: middle; overflow-wrap: anywhere; }
th.n, td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th.w, td.w { white-space: nowrap; }
code { font-family: Consolas, Menlo, monospace; font-size: 12px; color: #555; white-space: nowrap; }
.bar { display: block; width: 100%; min-width: 150px; height: 14px; }
.bar rect, .key { fill: var(--accepted); background: var(--accepted); }
.bar .review, .key.review { fill: var(--review); background: var(--review); }
.bar .notes, .key.notes { fill: var(--notes); background: var(--notes); }
.bar .met, .key.met { fill: #4f8f5b; background: #4f8f5b; }
.bar .not_met, .key.not_met { fill: #b5482a; background: #b5482a; }
.bar .unknown, .key.unknown { fill: #9aa3ad; background: #9aa3ad; }
.bar .not_applicable, .key.not_applicable { fill: #dde2e8; background: #dde2e8; }
.key { display: inline-block; width: 10px; height: 10px; margin-right: 4px; }
.bad { color: #9c2a00; }
footer { margin-top: 36px; padding-top: 10px; border-top: 1px solid var(--line); color: #777; font-size: 12px; }
@media screen and (max-width: 760px) {
  main { margin: 0; padding: 16px 14px; }
  h1 { font-size: 21px; } .cards { flex-wrap: wrap; } .cards div { flex: 1 1 40%; }
  thead { display: none; } table, tbody, tr, td { display: block; }
  tr { border-bottom: 2px solid var(--line); padding: 5px 0; }
  td, td.n, td.w { border: 0; padding: 1px 0; text-align: left; white-space: normal; }
  td:first-child { font-weight: bold; } td:empty { display: none; }
  td[data-h]::before { content: attr(data-h) "："; color: #777; font-size: 12px; }
}
@page { size: A4; margin: 12mm; }
@media print {
  body { background: #fff; font-size: 11px; }
  main { margin: 0; padding: 0; max-width: none; box-shadow: none; }
  table { font-size: 10px; line-height: 1.3; } td { padding: 2px 6px; } th { padding: 3px 6px; }
  h2 { margin: 18px 0 6px; font-size: 15px; } header p, .note { line-height: 1.35; } .bar { height: 9px; }
  th.w, td.w { white-space: nowrap; }
code { font-size: 9.5px; } .note { font-size: 11px; }
  .cards span { font-size: 10px; } .cards b { font-size: 18px; }
  tr, .cards, h2, h3 { break-inside: avoid; } h2, h3, .note { break-after: avoid; } thead { display: table-header-group; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
