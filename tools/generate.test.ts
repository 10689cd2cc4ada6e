import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { authorization } from './generate/authorization.ts';
import { declarations, pascalCase } from './generate/declarations.ts';
import { importedModel } from './generate/import.ts';
import { fromPublished, readPublished } from './generate/published.ts';
import { different, generate, serviceModel } from './generate.ts';

const reference = authorization();

test('generate: the committed files are the generated files', () => {
  assert.deepEqual(different(generate()), []);
});

test('generate: different, missing and superfluous files are reported', () => {
  const files = new Map(generate());
  files.set('sts.ts', 'other');
  files.set('newer.ts', '');
  files.delete('iam.json');
  assert.deepEqual([...different(files)].sort(), ['iam.json', 'newer.ts', 'sts.ts']);
});

test('joinClient: an operation that is only in the published client is added with its errors and shapes', () => {
  const { operations, shapes, provenance } = serviceModel('iam', reference);
  assert.equal(operations['GetAccountProperties']?.output, 'GetAccountPropertiesResponse');
  assert.equal(operations['GetAccountProperties']?.readOnly, true);
  assert.ok(operations['AcquireRole']?.errors.includes('RoleModifiedException'));
  assert.deepEqual(shapes['RoleModifiedException']?.error, { status: 409, code: 'RoleModified', senderFault: true });
  assert.match(provenance.join(' '), /botocore iam-2010-05-08.* @aws-sdk\/client-iam [0-9.]+/);
});

test('joinClient: an enum is merged by name, and a new enum becomes the type of its member', () => {
  const { shapes } = serviceModel('organizations', reference);
  assert.ok(shapes['PolicyType']?.enum?.includes('SECURITYHUB_CSPM_POLICY'));
  assert.equal(
    serviceModel('cloudwatch', reference).shapes['AnomalyDetectorConfiguration']?.members?.['AdaptationSpeed']?.shape,
    'AnomalyDetectorAdaptationSpeed',
  );
});

test('joinClient: the result has the constraints of the model, which the client lacks', () => {
  assert.equal(serviceModel('chime-sdk-meetings', reference).shapes['ExternalMeetingId']?.max, 64);
});

test('joinClient: CreateMeeting keeps its HTTP binding and its idempotency token', () => {
  const { operations, shapes } = serviceModel('chime-sdk-meetings', reference);
  assert.deepEqual(operations['CreateMeeting']?.http, { method: 'POST', uri: '/meetings', code: 200 });
  assert.equal(shapes['CreateMeetingRequest']?.members?.['ClientRequestToken']?.idempotencyToken, true);
});

// biome-ignore format: a table
const INVALID: readonly [where: string, change: (model: Record<string, Record<string, Record<string, unknown>>>) => void, message: RegExp][] = [
  ['an unknown key of an operation', (model) => { (model['operations']?.['AssumeRole'] ?? {})['docs'] = {}; },          /operation key 'docs'/],
  ['documentation',                  (model) => { (model['operations']?.['AssumeRole'] ?? {})['documentation'] = 'x'; }, /AssumeRole has documentation; run npm run generate -- --import FILE/],
  ['an unknown key of a shape',      (model) => { (model['shapes']?.['arnType'] ?? {})['document'] = true; },            /shape key 'document'/],
  ['an unknown key of the metadata', (model) => { (model['metadata'] ?? {})['sigv5'] = {}; },                            /metadata key 'sigv5'/],
  ['an unknown authentication type', (model) => { (model['operations']?.['AssumeRole'] ?? {})['authtype'] = 'bearer'; }, /authtype 'bearer'/],
];

for (const [where, change, message] of INVALID) {
  test(`fromPublished: ${where} is an error`, () => {
    const { file, model } = readPublished('models', 'sts');
    const altered = structuredClone(model);
    change(altered as never);
    assert.throws(() => fromPublished('sts', file, altered), message);
  });
}

/** Returns a published model of STS with a change, as text. */
function published(change: (model: Record<string, Record<string, unknown>>) => void): string {
  const model = structuredClone(readPublished('models', 'sts').model) as unknown as Record<string, Record<string, unknown>>;
  change(model);
  return JSON.stringify(model, undefined, 2);
}

test('importedModel: removes documentation, and keeps members and shapes with this name', () => {
  const documentation = { type: 'structure', members: { documentation: { shape: 'String' } } };
  const plain = published((model) => Object.assign(model['shapes'] ?? {}, { documentation }));
  const documented = plain.replaceAll(/"(shape|type)": "/g, '"documentation": "<p>Text.</p>", "$1": "');
  assert.ok(documented.length > plain.length);
  assert.deepEqual(importedModel(documented), { file: 'sts-2011-06-15.json', text: JSON.stringify(JSON.parse(plain)) });
});

test('importedModel: the result for a model without changes is the committed file', () => {
  const { file, text } = importedModel(published(() => {}));
  assert.equal(text, readFileSync(`models/${file}`, 'utf8'));
});

// biome-ignore format: a table
const NOT_IMPORTED: readonly [title: string, metadata: object, message: RegExp][] = [
  ['a model without protocols',     { protocols: undefined },                               /^the model has no 'protocols'/],
  ['a model of another version',    { apiVersion: '2027-01-01' },                           /^add this row to SERVICES .*apiVersion: '2027-01-01', protocols: \['query'\],\n/s],
  ['a model of an unknown service', { endpointPrefix: 'kinesis', targetPrefix: 'Kinesis' }, /targetPrefix: 'Kinesis',\n {4}signingName: 'kinesis', hostPrefix: 'kinesis',/],
];

for (const [title, metadata, message] of NOT_IMPORTED) {
  test(`importedModel: ${title} is an error that says what to do`, () => {
    assert.throws(() => importedModel(published((model) => Object.assign(model['metadata'] ?? {}, metadata))), { name: 'Error', message });
  });
}

test('fromPublished: a pattern that matches every string is omitted', () => {
  const { shapes } = serviceModel('chime-sdk-messaging', reference);
  assert.deepEqual(shapes['NonEmptyContent'], { type: 'string', min: 1, sensitive: true });
});

test('declarations: optional members have a question mark, and enums are unions of literals', () => {
  const text = readFileSync('src/model/generated/chime-sdk-meetings.ts', 'utf8');
  assert.match(text, /readonly CreateMeeting: \{ readonly input: CreateMeetingRequest; readonly output: CreateMeetingResponse \};/);
  assert.match(text, /readonly MediaRegion: string;/);
  assert.match(text, /readonly MeetingHostId\?: string;/);
  assert.match(text, /export type MediaCapabilities = 'SendReceive' \| 'Send' \| 'Receive' \| 'None';/);
  assert.match(text, /export type ChimeSdkMeetingsErrorCode = 'BadRequestException' \|/);
});

test('declarations: the alternatives of a union exclude each other', () => {
  const text = declarations(serviceModel('cloudwatch', reference), '');
  assert.match(text, /export type EvaluationCriteria =\n {2}\| \{ readonly PromQLCriteria: AlarmPromQLCriteria \};/);
});

test('pascalCase: removes hyphens and capitalizes each word of a service name', () => {
  assert.equal(pascalCase('chime-sdk-media-pipelines'), 'ChimeSdkMediaPipelines');
});
