/** The style of the report for screens of all widths, both color schemes and paper. It is in the page, which loads nothing. */
import { createHash } from 'node:crypto';
import { PALETTE } from '#server/sign-in/style.ts';

const SHEET = `
${PALETTE}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 75rem; margin: 0 auto; padding: 1.5rem; border-radius: .75rem; background: var(--card); }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 1rem; padding-top: 1.5rem; border-top: 1px solid var(--rule); font-size: 1.375rem; line-height: 1.25; }
h3 { margin: 1.5rem 0 .75rem; font-size: 1.125rem; line-height: 1.25; }
p, ul, dl { margin: 0 0 1rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { margin: 0 0 1rem; padding: .75rem 1rem; border: 1px solid var(--rule); border-radius: .375rem; white-space: pre-wrap; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .375rem 0; border-bottom: 1px solid var(--rule); }
dt { flex: 0 0 15rem; color: var(--quiet); }
dd { flex: 1 1 15rem; min-width: 0; margin: 0; }
th, td, dd { unicode-bidi: isolate; }
table { width: 100%; margin: 0 0 1rem; border-collapse: collapse; font-size: .875rem; }
caption { padding: .5rem 0; text-align: left; font-size: 1rem; font-weight: 600; }
th, td { padding: .375rem .75rem .375rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { font-weight: 400; }
td ul, th ul { margin: 0; padding-left: 1rem; }
td pre { margin: 0; }
thead th { color: var(--quiet); font-weight: 600; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.note { color: var(--quiet); font-size: .875rem; }
.bad { padding: .5rem 1rem; border-left: .25rem solid var(--alert); border-radius: .25rem; background: var(--alert-back); color: var(--alert); font-weight: 600; }
nav ul { columns: 15rem; }
@media screen and (min-width: 64rem) { tbody th { min-width: 17rem; } }
@media screen and (max-width: 48rem) {
  body { padding: 0; }
  main { padding: 1rem; border-radius: 0; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, caption, tbody, tr, tr > * { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tr > * { padding: .125rem 0; border: 0; }
  tbody tr > *::before { content: attr(data-title) ": "; color: var(--quiet); }
  .number { text-align: left; }
}
@page { margin: 15mm; }
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #868f99; --rule: #ccc; --accent: #000; --alert: #9f1418; --alert-back: #fff; }
  body, main { padding: 0; font-size: 10pt; }
  main { max-width: none; }
  section { break-before: page; }
  section.summary { break-before: auto; }
  h2 { margin-top: 0; padding-top: 0; border: 0; }
  h2, h3, caption { break-after: avoid; }
  thead { display: table-header-group; }
  tr, dl > div, .bad { break-inside: avoid; }
  table { font-size: 8pt; }
  nav { display: none; }
}
`;

/** Element with the style. */
export const REPORT_STYLE = `<style>${SHEET}</style>`;
/** Content security policy of the page: this style, and nothing else. */
export const REPORT_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(SHEET).digest('base64')}'; form-action 'none'; base-uri 'none'`;
