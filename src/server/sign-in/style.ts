/** The style of all pages for browsers. It is in each page, because the pages load nothing. */
import { createHash } from 'node:crypto';

/** Colors of pages in both schemes, with a contrast of at least 4.5 to 1. Source: WCAG 2.2, success criterion 1.4.3. */
export const PALETTE = `:root { color-scheme: light dark; --page: #f3f4f6; --card: #fff; --text: #1b1f24; --quiet: #57606a; --line: #868f99; --rule: #d9dde1;
  --accent: #0b5cad; --on-accent: #fff; --alert: #9f1418; --alert-back: #fdeceb; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1d2228; --text: #e6e9ec; --quiet: #a7b0ba; --line: #747e89; --rule: #343c45;
  --accent: #7db8ff; --on-accent: #0c1117; --alert: #ffb3af; --alert-back: #3a1d1e; } }`;

const SHEET = `
${PALETTE}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 28rem; margin: 5vh auto 0; padding: 1.5rem; border-radius: .75rem; background: var(--card); }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 1rem; padding-top: 1.5rem; border-top: 1px solid var(--rule); font-size: 1.125rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
label { font-weight: 600; }
label small { display: block; color: var(--quiet); font-size: .875rem; font-weight: 400; }
input:not([type=radio]) { display: block; width: 100%; min-height: 2.75rem; margin-top: .25rem; padding: .5rem .75rem;
  border: 1px solid var(--line); border-radius: .375rem; background: var(--card); color: inherit; font: inherit; font-weight: 400; }
input[type=radio] + label { font-weight: 400; }
button { width: 100%; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid transparent; border-radius: .375rem;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert]:focus { outline: none; }
[role=alert] { padding: .75rem 1rem; border-left: .25rem solid var(--alert); border-radius: .25rem; background: var(--alert-back); color: var(--alert); }
table { width: 100%; margin-bottom: 1.5rem; border-collapse: collapse; }
th, td { padding: .5rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { width: 45%; padding-right: 1rem; color: var(--quiet); font-weight: 400; overflow-wrap: normal; }
main > :last-child, main > :last-child > p:last-child { margin-bottom: 0; }
`;

/** Element with the style. */
export const STYLE = `<style>${SHEET}</style>`;
/** Directive of the content security policy that allows this style and no other. */
export const STYLE_SOURCE = `style-src 'sha256-${createHash('sha256').update(SHEET).digest('base64')}'; `;
