import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import type { ServiceModel } from '#model/model.ts';
import { SERVICE_NAMES } from '#model/services.ts';
import { compileRedactor, redactedMembers } from './redact.ts';

test('LOG-4: the list of redacted members, from which the page is generated, agrees with the records of all operations', () => {
  let paths = 0;
  for (const service of SERVICE_NAMES) {
    const model = loadModel(service);
    for (const { name, input, output } of Object.values(model.operations)) {
      for (const shape of [input, output]) {
        if (shape === undefined) continue;
        const listed = [...redactedMembers(model, shape).keys()];
        const written = compileRedactor(model, shape)(fill(model, shape, '', new Set()));
        for (const path of stringPaths(model, shape, '', new Set())) {
          const redacted = listed.some(
            (each) => each === '*' || path === each || (path.startsWith(each) && '.[{'.includes(path.charAt(each.length))),
          );
          assert.equal(written.includes(`<${path}>`), !redacted, `${service} ${name}: ${path}`);
          paths++;
        }
      }
    }
  }
  assert.ok(paths > 5_000, `${paths} paths`);
});

/** Returns the paths of all strings, blobs and keys of maps in a shape. */
function stringPaths(model: ServiceModel, name: string, path: string, above: ReadonlySet<string>): readonly string[] {
  const shape = model.shapes[name];
  if (shape === undefined || above.has(name)) return [];
  const within = new Set([...above, name]);
  switch (shape.type) {
    case 'structure':
      return Object.entries(shape.members ?? {}).flatMap(([each, member]) =>
        stringPaths(model, member.shape, path === '' ? each : `${path}.${each}`, within),
      );
    case 'list':
      return stringPaths(model, shape.member?.shape ?? '', `${path}[]`, within);
    case 'map':
      return [`${path}{key}`, ...stringPaths(model, shape.member?.shape ?? '', `${path}{}`, within)];
    case 'string':
    case 'blob':
      return [path];
    default:
      return [];
  }
}

/** Returns a value of a shape, in which each string is its path. */
function fill(model: ServiceModel, name: string, path: string, above: ReadonlySet<string>): unknown {
  const shape = model.shapes[name];
  if (shape === undefined || above.has(name)) return undefined;
  const within = new Set([...above, name]);
  switch (shape.type) {
    case 'structure':
      return Object.fromEntries(
        Object.entries(shape.members ?? {}).map(([each, member]) => [
          each,
          fill(model, member.shape, path === '' ? each : `${path}.${each}`, within),
        ]),
      );
    case 'list':
      return [fill(model, shape.member?.shape ?? '', `${path}[]`, within)];
    case 'map':
      return { [`<${path}{key}>`]: fill(model, shape.member?.shape ?? '', `${path}{}`, within) };
    case 'string':
      return `<${path}>`;
    case 'blob':
      return Buffer.from(`<${path}>`);
    default:
      return 0;
  }
}
