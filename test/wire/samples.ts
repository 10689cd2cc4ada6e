import { arnForm, arnInputsOf } from '#model/arn-inputs.ts';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import { matchesPattern } from '#model/patterns.ts';

/** Sample strings. Each pattern in the models matches at least one of them. Strings with special characters are first and preferred. */
const TEXTS = [
  'Zoë & <b>"quoted"</b> 100% a+b=c;d/e?f#g 😀',
  'a b+c',
  'a+b=c,d.e@f-g',
  'abc',
  'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/user/alice',
  'arn:aws:chime:us-east-1:111122223333:meeting/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:iam::111122223333:role/path/name',
  'arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-data',
  'arn:aws:firehose:us-east-1:111122223333:deliverystream/abc',
  'arn:aws:lambda:us-east-1:111122223333:function:abc',
  'arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/KLMNOPQRST',
  'arn:aws:sqs:us-east-1:111122223333:queue',
  'arn:aws:sns:us-east-1:111122223333:topic',
  'arn:aws:s3:::bucket',
  'arn:aws:s3:::bucket/path',
  'arn:aws:secretsmanager:us-east-1:111122223333:secret:abc',
  'arn:aws:kinesisvideo:us-east-1:111122223333:stream/abc/1234567890123',
  'arn:aws:kms:us-east-1:111122223333:key/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:events:us-east-1:111122223333:connection/abc/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:events:us-east-1:111122223333:api-destination/abc/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:events:us-east-1:111122223333:archive/abc',
  'arn:aws:events:us-east-1:111122223333:event-bus/abc',
  'arn:aws:events:us-east-1:111122223333:endpoint/abc',
  'arn:aws:events:us-east-1:111122223333:rule/abc',
  'arn:aws:states:us-east-1:111122223333:stateMachine:abc',
  'arn:aws:access-analyzer:us-east-1:111122223333:analyzer/abc',
  'arn:aws:organizations::111122223333:organization/o-abcdefghij',
  'arn:aws:codeartifact:us-east-1:111122223333:repository/abc',
  '+15551234567',
  '15551234567',
  '111122223333',
  '123456',
  '12345',
  '1',
  '443',
  'alice@example.com',
  'https://example.com/path',
  'us-east-1',
  'us',
  'US',
  'usa',
  'en-US',
  '/path/',
  '/path',
  'path',
  '{"a":1}',
  '10.0.0.0/28',
  '10.0.0.1',
  'example.com',
  'aws.partner/example.com/name',
  'AKIAIOSFODNN7EXAMPLE',
  'o-abcdefghij',
  'ou-abcd-abcdefgh',
  'r-abcd',
  'h-abcdefghij',
  'p-abcdefgh',
  'rp-abcdefgh',
  'car-abcdefgh',
  'aws:kinesis',
  'rate(5 minutes)',
  'abcdefghijklmnopqrstuvwxyzabcdef',
  'abcde.veo',
  'region-1/abc',
  'v1',
  'default',
  'chime.amazonaws.com',
  'arn:aws:route53:::healthcheck/abc',
  'us-east-1a',
  'o-abcdefghij/r-abcd/ou-abcd-abcdefgh',
  'o-abcdefghij/r-abcd/111122223333',
  'rt-abcdefgh12345678',
  'ldaps://ldap.example.com',
  'd-0123456789',
  '2026-11-30',
];

/** Form of the sample values. Timestamps and blobs have different types in a client and in a handler. */
export interface SampleForm {
  readonly timestamp: (milliseconds: number) => unknown;
  /** Value of all timestamps. Use whole seconds if the protocol has no fractions. */
  readonly milliseconds: number;
  readonly blob: (bytes: Uint8Array) => unknown;
  /** Number of elements in lists and maps, if the shape allows it. */
  readonly elements: number;
}

/**
 * Returns a valid value of a shape. It sets all members of a structure, and the first member of a union.
 *
 * Returns `undefined` if no sample string is valid or the shape is recursive.
 */
