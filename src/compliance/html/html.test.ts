import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bullets, html, joined, moreNote, notListed, preformatted, table } from './html.ts';

// biome-ignore format: a table
const TEMPLATES: readonly (readonly [title: string, content: { readonly html: string }, expected: string])[] = [
  ['markup in a string',           html`<p>${'<b>&"\''}</p>`,                     '<p>&#60;b&#62;&#38;&#34;&#39;</p>'],
  ['control characters',           html`${'a\u0000b\u001bc\n'}`,                  'a b c '],
  ['HTML in HTML',                 html`<p>${html`<b>${'<'}</b>`}</p>`,           '<p><b>&#60;</b></p>'],
  ['a list',                       html`${['<', html`<br>`, 1_234]}`,             '&#60;<br>1,234'],
  ['a template without contents',  html`<hr>`,                                    '<hr>'],
  ['an attribute',                 html`<a href="${'"><script>'}">`,              '<a href="&#34;&#62;&#60;script&#62;">'],
  ['text with lines',              preformatted('{\n  "<": 1\n}'),                '<pre>{\n  &#34;&#60;&#34;: 1\n}</pre>'],
  ['one more item',                moreNote({ more: 1, file: 'f' }, 'user'),      '<p class="note">1 more user is in the file <code>f</code>.</p>\n'],
  ['more items',                   notListed(1_200, 'trail'),                     '<p class="note">1,200 more trails are not listed.</p>\n'],
  ['a list of texts',              bullets(['<']),                                '<ul>\n<li>&#60;</li>\n</ul>\n'],
];
for (const [title, content, expected] of TEMPLATES) test(`html: ${title}`, () => assert.equal(content.html, expected));

test('table: it has roles, headers of columns and rows, and the title of the column at each cell', () => {
  const columns = [
    { title: 'Name<', cell: (row: string) => row },
    { title: 'Size', cell: (row: string) => row.length, isNumber: true },
  ];
  const { html: text } = table('Things', columns, ['<x>']);
  assert.match(text, /<caption>Things<\/caption>/);
  assert.match(text, /<th role="columnheader" scope="col">Name&#60;<\/th>/);
  assert.match(
    text,
    /<th role="rowheader" scope="row" data-title="Name&#60;">&#60;x&#62;<\/th><td role="cell" data-title="Size" class="number">3<\/td>/,
  );
  assert.equal(table('Things', columns, []).html, '<p><b>Things.</b> None.</p>\n');
});

test('joined: it names the number of items that are not listed', () => {
  assert.deepEqual([joined(['a', 'b']), joined(['a'], 1_200), joined([], 3)], ['a, b', 'a and 1,200 more', '3 more']);
});
