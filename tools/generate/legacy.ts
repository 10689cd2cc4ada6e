/** Builds the model of the operations that AWS removed from the service `chime` and that another service has today. */
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { fromPublished, type Json, readPublished, readRemoved } from './published.ts';

/**
 * Shapes that had no maximum size, with the shape of today that limits them. Without the limits, an error message could quote a string of
 * the size of the body.
 *
 * Source: Amazon Chime API reference of 2022, BatchCreateAttendee: up to 100 attendees. Assumed: the limits of strings.
 */
const BOUNDED_TODAY: readonly (readonly [shape: string, service: ServiceName, today: string])[] = [
  ['CreateAttendeeRequestItemList', 'chime-sdk-meetings', 'CreateAttendeeRequestItemList'],
  ['String', 'chime-sdk-meetings', 'String'],
  ['NonEmptyString', 'chime-sdk-voice', 'NonEmptyString256'],
];

/** Members that trail records hide today, and that the old model did not mark as sensitive, as shape and member. */
const SENSITIVE_TODAY: readonly (readonly [shape: string, member: string])[] = [['PhoneNumberError', 'PhoneNumberId']];

/**
 * Returns the model of the removed operations with a successor. `successors` lists the services that have the operation
 * today. An operation has the `readOnly` of the service `chime`.
 *
 * @throws Error  a removed operation has no shapes, or several successors although it does not concern tags
 */
export function legacyModel(folder: string, models: readonly ServiceModel[]): ServiceModel {
  const { file, model: published } = readPublished(folder, 'chime');
  const removed = readRemoved(folder, file);
  if (removed === undefined) throw new Error(`models/${file.replace(/\.json$/, '.removed.json')} is missing`);
  const chime = models.find(({ service }) => service === 'chime') as ServiceModel;
  const sdk = models.filter(({ service }) => service.startsWith('chime-sdk-'));
  const old = removed['operations'] as Readonly<Record<string, Json>>;

  const successors: Record<string, readonly ServiceName[]> = {};
  for (const name of Object.keys(old)) {
    const services = sdk.filter(({ operations }) => name in operations).map(({ service }) => service);
    if (services.length === 0) continue;
    if (services.length > 1 && !/Tag|Untag/.test(name)) throw new Error(`${name} has several successors: ${services.join(', ')}`);
    successors[name] = services;
  }
  const whole = fromPublished('chime', file, {
    ...published,
    operations: Object.fromEntries(Object.keys(successors).map((name) => [name, old[name] as Json])),
    shapes: { ...(published['shapes'] as object), ...(removed['shapes'] as object) },
  });
  const operations = Object.fromEntries(
    Object.entries(whole.operations).map(([name, operation]) => [
      name,
      { ...operation, readOnly: (chime.removed[name] as OperationModel).readOnly },
    ]),
  );
  return {
    ...whole,
    successors,
    provenance: [removed['origin'] as string, removed['shapesOrigin'] as string],
    operations,
    shapes: withSensitive(boundedShapes(usedShapes(whole.shapes, Object.values(operations)), models)),
  };
}

/** Returns the shapes of the inputs, outputs and errors of operations. */
function usedShapes(shapes: ServiceModel['shapes'], operations: readonly OperationModel[]): Record<string, Shape> {
  const used = new Set<string>();
  const waiting = operations.flatMap(({ input, output, errors }) => [input, output, ...errors].filter((name) => name !== undefined));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    const shape = shapes[name];
    if (shape === undefined) throw new Error(`no shape ${name} for the removed operations`);
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key]) if (member) waiting.push(member.shape);
  }
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => used.has(name)));
}

function boundedShapes(shapes: Record<string, Shape>, models: readonly ServiceModel[]): Record<string, Shape> {
  const bounded = { ...shapes };
  for (const [name, service, today] of BOUNDED_TODAY) {
    const { min, max } = models.find((model) => model.service === service)?.shapes[today] ?? {};
    if (max === undefined) throw new Error(`${service} has no maximum for ${today}`);
    bounded[name] = { ...(shapes[name] as Shape), ...(min !== undefined && { min }), max };
  }
  return bounded;
}

function withSensitive(shapes: Record<string, Shape>): Record<string, Shape> {
  const marked = { ...shapes };
  for (const [name, member] of SENSITIVE_TODAY) {
    const { members = {}, ...shape } = marked[name] as Shape;
    marked[name] = { ...shape, members: { ...members, [member]: { ...(members[member] as Member), sensitive: true } } };
  }
  return marked;
}
