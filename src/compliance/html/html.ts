/** Builds HTML. Strings are escaped, so that names with markup stay text. */
import { nounFor } from '#core/counted.ts';
import { escaped } from '#server/sign-in/http.ts';

/** HTML that was built by `html`. */
export interface Html {
  readonly html: string;
}

export type Content = Html | string | number | readonly Content[];

/** Returns HTML from a template. Inserted strings and numbers are escaped, and inserted HTML is not. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return { html: parts.reduce((text, part, i) => text + textOf(contents[i - 1] as Content) + part) };
}

function textOf(content: Content): string {
  if (typeof content === 'string') return escaped(content.replaceAll(/\p{Cc}/gu, ' '));
  if (typeof content === 'number') return escaped(content.toLocaleString('en-US'));
  return 'html' in content ? content.html : content.map(textOf).join('');
}

/** Section of the page. */
export interface PageSection {
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/** Column of a table: its title and the content of a cell. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Content;
  /** Set for numbers, which are aligned at their end. */
  readonly isNumber?: boolean;
}

/** Returns a table. The first column has the headers of the rows. On narrow screens each cell shows the title of its column. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[], empty = 'None.'): Html {
  if (rows.length === 0) return html`<p><b>${caption}.</b> ${empty}</p>\n`;
  // The style of narrow screens changes the display of tables, which takes their roles from them in some browsers.
  const head = columns.map(({ title, isNumber }) => html`<th role="columnheader" scope="col"${numberClass(isNumber)}>${title}</th>`);
  const cellOf = ({ title, cell, isNumber }: Column<Row>, row: Row, i: number): Html =>
    i === 0
      ? html`<th role="rowheader" scope="row" data-title="${title}">${cell(row)}</th>`
      : html`<td role="cell" data-title="${title}"${numberClass(isNumber)}>${cell(row)}</td>`;
  const body = rows.map((row) => html`<tr role="row">${columns.map((column, i) => cellOf(column, row, i))}</tr>\n`);
  const header = html`<thead role="rowgroup"><tr role="row">${head}</tr></thead>`;
  return html`<table role="table">\n<caption>${caption}</caption>\n${header}\n<tbody role="rowgroup">\n${body}</tbody>\n</table>\n`;
}

const numberClass = (isNumber = false): Html => (isNumber ? html` class="number"` : html``);

/** Returns a list of facts. */
export function facts(...rows: readonly (readonly [name: string, value: Content])[]): Html {
  return html`<dl>\n${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>\n`;
}

/** Returns a list of texts. */
export function bullets(texts: readonly Content[]): Html {
  return html`<ul>\n${texts.map((each) => html`<li>${each}</li>\n`)}</ul>\n`;
}

/** Returns items as text, separated by commas. Says how many more there are. */
export function joined(items: readonly string[], more = 0): string {
  const text = items.join(', ');
  return more === 0 ? text : `${text}${text === '' ? '' : ' and '}${more.toLocaleString('en-US')} more`;
}

/** Returns a number with its noun, as `counted` does: `1 role`, `1,204 roles`. */
export function countOf(count: number, noun: string): Html {
  return html`${count} ${nounFor(count, noun)}`;
}

/** Returns a sentence about the items that a table does not have. `noun` is that of one item. */
export function moreNote({ more, file }: { readonly more: number; readonly file: string }, noun: string): Html {
  return more === 0
    ? html`<p class="note">The file <code>${file}</code> has the same ${nounFor(0, noun)} for programs.</p>\n`
    : html`<p class="note">${countOf(more, `more ${noun}`)} ${isOrAre(more)} in the file <code>${file}</code>.</p>\n`;
}

/** Returns a sentence about the items that a table does not have, and no file either. */
export function notListed(more: number, noun: string): Html {
  return more === 0 ? html`` : html`<p class="note">${countOf(more, `more ${noun}`)} ${isOrAre(more)} not listed.</p>\n`;
}

/** Returns the verb for a number of things. */
export function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}

/** Returns text with its line breaks. */
export function preformatted(text: string): Html {
  const lines = text.split('\n').map((line) => html`${line}`.html);
  return { html: `<pre>${lines.join('\n')}</pre>` };
}
