import { type Instant, instant } from '#core/instant.ts';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { redactedValue, SECRET_MEMBERS } from './secret-members.ts';

/** Serializes a decoded value of one shape as JSON for a trail event. */
export type Redactor = (value: unknown) => string;

/**
 * Compiles the function that serializes values of a shape for the trail. It lower-cases the first letter of member names, hides secrets,
 * and omits blobs and members that the model does not have. It writes the JSON without an intermediate object, because it runs for every
 * request. Recursive shapes are compiled once and refer to themselves.
 *
 *     { MeetingId: 'm', ExternalUserId: 'ada' } → {"meetingId":"m","externalUserId":"HIDDEN_DUE_TO_SECURITY_REASONS"}
 *
 * Source: CloudTrail User Guide, "CloudTrail record contents", requestParameters and responseElements.
 * Assumed: only the first letter is lower-cased, also in acronyms (published records contain `sAMLAssertionID`).
 */
export function compileRedactor(model: ServiceModel, shapeName: string): Redactor {
  const hidden = JSON.stringify(redactedValue(model.service));
  const compiled = new Map<string, Redactor>();

  function ofShape(name: string): Redactor {
    const known = compiled.get(name);
    if (known) return known;
    const shape = model.shapes[name];
    if (shape === undefined) throw new Error(`${model.service} has no shape ${name}`);
    // Registered before its members are compiled, so that a recursive shape finds itself.
    let redactor: Redactor | undefined;
    compiled.set(name, (value) => (redactor as Redactor)(value));
    redactor = shape.sensitive ? () => hidden : serializer(shape);
    compiled.set(name, redactor);
    return redactor;
  }

  function ofMember(name: string, member: Member): Redactor {
    const shape = model.shapes[member.shape];
    const secret = member.sensitive || ((shape?.type === 'string' || shape?.type === 'blob') && SECRET_MEMBERS.has(name.toLowerCase()));
    return secret ? () => hidden : ofShape(member.shape);
  }

  function serializer(shape: Shape): Redactor {
    switch (shape.type) {
      case 'structure':
        return structureWriter(
          Object.entries(shape.members ?? {}).flatMap(([name, member]) =>
            // Blobs that are not secret are of no use in a record.
            model.shapes[member.shape]?.type === 'blob' && !model.shapes[member.shape]?.sensitive
              ? []
              : [{ name, key: `${JSON.stringify(name.charAt(0).toLowerCase() + name.slice(1))}:`, write: ofMember(name, member) }],
          ),
        );
      case 'list': {
        const write = shape.member ? ofShape(shape.member.shape) : () => 'null';
        return (value) => (Array.isArray(value) ? `[${value.map((each) => (each == null ? 'null' : write(each))).join()}]` : 'null');
      }
      case 'map': {
        const write = shape.member ? ofShape(shape.member.shape) : () => 'null';
        const keyHidden = shape.key !== undefined && model.shapes[shape.key.shape]?.sensitive === true;
        return (value) =>
          typeof value === 'object' && value !== null
            ? `{${Object.entries(value)
                .map(
                  ([key, each], index) =>
                    `${keyHidden ? JSON.stringify(`key${index}`) : JSON.stringify(key)}:${each == null ? 'null' : write(each)}`,
                )
                .join()}}`
            : 'null';
      }
      case 'timestamp':
        return (value) => (typeof value === 'number' ? JSON.stringify(trailDate(instant(value))) : 'null');
      case 'blob':
        return () => 'null';
      case 'string':
        return (value) => (typeof value === 'string' ? JSON.stringify(value) : 'null');
      case 'boolean':
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
        return (value) => (typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : 'null');
    }
  }

  return ofShape(shapeName);
}

function structureWriter(members: readonly { readonly name: string; readonly key: string; readonly write: Redactor }[]): Redactor {
  return (value) => {
    if (typeof value !== 'object' || value === null) return 'null';
    const record = value as Readonly<Record<string, unknown>>;
    let text = '';
    for (const { name, key, write } of members) {
      const each = record[name];
      if (each === undefined || each === null) continue;
      text += text === '' ? key + write(each) : `,${key}${write(each)}`;
    }
    return `{${text}}`;
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Formats a time in requestParameters and responseElements: `Mar 24, 2014 9:11:59 PM`, in UTC.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", `createDate` and `expiration` in the samples.
 * Assumed: all services use this format.
 */
export function trailDate(moment: Instant): string {
  const date = new Date(moment);
  const two = (n: number) => String(n).padStart(2, '0');
  const hour = date.getUTCHours();
  const clock = `${hour % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`;
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()} ${clock}`;
}
