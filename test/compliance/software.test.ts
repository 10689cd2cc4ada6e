/** The bill of materials, the responsibility matrix and the certificates of a report. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SECTIONS } from '#compliance/controls/control.ts';
import { CONTROLS } from '#compliance/controls/controls.ts';
import { billOfMaterials } from '#compliance/report/bill-of-materials.ts';
import { tlsSection } from '#compliance/report/tls.ts';
import { instant } from '#core/instant.ts';
import { page, problemsOf } from '../../tools/responsibility.ts';
import { newFolder } from '../kit/folder.ts';

interface Bill {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly hashes: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses: readonly unknown[];
  }[];
}

interface Locked {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly integrity?: string; readonly dev?: true; readonly license?: string }>
  >;
}

function billOf(folder: string): { readonly document: string; readonly bill: Bill } {
  const written = billOfMaterials(folder);
  assert.ok('document' in written, JSON.stringify(written));
  return { document: written.document, bill: JSON.parse(written.document) as Bill };
}

test('bill of materials: it has each package of the server with its license and the hash of package-lock.json', () => {
  const { bill } = billOf('.');
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Locked;
  const own = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const expected = own.map(([path, { version, integrity = '' }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return `${name}@${version} ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`;
  });
  const listed = bill.components.map(({ name, version, hashes }) => `${name}@${version} ${hashes[0]?.content}`);
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(expected)].sort());
  assert.ok(own.length > 100);
  assert.ok(bill.components.every(({ hashes, licenses }) => hashes[0]?.alg === 'SHA-512' && licenses.length > 0));
  assert.deepEqual([bill.bomFormat, bill.metadata.component.name], ['CycloneDX', 'belfry']);
});

test('bill of materials: the same package-lock.json has the same bytes, whatever the folder', () => {
  const folder = newFolder('bill');
  for (const file of ['package.json', 'package-lock.json']) writeFileSync(join(folder, file), readFileSync(file));
  assert.equal(billOf(folder).document, billOf('.').document);
});

test('bill of materials: without package-lock.json, the problem is returned', () => {
  const written = billOfMaterials(newFolder('empty'));
  assert.ok('problem' in written && written.problem.startsWith('npm could not write the bill of materials: '));
});

test('responsibility matrix: its files and settings exist, and each section from 2 to 14 has a control', () => {
  assert.deepEqual(problemsOf(CONTROLS, existsSync), []);
  assert.deepEqual(Object.keys(SECTIONS).map(Number), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  assert.deepEqual(new Set(CONTROLS.map(({ owner }) => owner)), new Set(['project', 'operator', 'account administrator']));
  assert.ok(readFileSync('docs/responsibility.md', 'utf8') === page(CONTROLS), 'run npm run responsibility');
});

test('responsibility matrix: a missing file, setting, test or section, and a repeated ID are found', () => {
  const [first] = CONTROLS.filter(({ owner }) => owner === 'project');
  assert.ok(first?.owner === 'project');
  const changed = [
    first,
    { ...first, source: 'src/none.ts' },
    { ...first, id: '2-b', source: 'BELFRY_NONE' },
    { ...first, id: '2-c', test: 'test/none.test.ts' },
  ];
  const problems = problemsOf(changed, existsSync);
  assert.deepEqual(problems.slice(0, 4), [
    `${first.id}: the ID is used twice`,
    `${first.id}: 'src/none.ts' does not exist`,
    "2-b: 'BELFRY_NONE' does not exist",
    "2-c: the test 'test/none.test.ts' does not exist",
  ]);
  assert.equal(problems.length, 4 + 12);
});

test('TLS: a configured file without a certificate, an unreadable file and a missing one are stated', () => {
  const folder = newFolder('tls');
  const file = join(folder, 'server.pem');
  writeFileSync(file, 'no certificate');
  const now = instant(Date.now());
  assert.deepEqual(tlsSection(undefined, folder, now).source, 'unknown');
  assert.equal(tlsSection(file, folder, now).problem, 'the file has no certificate in PEM format');
  writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  assert.match(tlsSection(file, folder, now).problem ?? '', /^the certificate cannot be read: /);
  assert.match(tlsSection(join(folder, 'none.pem'), folder, now).problem ?? '', /ENOENT/);
});