export function sample(model: ServiceModel, use: Member, form: SampleForm, within: readonly string[] = []): unknown {
  const shape = model.shapes[use.shape] as Shape;
  if (within.includes(use.shape)) return undefined;
  const inner = [...within, use.shape];
  switch (shape.type) {
    case 'string':
      return textFor(shape);
    case 'integer':
    case 'long':
      return Math.min(shape.max ?? 7, Math.max(shape.min ?? 7, 7));
    case 'float':
    case 'double':
      return Math.min(shape.max ?? 1.5, Math.max(shape.min ?? 1.5, 1.5));
    case 'boolean':
      return true;
    case 'timestamp':
      return form.timestamp(form.milliseconds);
    case 'blob':
      return form.blob(new Uint8Array(Math.max(shape.min ?? 0, 4)).fill(0xfe));
    case 'list': {
      const size = Math.max(shape.min ?? 0, Math.min(shape.max ?? form.elements, form.elements));
      const element = sample(model, shape.member as Member, form, inner);
      return element === undefined ? undefined : Array.from({ length: size }, () => element);
    }
    case 'map': {
      const key = model.shapes[shape.key?.shape ?? ''] as Shape;
      const value = sample(model, shape.member as Member, form, inner);
      const keys = key.enum ?? TEXTS.filter((text) => matches(key, text));
      const size = Math.max(shape.min ?? 0, Math.min(shape.max ?? form.elements, form.elements));
      return value === undefined ? undefined : Object.fromEntries(keys.slice(0, size).map((name) => [name, value]));
    }
    case 'structure': {
      const structure: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(shape.members ?? {})) {
        const value = sample(model, member, form, inner);
        if (value === undefined) continue;
        structure[name] = value;
        if (shape.union) break;
      }
      return (shape.required ?? []).every((name) => structure[name] !== undefined) ? structure : undefined;
    }
  }
}

/** At least one ARN of each type that an input accepts. */
const ARNS = [
  ...TEXTS.filter((text) => text.startsWith('arn:')),
  'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/bot/robot',
  'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/channel/general',
  'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/channel-flow/filter',
  'arn:aws:chime:us-east-1:111122223333:media-pipeline/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d',
  'arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/insights',
  'arn:aws:chime:us-east-1:111122223333:media-pipeline-kinesis-video-stream-pool/pool',
  'arn:aws:chime:us-east-1:111122223333:voice-profile-domain/domain',
  'arn:aws:iam::111122223333:policy/path/name',
  'arn:aws:iam::111122223333:mfa/name',
  'arn:aws:iam::111122223333:saml-provider/name',
  'arn:aws:iam::111122223333:oidc-provider/example.com/path',
  'arn:aws:iam::aws:contextProvider/IdentityCenter',
];

/** If a member does not accept the type of its ARN, replaces the ARN with a sample. Changes and returns the input. */
export function withCanonicalArns<Input>(model: ServiceModel, operation: OperationModel, input: Input): Input {
  for (const { path, types } of arnInputsOf(model, operation)) {
    // Ignores the type `arn` (any ARN). `RoleArn` accepts this type in addition to role ARNs, but STS then denies every
    // ARN that is not the ARN of a role.
    const form = arnForm(types.filter((type) => type !== 'arn'));
    const text = ARNS.find((arn) => form.test(arn));
    if (text === undefined) throw new Error(`no sample ARN for ${types}`);
    replaceAt(input, path, (value) => (form.test(value) ? value : text));
  }
  return input;
}

/** Replaces the strings at a path in place. `[]` in the path selects every element. */
export function replaceAt(value: unknown, [step, ...further]: readonly string[], replace: (text: string) => string): void {
  if (typeof value !== 'object' || value === null || step === undefined) return;
  const holder = value as Record<string, unknown>;
  for (const key of step === '[]' ? Object.keys(holder) : [step]) {
    const inner = holder[key];
    if (further.length > 0) replaceAt(inner, further, replace);
    else if (typeof inner === 'string') holder[key] = replace(inner);
  }
}

function textFor(shape: Shape): string | undefined {
  if (shape.enum !== undefined) return shape.enum[0];
  const found = TEXTS.find((text) => matches(shape, text));
  if (found !== undefined) return found;
  const size = Math.max(shape.min ?? 1, 1);
  return ['a'.repeat(size), 'A'.repeat(size), '1'.repeat(size)].find((text) => matches(shape, text));
}

function matches(shape: Shape, text: string): boolean {
  const size = [...text].length;
  return size >= (shape.min ?? 0) && size <= (shape.max ?? Number.POSITIVE_INFINITY) && matchesPattern(shape, text);
}
