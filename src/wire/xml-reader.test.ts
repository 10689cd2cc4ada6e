import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { readXml, type XmlElement } from './xml-reader.ts';

/** The library is loaded without its types, because they declare the globals of browsers. */
const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as {
  readonly DOMParser: new () => { parseFromString(text: string, type: string): { readonly documentElement: DomNode } };
};

const element = (name: string, text = '', ...children: XmlElement[]): XmlElement => ({ name, children, text });

// biome-ignore format: a table
const DOCUMENTS: readonly [title: string, xml: string, root: XmlElement][] = [
  ['an empty element',         '<A/>',                                                             element('A')],
  ['a declaration and spaces', '<?xml version="1.0" encoding="UTF-8"?>\n<A>\n  <B>1</B>\n</A>\n',   element('A', '\n  \n', element('B', '1'))],
  ['a byte order mark',        '\ufeff<A></A>',                                                    element('A')],
  ['a namespace and a prefix', '<s3:A xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/"><s3:B/></s3:A>', element('A', '', element('B'))],
  ['attributes',               `<A x='1' y = "a'b" ><B z="" /></A >`,                               element('A', '', element('B'))],
  ['entities',                 '<A>&lt;&amp;&gt;&quot;&apos;&#34;&#x22;&#x1F600;</A>',              element('A', '<&>"\'""😀')],
  ['a comment and CDATA',      '<!-- <x> --><A><![CDATA[<b>&amp;]]></A><!---->',                   element('A', '<b>&amp;')],
];

for (const [title, xml, root] of DOCUMENTS) test(`readXml: reads ${title}`, () => assert.deepEqual(readXml(xml), root));

// biome-ignore format: a table
const MALFORMED: readonly [title: string, xml: string][] = [
  ['no element',                         ''],
  ['text only',                          'a'],
  ['a document type declaration',        '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>'],
  ['an external entity',                 '<!DOCTYPE A SYSTEM "file:///etc/passwd"><A/>'],
  ['an unknown entity',                  '<A>&nbsp;</A>'],
  ['a lone ampersand',                   '<A>a & b</A>'],
  ['a reference to U+0000',              '<A>&#0;</A>'],
  ['a reference to a surrogate',         '<A>&#xD800;</A>'],
  ['a reference beyond Unicode',         '<A>&#x110000;</A>'],
  ['a control character',                '<A>\u0001</A>'],
  ['a processing instruction',           '<?php x?><A/>'],
  ['another encoding',                   '<?xml version="1.0" encoding="ISO-8859-1"?><A/>'],
  ['a declaration behind a space',       ' <?xml version="1.0"?><A/>'],
  ['two root elements',                  '<A/><B/>'],
  ['text behind the root',               '<A/>x'],
  ['an element that is not closed',      '<A><B></A>'],
  ['an end tag without a start',         '</A>'],
  ['another prefix in the end tag',      '<x:A></y:A>'],
  ['an unfinished tag',                  '<A'],
  ['an unfinished comment',              '<A/><!-- '],
  ['a repeated CDATA end',               '<A>]]></A>'],
  ['CDATA outside of the root',          '<A/><![CDATA[]]>'],
  ['an attribute without quotes',        '<A x=1/>'],
  ['two attributes without a space',     '<A x="1"y="2"/>'],
  ['a name that begins with a digit',    '<1/>'],
  ['too deep',                           `${'<a>'.repeat(17)}${'</a>'.repeat(17)}`],
  ['too many children',                  `<a>${'<b/>'.repeat(10_001)}</a>`],
  ['too many elements',                  `<a>${`<b>${'<c/>'.repeat(9)}</b>`.repeat(6_000)}</a>`],
  ['too many attributes',                `<a ${'x="1" '.repeat(300)}/>`],
];

for (const [title, xml] of MALFORMED)
  test(`readXml: ${title} is MalformedXML`, () => assert.throws(() => readXml(xml), { code: 'MalformedXML' }));

const names = fc.constantFrom('A', 'Part', 'ns:Key', '_x.y-z');
const texts = fc.string({ unit: fc.constantFrom('a', '1', ' ', '<', '>', '&', '"', "'", 'ü', ']', '😀'), maxLength: 8 });
const escaped = (text: string) => text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
const documents = fc.letrec<{ element: string; leaf: string; node: string }>((tie) => ({
  leaf: fc.tuple(names, texts).map(([name, text]) => `<${name}>${escaped(text)}</${name}>`),
  element: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('node')),
  node: fc
    .tuple(names, texts, fc.array(tie('element'), { maxLength: 2 }))
    .map(([name, text, children]) => `<${name} a="1">${escaped(text)}${children.join('')}</${name}>`),
})).element;

interface DomNode {
  readonly nodeType: number;
  readonly localName?: string | null;
  readonly nodeValue: string | null;
  readonly childNodes: ArrayLike<DomNode>;
}

function fromDom(node: DomNode): XmlElement {
  const nodes = Array.from(node.childNodes);
  return {
    name: (node.localName ?? '').replace(/^.*:/, ''),
    children: nodes.filter(({ nodeType }) => nodeType === 1).map(fromDom),
    text: nodes.map(({ nodeType, nodeValue }) => (nodeType === 1 ? '' : nodeValue)).join(''),
  };
}

test('readXml: reads what @xmldom/xmldom reads', () => {
  fc.assert(
    fc.property(documents, (inner) => {
      const document = `<R xmlns:ns="urn:x">${inner}</R>`;
      const dom = new DOMParser().parseFromString(document, 'text/xml');
      assert.deepEqual(readXml(document), fromDom(dom.documentElement));
    }),
    { numRuns: 100 },
  );
});

test('readXml: a document of any characters is read or is MalformedXML', () => {
  const soup = fc.string({
    unit: fc.constantFrom('<', '>', '/', 'A', ' ', '"', '=', '&', ';', '#', '!', '-', '?', '[', ']', 'x'),
    maxLength: 40,
  });
  fc.assert(
    fc.property(soup, (document) => {
      try {
        readXml(document);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'MalformedXML');
      }
    }),
    { numRuns: 2_000 },
  );
});
