import { type Instant, instant } from '#core/instant.ts';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { SECRET_MEMBERS } from './secret-members.ts';
import { serviceForm } from './service-forms.ts';

/** Serializes a decoded value of one shape as JSON for a trail event. */
export type Redactor = (value: unknown) => string;

/**
 * Compiles the function that serializes values of a shape for the trail. It lower-cases the first letter of member names, hides or omits
 * secrets, and omits blobs and members that the model does not have. It writes the JSON without an intermediate object, because it runs
 * for every request. Recursive shapes are compiled once and refer to themselves.
 *
 *     { MeetingId: 'm', ExternalUserId: 'ada' } → {"meetingId":"m","externalUserId":"HIDDEN_DUE_TO_SECURITY_REASONS"}
 *
 * Source: CloudTrail User Guide, "CloudTrail record contents", requestParameters and responseElements.
 * Assumed: only the first letter is lower-cased, also in acronyms (published records contain `sAMLAssertionID`).
 */
export function compileRedactor(model: ServiceModel, shapeName: string): Redactor {
  const { hidden, afterDate } = serviceForm(model.service);
  const concealed: Redactor = () => JSON.stringify(hidden ?? null);
  const compiled = new Map<string, Redactor>();

  function ofShape(name: string): Redactor {
    const known = compiled.get(name);
    if (known) return known;
    const shape = model.shapes[name];
    if (shape === undefined) throw new Error(`${model.service} has no shape ${name}`);
    // Registered before its members are compiled, so that a recursive shape finds itself.
    let redactor: Redactor | undefined;
    compiled.set(name, (value) => (redactor as Redactor)(value));
    redactor = shape.sensitive ? concealed : serializer(shape);
    compiled.set(name, redactor);
    return redactor;
  }

  /** Returns `undefined` for a member that records omit: a secret without a replacement, or a blob, which is of no use in a record. */
  function ofMember(name: string, member: Member): Redactor | undefined {
    const shape = model.shapes[member.shape];
    const named = (shape?.type === 'string' || shape?.type === 'blob') && SECRET_MEMBERS.has(name.toLowerCase());
    if (member.sensitive || shape?.sensitive || named) return hidden === undefined ? undefined : concealed;
    return shape?.type === 'blob' ? undefined : ofShape(member.shape);
  }

  function serializer(shape: Shape): Redactor {
    switch (shape.type) {
      case 'structure':
        return structureWriter(
          Object.entries(shape.members ?? {}).flatMap(([name, member]) => {
            const write = ofMember(name, member);
            return write === undefined ? [] : [{ name, key: `${JSON.stringify(name.charAt(0).toLowerCase() + name.slice(1))}:`, write }];
          }),
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
        return (value) => (typeof value === 'number' ? JSON.stringify(trailDate(instant(value), afterDate)) : 'null');
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
 * Formats a time in requestParameters and responseElements: `Mar 24, 2014 9:11:59 PM`, in UTC. In records of STS, a comma follows the year.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", `createDate` and `expiration` in the samples.
 * Assumed: all services but STS use this format.
 */
export function trailDate(moment: Instant, afterDate: string): string {
  const date = new Date(moment);
  const two = (n: number) => String(n).padStart(2, '0');
  const hour = date.getUTCHours();
  const clock = `${hour % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`;
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}${afterDate}${clock}`;
}
