import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { shapeOf } from './document-reader.ts';
import { base64Of, isoText, throwInvalid } from './json-writer.ts';

/** Writes one value of a shape as an XML element. */
export type WriteXml = (name: string, value: unknown) => string;

/** Characters to escape or replace. Source: XML 1.0, section 2.2 "Char". U+0085 and U+2028 are line ends for XML 1.1 parsers. */
const TO_ESCAPE = /[&<>"\r\u0085\u2028\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/;
const ALL_TO_ESCAPE = /[&<>"\r\u0085\u2028\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ['\r', '&#xD;'],
  ['\u0085', '&#x85;'],
  ['\u2028', '&#x2028;'],
]);

/** Escapes a string for XML 1.0. Characters that XML cannot represent, such as control characters and lone surrogates, become U+FFFD. */
export function escapeXml(text: string): string {
  if (!TO_ESCAPE.test(text)) return text;
  return text.toWellFormed().replace(ALL_TO_ESCAPE, (found) => ESCAPED.get(found) ?? '\ufffd');
}

/**
 * Creates writers of awsQuery and rest-xml responses, one for each use of a shape in the model. The writers write only members of
 * the model, and omit absent members and nulls. An empty list becomes an empty element.
 *
 * Source: Smithy 2.0, "AWS query protocol", response serialization.
 * Source: record.md C: timestamps of S3 have milliseconds.
 * Assumed: timestamps of IAM and STS have whole seconds. Those of CloudWatch have milliseconds if these are not zero.
 */
export function xmlWriters(model: ServiceModel): { readonly member: (member: Member) => WriteXml } {
  const compiled = new Map<string, WriteXml>();
  const timestampText =
    model.service === 's3'
      ? isoText
      : model.service === 'cloudwatch'
        ? (value: unknown) => isoText(value).replace('.000Z', 'Z')
        : wholeSeconds;

  function member(use: Member): WriteXml {
    const key = `${use.shape} ${use.timestampFormat} ${use.flattened === true}`;
    const known = compiled.get(key);
    if (known) return known;
    let actual: WriteXml | undefined;
    compiled.set(key, (name, value) => (actual as WriteXml)(name, value));
    actual = compile(shapeOf(model, use.shape), use);
    compiled.set(key, actual);
    return actual;
  }

  function compile(shape: Shape, use: Member): WriteXml {
    switch (shape.type) {
      case 'string':
        return scalar((value) => (typeof value === 'string' ? escapeXml(value) : throwInvalid(value, 'string')));
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
        return scalar((value) => (typeof value === 'number' ? `${value}` : throwInvalid(value, 'number')));
      case 'boolean':
        return scalar((value) => (typeof value === 'boolean' ? `${value}` : throwInvalid(value, 'boolean')));
      case 'timestamp':
        return scalar(
          (use.timestampFormat ?? shape.timestampFormat) === 'unixTimestamp' ? (value) => `${Number(value) / 1000}` : timestampText,
        );
      case 'blob':
        return scalar(base64Of);
      case 'list':
        return listWriter(shape, use, member);
      case 'map':
        return mapWriter(shape, use, member);
      case 'structure':
        return structureWriter(shape, member);
    }
  }

  return { member };
}

function wholeSeconds(value: unknown): string {
  return typeof value === 'number' ? isoSeconds(value as Instant) : throwInvalid(value, 'timestamp');
}

function scalar(textOf: (value: unknown) => string): WriteXml {
  return (name, value) => `<${name}>${textOf(value)}</${name}>`;
}

function element(name: string, content: string): string {
  return content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`;
}

function listWriter(shape: Shape, use: Member, member: (use: Member) => WriteXml): WriteXml {
  const elementUse = shape.member as Member;
  const write = member(elementUse);
  const step = elementUse.locationName ?? 'member';
  const isFlattened = use.flattened === true || shape.flattened === true;
  return (name, value) => {
    if (!Array.isArray(value)) throwInvalid(value, 'list');
    let content = '';
    for (const one of value) content += write(isFlattened ? name : step, one);
    return isFlattened ? content : element(name, content);
  };
}

function mapWriter(shape: Shape, use: Member, member: (use: Member) => WriteXml): WriteXml {
  const keyStep = shape.key?.locationName ?? 'key';
  const valueUse = shape.member as Member;
  const valueStep = valueUse.locationName ?? 'value';
  const write = member(valueUse);
  return (name, value) => {
    if (typeof value !== 'object' || value === null) throwInvalid(value, 'map');
    const entry = use.flattened === true ? name : 'entry';
    let content = '';
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined || one === null) continue;
      content += `<${entry}><${keyStep}>${escapeXml(key)}</${keyStep}>${write(valueStep, one)}</${entry}>`;
    }
    return use.flattened === true ? content : element(name, content);
  };
}

function structureWriter(shape: Shape, member: (use: Member) => WriteXml): WriteXml {
  const members = Object.entries(shape.members ?? {}).map(([name, use]) => ({ name, step: use.locationName ?? name, write: member(use) }));
  return (name, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throwInvalid(value, 'structure');
    const structure = value as Readonly<Record<string, unknown>>;
    let content = '';
    for (let i = 0; i < members.length; i++) {
      const one = members[i] as (typeof members)[number];
      const found = structure[one.name];
      if (found !== undefined && found !== null) content += one.write(one.step, found);
    }
    return element(name, content);
  };
}
